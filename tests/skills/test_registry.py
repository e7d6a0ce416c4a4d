from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from trivet.domain.error import SetupError, UsageError
from trivet.skills import GROUP, SKILLS, known, load, registry


def install(monkeypatch: pytest.MonkeyPatch, **skills: str) -> None:
    """Act as if another package named these entry points."""
    found = EntryPoints(EntryPoint(n, value, GROUP) for n, value in skills.items())

    def entry_points(group: str) -> EntryPoints:
        assert group == GROUP
        return found

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_every_built_in_skill_loads_under_its_name() -> None:
    assert [skill.name for skill in load(SKILLS)] == list(SKILLS)


def test_a_name_chooses_the_skill() -> None:
    assert [skill.name for skill in load(["preheat"])] == ["preheat"]
    assert load([]) == []


def test_an_unknown_name_is_the_caller_s_mistake_and_the_known_are_named() -> None:
    with pytest.raises(UsageError, match="umbrella") as caught:
        load(["umbrella"])
    assert "dinner" in caught.value.hint


def test_another_package_s_skill_comes_in_by_the_same_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, umbrella="trivet.skills.dinner:Dinner")
    assert list(known()) == [*SKILLS, "umbrella"]


def test_no_package_takes_a_built_in_name(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, dinner="elsewhere:Dinner")
    assert known()["dinner"] is SKILLS["dinner"]


@pytest.mark.parametrize(
    "target",
    [
        "no_such_package:Umbrella",
        "trivet.skills.dinner:NoSuch",
        "math:sqrt",
        "builtins:object",
    ],
)
def test_a_skill_that_does_not_load_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    install(monkeypatch, umbrella=target)
    with pytest.raises(SetupError, match="umbrella") as caught:
        load(["umbrella"])
    assert caught.value.hint


def test_a_skill_under_another_name_than_its_own_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, umbrella="trivet.skills.dinner:Dinner")
    with pytest.raises(SetupError, match="calls itself dinner"):
        load(["umbrella"])
