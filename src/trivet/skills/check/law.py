"""The laws that every skill keeps: each check is one, and raises when it is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from math import isfinite
from types import FrameType
from typing import TypeAlias

import msgspec

from trivet.domain.error import TrivetError
from trivet.domain.forecast import Forecast
from trivet.domain.sample import Quality
from trivet.domain.suggestion import Suggestion
from trivet.domain.wire import decode, encode
from trivet.engine.context import Context
from trivet.engine.situation import Situation, Skill
from trivet.skills.check.example import samples_of, with_samples
from trivet.skills.check.hostile import hostile

Check: TypeAlias = Callable[[Skill, Situation], None]

#: Needs that a skill may have at one moment: more is a list, and nobody's need.
MOST_NEEDS = 8
_DAY_S = 86400.0
#: Built-in functions that tell the time, by module or class and name.
_CLOCKS = frozenset(
    {
        *(("time", name) for name in ("time", "time_ns", "monotonic", "monotonic_ns")),
        *(("time", name) for name in ("perf_counter", "localtime", "gmtime")),
        *(("datetime", name) for name in ("now", "utcnow", "today")),
        ("date", "today"),
    }
)


def check_same_situation_same_needs(skill: Skill, situation: Situation) -> None:
    """A skill is pure: asked again, or asked by an equal situation, it says the same.

    It changes nothing of what it was given either.
    """
    before = samples_of(situation)
    first = list(skill.needs(situation))
    assert first == list(skill.needs(situation)), f"{skill.name} has a memory"
    assert samples_of(situation) == before, f"{skill.name} changed its situation"
    twin = with_samples(situation, before)
    assert first == list(skill.needs(twin)), f"{skill.name} looks beyond the situation"


def check_survives_missing_features(skill: Skill, situation: Situation) -> None:
    """Whatever is missing, unavailable or bad: no error, and sound needs or none."""
    for what, poorer in missing(situation):
        try:
            needs = list(skill.needs(poorer))
        except Exception as error:
            raise AssertionError(f"{skill.name} fails without {what}") from error
        for need in needs:
            assert need.expires > poorer.time, f"{skill.name} without {what}: expired"


def check_survives_hostile_values(skill: Skill, situation: Situation) -> None:
    """Whatever is sent, named or measured: no error, few needs, and they fit the wire.

    What a skill repeats of others' words it cuts to what the domain allows.
    """
    for what, odd in hostile(situation):
        try:
            needs = list(skill.needs(odd))
        except Exception as error:
            raise AssertionError(f"{skill.name} fails with {what}") from error
        assert len(needs) <= MOST_NEEDS, f"{len(needs)} needs with {what}"
        for need in needs:
            try:
                decode(
                    encode(Suggestion("id", odd.person, 0.0, need, need.surfaces[0]))
                )
            except (TrivetError, IndexError) as error:
                raise AssertionError(f"{need.key} with {what}: {error}") from error


def check_asks_no_clock(skill: Skill, situation: Situation) -> None:
    """The time is the situation's: a replayed year must be the year that was lived."""
    asked: list[str] = []

    def watch(frame: FrameType, event: str, function: object) -> None:
        owner = getattr(function, "__self__", None)
        of = getattr(owner, "__name__", "")
        name = getattr(function, "__name__", "")
        if event == "c_call" and (of, name) in _CLOCKS:
            asked.append(f"{of}.{name}")

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        list(skill.needs(situation))
    finally:
        sys.setprofile(before)
    assert not asked, f"{skill.name} asks {asked[0]}: the time is situation.time"


def check_keys_are_stable(skill: Skill, situation: Situation) -> None:
    """A need is the same need a second later: what was refused is known again."""
    soon = msgspec.structs.replace(situation, time=situation.time + 1.0)
    first = {need.key for need in skill.needs(situation)}
    second = {need.key for need in skill.needs(soon)}
    assert not first or not second or first & second, (
        f"{skill.name}: the key is {min(first)} and a second later {min(second)}"
    )


def check_numbers_are_sound(skill: Skill, situation: Situation) -> None:
    """Chances from 0 to 1, event times in seconds, counts that can be counted."""
    needs = list(skill.needs(situation))
    assert len(needs) <= MOST_NEEDS, f"{len(needs)} needs at one moment"
    for need in needs:
        assert 0.0 <= need.probability <= 1.0, f"{need.key}: chance {need.probability}"
        assert 0.0 <= need.benefit <= 1.0, f"{need.key}: benefit {need.benefit}"
        assert isfinite(need.expires), f"{need.key}: expires {need.expires}"
        for reason in need.reasons:
            if reason.count is not None and reason.of is not None:
                assert 0 <= reason.count <= reason.of, f"{need.key}: {reason}"
        for action in need.actions:
            if isinstance(action.value, float):
                assert isfinite(action.value), f"{need.key}: sets {action.value}"


