"""Known places by how often they were gone to and how close they are by now."""

from __future__ import annotations

import numpy as np
from benchmarks.anticipation.baseline.counting import leaving
from benchmarks.anticipation.memory import Drive, Memory
from benchmarks.anticipation.score import Guess, away_m

#: A place this much further counts a third; more after a long way.
_SCALE_M, _SCALE_SHARE = 300.0, 0.1
#: Trips by which a place counts that none went to yet.
_STAYED = 0.1


def closeness(memory: Memory, drive: Drive) -> Guess:
    """The nearer the likelier, in proportion to the trips that went there."""
    votes = np.bincount(memory.destination, minlength=len(drive.lat)).astype(np.float64)
    votes += _STAYED
    if drive.trace:
        far_m = away_m(drive.lat, drive.lon, *drive.here)
        votes = votes * np.exp(-far_m / (_SCALE_M + _SCALE_SHARE * drive.length_m))
    return leaving(votes, drive)
