"""A way through a town: which means, which streets, and where one is at each second."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import msgspec
import numpy as np
from numpy.random import Generator

from trivet.engine.route import Floats
from trivet.train.population.town import LANE, ROAD, STREET, Spot, Town

WALK, BIKE, CAR, BUS, METRO = "walk", "bike", "car", "bus", "metro"
#: Metres a second by means and grade of street.
_SPEED_MPS = {
    WALK: {LANE: 1.35, STREET: 1.35, ROAD: 1.3},
    BIKE: {LANE: 3.6, STREET: 4.2, ROAD: 4.0},
    CAR: {LANE: 5.5, STREET: 8.0, ROAD: 13.0},
    BUS: {LANE: 4.0, STREET: 6.0, ROAD: 8.5},
    METRO: {LANE: 1.35, STREET: 1.35, ROAD: 11.0},
}
#: Chance and length of a wait at a corner, by means.
_WAITS = {WALK: (0.1, 20.0), BIKE: (0.15, 25.0), CAR: (0.3, 30.0), BUS: (0.5, 25.0)}
_RUSH_H = (8.2, 17.8)
_TASTE, _OTHER_DAY = 0.3, 0.4
#: On foot to the stop, and from it.
_STOP_M = 350.0


class Leg(msgspec.Struct, frozen=True):
    """A way, timed: seconds since the departure, east and north of its points.

    Attributes:
        seconds: at each point, rising.
        east: metres.
        north: metres.
        hidden: from and to which second no satellite was in sight; equal if never.
    """

    seconds: Floats
    east: Floats
    north: Floats
    hidden: tuple[float, float] = (0.0, 0.0)


class Navigator:
    """One person's ways: mostly the same ones, sometimes others.

    Args:
        town: where.
        rng: of the person.
        variety: chance that a trip takes another way than the usual one.
        pace: how fast the person is, 1 as the others.
    """

    def __init__(self, town: Town, rng: Generator, variety: float, pace: float) -> None:
        self._town, self._rng = town, rng
        self._variety, self._pace = variety, pace
        #: halts of some minutes a kilometre: a chat, a queue, a wait for the bus
        self._dawdles = float(rng.beta(1.0, 6.0))
        self._costs: dict[tuple[str, int], list[float]] = {}
        self._paths: dict[tuple[str, int, int], list[int]] = {}

    def go(self, means: str, stops: list[Spot], hour: float) -> Leg:
        """A way by some means over all of these points."""
        points: list[Spot] = [stops[0]]
        grades: list[int] = []
        for a, b in pairwise(stops):
            corners = self._trimmed(self._corners(means, a, b), a, b)
            points += [(float(e), float(n)) for e, n in self._town.spots[corners]]
            points.append(b)
            inner = [self._grade(x, y) for x, y in pairwise(corners)]
            grades += [LANE, *inner, LANE]
        return self._timed(means, points, grades, hour)

    def _trimmed(self, corners: list[int], a: Spot, b: Spot) -> list[int]:
        """Corners of the way but for those that lie behind its two ends."""
        spots = self._town.spots
        if len(corners) >= 2 and _is_behind(a, spots[corners[0]], spots[corners[1]]):
            corners = corners[1:]
        if len(corners) >= 2 and _is_behind(b, spots[corners[-1]], spots[corners[-2]]):
            corners = corners[:-1]
        return corners

    def _corners(self, means: str, a: Spot, b: Spot) -> list[int]:
        town, rng = self._town, self._rng
        here, goal = town.nearest(a), town.nearest(b)
        variant = 0 if rng.random() > self._variety else int(rng.integers(1, 4))
        key = means, variant, goal
        if rng.random() < 0.08:  # some days are like no other
            onward = town.paths_to(goal, self._cost(means, _OTHER_DAY))
        else:
            if key not in self._paths:
                if (means, variant) not in self._costs:
                    self._costs[means, variant] = self._cost(means, _TASTE)
                costs = self._costs[means, variant]
                self._paths[key] = town.paths_to(goal, costs)
            onward = self._paths[key]
        corners = [here]
        while here != goal and onward[here] >= 0:
            here = onward[here]
            corners.append(here)
        return corners

    def _cost(self, means: str, spread: float) -> list[float]:
        town = self._town
        speed = np.array([_SPEED_MPS[means][g] for g in (LANE, STREET, ROAD)])
        noise = self._rng.lognormal(0.0, spread, len(town.length_m))
        cost: list[float] = (town.length_m / speed[town.grade] * noise).tolist()
        return cost

    def _grade(self, a: int, b: int) -> int:
        town = self._town
        return next(int(town.grade[s]) for there, s in town.streets[a] if there == b)

    def _timed(
        self, means: str, points: list[Spot], grades: list[int], hour: float
    ) -> Leg:
        rng, seconds = self._rng, [0.0]
        today = float(rng.lognormal(0.0, 0.12)) * self._pace
        if means in (CAR, BUS):
            rush = max(np.exp(-0.5 * ((hour - peak) / 1.2) ** 2) for peak in _RUSH_H)
            today *= 1.0 - 0.45 * float(rush)
        chance, length_s = _WAITS.get(means, (0.0, 1.0))
        whole_m = _length_m(points)
        done_m, hidden, parks = 0.0, (0.0, 0.0), rng.random() < 0.25
        for (a, b), grade in zip(pairwise(points), grades, strict=True):
            step_m = hypot(b[0] - a[0], b[1] - a[1])
            ends = min(done_m, whole_m - done_m - step_m) < _STOP_M
            on_foot = means in (BUS, METRO, CAR) and ends and (means != CAR or parks)
            speed = _SPEED_MPS[WALK if on_foot else means][grade] * today
            if means == METRO and not ends:
                speed = _SPEED_MPS[METRO][ROAD]
            spent = step_m / max(0.4, speed * float(rng.lognormal(0.0, 0.15)))
            if rng.random() < chance:
                spent += float(rng.exponential(length_s))
            if rng.random() < self._dawdles * step_m / 1000.0:
                spent += float(rng.uniform(30.0, 270.0))
            if means == METRO and not ends:
                begin = hidden[0] or seconds[-1]
                hidden = (begin, seconds[-1] + spent)
            done_m += step_m
            seconds.append(seconds[-1] + max(spent, 1e-3))
        east, north = np.array(points).T
        return Leg(np.array(seconds), east, north, hidden)


def _is_behind(end: Spot, first: Floats, second: Floats) -> bool:
    return hypot(end[0] - second[0], end[1] - second[1]) < hypot(
        first[0] - second[0], first[1] - second[1]
    )


def _length_m(points: list[Spot]) -> float:
    return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points))
