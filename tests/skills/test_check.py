"""Every built-in skill keeps every law, and every law can be broken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec
import pytest

from trivet.domain.forecast import Reason
from trivet.domain.suggestion import Action, Need
from trivet.engine.situation import Situation
from trivet.skills import SKILLS, load
from trivet.skills.check import CHECKS, MOST_NEEDS, Check, example, examples
from trivet.skills.check.__main__ import main

MONTH_S = 30 * 86400.0


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SKILLS)
def test_a_built_in_skill_keeps_the_law(name: str, check: Check) -> None:
    (skill,) = load([name])
    for situation in examples():
        check(skill, situation)


@pytest.mark.parametrize("name", SKILLS)
def test_the_examples_make_every_built_in_skill_speak(name: str) -> None:
    (skill,) = load([name])
    assert any(list(skill.needs(situation)) for situation in examples())


def good(situation: Situation) -> Need:
    return Need(
        "tea",
        "tea",
        "Tea?",
        0.5,
        0.5,
        (Reason("You had tea on 4 of 5 such days", 4, 5),),
        situation.time + 600,
    )


class Tea:
    """A skill that breaks at most one law."""

    name = "tea"

    def __init__(self, change: Callable[[Need, Situation], list[Need]]) -> None:
        self.change = change

    def needs(self, situation: Situation) -> Iterable[Need]:
        if not situation.home:
            return []
        return self.change(good(situation), situation)


class Remembering(Tea):
    def needs(self, situation: Situation) -> Iterable[Need]:
        self.asked = getattr(self, "asked", 0) + 1
        return [good(situation)] * (self.asked % 2)


class Fragile(Tea):
    def needs(self, situation: Situation) -> Iterable[Need]:
        if situation.forecast is not None and situation.forecast.best.label:
            return []
        return []


class Chatty(Tea):
    def needs(self, situation: Situation) -> Iterable[Need]:
        return [good(situation)]


def changed(**changes: object) -> Tea:
    return Tea(lambda need, situation: [msgspec.structs.replace(need, **changes)])


class Hasty(Tea):
    """Asks the clock itself."""

    def needs(self, situation: Situation) -> Iterable[Need]:
        if not situation.home:
            return []
        return [good(situation)] if datetime.now(UTC).year > 1 else []


class Trusting(Tea):
    """Repeats what others say as it came."""

    def needs(self, situation: Situation) -> Iterable[Need]:
        if not situation.home or not situation.appointments:
            return []
        title = f"Tea before {situation.appointments[0].title}?"
        return [msgspec.structs.replace(good(situation), title=title)]


BROKEN = {
    "check_survives_hostile_values": Trusting(lambda n, s: [n]),
    "check_asks_no_clock": Hasty(lambda n, s: [n]),
    "check_keys_are_stable": Tea(
        lambda n, s: [msgspec.structs.replace(n, key=f"tea at {s.time}")]
    ),
    "check_numbers_are_sound": changed(reasons=(Reason("5 of 4 times", 5, 4),)),
    "check_same_situation_same_needs": Remembering(lambda n, s: [n]),
    "check_survives_missing_features": Fragile(lambda n, s: [n]),
    "check_expires_after_now": Tea(
        lambda n, s: [msgspec.structs.replace(n, expires=s.time)]
    ),
    "check_reasons_have_evidence": changed(reasons=(Reason("Just so"),)),
    "check_needs_are_named": Tea(lambda n, s: [n, n]),
    "check_needs_can_be_shown_and_done": changed(
        actions=(Action("kettle", "switch.kettle", "on", "Boil"),)
    ),
    "check_needs_fit_the_wire": changed(probability=1.5),
    "check_silent_when_nothing_is_known": Chatty(lambda n, s: [n]),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_sound_skill_passes_and_a_broken_one_does_not(check: Check) -> None:
    situation = example(12.0, "work", "home")
    check(Tea(lambda need, _: [need]), situation)
    with pytest.raises(AssertionError):
        check(BROKEN[check.__name__], situation)


def test_a_need_that_never_ends_is_found() -> None:
    never = Tea(lambda n, s: [msgspec.structs.replace(n, expires=s.time + MONTH_S)])
    check = next(c for c in CHECKS if c.__name__ == "check_expires_after_now")
    with pytest.raises(AssertionError, match="never ends"):
        check(never, example(12.0, "work"))


@pytest.mark.parametrize("clock", [time.time, time.monotonic, time.localtime])
def test_whichever_clock_is_asked_is_found(clock: Callable[[], object]) -> None:
    def late(need: Need, situation: Situation) -> list[Need]:
        clock()
        return [need]

    check = next(c for c in CHECKS if c.__name__ == "check_asks_no_clock")
    with pytest.raises(AssertionError, match=clock.__name__):
        check(Tea(late), example(12.0, "work"))


def test_a_skill_that_talks_of_everything_is_found() -> None:
    many = Tea(
        lambda n, s: [
            msgspec.structs.replace(n, key=f"{index}")
            for index in range(MOST_NEEDS + 1)
        ]
    )
    check = next(c for c in CHECKS if c.__name__ == "check_numbers_are_sound")
    with pytest.raises(AssertionError, match="at one moment"):
        check(many, example(12.0, "work"))


class Umbrella(Tea):
    """As a package would offer it: made with no arguments."""

    def __init__(self) -> None:
        super().__init__(lambda need, situation: [need])


class Forgetful(Umbrella):
    def needs(self, situation: Situation) -> Iterable[Need]:
        return [msgspec.structs.replace(good(situation), expires=0.0)]


class Raises(Umbrella):
    def needs(self, situation: Situation) -> Iterable[Need]:
        raise ZeroDivisionError("no tea left")


def test_the_kit_is_run_from_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([f"{__name__}:Umbrella"]) == 0
    said = capsys.readouterr().out
    assert said.count("kept") == len(CHECKS)
    assert "tea takes" in said
    assert main([f"{__name__}:Forgetful"]) == 1
    said = capsys.readouterr().out
    assert "BROKEN expires after now" in said
    assert "expired when it was made" in said


def test_a_skill_that_raises_is_told_and_no_crash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([f"{__name__}:Raises"]) == 1
    assert "no tea left" in capsys.readouterr().out


def test_a_built_in_skill_is_checked_by_its_name() -> None:
    assert main(["left_open"]) == 0


@pytest.mark.parametrize(
    "words", [[], ["nothing"], ["no.such.module:Skill"], ["builtins:object"]]
)
def test_the_kit_says_what_it_cannot_check(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().out.strip()
