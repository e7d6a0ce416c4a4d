"""Past routes on a grid, and how well the way so far follows each of them.

Each past trace is laid on cells of about 200 m; a look at a cell and its neighbours
finds all traces that came within a few hundred metres of a point, and how far along
they were. Following a trace backwards is not following it.

Source of the idea, here on a grid and without a map: J. Froehlich and J. Krumm, "Route
prediction from trip observations", SAE 2008-01-0201.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Sequence
from math import ceil, cos, floor, radians

import numpy as np
from numpy.typing import NDArray

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import TracePoint
from trivet.engine.stay import on_earth, plane_distance_m
from trivet.engine.trail import TrailMatch, Trails

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CELL_M = 200.0
_CELL_DEG = _CELL_M / DEGREE_M
#: Gaps in a trace are bridged in steps of this length, up to so many steps.
_BRIDGE_M = 150.0
_MOST_BRIDGES = 400
#: Further back along a trace than this is the wrong way.
_BACK_M = 500.0
#: The way so far is compared at points this far apart, and further on long trips.
_STEP_M = 150.0
_STEPS = 100.0
#: What one more step leaves of the recent match: it looks back about a kilometre.
_KEEP = 0.85


def _column(lon: float, row: int) -> int:
    return floor(lon * cos(radians(row * _CELL_DEG)) / _CELL_DEG)


def _key(lat: float, lon: float) -> tuple[int, int]:
    row = floor(lat / _CELL_DEG)
    return row, _column(lon, row)


def _around(lat: float, lon: float) -> list[tuple[int, int]]:
    row = floor(lat / _CELL_DEG)
    cells = []
    for near in (row - 1, row, row + 1):
        column = _column(lon, near)
        cells += [(near, column - 1), (near, column), (near, column + 1)]
    return cells


def along(trace: Sequence[TracePoint]) -> Floats:
    """Metres from the start at each point of a trace."""
    steps = [
        plane_distance_m(a.lat, a.lon, b.lat, b.lon)
        for a, b in itertools.pairwise(trace)
    ]
    return np.concatenate(([0.0], np.cumsum(steps)))


class _Cell:
    """The traces that pass one cell: row, and metres along at first and at last."""

    __slots__ = ("first", "last", "rows")

    def __init__(self) -> None:
        self.rows = array("q")
        self.first = array("d")
        self.last = array("d")


class RouteIndex:
    """Which past traces pass where; rows are those of the history."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], _Cell] = {}
        self._clocks: dict[int, tuple[Floats, Floats]] = {}
        self.trails = Trails()

    def add(self, row: int, trace: Sequence[TracePoint]) -> None:
        """Lay a trace on the grid; rows come in rising order."""
        if not trace:
            return
        times = np.array([point.time for point in trace])
        lengths = along(trace)
        self._clocks[row] = lengths, times
        self.trails.add(row, trace, lengths)
        first: dict[tuple[int, int], float] = {}
        last: dict[tuple[int, int], float] = {}
        for lat, lon, metres in _walk(trace):
            key = _key(lat, lon)
            first.setdefault(key, metres)
            last[key] = metres
        for key, metres in first.items():
            cell = self._cells.get(key)
            if cell is None:
                cell = self._cells[key] = _Cell()
            cell.rows.append(row)
            cell.first.append(metres)
            cell.last.append(last[key])

    def remove(self, row: int, trace: Sequence[TracePoint]) -> None:
        """Take a trace off again."""
        if self._clocks.pop(row, None) is not None:
            self.trails.remove(row)
        for key in {_key(lat, lon) for lat, lon, _ in _walk(trace)}:
            cell = self._cells[key]
            index = cell.rows.index(row)
            del cell.rows[index], cell.first[index], cell.last[index]
            if not cell.rows:
                del self._cells[key]

    def left_s(self, row: int, metres: float) -> float:
        """Seconds that a trace still took from `metres` along it to its end."""
        lengths, times = self._clocks[row]
        return float(times[-1] - np.interp(metres, lengths, times))

    def near(
        self, lat: float, lon: float
    ) -> tuple[Ints, Floats, Floats, NDArray[np.bool_]] | None:
        """Traces in the cell of a point and around it, once for each of their cells.

        Returns:
            Rows, how far along each is where it enters its cell first and last, and
            whether that is the point's own cell; None when there are none.
        """
        rows, first, last = array("q"), array("d"), array("d")
        own, is_own = _key(lat, lon), bytearray()
        for key in _around(lat, lon):
            cell = self._cells.get(key)
            if cell is not None:
                is_own += bytes([key == own]) * len(cell.rows)
                rows += cell.rows
                first += cell.first
                last += cell.last
        if not rows:
            return None
        return (
            np.frombuffer(rows, dtype=np.int64),
            np.frombuffer(first),
            np.frombuffer(last),
            np.frombuffer(is_own, dtype=np.bool_),
        )


