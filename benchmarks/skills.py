"""Suggestions against the recorded future: how often they are right, and how many.

python -m benchmarks.skills [SEED ...]

Nothing was fitted to the seeds of SEEDS. Each household is lived for twelve weeks with
every built-in skill, a calendar of what Ada truly goes to and a shopping list; Ada
answers, and the last eight weeks are judged.

Right is a suggestion after which what it speaks of came about: an appointment, a shop
or a charger reached within 90 minutes; a meal out within three hours and before home or
work; home reached within 30 minutes of the hour told, or by somebody until then where
that is said; a thing truly left open or forgotten; a holiday; a day that would have
ended below the reserve. What was said when she had been there for a minute is wrong.
Safety is not counted: it is never kept back. Eligible is a stop, not at home or work,
for a reason that a skill speaks of, of which she had made three before; it is caught
when a suggestion for it was said before.

Limits are of 95 %, from 2,000 draws of whole weeks of households with replacement.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from benchmarks.skills_judge import REASONS, eligible, stops_of
from benchmarks.skills_life import DAY_S
from benchmarks.skills_policy import policy_rows
from benchmarks.skills_record import Recording, record
from benchmarks.skills_run import (
    Said,
    at_six,
    by_the_clock,
    most_frequent,
    nobody,
    run,
)
from numpy.typing import NDArray

from trivet.devices.world.town import HOME, WORK
from trivet.domain.clock import local

SEEDS = (400, 401, 402, 403, 404)
WEEK_S = 7 * DAY_S
#: Left out for a household with no calendar, and to judge by stops alone.
CALENDAR = ("leave_now",)
AT_HOME = ("preheat", "left_open", "departure", "holiday")
DRAWS = 2000
Row: TypeAlias = tuple[str, float, str]
Way_: TypeAlias = Callable[[Recording], list[Said]]


class Week(msgspec.Struct):
    """What was said in one week of one household, and what there was to say."""

    days: float = 7.0
    said: int = 0
    right: int = 0
    stops: int = 0
    caught: int = 0
    most: int = 0


def rows(seeds: Iterable[int] = SEEDS) -> Iterator[Row]:
    recordings = [record(seed) for seed in seeds]
    yield "households", len(recordings), ""
    yield "days judged", sum(_days(one) for one in recordings), ""
    every = tuple(REASONS)
    stops = tuple(skill for skill in REASONS if skill not in CALENDAR)
    ways: tuple[tuple[str, Sequence[str], Way_], ...] = (
        ("trivet", every, lambda one: run(one)[0]),
        ("trivet, never trying out", every, lambda one: run(one, explores=False)[0]),
        ("trivet, no calendar", stops, lambda one: run(one, without=CALENDAR)[0]),
        (
            "trivet, stops alone, no calendar",
            stops,
            lambda one: run(one, without=(*CALENDAR, *AT_HOME))[0],
        ),
        ("rival: dinner at 18:00", stops, at_six),
        ("rival: what she does at that hour of the week", stops, by_the_clock),
        ("rival: at each departure her most frequent stop", stops, most_frequent),
    )
    for name, skills, choose in ways:
        said = [choose(one) for one in recordings]
        yield from _figures(name, recordings, said, skills)
        if name == "trivet":
            yield from _by_skill(recordings, said)
        if name == "trivet, no calendar":
            yield from _by_reason(recordings, said, skills)
    yield from _ignored(recordings)
    yield from policy_rows(recordings)


def _figures(
    name: str,
    recordings: Sequence[Recording],
    said: Sequence[list[Said]],
    skills: Sequence[str],
) -> Iterator[Row]:
    weeks = [
        week
        for recording, each in zip(recordings, said, strict=True)
        for week in _weeks(recording, each, skills)
    ]
    table = np.array(
        [[w.days, w.said, w.right, w.stops, w.caught] for w in weeks], dtype=float
    )
    yield f"{name}: said a day", _ratio(table, 1, 0), ""
    yield "  most on one day", max(week.most for week in weeks), ""
    yield from _with_limits("  of these right", table, (2,), 1, 100.0, "%")
    yield from _with_limits("  false alarms a day", table, (1, -2), 0, 1.0, "")
    yield from _with_limits("  said of the eligible stops", table, (4,), 3, 100.0, "%")
    yield "  eligible stops", float(table[:, 3].sum()), ""


def _by_skill(
    recordings: Sequence[Recording], said: Sequence[list[Said]]
) -> Iterator[Row]:
    judged = [
        one
        for recording, each in zip(recordings, said, strict=True)
        for one in each
        if one.time >= recording.judged_from
    ]
    for skill in sorted({one.need.skill for one in judged}):
        own = [one for one in judged if one.need.skill == skill]
        right = sum(one.is_right for one in own)
        yield f"  {skill}: said", len(own), ""
        yield "    of these right", 100.0 * right / len(own), "%"


def _by_reason(
    recordings: Sequence[Recording], said: Sequence[list[Said]], skills: Sequence[str]
) -> Iterator[Row]:
    stops: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for recording, each in zip(recordings, said, strict=True):
        found = {
            way.after.arrival
            for one in each
            for way in stops_of(one.need, one.time, recording.ways)
        }
        for way in eligible(recording, skills):
            from_where = way.before.place
            known = from_where if from_where in (HOME, WORK) else "elsewhere"
            for what in (way.after.reason, f"{way.after.reason} from {known}"):
                stops[what] += 1
                caught[what] += way.after.arrival in found
    for reason in sorted(stops):
        yield f"  {reason}: eligible stops", stops[reason], ""
        yield "    said of these", caught[reason], ""


def _ignored(recordings: Sequence[Recording]) -> Iterator[Row]:
    """Somebody who never looks: how soon it is said less."""
    said = [run(one, answers=nobody)[0] for one in recordings]
    for weeks, label in (((0, 2), "first two"), ((10, 12), "last two")):
        count = 0
        for recording, each in zip(recordings, said, strict=True):
            begin = recording.moments[0].situation.time
            count += sum(
                weeks[0] * WEEK_S <= one.time - begin < weeks[1] * WEEK_S
                for one in each
                if not one.need.is_safety
            )
        days = 14.0 * len(recordings)
        yield f"who never looks: said a day, the {label} weeks", count / days, ""


def _weeks(
    recording: Recording, said: Sequence[Said], skills: Sequence[str]
) -> list[Week]:
    count = round(_days(recording) / 7.0)
    weeks = [Week() for _ in range(count)]

    def week_of(time: float) -> Week | None:
        index = int((time - recording.judged_from) // WEEK_S)
        return weeks[index] if 0 <= index < count else None

    daily: dict[int, int] = {}
    caught: set[float] = set()
    for one in said:
        caught |= {
            way.after.arrival for way in stops_of(one.need, one.time, recording.ways)
        }
        week = week_of(one.time)
        if week is None or one.need.is_safety:
            continue
        day = local(one.time, recording.zone).toordinal()
        daily[day] = daily.get(day, 0) + 1
        week.most = max(week.most, daily[day])
        week.said += 1
        week.right += one.is_right
    for way in eligible(recording, skills):
        week = week_of(way.after.arrival)
        if week is not None:
            week.stops += 1
            week.caught += way.after.arrival in caught
    return weeks


def _days(recording: Recording) -> float:
    return (recording.until - recording.judged_from) / DAY_S


def _with_limits(
    name: str,
    table: NDArray[np.float64],
    over: tuple[int, ...],
    under: int,
    factor: float,
    unit: str,
) -> Iterator[Row]:
    """A ratio of sums of columns, a negative column taken off, with its limits."""
    top = sum(np.sign(c) * table[:, abs(c)] for c in over)
    both = np.column_stack([top, table[:, under]])
    yield name, factor * _ratio(both, 0, 1), unit
    rng = np.random.default_rng(7)
    chosen = rng.integers(0, len(both), (DRAWS, len(both)))
    sums = both[chosen].sum(axis=1)
    shares = sums[:, 0] / np.maximum(sums[:, 1], 1.0)
    low, high = np.quantile(shares, (0.025, 0.975))
    yield f"  {'  ' if name.startswith('    ') else ''}  at least", factor * low, unit
    yield f"  {'  ' if name.startswith('    ') else ''}  at most", factor * high, unit


def _ratio(table: NDArray[np.float64], over: int, under: int) -> float:
    total = float(table[:, under].sum())
    return float(table[:, over].sum()) / total if total else 0.0


def main(arguments: list[str]) -> None:
    for what, value, unit in rows([int(text) for text in arguments] or SEEDS):
        print(f"  {what:<64} {value:>10,.2f} {unit}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
