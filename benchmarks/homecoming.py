"""When somebody is home: foretold each half hour that they are out, on simulated days.

python -m benchmarks.homecoming [--dev] [--bound] [SEED ...]

The lives are those of the simulated world that trivet ships (trivet.devices.world): no
real person. Seeds 100 to 104 are for development; 200 to 204, which no number was
chosen on, are what is reported. With `--bound` also what somebody can say who knows how
the days are drawn, see `benchmarks.homecoming_bound`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from statistics import fmean, median

from benchmarks.homecoming_bound import Bound
from benchmarks.seeded import Row, run

from trivet.app.zone import fixed_zone
from trivet.devices.world import World
from trivet.devices.world.town import HOME
from trivet.engine import Anticipator

DEVELOPMENT, REPORTED = range(100, 105), range(200, 205)
FIRST = date(2026, 1, 5)
DAYS, WARM_UP_D = 140, 28
STEP_S = 1800.0
#: The simulated phone's first fix at home comes so long after her at the most.
SEEN_S = 120.0
#: A forecast this close is a good one.
NEAR_S = 900.0
#: Where she is when asked. Far away is home in more than a day.
PLACE, HOMEWARD, ELSEWHERE, FAR = (
    "at a place",
    "on a trip home",
    "on a trip elsewhere",
    "far away",
)


class Life:
    """What truly happened: when she was home."""

    def __init__(self, world: World) -> None:
        self.days = [world.plan(FIRST + timedelta(days=n)) for n in range(DAYS)]
        self.home: list[list[float]] = []
        for day in self.days:
            for episode in day.episodes:
                if episode.place != HOME:
                    continue
                if self.home and episode.arrival <= self.home[-1][1] + 1:
                    self.home[-1][1] = episode.departure
                else:
                    self.home.append([episode.arrival, episode.departure])

    def next_home(self, time: float) -> float | None:
        """When she is next home; None when she is, or nobody knows any more."""
        for arrival, departure in self.home:
            if arrival <= time < departure:
                return None
            if arrival > time:
                return arrival
        return None

    def goes_home(self, time: float) -> bool:
        """Whether the next place that she comes to is home."""
        came = (e for day in self.days for e in day.episodes if e.arrival > time)
        return next((e.place == HOME for e in came), False)

    def usual(self, time: float, warm: float) -> float | None:
        """What came of the last same weekday on which she was out at this hour."""
        for weeks in range(1, 5):
            then = time - weeks * 7 * 86_400
            came = self.next_home(then) if then >= warm else None
            if came is not None:
                return time + came - then
        return None


class Scores:
    """Of one kind of moment."""

    def __init__(self) -> None:
        self.error: list[float] = []
        self.rival: list[float] = []
        self.bound: list[float] = []
        #: Of the same moments as those of the bound.
        self.beside: list[float] = []
        self.inside: dict[float, list[bool]] = {0.5: [], 0.8: []}
        self.seen: dict[float, list[bool]] = {0.5: [], 0.8: []}
        self.width: dict[float, list[float]] = {0.5: [], 0.8: []}

    def rows(self, name: str) -> Iterator[Row]:
        if not self.error:
            return
        yield f"{name}: forecasts judged", len(self.error), ""
        yield f"{name}: median error", median(self.error) / 60, "min"
        yield f"{name}: mean error", fmean(self.error) / 60, "min"
        yield f"{name}: within 15 min", _near(self.error), "%"
        if self.bound:
            yield f"{name}: bound, of so many", len(self.bound), ""
            yield f"{name}: bound, median error", median(self.bound) / 60, "min"
            yield f"{name}: bound, within 15 min", _near(self.bound), "%"
            yield (
                f"{name}: forecasts of the same, within 15 min",
                _near(self.beside),
                "%",
            )
        if self.rival:
            yield (
                f"{name}: last same weekday, median error",
                (median(self.rival) / 60),
                "min",
            )
        for level, inside in self.inside.items():
            yield f"{name}: {level:.0%} interval holds", fmean(inside) * 100, "%"
            near = fmean(self.seen[level]) * 100
            yield f"{name}: {level:.0%} interval holds, as the phone sees it", near, "%"
            width = median(self.width[level]) / 60
            yield f"{name}: {level:.0%} interval is", width, "min"


def _near(errors: list[float]) -> float:
    return fmean(error <= NEAR_S for error in errors) * 100


def judge(seeds: list[int], bound: Bound | None = None) -> Iterator[Row]:
    """Name, value and unit of each figure."""
    scores = {name: Scores() for name in (PLACE, HOMEWARD, ELSEWHERE, FAR)}
    for seed in seeds:
        live(seed, scores, bound)
    for name, found in scores.items():
        yield from found.rows(name)


def live(seed: int, scores: dict[str, Scores], bound: Bound | None) -> None:
    world = World(seed=seed, start=FIRST, days=DAYS)
    life, mind = Life(world), Anticipator("ada", "phone", fixed_zone(world.zone))
    step = start = world.start_time + WARM_UP_D * 86_400
    for sample in world.history(world.start_time, world.end_time):
        while step <= sample.time:
            ask(step, life, mind, scores, start, bound)
            step += STEP_S / 3
        mind.learn_one(sample)


def ask(
    time: float,
    life: Life,
    mind: Anticipator,
    scores: dict[str, Scores],
    start: float,
    bound: Bound | None,
) -> None:
    """Each half hour at a place; each ten minutes on a trip, as trips are short."""
    truth = life.next_home(time)
    if truth is None:
        return
    on_trip = mind.predict_one(time, explains=False) is not None
    if not on_trip and round((time - start) / (STEP_S / 3)) % 3:
        return
    found = mind.predict_home(time)
    if found is None or found.is_home:
        return
    kind = (HOMEWARD if life.goes_home(time) else ELSEWHERE) if on_trip else PLACE
    score = scores[FAR if truth - time > 86_400 else kind]
    score.error.append(abs(found.arrival.median - truth))
    usual = life.usual(time, start - WARM_UP_D * 86_400)
    if usual is not None:
        score.rival.append(abs(usual - truth))
    best = None if bound is None else bound.median(life.days, time)
    if best is not None and truth - time <= 86_400:
        score.bound.append(abs(best - truth))
        score.beside.append(score.error[-1])
    for interval in (found.middle, found.arrival):
        score.inside[interval.level].append(interval.low <= truth <= interval.high)
        seen = interval.low - SEEN_S <= truth <= interval.high
        score.seen[interval.level].append(seen)
        score.width[interval.level].append(interval.high - interval.low)


def rows() -> list[Row]:
    """What is reported, beside its bound."""
    return list(judge(list(REPORTED), bound=Bound(FIRST, DAYS)))


def main(arguments: list[str]) -> None:
    bound = Bound(FIRST, DAYS) if "--bound" in arguments else None
    run(
        arguments,
        partial(judge, bound=bound),
        development=DEVELOPMENT,
        reported=REPORTED,
        lives=f"simulated worlds, {DAYS} days each",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
