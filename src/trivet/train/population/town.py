"""A made-up town: bent blocks of streets, faster roads, a river, and what draws people.

Ways are shortest paths by time (E. W. Dijkstra, "A note on two problems in connexion
with graphs", Numerische Mathematik 1, 1959) over streets whose speed differs by means
of travel and by person.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import cos, hypot, inf, pi, sin

import numpy as np
from numpy.random import Generator

from trivet.engine.route import Floats, Ints

#: East and north in metres.
Spot = tuple[float, float]

LANE, STREET, ROAD = range(3)
#: Share of streets that are not there, and how far corners are from a grid's.
_MISSING, _BENT = 0.12, 0.16
#: Distances under this one draw no more people.
_NEAR_M = 400.0


class Town:
    """Corners and the streets between them.

    Attributes:
        spots: corners by east and north, metres.
        streets: for each corner, (corner, number of the street) of its neighbours.
        length_m: of each street.
        grade: of each street: LANE, STREET or ROAD.
        draw: of each corner: how much it attracts.
    """

    def __init__(self, rng: Generator) -> None:
        side = int(rng.integers(26, 56))
        block_m = float(rng.uniform(160.0, 360.0))
        self.spots = _corners(rng, side, block_m)
        self.streets: list[list[tuple[int, int]]] = [[] for _ in range(side * side)]
        length_m, grade = list[float](), list[int]()
        every = int(rng.integers(4, 7))
        river = int(rng.integers(side // 4, 3 * side // 4)) if rng.random() < 0.6 else 0
        bridges = rng.random(side) < 0.25
        bridges[int(rng.integers(side))] = True
        for a, b, is_row, line in _pairs(side):
            is_road = line % every == 0
            crosses = not is_row and a // side == river - 1
            if crosses and not (bridges[line] or (is_road and rng.random() < 0.6)):
                continue
            if not is_road and rng.random() < _MISSING:
                continue
            number = len(grade)
            self.streets[a].append((b, number))
            self.streets[b].append((a, number))
            length_m.append(hypot(*(self.spots[a] - self.spots[b])))
            kind = ROAD if is_road else STREET if rng.random() < 0.5 else LANE
            grade.append(kind)
        self.length_m: Floats = np.array(length_m)
        self.grade: Ints = np.array(grade, dtype=np.int64)
        self.draw = _draw(rng, self.spots)

    def nearest(self, spot: Spot) -> int:
        """Number of the corner nearest to a point."""
        away = np.hypot(self.spots[:, 0] - spot[0], self.spots[:, 1] - spot[1])
        return int(away.argmin())

    def pick(self, rng: Generator, around: Spot, reach: float) -> Spot:
        """A point where something is, by a gravity law around another.

        Its chance falls with the distance to the power `reach`, as trips' do (G. K.
        Zipf, "The P1 P2 / D hypothesis", American Sociological Review 11, 1946).
        """
        away = np.hypot(self.spots[:, 0] - around[0], self.spots[:, 1] - around[1])
        chance = self.draw / (away + _NEAR_M) ** reach
        corner = int(rng.choice(len(chance), p=chance / chance.sum()))
        east, north = self.spots[corner] + rng.normal(0.0, 60.0, 2)
        return float(east), float(north)

    def paths_to(self, corner: int, seconds: list[float]) -> list[int]:
        """For each corner the next one on its quickest way to `corner`, or -1.

        Args:
            corner: where the ways lead.
            seconds: that each street takes.
        """
        best = [inf] * len(self.streets)
        onward = [-1] * len(self.streets)
        best[corner] = 0.0
        queue = [(0.0, corner)]
        while queue:
            so_far, here = heappop(queue)
            if so_far > best[here]:
                continue
            for there, street in self.streets[here]:
                longer = so_far + seconds[street]
                if longer < best[there]:
                    best[there] = longer
                    onward[there] = here
                    heappush(queue, (longer, there))
        return onward


def _corners(rng: Generator, side: int, block_m: float) -> Floats:
    east, north = np.meshgrid(np.arange(side), np.arange(side))
    flat = np.stack([east.ravel(), north.ravel()], axis=1) - (side - 1) / 2
    flat = (flat + rng.normal(0.0, _BENT, flat.shape)) * block_m
    turn = float(rng.uniform(0.0, pi / 2))
    rotation = np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
    return np.asarray(flat @ rotation, dtype=np.float64)


def _pairs(side: int) -> list[tuple[int, int, bool, int]]:
    """Neighbouring corners, whether along a row, and which row or column it is."""
    found = []
    for row in range(side):
        for column in range(side):
            here = row * side + column
            if column + 1 < side:
                found.append((here, here + 1, True, row))
            if row + 1 < side:
                found.append((here, here + side, False, column))
    return found


def _draw(rng: Generator, spots: Floats) -> Floats:
    """How much each corner attracts: a few centres, and chance."""
    extent = float(np.abs(spots).max())
    draw = np.full(len(spots), 0.15)
    for _ in range(int(rng.integers(2, 7))):
        centre = rng.uniform(-0.7, 0.7, 2) * extent
        width = extent * float(rng.uniform(0.06, 0.25))
        away = np.hypot(spots[:, 0] - centre[0], spots[:, 1] - centre[1])
        draw = draw + float(rng.uniform(0.4, 1.5)) * np.exp(-0.5 * (away / width) ** 2)
    return np.asarray(draw * rng.lognormal(0.0, 0.8, len(spots)), dtype=np.float64)
