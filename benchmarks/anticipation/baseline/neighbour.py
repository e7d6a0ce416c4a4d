"""Trajectory nearest neighbours: past trips whose beginning fits the way so far.

The way so far and the past traces are compared at equal lengths driven, the newest part
most; the trips whose mean distance is least vote for their destinations, the nearer the
more. What no neighbour tells is backed off to the counter of `counting.situation`.

Source of the idea: J. Froehlich and J. Krumm, "Route prediction from trip
observations", SAE 2008-01-0201; D. Tiesyte and C. S. Jensen, "Similarity-based
prediction of travel times", ACM GIS 2008. The numbers did best of a few that were
tried on people who are not reported on.
"""

from __future__ import annotations

import numpy as np
from benchmarks.anticipation.baseline.counting import situated
from benchmarks.anticipation.memory import (
    MARKS_M,
    Drive,
    Floats,
    Ints,
    Memory,
    resample,
)
from benchmarks.anticipation.score import Guess

from trivet.domain.geo import DEGREE_M

#: So many trips vote.
_VOTERS = 15
#: What a point compared counts of the one after it.
_KEEP = 0.5
#: A trip this far off on average counts half of one that fits; more on long ways.
_SCALE_M, _SCALE_SHARE = 150.0, 0.02
#: A trip that ended before this share of the way so far fits no more.
_LEAST_SHARE = 0.9
#: Votes that the back-off has together.
_BACK_OFF = 0.5


def neighbour(memory: Memory, drive: Drive) -> Guess:
    """The destinations of the trips that began most like this one."""
    votes = situated(memory, drive)
    votes *= _BACK_OFF / max(1e-12, votes.sum())
    if drive.trace and memory.count:
        rows, weight = voters(memory, drive)
        votes = votes + np.bincount(memory.destination[rows], weight, len(votes))
    return Guess(votes, drive.lat, drive.lon)


def voters(memory: Memory, drive: Drive) -> tuple[Ints, Floats]:
    """Rows of the trips that fit best, and the weight of each, at most 1."""
    marks = MARKS_M[drive.length_m >= MARKS_M]
    way = resample(drive.trace, marks).astype(np.float32)
    off = memory.trails[:, : len(marks)] - way
    off[:, :, 1] *= np.float32(np.cos(np.radians(drive.trace[-1].lat)))
    counts = _KEEP ** np.arange(len(marks) - 1.0, -1.0, -1.0)
    away_m: Floats = DEGREE_M * (np.sqrt((off**2).sum(axis=2)) @ counts) / counts.sum()
    lasts = memory.length_m >= _LEAST_SHARE * drive.length_m
    away_m = np.where(lasts & np.isfinite(away_m), away_m, np.inf)
    # of two that fit as well the newer comes first
    order: Ints = np.lexsort((-memory.departure, away_m))[:_VOTERS].astype(np.int64)
    order = order[np.isfinite(away_m[order])]
    scale_m = _SCALE_M + _SCALE_SHARE * drive.length_m
    weight: Floats = 1.0 / (1.0 + (away_m[order] / scale_m) ** 2)
    return order, weight
