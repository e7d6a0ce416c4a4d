"""Ways of choosing among recorded needs, and an Ada who answers by what she then did.

What she does want she takes four times of five and overlooks the rest; what she does
not want she refuses half of the time and overlooks the other half. Her dice are a hash
of the suggestion, so every run of one way of choosing is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from benchmarks.skills_judge import REASONS, is_right
from benchmarks.skills_life import Way
from benchmarks.skills_record import Moment, Recording

from trivet.domain.clock import hour_of_day, local
from trivet.domain.suggestion import Answer, AnswerKind, Need
from trivet.engine.acceptance import draw
from trivet.engine.attention import Attention
from trivet.engine.situation import Situation
from trivet.engine.suggest import MAX_PER_DAY, Suggester

TAKES, REFUSES = 0.8, 0.5
#: An answer comes so long after it was said.
ANSWER_S = 60.0
#: Rivals say it so long before the hour, and on this share of such weekdays at least.
EARLY_S, USUAL = 30 * 60.0, 0.5
Answers: TypeAlias = Callable[[str, bool], AnswerKind]


class Said(msgspec.Struct, frozen=True):
    """What was said, when, and whether it was right."""

    need: Need
    time: float
    is_right: bool


class _Replayed:
    """A skill that finds what was found."""

    name = "replayed"

    def __init__(self) -> None:
        self.found: Sequence[Need] = ()

    def needs(self, situation: Situation) -> Iterable[Need]:
        return self.found


def ada(suggestion: str, is_right: bool) -> AnswerKind:
    """What Ada says to a suggestion that was right, or that was not."""
    luck = draw("ada", "answer", suggestion, "")
    if is_right:
        return AnswerKind.YES if luck < TAKES else AnswerKind.IGNORED
    return AnswerKind.NOT_NOW if luck < REFUSES else AnswerKind.IGNORED


def nobody(suggestion: str, is_right: bool) -> AnswerKind:
    """Somebody who never looks."""
    return AnswerKind.IGNORED


def run(
    recording: Recording,
    *,
    without: Sequence[str] = (),
    explores: bool = True,
    answers: Answers = ada,
    attention: Attention | None = None,
) -> tuple[list[Said], Suggester]:
    """Live the recording through with a suggester, which learns from the answers."""
    skill = _Replayed()
    suggester = Suggester("ada", [skill], attention=attention, explores=explores)
    said: list[Said] = []
    waiting: list[Answer] = []
    for moment in recording.moments:
        time = moment.situation.time
        skill.found = [need for need in moment.needs if need.skill not in without]
        for answer in [one for one in waiting if one.time <= time]:
            waiting.remove(answer)
            suggester.answer(answer)
        suggester.expire(time)
        for suggestion in suggester.suggest(moment.situation):
            right = is_right(suggestion.need, time, recording)
            said.append(Said(suggestion.need, time, right))
            kind = answers(suggestion.id, right)
            if kind is not AnswerKind.IGNORED:
                waiting.append(Answer(suggestion.id, kind, time + ANSWER_S))
    return said, suggester


def at_six(recording: Recording) -> list[Said]:
    """The rival that says dinner each day at 18:00."""
    times = (
        moment.situation.time
        for moment in _first_of_day(recording, lambda hour: hour >= 18.0)
    )
    return [_say(recording, "dinner", time) for time in times]


def by_the_clock(recording: Recording) -> list[Said]:
    """The rival that knows the hours: it says what she did at that hour of the week.

    For each weekday, hour and kind of stop: on at least half of such days so far, and
    three at least; said half an hour before the usual time.
    """
    said = []
    past: dict[tuple[int, str, int], list[float]] = {}
    seen: Counter[int] = Counter()
    for day, ways in _days(recording):
        weekday = day % 7
        due = sorted(
            (sum(hours) / len(hours), skill)
            for (which, skill, _), hours in past.items()
            if which == weekday
            and len(hours) >= 3
            and len(hours) >= USUAL * seen[weekday]
        )
        midnight = _midnight(recording, day)
        for hour, skill in due[:MAX_PER_DAY]:
            time = midnight + hour * 3600.0 - EARLY_S
            said.append(_say(recording, skill, time))
        seen[weekday] += 1
        for way in ways:
            skill = _skill_of(way.after.reason)
            if skill:
                hour = hour_of_day(way.after.arrival, recording.zone)
                past.setdefault((weekday, skill, int(hour)), []).append(hour)
    return said


def most_frequent(recording: Recording) -> list[Said]:
    """The rival that says, at each departure, the kind of stop she makes most."""
    said = []
    counts: Counter[str] = Counter()
    for _, ways in _days(recording):
        given = 0
        for way in ways:
            if counts and given < MAX_PER_DAY:
                skill = max(sorted(counts), key=lambda each: counts[each])
                said.append(_say(recording, skill, way.before.departure))
                given += 1
            if _skill_of(way.after.reason):
                counts[_skill_of(way.after.reason)] += 1
    return said


def _say(recording: Recording, skill: str, time: float) -> Said:
    need = Need(skill, skill, skill, 0.5, 0.5, (), time + 3600.0)
    return Said(need, time, is_right(need, time, recording))


def _skill_of(reason: str) -> str:
    """The skill that speaks of such stops by itself, with no calendar."""
    found = (s for s, of in REASONS.items() if reason in of and s != "leave_now")
    return next(found, "")


def _first_of_day(
    recording: Recording, is_due: Callable[[float], bool]
) -> Iterator[Moment]:
    last = 0
    for moment in recording.moments:
        today = local(moment.situation.time, recording.zone)
        if today.toordinal() != last and is_due(today.hour + today.minute / 60):
            last = today.toordinal()
            yield moment


def _days(recording: Recording) -> Iterator[tuple[int, list[Way]]]:
    """Each local day's number, and the ways that begin on it."""
    days: dict[int, list[Way]] = {}
    for way in recording.ways:
        day = local(way.before.departure, recording.zone).toordinal()
        days.setdefault(day, []).append(way)
    first, last = min(days), max(days)
    for day in range(first, last + 1):
        yield day, days.get(day, [])


def _midnight(recording: Recording, day: int) -> float:
    return datetime.fromordinal(day).replace(tzinfo=recording.zone).timestamp()
