"""The home's routine on simulated households of two: foretold, then lived.

python -m benchmarks.routine [--dev] [SEED ...]

The households are simulated (see benchmarks/routine_household.py); nothing here was
recorded in a real home. Seeds 100 to 109 are for development; 200 to 209, which no
number was chosen on, are what is reported.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from math import log
from statistics import fmean, median

import numpy as np
from benchmarks.routine_household import DAYS, PEOPLE, ZONE, Household
from benchmarks.seeded import Row, run

from trivet.engine.activity import ActivityReader, HomeEvent
from trivet.engine.partial_match import PartialMatch
from trivet.engine.routine import HOME, Resident, Routine

DEVELOPMENT, REPORTED = range(100, 110), range(200, 210)
WARM_UP_D = 28
_LEAST = 1e-4


def routine() -> Routine:
    return Routine(
        "home",
        ZONE,
        [
            Resident(p, f"person.{p}", f"binary_sensor.{p}_phone_interactive")
            for p in PEOPLE
        ],
    )


class Rivals:
    """The guesses of the next event that any forecast must beat."""

    def __init__(self, zone: tzinfo = ZONE) -> None:
        self.zone = zone
        self.codes: dict[str, int] = {}
        self.states: dict[str, str] = {}
        self.frequent: Counter[str] = Counter()
        self.hourly: list[Counter[str]] = [Counter() for _ in range(24)]
        self.match = PartialMatch()
        self.week: dict[tuple[int, int], list[str]] = {}
        self.gaps: list[list[float]] = [[] for _ in range(24)]

    def guess(self, time: float) -> dict[str, tuple[list[str], dict[str, float]]]:
        """By rival, the names in order and the chance of each; '' is a new one."""
        there = datetime.fromtimestamp(time, self.zone)
        found = {"most frequent": _shares(self.frequent)}
        found["hour of day"] = _shares(self.hourly[there.hour] or self.frequent)
        names = [*self.codes, ""]
        chances = self.match.predict_one(len(self.codes))
        order = np.argsort(-chances, kind="stable").tolist()
        ppm = {name: float(c) for name, c in zip(names, chances, strict=True)}
        found["PPM"] = ([names[n] for n in order], ppm)
        found["PPM, what holds barred"] = self._barred(found["PPM"][0], ppm)
        same = Counter(self._last_week(there))
        found["last same weekday"] = _shares(same or self.frequent)
        return found

    def time_of(self, time: float) -> float:
        """When the next one comes, by the gaps at this hour."""
        gaps = self.gaps[datetime.fromtimestamp(time, self.zone).hour]
        return time + (float(np.median(gaps[-300:])) if gaps else 600.0)

    def _barred(
        self, order: list[str], chances: dict[str, float]
    ) -> tuple[list[str], dict[str, float]]:
        """Without the events that would change nothing: the state holds already."""
        holds = {f"{path}={state}" for path, state in self.states.items()}
        left = {name: chances[name] for name in order if name not in holds}
        total = sum(left.values())
        return list(left), {name: chance / total for name, chance in left.items()}

    def _last_week(self, there: datetime) -> list[str]:
        """What came within half an hour of now on the last same weekday."""
        slot = there.hour * 2 + there.minute // 30
        return self.week.get((there.date().toordinal() - 7, slot), [])

    def learn(self, event: HomeEvent, gap: float | None, before: float) -> None:
        there = datetime.fromtimestamp(event.time, self.zone)
        self.codes.setdefault(event.what, len(self.codes))
        self.states[event.path] = event.state
        self.frequent[event.what] += 1
        self.hourly[there.hour][event.what] += 1
        self.match.learn_one(self.codes[event.what])
        slot = (there.date().toordinal(), there.hour * 2 + there.minute // 30)
        self.week.setdefault(slot, []).append(event.what)
        if gap is not None:
            self.gaps[datetime.fromtimestamp(before, self.zone).hour].append(gap)


def _shares(counts: Counter[str]) -> tuple[list[str], dict[str, float]]:
    """In order, with one more count for an event never seen."""
    total = counts.total() + 1
    found = {name: count / total for name, count in counts.most_common()}
    found[""] = 1 / total
    return list(found), found


class Tally:
    """Scores of next events by who foretold them."""

    def __init__(self) -> None:
        self.top1: dict[str, list[bool]] = {}
        self.top3: dict[str, list[bool]] = {}
        self.loss: dict[str, list[float]] = {}
        self.late: dict[str, list[float]] = {}
        self.by_chance = Counter[str]()
        self.covered: dict[float, list[bool]] = {0.5: [], 0.8: []}

    def add(
        self, who: str, order: list[str], chances: dict[str, float], what: str
    ) -> None:
        guesses = [name for name in order if name][:3]
        self.top1.setdefault(who, []).append(what in guesses[:1])
        self.top3.setdefault(who, []).append(what in guesses)
        chance = chances.get(what, 0.0)
        self.loss.setdefault(who, []).append(-log(max(chance, _LEAST)))


class OccupancyTally:
    """Scores of occupancy forecasts: pairs of chance and truth."""

    def __init__(self) -> None:
        self.said: dict[str, list[float]] = {}
        self.true: dict[str, list[bool]] = {}

    def add(self, who: str, chance: float, truth: bool) -> None:
        self.said.setdefault(who, []).append(min(0.998, max(0.002, chance)))
        self.true.setdefault(who, []).append(truth)

    def brier(self, who: str) -> float:
        said, true = np.array(self.said[who]), np.array(self.true[who], dtype=float)
        return float(np.mean((said - true) ** 2))

    def log_score(self, who: str) -> float:
        said, true = np.array(self.said[who]), np.array(self.true[who], dtype=bool)
        return float(-np.mean(np.log(np.where(true, said, 1 - said))))


class Judge:
    """Lives one household and judges what was foretold."""

    def __init__(
        self,
        seed: int,
        tally: Tally,
        days: OccupancyTally,
        nights: dict[str, list[float]],
    ) -> None:
        self.house = Household(seed)
        self.tally, self.days, self.nights = tally, days, nights
        self.routine = routine()
        self.rivals = Rivals()
        self.start = self.house.moment(WARM_UP_D, 0)
        self._hour = self.house.moment(0, 0)
        self._week: dict[str, list[list[int]]] = {
            who: [[0, 0] for _ in range(168)] for who in (HOME, *PEOPLE)
        }
        self._woken: dict[str, list[tuple[int, float, float]]] = {
            who: [] for who in (HOME, *PEOPLE)
        }

    def run(self) -> None:
        reader, last = ActivityReader(), None
        end = self.house.moment(DAYS - 2, 0)
        for sample in self.house.samples:
            if sample.time >= end:
                break
            while self._hour + 3600 <= sample.time:
                self._hour += 3600
                self._each_hour(self._hour)
            event = reader.read_one(sample)
            personal = "phone_interactive" in sample.path
            if event is not None and not personal:
                if last is not None and event.time >= self.start:
                    self._judge(event, last)
                gap = None if last is None else event.time - last.time
                self.rivals.learn(event, gap, 0.0 if last is None else last.time)
                last = event
            self.routine.learn_one(sample)

    def _judge(self, event: HomeEvent, last: HomeEvent) -> None:
        tally = self.tally
        chances = self.routine.chances(last.time)
        order = sorted(chances, key=lambda name: -chances[name])
        what = event.what if event.what in self.rivals.codes else ""
        tally.add("routine", order, chances, what)
        if (event.time, event.path) in self.house.by_chance and event.state == "on":
            tally.by_chance[event.what] += 1
        for who, (order, shares) in self.rivals.guess(last.time).items():
            tally.add(who, order, shares, what)
        for level, covered in tally.covered.items():
            when = self.routine.predict_next(last.time, level)
            if when is None:
                continue
            covered.append(when.low <= event.time <= when.high)
            if level == 0.8:
                error = abs(when.median - event.time)
                tally.late.setdefault("routine", []).append(error)
        error = abs(self.rivals.time_of(last.time) - event.time)
        tally.late.setdefault("hour of day", []).append(error)

    def _truth(self, who: str, time: float) -> bool:
        people = PEOPLE if who == HOME else (who,)
        return any(self.house.is_home(name, time) for name in people)

    def _each_hour(self, time: float) -> None:
        there = datetime.fromtimestamp(time, ZONE)
        if time >= self.start:
            outlook = self.routine.predict_one(time)
            for who in (HOME, *PEOPLE):
                day = outlook.day(who)
                for ahead, chance in enumerate(day.is_home, 1):
                    target = time + ahead * 3600 - 450
                    truth = self._truth(who, target)
                    label = "home" if who == HOME else "person"
                    self.days.add(f"routine {label}", chance, truth)
                    week = datetime.fromtimestamp(target, ZONE)
                    home, all_ = self._week[who][week.weekday() * 24 + week.hour]
                    share = (home + 0.5) / (all_ + 1.0)
                    self.days.add(f"hour of week {label}", share, truth)
        for who in (HOME, *PEOPLE):
            count = self._week[who][there.weekday() * 24 + there.hour]
            count[0] += self._truth(who, time - 450)
            count[1] += 1
        if there.hour == 18:
            self._tonight(time)

    def _tonight(self, time: float) -> None:
        number = self.house.day_of(time)
        for who in (HOME, *PEOPLE):
            people = PEOPLE if who == HOME else (who,)
            tonight = [self.house.days[p][number] for p in people]
            next_day = [self.house.days[p][number + 1] for p in people]
            if any(t.is_away for t in (*tonight, *next_day)):
                continue
            bed = max(t.bed for t in tonight)
            wake = min(t.wake for t in next_day)
            label = "home" if who == HOME else "person"
            if time >= self.start:
                day = self.routine.predict_one(time).day(who)
                if day.bed is not None and day.wake is not None:
                    self._add(f"bed routine {label}", day.bed.median - bed)
                    self._add(f"wake routine {label}", day.wake.median - wake)
                    inside = day.wake.low <= wake <= day.wake.high
                    self.nights.setdefault(f"wake 80 % {label}", []).append(inside)
                    inside = day.bed.low <= bed <= day.bed.high
                    self.nights.setdefault(f"bed 80 % {label}", []).append(inside)
                self._rival(who, label, number, bed, wake)
            start = self.house.moment(number, 24)
            self._woken[who].append((number, bed - start, wake - start))

    def _rival(
        self, who: str, label: str, number: int, bed: float, wake: float
    ) -> None:
        start, known = self.house.moment(number, 24), self._woken[who]
        same = [k for k in known if (number - k[0]) % 7 == 0]
        for rival, found in (("last same weekday", same[-1:]), ("usual", known)):
            if found:
                self._add(
                    f"bed {rival} {label}", start + median(k[1] for k in found) - bed
                )
                self._add(
                    f"wake {rival} {label}", start + median(k[2] for k in found) - wake
                )

    def _add(self, name: str, error: float) -> None:
        self.nights.setdefault(name, []).append(abs(error))


def judge(seeds: list[int]) -> Iterator[Row]:
    """Name, value and unit of each figure, over all households."""
    tally, days, nights = Tally(), OccupancyTally(), dict[str, list[float]]()
    for seed in seeds:
        Judge(seed, tally, days, nights).run()
    yield "next events judged", len(tally.top1["routine"]), ""
    for who in tally.top1:
        yield f"next event, {who}: top-1", fmean(tally.top1[who]) * 100, "%"
        yield f"next event, {who}: top-3", fmean(tally.top3[who]) * 100, "%"
        yield f"next event, {who}: log loss", fmean(tally.loss[who]), "nats"
    yield "next event: those that come by chance", _share_by_chance(tally) * 100, "%"
    yield "next event: no forecast can have more, top-1", _bound(tally) * 100, "%"
    for who, late in tally.late.items():
        yield f"time of the next event, {who}: median error", median(late), "s"
    for level, covered in tally.covered.items():
        name = f"time of the next event: the {level:.0%} interval holds"
        yield name, fmean(covered) * 100, "%"
    for who in sorted(days.said):
        yield f"occupancy, {who}: Brier", days.brier(who), ""
        yield f"occupancy, {who}: log score", days.log_score(who), "nats"
    for name, errors in sorted(nights.items()):
        if "80 %" in name:
            yield f"{name} interval holds", fmean(errors) * 100, "%"
        else:
            yield f"{name}: median error", median(errors) / 60, "min"


def _share_by_chance(tally: Tally) -> float:
    return tally.by_chance.total() / len(tally.top1["routine"])


def _bound(tally: Tally) -> float:
    """Of one who is told all times, and of chance only that it strikes next."""
    best = max(tally.by_chance.values(), default=0)
    missed = tally.by_chance.total() - best
    return 1.0 - missed / len(tally.top1["routine"])


def rows() -> list[Row]:
    """What is reported."""
    return list(judge(list(REPORTED)))


def main(arguments: list[str]) -> None:
    run(
        arguments,
        judge,
        development=DEVELOPMENT,
        reported=REPORTED,
        lives=f"simulated households, {DAYS} days each",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
