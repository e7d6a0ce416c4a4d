"""Baselines of the arrival: how long such trips took, and how far it is still.

Both need to be told a destination: the nearest neighbours' guess, or the true one.
"""

from __future__ import annotations

import numpy as np
from benchmarks.anticipation.memory import Drive, Floats, Memory
from benchmarks.anticipation.score import away_m

from trivet.domain import Interval

#: So many trips must speak.
_LEAST = 3
_SHORTEST_M = 500.0


def median(memory: Memory, drive: Drive, destination: int) -> Interval:
    """The median time of the person's trips between the two places.

    Of those trips that took longer than this one has so far; backed off to all trips
    to the place, then to all.
    """
    lasts = memory.duration_s > drive.elapsed_s
    there = memory.destination == destination
    between = there & (memory.origin == drive.origin)
    for some in (between & lasts, there & lasts, lasts):
        if some.sum() >= _LEAST:
            taken = memory.duration_s[some]
            low, middle, high = np.quantile(taken, (0.1, 0.5, 0.9)).tolist()
            start = drive.departure
            return Interval(start + low, start + middle, start + high)
    later = drive.time + max(60.0, 0.2 * drive.elapsed_s)
    return Interval(later, later, later)


def straight(memory: Memory, drive: Drive, destination: int) -> Interval:
    """The straight line that is left, at the person's usual speed along such lines."""
    far = memory.straight_m >= _SHORTEST_M
    taken, metres = memory.duration_s[far], memory.straight_m[far]
    speed_mps = float(metres.sum() / max(1.0, taken.sum())) if far.any() else 3.0
    here_lat, here_lon = drive.here
    there: Floats = away_m(
        drive.lat[[destination]], drive.lon[[destination]], here_lat, here_lon
    )
    left_s = float(there[0]) / max(0.5, speed_mps)
    at = drive.time + left_s
    return Interval(at, at, at)
