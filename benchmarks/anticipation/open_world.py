"""Where a trip to somewhere new is going, by the map, on simulated households.

python -m benchmarks.anticipation.open_world [--dev] [--dense] [SEED ...]

Each trip that ended where the person had never stayed is asked at 10, 30, 50, 70 and
90 % of its time: is where it ended within 250 m, or 500 m, of the first venue, of one
of the first three? Beside it what is nearest on the map, nearest ahead (within 60
degrees of the last kilometre's course), and nearest of the likeliest kind at that hour;
all from the same positions, and among the same things at which nobody stayed. Until the
departure is sure nobody has a position, and nobody names anything. Of the shares that
are told, of all trips, also to known places, is said how often they came true.

The town is this project's own and the same in every seed but for its streets; numbers
were chosen on the seeds of `--dev` alone. `--dense` puts 600 more things on the map, of
kinds as common as in a city's centre, where nobody ever goes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np
from benchmarks.anticipation.open_world_guess import CLOSE_M, NAMES, Guesser, Spot
from benchmarks.anticipation.scout import Moment, Plan, plan
from benchmarks.seeded import Row, run

from trivet.app.zone import fixed_zone
from trivet.atlas import MemoryAtlas
from trivet.devices.world import World
from trivet.domain import Forecast, PointOfInterest, Sample
from trivet.domain.geo import distance_m, offset
from trivet.engine import Anticipator, TripEnded, TripStarted
from trivet.engine.open_world import LEAST, OpenWorld

DEVELOPMENT = range(700, 708)
REPORTED = range(740, 752)
DAYS, FIRST = 84, date(2026, 1, 5)
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
_BINS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.01)
_DENSE = 600
_COMMON = (
    "restaurant cafe fast_food clothes hairdresser pharmacy bar supermarket bakery "
    "dentist hotel school bank pub doctors kindergarten convenience beauty florist "
    "library books park fitness_centre cinema mall"
).split()


class Asked(msgspec.Struct):
    """What was said at one moment of a trip, and what came of it.

    Attributes:
        share: of the trip's time.
        spots: first three of everybody, by name.
        told: probability of each prospect that is told.
        new: probability of somewhere new.
        is_new: whether the trip ended where nobody had stayed.
        is_mapped: whether something on the map was within CLOSE_M of its end.
        away_m: from its end to each spot, by name.
    """

    share: float
    spots: dict[str, list[Spot]]
    told: list[float]
    new: float
    is_new: bool = False
    is_mapped: bool = False
    away_m: dict[str, list[float]] = {}


class Life:
    """One household, lived and asked."""

    def __init__(self, seed: int, *, is_dense: bool = False) -> None:
        self.world = World(seed, FIRST, DAYS)
        points = [*self.world.points_of_interest]
        if is_dense:
            points += extra(self.world, seed)
        self.points = points
        self.atlas = MemoryAtlas(points, self.world.notice)
        zone_of = fixed_zone(self.world.zone)
        self._mind = Anticipator("ada", "phone", zone_of)
        self._plans = list(plan(self._samples(), zone_of))
        self._open = OpenWorld(self.atlas, least=0.0)
        self._guesser = Guesser(self.atlas, self.world.zone)
        self.asked: list[Asked] = []
        #: seconds that each forecast took by the map alone
        self.costs_s: list[float] = []

    def run(self) -> list[Asked]:
        """All that was asked, judged."""
        plans, wanted = iter(self._plans), list[Moment]()
        current: Plan | None = next(plans, None)
        running, sure = list[Asked](), False
        for sample in self._samples():
            while sure and wanted and wanted[0].time < sample.time:
                running.append(self._ask(wanted.pop(0)))
            for event in self._mind.learn_one(sample):
                if isinstance(event, TripStarted):
                    running, wanted, sure = [], [], False
                    while current and current.departure < event.departure:
                        current = next(plans, None)
                    if current and current.departure == event.departure:
                        marks = [m for m in current.moments if m.clock == "share"]
                        wanted = [m for m in marks if m.time >= event.time]
                        early = [m for m in marks if m.time < event.time]
                        running = [Asked(m.mark, {}, [], 0.0) for m in early]
                        sure = True
                elif isinstance(event, TripEnded):
                    if sure and event.trip.destination:
                        rest = [Asked(m.mark, {}, [], 0.0) for m in wanted]
                        self._judge([*running, *rest], event)
                    running, wanted, sure = [], [], False
        return self.asked

    def _samples(self) -> Iterator[Sample]:
        return self.world.history(self.world.start_time, self.world.end_time)

    def _ask(self, moment: Moment) -> Asked:
        mind = self._mind
        found = mind.predict_one(moment.time, explains=False)
        trip = mind.current_trip
        if found is None or trip is None:
            return Asked(moment.mark, {}, [], 0.0)
        begun = time.thread_time()
        found = self._open.forecast(
            found, trip, mind.places, mind.stays, self.world.zone
        )
        self.costs_s.append(time.thread_time() - begun)
        new = sum(c.probability for c in found.candidates if not c.place)
        spots = self._guesser.guess(trip, mind.places, _arrival(found))
        spots["trivet"] = [(p.lat, p.lon) for p in found.prospects]
        told = [p.probability for p in found.prospects]
        return Asked(moment.mark, spots, told, new)

    def _judge(self, asked: Sequence[Asked], event: TripEnded) -> None:
        lat, lon = event.lat, event.lon
        if lat is None or lon is None:
            return
        is_mapped = bool(self.atlas.near(lat, lon, CLOSE_M, (), 1))
        for one in asked:
            one.is_new, one.is_mapped = event.is_new, is_mapped
            one.away_m = {
                name: [distance_m(lat, lon, *spot) for spot in spots]
                for name, spots in one.spots.items()
            }
        self.asked += asked


def extra(world: World, seed: int) -> list[PointOfInterest]:
    """Further things on the map of the town, by its streets."""
    rng = np.random.default_rng(seed)
    corners = [p for road in world.roads for p in road]
    weights = 1.0 / np.arange(1, len(_COMMON) + 1)
    found = []
    for number in range(_DENSE):
        corner = corners[int(rng.integers(len(corners)))]
        lat, lon = offset(*corner, *(float(v) for v in rng.normal(0.0, 30.0, 2)))
        kind = str(rng.choice(_COMMON, p=weights / weights.sum()))
        found.append(
            PointOfInterest(f"extra/{number}", f"{kind} {number}", kind, lat, lon)
        )
    return found


def judge(seeds: Sequence[int], *, is_dense: bool = False) -> Iterator[Row]:
    """Name, value and unit of each figure."""
    lives = [Life(seed, is_dense=is_dense) for seed in seeds]
    asked = [one for life in lives for one in life.run()]
    costs = np.array([cost for life in lives for cost in life.costs_s]) * 1000.0
    yield "trips", len(asked) / len(SHARES), ""
    yield "trips to somewhere new", sum(one.is_new for one in asked) / len(SHARES), ""
    for share in SHARES:
        new = [one for one in asked if one.is_new and one.share == share]
        yield from _hits(share, new)
    yield from _calibration(asked)
    yield from _calibration_of_new(asked)
    if len(costs):
        yield "by the map alone, median", float(np.median(costs)), "ms"
        yield "  95 of 100 in", float(np.quantile(costs, 0.95)), "ms"


def _hits(share: float, new: Sequence[Asked]) -> Iterator[Row]:
    mapped = 100.0 * sum(one.is_mapped for one in new) / max(1, len(new))
    yield f"at {share:.0%} of a trip to somewhere new: end is on the map", mapped, "%"
    sure = 100.0 * sum(bool(one.spots) for one in new) / max(1, len(new))
    yield "  the departure is sure by then", sure, "%"
    told = [one for one in new if one.told and one.told[0] >= LEAST]
    yield "  a venue is told", 100.0 * len(told) / max(1, len(new)), "%"
    for within in (CLOSE_M, 2 * CLOSE_M):
        for most in (1, 3):
            for name in NAMES:
                right = sum(
                    any(away <= within for away in one.away_m.get(name, ())[:most])
                    for one in new
                )
                what = f"  {name}: first {most}, within {within:.0f} m"
                yield what, 100.0 * right / max(1, len(new)), "%"


def _calibration(asked: Sequence[Asked]) -> Iterator[Row]:
    """Of all trips: what was said of a venue, and how often it came true."""
    said, true = [], []
    for one in asked:
        for chance, away in zip(one.told, one.away_m.get("trivet", ()), strict=False):
            if chance >= LEAST:
                said.append(chance)
                true.append(one.is_new and away <= CLOSE_M)
    chances, hits = np.array(said), np.array(true, dtype=float)
    error = 0.0
    for low, high in pairwise(_BINS):
        held = (chances >= low) & (chances < high)
        if held.any():
            gap = abs(float(chances[held].mean() - hits[held].mean()))
            error += gap * float(held.mean())
            label = f"told {low:.0%} to {min(1.0, high):.0%}"
            yield f"{label}: times", float(held.sum()), ""
            yield "  mean share said", 100.0 * float(chances[held].mean()), "%"
            yield "  came true", 100.0 * float(hits[held].mean()), "%"
    yield "expected calibration error of shares told", 100.0 * error, "points"


def _calibration_of_new(asked: Sequence[Asked]) -> Iterator[Row]:
    """Of trips to somewhere new alone: the first venue's share of that share."""
    first = [
        (one.told[0] / one.new, one.away_m["trivet"][0] <= CLOSE_M)
        for one in asked
        if one.is_new and one.told and one.new
    ]
    table = np.array(first, dtype=float).reshape(-1, 2)
    for low, high in pairwise((0.0, 0.2, 0.4, 0.6, 0.8, 1.01)):
        held = table[(table[:, 0] >= low) & (table[:, 0] < high)]
        if len(held):
            said, true = 100.0 * held.mean(axis=0)
            yield (
                f"first, of trips to somewhere new, {low:.0%} on: times",
                len(held),
                "",
            )
            yield "  mean share of the new said", float(said), "%"
            yield "  came true", float(true), "%"


def _arrival(forecast: Forecast) -> float:
    new = next((c for c in forecast.candidates if not c.place), None)
    ends = forecast.arrival if new is None or new.arrival is None else new.arrival
    return forecast.time if ends is None else max(forecast.time, ends.median)


def rows() -> Iterator[Row]:
    """What is reported."""
    yield from judge(list(REPORTED))


def main(arguments: list[str]) -> None:
    run(
        arguments,
        partial(judge, is_dense="--dense" in arguments),
        development=DEVELOPMENT,
        reported=REPORTED,
        lives=f"simulated households, {DAYS} days each",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
