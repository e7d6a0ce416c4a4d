"""Ways through the streets: the fastest by hour for cars, the shortest on foot.

Source: E. W. Dijkstra, "A note on two problems in connexion with graphs" (1959).
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from heapq import heappop, heappush
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.devices.world.chance import stream
from trivet.devices.world.street import LOCAL_MPS, Point, StreetPlan
from trivet.domain.geo import bearing_deg, distance_m

Floats = NDArray[np.float64]

#: What a traffic light costs a driver who plans ahead.
_LIGHT_S = 12.0
#: A driver knows this many ways of driving, each judging streets a little differently.
VARIANTS = 3


class Mode(StrEnum):
    """How a person came to a place; `stay` when the day began there."""

    STAY = "stay"
    CAR = "car"
    WALK = "walk"


class Route(msgspec.Struct, frozen=True):
    """A way along the streets, between two crossings.

    Attributes:
        lat: latitudes in degrees of its N corners.
        lon: longitudes likewise.
        along_m: length from the start to each corner, N values.
        limit_mps: speed allowed on each of the N - 1 streets.
        course_deg: bearing of each street.
        has_light: whether each corner has traffic lights.
    """

    lat: Floats
    lon: Floats
    along_m: Floats
    limit_mps: tuple[float, ...]
    course_deg: Floats
    has_light: tuple[bool, ...]

    @property
    def length_m(self) -> float:
        """From the first corner to the last."""
        return float(self.along_m[-1])


class Roads:
    """Finds ways; remembers those that were found."""

    def __init__(self, plan: StreetPlan, seed: int) -> None:
        self._plan = plan
        self._next: list[list[tuple[int, int]]] = [[] for _ in plan.crossings]
        for number, street in enumerate(plan.streets):
            self._next[street.start].append((street.end, number))
            self._next[street.end].append((street.start, number))
        count = len(plan.streets)
        self._taste = [
            stream(seed, "taste", variant).uniform(0.88, 1.25, count).tolist()
            for variant in range(VARIANTS)
        ]
        self.route = lru_cache(maxsize=1024)(self._route)

    def nearest(self, lat: float, lon: float, taken: Collection[int]) -> int:
        """Index of the crossing nearest to a point in degrees that is not taken."""
        crossings = self._plan.crossings
        return min(
            (i for i in range(len(crossings)) if i not in taken),
            key=lambda i: distance_m(lat, lon, *crossings[i]),
        )

    def _route(
        self, start: int, end: int, mode: Mode, is_rush: bool, variant: int
    ) -> Route:
        """The way from one crossing to another, as this variant of driver sees it."""
        cost = self._costs(mode, is_rush, variant)
        came: dict[int, tuple[int, int]] = {}
        best = {start: 0.0}
        heap = [(0.0, start)]
        while heap:
            spent, here = heappop(heap)
            if here == end:
                break
            if spent > best[here]:
                continue
            for there, number in self._next[here]:
                total = spent + cost[number]
                if mode is Mode.CAR and there in self._plan.lights:
                    total += _LIGHT_S
                if total < best.get(there, 1e12):
                    best[there] = total
                    came[there] = (here, number)
                    heappush(heap, (total, there))
        return self._assemble(start, end, came)

    def _costs(self, mode: Mode, is_rush: bool, variant: int) -> list[float]:
        if mode is Mode.WALK:
            return [street.length_m for street in self._plan.streets]
        return [
            street.length_m
            / street.limit_mps
            * (1.45 if is_rush and street.limit_mps > LOCAL_MPS else 1.0)
            * taste
            for street, taste in zip(
                self._plan.streets, self._taste[variant], strict=True
            )
        ]

    def _assemble(
        self, start: int, end: int, came: dict[int, tuple[int, int]]
    ) -> Route:
        corners, streets = [end], []
        while corners[-1] != start:
            here, number = came[corners[-1]]
            corners.append(here)
            streets.append(self._plan.streets[number])
        corners.reverse()
        streets.reverse()
        points = [self._plan.crossings[i] for i in corners]
        courses = [bearing_deg(*a, *b) for a, b in pairwise(points)]
        return Route(
            np.array([p[0] for p in points]),
            np.array([p[1] for p in points]),
            np.concatenate([[0.0], np.cumsum([s.length_m for s in streets])]),
            tuple(s.limit_mps for s in streets),
            np.array(courses),
            tuple(i in self._plan.lights for i in corners),
        )


def chain(plan: StreetPlan) -> tuple[tuple[Point, ...], ...]:
    """The streets as few long polylines, for drawing a map."""
    free = [True] * len(plan.streets)
    at: list[list[tuple[int, int]]] = [[] for _ in plan.crossings]
    for number, street in enumerate(plan.streets):
        at[street.start].append((street.end, number))
        at[street.end].append((street.start, number))
    lines = []
    for number, street in enumerate(plan.streets):
        if not free[number]:
            continue
        free[number] = False
        corners = [street.start, street.end]
        while True:
            limit = street.limit_mps
            onward = [
                (there, n)
                for there, n in at[corners[-1]]
                if free[n]
                and plan.streets[n].limit_mps == limit
                and _is_straight(plan, corners[-2], corners[-1], there)
            ]
            if not onward:
                break
            there, n = onward[0]
            free[n] = False
            corners.append(there)
        lines.append(tuple(plan.crossings[i] for i in corners))
    return tuple(lines)


def _is_straight(plan: StreetPlan, a: int, b: int, c: int) -> bool:
    before = bearing_deg(*plan.crossings[a], *plan.crossings[b])
    after = bearing_deg(*plan.crossings[b], *plan.crossings[c])
    return abs((after - before + 180.0) % 360.0 - 180.0) < 50.0
