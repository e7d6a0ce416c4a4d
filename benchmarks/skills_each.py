"""Five skills in simulated households: how often each speaks, and is right.

python -m benchmarks.skills_each [SEED ...]

The seeds of SEEDS are reported on and nothing was fitted to them. Each household is
learned for four weeks and judged for eight. Every suggestion stands alone: nothing is
learnt from answers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from statistics import median
from typing import TypeAlias

from benchmarks.skills_life import (
    DAY_S,
    LEARNED_DAYS,
    PLANNED,
    SKILLS,
    Lived,
    Way,
    live,
)

from trivet.devices.world.plan import DayKind
from trivet.devices.world.road import Mode
from trivet.devices.world.town import FLAT, HOME
from trivet.domain import Suggestion
from trivet.domain.clock import hour_of_day, local
from trivet.skills.charge import EVENING_FROM_H, Charge

SEEDS = (411, 412, 413)
Row: TypeAlias = tuple[str, float, str]
_MINUTES = re.compile(r"\((?:(\d+) to )?(\d+) min\)")


def rows(seeds: Iterable[int] = SEEDS) -> Iterator[Row]:
    lives = [live(seed) for seed in seeds]
    weeks = sum(
        (one.world.end_time - one.world.start_time) / DAY_S / 7 - LEARNED_DAYS / 7
        for one in lives
    )
    yield "households", len(lives), ""
    yield "weeks judged", weeks, ""
    for skill in SKILLS:
        said = sum(len(_of(one, skill)) for one in lives)
        yield f"{skill}: said", said / weeks, "a week"
    for judge in (_leave_now, _charge, _groceries, _departure, _holiday):
        yield from judge(lives)


def _leave_now(lives: list[Lived]) -> Iterator[Row]:
    """Truth: when Ada left for it, and how long she was on the way."""
    asked = said = inside = early = late = 0
    leads, widths = [], []
    for one in lives:
        told = {s.need.key: s for s in _of(one, "leave_now")}
        goals = {f"{a.id}@{a.start:.0f}": a for a in one.appointments}
        goals = {key: a for key, a in goals.items() if not a.is_all_day}
        truth = dict(zip(goals.values(), _planned(one), strict=True))
        for key, appointment in goals.items():
            way = truth[appointment]
            if way.after.arrival < _judged_from(one):
                continue
            asked += 1
            if key not in told:
                continue
            said += 1
            lead = way.before.departure - told[key].time
            early += lead >= 0
            leads.append(lead / 60)
            found = _MINUTES.search(told[key].need.title)
            assert found is not None
            low, high = float(found[1] or found[2]), float(found[2])
            took = (way.after.arrival - way.before.departure) / 60
            inside += low - 0.5 <= took <= high + 0.5
            late += took > high + 0.5
            widths.append(high - low)
    yield "leave_now: appointments", asked, ""
    yield "  said of these", _share(said, asked), "%"
    yield "  said before Ada left", _share(early, said), "%"
    yield "  said before she left by (median)", median(leads), "min"
    yield "  the way took what was said (80 % promised)", _share(inside, said), "%"
    yield "  the way took longer than its long end", _share(late, said), "%"
    yield "  width of what was said (median)", median(widths), "min"


def _charge(lives: list[Lived]) -> Iterator[Row]:
    """Truth: what was driven the next day, and whether the car was plugged in."""
    reserve = Charge().reserve_m
    evenings = short = said = right = plugged = caught = 0
    stations = stopped = 0
    for one in lives:
        told = {_day(one, s.time) for s in _of(one, "charge") if s.need.key == "plug"}
        for suggestion in _of(one, "charge"):
            if suggestion.need.key == "station":
                stations += 1
                stopped += _stops_to_charge(one, suggestion)
        for day, range_m, driven_m, is_plugged in _nights(one):
            evenings += 1
            is_short = range_m - driven_m < reserve
            short += is_short
            if day in told:
                said += 1
                right += is_short
                plugged += is_plugged
            caught += is_short and day in told
    yield "charge: evenings judged", evenings, ""
    yield "  the next day would end below the reserve", short, "evenings"
    yield "  said at the plug", said, "evenings"
    yield "  of these it would", _share(right, said), "%"
    yield "  of these the car was plugged in that night", _share(plugged, said), "%"
    yield "  said of those when it would", _share(caught, short), "%"
    yield "  said on the way", stations, "drives"
    yield "  of these the next stop was to charge", _share(stopped, stations), "%"


def _groceries(lives: list[Lived]) -> Iterator[Row]:
    """Truth: whether Ada shopped within the next hour and a half."""
    said = right = shops = caught = drives = 0
    for one in lives:
        told = _of(one, "groceries")
        ways = [w for w in one.ways if w.after.arrival >= _judged_from(one)]
        stops = [w for w in ways if w.after.reason == "groceries"]
        drives += sum(w.after.mode is Mode.CAR for w in ways)
        shops += len(stops)
        for suggestion in told:
            said += 1
            right += any(
                -60.0 <= w.after.arrival - suggestion.time <= 5400.0 for w in stops
            )
        caught += sum(
            any(-60.0 <= w.after.arrival - s.time <= 5400.0 for s in told)
            for w in stops
        )
    yield "groceries: said", said, "drives"
    yield "  of these she shopped within 90 min", _share(right, said), "%"
    yield "  of all drives the next stop was a shop", _share(shops, drives), "%"
    yield "  said before her own stops at a shop", _share(caught, shops), "%"


def _departure(lives: list[Lived]) -> Iterator[Row]:
    """Truth: what was laid over the household as forgotten."""
    said = right = forgotten = caught = left = 0
    for one in lives:
        from_time = _judged_from(one)
        truth = {t: p for t, p in one.forgotten.items() if t >= from_time}
        left += sum(t >= from_time for t in one.empty)
        forgotten += sum(len(paths) for paths in truth.values())
        for suggestion in _of(one, "departure"):
            paths = {action.path for action in suggestion.need.actions}
            time = max(t for t in one.empty if t <= suggestion.time)
            said += len(paths)
            right += len(paths & truth.get(time, set()))
        caught += sum(
            path in {a.path for a in s.need.actions}
            for t, paths in truth.items()
            for path in paths
            for s in _of(one, "departure")
            if 0.0 <= s.time - t < 1800.0
        )
    yield "departure: departures that left the home empty", left, ""
    yield "  things forgotten", forgotten, ""
    yield "  things said to be", said, ""
    yield "  of these they were", _share(right, said), "%"
    yield "  said of those forgotten", _share(caught, forgotten), "%"


def _holiday(lives: list[Lived]) -> Iterator[Row]:
    """Truth: the days between leaving for the holiday flat and coming back."""
    said = right = lamps = warm = 0
    first: list[float] = []
    blind: list[float] = []
    holidays = 0
    for one in lives:
        begins = [
            w.before.departure
            for w in one.ways
            if w.after.reason == "rest stop" and w.before.place == HOME
        ]
        backs = [w.after.arrival for w in one.ways if w.after.reason.startswith("back")]
        for begin, back in zip(begins, backs, strict=True):
            if begin < _judged_from(one):
                continue
            holidays += 1
            told = [s for s in _of(one, "holiday") if begin <= s.time < back]
            right += len(told)
            lamps += sum("light." in s.need.key for s in told)
            warm += any(s.need.key == "return" for s in told)
            if told:
                first.append((told[0].time - begin) / 3600)
            noticed = [t for t in one.unplanned if begin <= t < back]
            if noticed:
                blind.append((noticed[0] - begin) / 3600)
        said += len(_of(one, "holiday"))
    yield "holiday: holidays", holidays, ""
    yield "  noticed", len(first), ""
    yield "  after leaving by (median)", median(first) if first else 0.0, "h"
    yield "  with no calendar after", median(blind) if blind else 0.0, "h"
    yield "  warmth offered before coming home", warm, ""
    yield "  said in all", said, ""
    yield "  of these on a holiday", _share(right, said), "%"
    yield "  of these lamps", lamps, ""


def _of(one: Lived, skill: str) -> list[Suggestion]:
    return [s for s in one.said if s.need.skill == skill]


def _planned(one: Lived) -> list[Way]:
    return [way for way in one.ways if way.after.reason in PLANNED]


def _judged_from(one: Lived) -> float:
    return one.world.start_time + LEARNED_DAYS * DAY_S


def _day(one: Lived, time: float) -> int:
    return local(time, one.world.zone).toordinal()


def _stops_to_charge(one: Lived, suggestion: Suggestion) -> bool:
    later = [w for w in one.ways if w.after.arrival > suggestion.time]
    return bool(later) and later[0].after.reason == "rest stop"


def _nights(one: Lived) -> Iterator[tuple[int, float, float, bool]]:
    """Day, range in the evening, metres driven next day, plugged in at night."""
    days: dict[int, list[tuple[float, float, float, bool]]] = {}
    for row in one.car:
        if row[0] >= _judged_from(one):
            days.setdefault(_day(one, row[0] - 1.0), []).append(row)
    for day in sorted(days)[:-1]:
        if day + 1 not in days or _is_away(one, day):
            continue
        evening = [
            r for r in days[day] if hour_of_day(r[0], one.world.zone) >= EVENING_FROM_H
        ]
        if not evening:
            continue
        night = days[day + 1]
        driven = night[-1][2] - evening[-1][2]
        yield (
            day,
            evening[-1][1],
            driven,
            any(row[3] for row in night[: len(night) // 3]),
        )


def _is_away(one: Lived, day: int) -> bool:
    plan = one.world.plan(
        local(one.world.start_time, one.world.zone).date().fromordinal(day)
    )
    return plan.kind in (DayKind.HOLIDAY, DayKind.HOLIDAY_OUT) or (
        plan.episodes[-1].place == FLAT
    )


def _share(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 0.0


def main(arguments: list[str]) -> None:
    for what, value, unit in rows([int(text) for text in arguments] or SEEDS):
        print(f"  {what:<64} {value:>10,.1f} {unit}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