def check_expires_after_now(skill: Skill, situation: Situation) -> None:
    """A need ends, and not before it was said."""
    for need in skill.needs(situation):
        assert situation.time < need.expires, f"{need.key}: expired when it was made"
        assert need.expires <= situation.time + 7 * _DAY_S, f"{need.key}: never ends"


def check_reasons_have_evidence(skill: Skill, situation: Situation) -> None:
    """Every need says why, and at least one reason gives a number."""
    for need in skill.needs(situation):
        assert need.reasons, f"{need.key}: no reason"
        assert all(reason.text.strip() for reason in need.reasons), need.key
        assert any(
            reason.count is not None or any(map(str.isdigit, reason.text))
            for reason in need.reasons
        ), f"{need.key}: no evidence"


def check_needs_are_named(skill: Skill, situation: Situation) -> None:
    """Needs bear their skill's name, and no two bear one key."""
    needs = list(skill.needs(situation))
    assert all(need.skill == skill.name for need in needs), "somebody else's name"
    keys = [need.key for need in needs]
    assert all(keys), "an empty key"
    assert len(set(keys)) == len(keys), f"one key twice among {keys}"


def check_needs_can_be_shown_and_done(skill: Skill, situation: Situation) -> None:
    """There is a surface to show it on, and actions are for devices that exist."""
    devices = {situation.phone, situation.car, situation.home} - {""}
    for need in skill.needs(situation):
        assert need.title.strip(), f"{need.key}: no title"
        assert need.surfaces, f"{need.key}: no surface"
        for action in need.actions:
            assert action.device in devices, f"{need.key}: {action.device} is unknown"
            assert action.label.strip(), f"{need.key}: an action with no label"


def check_needs_fit_the_wire(skill: Skill, situation: Situation) -> None:
    """A need survives the way to another device: limits of the domain are kept."""
    for need in skill.needs(situation):
        for surface in need.surfaces:
            said = Suggestion("id", situation.person, situation.time, need, surface)
            try:
                received = decode(encode(said))
            except TrivetError as error:
                raise AssertionError(f"{need.key}: {error}") from error
            assert received == said, f"{need.key}: changed on the wire"


def check_silent_when_nothing_is_known(skill: Skill, situation: Situation) -> None:
    """With nothing known at all there is nothing to say."""
    empty = Situation(
        situation.time,
        situation.zone,
        situation.person,
        phone="",
        car="",
        home="",
        context=Context(),
        forecast=None,
        at="",
        places={},
        stays=(),
    )
    assert not list(skill.needs(empty)), f"{skill.name} speaks of nothing"


CHECKS: tuple[Check, ...] = (
    check_same_situation_same_needs,
    check_survives_missing_features,
    check_survives_hostile_values,
    check_asks_no_clock,
    check_keys_are_stable,
    check_numbers_are_sound,
    check_expires_after_now,
    check_reasons_have_evidence,
    check_needs_are_named,
    check_needs_can_be_shown_and_done,
    check_needs_fit_the_wire,
    check_silent_when_nothing_is_known,
)


def missing(situation: Situation) -> Iterator[tuple[str, Situation]]:
    """The situation again and again, each time with something less, and what it is."""
    fields: dict[str, object] = {
        "phone": "",
        "car": "",
        "home": "",
        "context": Context(),
        "forecast": None,
        "at": "",
        "places": {},
        "stays": (),
        "atlas": None,
        "trips": (),
        "appointments": (),
        "lists": {},
        "changes": (),
        "soon": (),
    }
    for name, nothing in fields.items():
        yield name, msgspec.structs.replace(situation, **{name: nothing})
    unplaced = {
        id_: msgspec.structs.replace(place, lat=None, lon=None)
        for id_, place in situation.places.items()
    }
    yield "coordinates", msgspec.structs.replace(situation, places=unplaced)
    if situation.forecast is not None:
        yield from _poorer_forecasts(situation, situation.forecast)
    samples = samples_of(situation)
    replace = msgspec.structs.replace
    for index, sample in enumerate(samples):
        others = samples[:index] + samples[index + 1 :]
        yield sample.path, with_samples(situation, others)
        for value in ("unavailable", True, -1e9):
            odd = replace(sample, value=value)
            yield f"{sample.path} ({value!r})", with_samples(situation, [*others, odd])
        bad = replace(sample, quality=Quality.BAD)
        yield f"{sample.path} (bad)", with_samples(situation, [*others, bad])


def _poorer_forecasts(
    situation: Situation, forecast: Forecast
) -> Iterator[tuple[str, Situation]]:
    replace = msgspec.structs.replace
    bare = tuple(
        replace(candidate, lat=None, lon=None, arrival=None, reasons=())
        for candidate in forecast.candidates
    )
    for what, poorer in (
        ("candidates", replace(forecast, candidates=())),
        ("arrival", replace(forecast, arrival=None)),
        ("origin", replace(forecast, origin="")),
        ("anything of the candidates", replace(forecast, candidates=bare)),
    ):
        yield what, replace(situation, forecast=poorer)