def _walk(trace: Sequence[TracePoint]) -> list[tuple[float, float, float]]:
    """Latitude, longitude and metres along, with the gaps bridged."""
    if not trace:
        return []
    steps = [(trace[0].lat, trace[0].lon, 0.0)]
    metres = 0.0
    for a, b in itertools.pairwise(trace):
        length = plane_distance_m(a.lat, a.lon, b.lat, b.lon)
        parts = min(_MOST_BRIDGES, max(1, ceil(length / _BRIDGE_M)))
        for part in range(1, parts + 1):
            share = part / parts
            steps.append(
                (
                    a.lat + (b.lat - a.lat) * share,
                    on_earth(a.lon + on_earth(b.lon - a.lon) * share),
                    metres + length * share,
                )
            )
        metres += length
    return steps


class RouteMatch:
    """How well one running trip follows each past trace, updated as it goes.

    Attributes:
        recent: 0 to 1 for each row: of the last kilometre or so.
        whole: 0 to 1 likewise: of the whole way so far.
        reached_m: metres along each trace, -1 where it was never met: where it came
            near at first, so up to some hundred metres behind.
        along_m: likewise, about where the newest compared point is.
        steps: points compared.
    """

    def __init__(self, rows: int, version: int = 0) -> None:
        #: of the history that the rows are of
        self.version = version
        self.recent: Floats = np.zeros(rows)
        self.reached_m: Floats = np.full(rows, -1.0)
        self.along_m: Floats = np.full(rows, -1.0)
        self.steps = 0
        self._hits: Floats = np.zeros(rows)
        self._norm = 0.0
        self._next = 0
        #: metres driven at the newest compared point
        self.length_m = -np.inf
        self.trail = TrailMatch()

    @property
    def whole(self) -> Floats:
        """Share of the compared points that lay on each trace."""
        return self._hits / max(1, self.steps)

    @property
    def latest(self) -> Floats:
        """The recent match, as a share of the best there could be."""
        return self.recent / self._norm if self._norm else self.recent

    def follow(
        self, index: RouteIndex, trace: Sequence[TracePoint], lengths: Sequence[float]
    ) -> None:
        """Compare the points of the running trip that are new since the last call."""
        self.trail.follow(index.trails, trace, lengths)
        while self._next < len(trace):
            point, length = trace[self._next], lengths[self._next]
            self._next += 1
            if length - self.length_m >= max(_STEP_M, length / _STEPS):
                self.length_m = length
                self._step(index, point)

    def _step(self, index: RouteIndex, point: TracePoint) -> None:
        self.steps += 1
        self.recent *= _KEEP
        self._norm = self._norm * _KEEP + 1.0 - _KEEP
        found = index.near(point.lat, point.lon)
        if found is None:
            return
        rows, first, last, is_own = found
        least = self.reached_m[rows] - _BACK_M
        forward = last >= least
        rows = rows[forward]
        metres = np.where(first >= least, first, last)[forward]
        earliest = np.full(len(self.reached_m), np.inf)
        np.minimum.at(earliest, rows, metres)
        # a trace that comes by twice is here on this pass, not on the next one
        here = metres <= earliest[rows] + _BACK_M
        span = (last - first)[forward]
        self._place(rows[here], metres[here], span[here], is_own[forward][here])
        met = np.flatnonzero(earliest < np.inf)
        self.reached_m[met] = np.maximum(self.reached_m[met], earliest[met])
        self.recent[met] += 1.0 - _KEEP
        self._hits[met] += 1.0

    def _place(
        self,
        rows: Ints,
        metres: Floats,
        span: Floats,
        is_own: NDArray[np.bool_],
    ) -> None:
        """How far along each trace the point is: in its own cell, else about it."""
        middle = metres + 0.5 * np.minimum(span, _CELL_M)
        # the own cell counts alone where the trace passes it
        weight = np.where(is_own, 1e6, 1.0)
        count = len(self.along_m)
        total = np.bincount(rows, weight, count)
        where = np.bincount(rows, weight * middle, count)
        met = total > 0
        self.along_m[met] = np.maximum(self.along_m[met], where[met] / total[met])
