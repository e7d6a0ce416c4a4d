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
#: From so many trips on their times are fitted; before any, people go so fast.
_FIT_LEAST, _USUAL_MPS = 10, 3.0
#: Where it is nearer than this, so much is left.
_NEAR_M = 50.0


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
    """The straight line that is left, at the person's usual speed along such lines.

    Who goes far goes faster: the time of a line is a power of its length, by least
    squares of the logarithms over the trips so far; of few trips, their median speed.
    """
    here_lat, here_lon = drive.here
    there: Floats = away_m(
        drive.lat[[destination]], drive.lon[[destination]], here_lat, here_lon
    )
    left_s = _time_s(memory, max(_NEAR_M, float(there[0])))
    at = drive.time + left_s
    return Interval(at, at, at)


def _time_s(memory: Memory, left_m: float) -> float:
    """What a straight line takes."""
    far = memory.straight_m >= _SHORTEST_M
    metres, taken = memory.straight_m[far], memory.duration_s[far]
    if far.sum() < _FIT_LEAST:
        return left_m / (float(np.median(metres / taken)) if far.any() else _USUAL_MPS)
    slope, start = np.polyfit(np.log(metres), np.log(taken), 1).tolist()
    return float(np.exp(start + slope * np.log(left_m)))
