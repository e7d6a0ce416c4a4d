"""What would change a suggestion does change it, whoever asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import pytest
from msgspec.structs import replace

from trivet.domain import (
    Candidate,
    Forecast,
    Need,
    Position,
    Prospect,
    Reason,
    Sample,
    Suggestion,
    Surface,
)
from trivet.domain.clock import local
from trivet.engine.counterfactual import Asker, changes
from trivet.engine.feedback import Feedback
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import examples, knowing
from trivet.skills.registry import load

SIGNAL = re.compile(
    r'If "(\S+) (\S+)" were (\S+)( or more| or less)? \(now (\S+)\), it .*'
)
PLACE = re.compile(r"If (.+) were less likely than (\d+) % \(now (\d+) %\), it .*")
HOUR = re.compile(r"If all stayed as it is, it would not be said from (\d\d:\d\d) on\.")
#: Noon and evening, from home, from work and at work, on an island, and to a new mall.
EXAMPLES = [*examples()[6:9], *examples()[12:15], *examples()[-3:]]
#: Enough for every skill of the shipped ones to have something to say.
MANY = 50


def words(sample: Sample) -> tuple[str, str] | None:
    value = sample.value
    if isinstance(value, Position):
        return None
    text = f"{value:.1f}" if isinstance(value, float) else json.dumps(value)
    return f"{sample.device} {sample.path}", text


def suggester() -> Suggester:
    return Suggester("ada", load(), Feedback(), max_per_day=MANY)


def keys(skill: str, situation: Situation) -> set[str]:
    said = suggester().suggest(situation)
    return {one.need.key for one in said if one.need.skill == skill}


def told() -> Iterable[tuple[Situation, Suggestion, list[str]]]:
    for situation in EXAMPLES:
        asked = suggester()
        for suggestion in asked.suggest(situation):
            yield (
                situation,
                suggestion,
                changes(Asker(asked, suggestion, situation), words),
            )


TOLD = [entry for entry in told() if entry[2]]


def is_said(suggestion: Suggestion, now: Situation, then: Situation) -> bool:
    """Whether it is said then, or something that is not said now."""
    need = suggestion.need
    said = keys(need.skill, then)
    return need.key in said or bool(said - keys(need.skill, now))


def test_the_shipped_skills_give_something_to_ask_about() -> None:
    assert len({suggestion.need.skill for _, suggestion, _ in TOLD}) >= 4
    lines = [line for _, _, lines in TOLD for line in lines]
    for kind in (SIGNAL, PLACE, HOUR):
        assert any(kind.fullmatch(line) for line in lines), (kind.pattern, lines)
    for line in lines:
        assert any(k.fullmatch(line) for k in (SIGNAL, PLACE, HOUR)), line


@pytest.mark.parametrize("number", range(len(TOLD)))
def test_what_is_said_to_change_it_changes_it(number: int) -> None:
    situation, suggestion, lines = TOLD[number]
    assert is_said(suggestion, situation, situation)
    for line in lines:
        if match := SIGNAL.fullmatch(line):
            device, path, value, _, now = match.groups()
            known = situation.context.sample(device, path)
            assert known is not None
            assert words(known) == (f"{device} {path}", now)
            other = replace(known, value=json.loads(value))
            assert not is_said(suggestion, situation, knowing(situation, other))
        elif match := PLACE.fullmatch(line):
            label, bound = match[1], int(match[2]) / 100
            for share, expected in ((bound - 1e-4, False), (bound + 0.02, True)):
                other_way = at_odds(situation, label, share)
                assert is_said(suggestion, situation, other_way) is expected
        elif match := HOUR.fullmatch(line):
            time = situation.time
            while f"{local(time, situation.zone):%H:%M}" != match[1]:
                time += 60.0
            late = replace(situation, time=time)
            assert not is_said(suggestion, situation, late), line


def at_odds(situation: Situation, label: str, share: float) -> Situation:
    """The situation with a place so likely, the others in proportion."""
    forecast = situation.forecast
    assert forecast is not None
    before = next(c.probability for c in forecast.candidates if c.label == label)
    rest = (1.0 - share) / (1.0 - before)
    candidates = [
        replace(c, probability=share if c.label == label else rest * c.probability)
        for c in forecast.candidates
    ]
    candidates.sort(key=lambda c: -c.probability)
    return replace(situation, forecast=replace(forecast, candidates=tuple(candidates)))


def test_asking_what_if_leaves_all_as_it_was() -> None:
    for situation in EXAMPLES:
        asked = suggester()
        for suggestion in asked.suggest(situation):
            before = asked.snapshot()
            latest = list(situation.context.of_device("home"))
            changes(Asker(asked, suggestion, situation), words)
            assert asked.snapshot() == before
            assert list(situation.context.of_device("home")) == latest


def test_a_moment_that_has_passed_has_nothing_to_change() -> None:
    passed = 0
    for situation, suggestion, _ in TOLD:
        late = replace(situation, time=suggestion.need.expires + 1.0)
        if suggestion.need.key not in keys(suggestion.need.skill, late):
            assert changes(Asker(suggester(), suggestion, late), words) == []
            passed += 1
    assert passed


def test_of_two_things_left_open_one_is_still_said() -> None:
    for _, suggestion, lines in TOLD:
        if "garage" in suggestion.need.key and "front_door" in suggestion.need.key:
            assert not any("garage" in line for line in lines), lines


class Likely:
    """Says something of a place from a chance on that is no whole percent."""

    name = "likely"

    def needs(self, situation: Situation) -> Iterator[Need]:
        forecast = situation.forecast
        if forecast is not None and forecast.probability_of("p") >= 0.3467:
            end, surfaces = situation.time + 600.0, (Surface.CAR, Surface.PHONE)
            yield Need("likely", "p", "Go?", 0.9, 0.9, (Reason("so"),), end, surfaces)


def test_below_the_chance_that_is_told_it_is_never_said() -> None:
    situation = EXAMPLES[0]
    now, places = situation.time, (Candidate("", "else", 0.6), Candidate("p", "P", 0.4))
    situation = replace(situation, forecast=Forecast("ada", now, now, "", places))
    asked = Suggester("ada", [Likely()])
    (said,) = asked.suggest(situation)
    (line,) = (x for x in changes(Asker(asked, said, situation), words) if "P" in x)
    assert line.startswith("If P were less likely than 34 % (now 40 %)")


class Somewhere:
    """Says a thing as long as what is new and known together are likely enough."""

    name = "somewhere"

    def needs(self, situation: Situation) -> Iterator[Need]:
        forecast = situation.forecast
        if forecast is None:
            return
        new = sum(found.probability for found in forecast.prospects)
        if new + forecast.probability_of("p") >= 0.5 and new < 0.5:
            end, surfaces = situation.time + 600.0, (Surface.CAR, Surface.PHONE)
            yield Need("somewhere", "p", "?", 0.9, 0.9, (Reason("so"),), end, surfaces)


def test_what_somewhere_new_may_be_shares_what_is_left() -> None:
    """With no share of P all of it would be new, and so would be the prospect."""
    situation = EXAMPLES[0]
    found = Prospect("node/1", "Anchor", "pub", 0.0, 0.0, 0.45)
    new = Candidate("", "somewhere new", 0.6, prospects=(found,))
    now, places = situation.time, (new, Candidate("p", "P", 0.4))
    situation = replace(situation, forecast=Forecast("ada", now, now, "", places))
    asked = Suggester("ada", [Somewhere()])
    (said,) = asked.suggest(situation)
    (line,) = (x for x in changes(Asker(asked, said, situation), words) if "P" in x)
    # 0.5 of all is new where P has a third
    assert line.startswith("If P were less likely than 33 % (now 40 %)")
