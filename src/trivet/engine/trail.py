"""Trails: how far the way so far lies from the beginning of each past trip.

Both are compared at equal lengths driven, the newest part most; the past trips that lie
nearest vote for where they went.

Source of the idea: D. Tiesyte and C. S. Jensen, "Similarity-based prediction of travel
times for vehicles traveling on known routes", ACM GIS 2008.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import TracePoint
from trivet.engine.stay import on_earth

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

#: Metres along a trip at which trails are compared, ever sparser, to some 80 km.
MARKS_M = np.concatenate(
    [np.arange(0.0, 1200.0, 100.0), 1200.0 * 1.1 ** np.arange(45.0)]
)
#: What a mark leaves of the distances at those before it.
_KEEP = 0.55
#: So many trips vote.
_VOTERS = 15
#: A trip this far off counts half of one that fits; more on long ways.
_SCALE_M, _SCALE_SHARE = 150.0, 0.02
#: A trip that ended before this share of the way so far fits no more.
_LEAST_SHARE = 0.9


class Trails:
    """Past traces at the marks; after its end a trail stays where it ended."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._slot: dict[int, int] = {}
        self._points = np.zeros((16, len(MARKS_M), 2), dtype=np.float32)
        self._rows = np.full(16, -1, dtype=np.int64)
        self._lengths_m = np.zeros(16)

    def add(self, row: int, trace: Sequence[TracePoint], lengths: _Floats) -> None:
        """Take up the trace of a row, and the metres along it."""
        if not self._free:
            used = len(self._slot)
            if used == len(self._rows):
                self._points = np.concatenate([self._points, self._points])
                self._rows = np.concatenate([self._rows, np.full(used, -1)])
                self._lengths_m = np.concatenate([self._lengths_m, self._lengths_m])
            self._free.append(used)
        slot = self._slot[row] = self._free.pop()
        lat = np.array([point.lat for point in trace])
        lon = np.unwrap([point.lon for point in trace], period=360.0)
        self._points[slot, :, 0] = np.interp(MARKS_M, lengths, lat)
        self._points[slot, :, 1] = np.interp(MARKS_M, lengths, lon)
        self._rows[slot], self._lengths_m[slot] = row, lengths[-1]

    def remove(self, row: int) -> None:
        """Take the trace of a row off again."""
        slot = self._slot.pop(row)
        self._rows[slot] = -1
        self._free.append(slot)

    @property
    def rows(self) -> _Ints:
        """Row of each slot, -1 of none."""
        return self._rows

    @property
    def lengths_m(self) -> _Floats:
        """Metres of each slot's whole trace."""
        return self._lengths_m

    def away_m(self, mark: int, lat: float, lon: float) -> _Floats:
        """Metres from a point in degrees to each trail at a mark."""
        points = self._points[:, mark]
        turn = (points[:, 1] - lon + 180.0) % 360.0 - 180.0
        away: _Floats = np.hypot(
            turn * (DEGREE_M * cos(radians(lat))), (points[:, 0] - lat) * DEGREE_M
        ).astype(np.float64)
        return away


class TrailMatch:
    """How far one running trip lies from each trail, updated as it goes."""

    def __init__(self) -> None:
        self._trails = Trails()
        self._mark, self._norm = 0, 0.0
        self._sum: _Floats = np.empty(0)

    def follow(
        self, trails: Trails, trace: Sequence[TracePoint], lengths: Sequence[float]
    ) -> None:
        """Compare the marks that were passed since the last call; none left since."""
        if not trace:
            return
        if not self._norm:
            self._trails, self._sum = trails, np.zeros(len(trails.rows))
        while self._mark < len(MARKS_M) and lengths[-1] >= MARKS_M[self._mark]:
            lat, lon = _at(float(MARKS_M[self._mark]), trace, lengths)
            self._sum = self._sum * _KEEP + trails.away_m(self._mark, lat, lon)
            self._norm = self._norm * _KEEP + 1.0
            self._mark += 1

    def voters(self, driven_m: float) -> tuple[_Ints, _Floats]:
        """Rows of the trips that lie nearest, and the weight of each, at most 1."""
        if not self._norm:
            return np.empty(0, dtype=np.int64), np.empty(0)
        rows = self._trails.rows
        lasts = self._trails.lengths_m >= _LEAST_SHARE * driven_m
        slots = np.flatnonzero((rows >= 0) & lasts)
        away_m = self._sum[slots] / self._norm
        # of two that lie as near the newer comes first
        order = np.lexsort((-rows[slots], away_m))[:_VOTERS]
        scale_m = _SCALE_M + _SCALE_SHARE * driven_m
        weight: _Floats = 1.0 / (1.0 + (away_m[order] / scale_m) ** 2)
        return rows[slots[order]], weight


def _at(
    metres: float, trace: Sequence[TracePoint], lengths: Sequence[float]
) -> tuple[float, float]:
    """Latitude and longitude so many metres along a trace."""
    after = bisect_left(lengths, metres)
    point = trace[after]
    if not after:
        return point.lat, point.lon
    last, length = trace[after - 1], lengths[after - 1]
    share = (metres - length) / max(1e-9, lengths[after] - length)
    turn = on_earth(point.lon - last.lon) * share
    return last.lat + (point.lat - last.lat) * share, last.lon + turn
