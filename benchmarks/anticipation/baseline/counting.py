"""Baselines that count past trips: by nothing, by origin, and by the situation.

Where a trip set out from is seldom where it ends: a baseline that does not learn so by
itself counts that place less. The numbers did best of a few that were tried on people
who are not reported on.
"""

from __future__ import annotations

import numpy as np
from benchmarks.anticipation.memory import Drive, Floats, Ints, Memory
from benchmarks.anticipation.score import Guess

_DAY_S = 86_400.0
#: Days after which a trip counts half.
_HALF_LIFE_D = 45.0
#: Width of "the same hour", and what a trip of the other kind of day counts.
_HOUR_H, _OTHER_DAY = 1.5, 0.4
#: What a trip counts that had another origin, or another place before it.
_OTHER_ORIGIN, _OTHER_BEFORE = 0.03, 0.35
#: What is left of the votes for the place set out from.
_BACK = 0.3


def frequent(memory: Memory, drive: Drive) -> Guess:
    """The places most often gone to."""
    return leaving(_votes(memory.destination, None, drive), drive)


def markov(memory: Memory, drive: Drive) -> Guess:
    """The destinations from this origin, backed off to all destinations.

    Source: I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Trans. Inf.
    Theory 37 (1991), method C.
    """
    return Guess(transition(memory, drive), drive.lat, drive.lon)


def transition(memory: Memory, drive: Drive) -> Floats:
    """Probability of each place as a destination from the drive's origin."""
    every = _votes(memory.destination, None, drive)
    every /= max(1.0, every.sum())
    same = memory.destination[memory.origin == drive.origin]
    from_here = _votes(same, None, drive)
    kinds = max(1, int((from_here > 0).sum()))
    chances: Floats = (from_here + kinds * every) / (len(same) + kinds)
    return chances


def situation(memory: Memory, drive: Drive) -> Guess:
    """A counter weighted by recency, origin, place before, hour and kind of day."""
    return Guess(situated(memory, drive), drive.lat, drive.lon)


def situated(memory: Memory, drive: Drive) -> Floats:
    """The weighted votes of past trips for each place."""
    days = (drive.departure - memory.departure) / _DAY_S
    apart = np.abs(memory.hour - drive.hour)
    apart = np.minimum(apart, 24.0 - apart)
    weight = 0.5 ** (days / _HALF_LIFE_D)
    weight *= np.exp(-0.5 * (apart / _HOUR_H) ** 2) + 0.05
    weight *= np.where(memory.weekend == drive.weekend, 1.0, _OTHER_DAY)
    weight *= np.where(memory.origin == drive.origin, 1.0, _OTHER_ORIGIN)
    weight *= np.where(memory.before == drive.before, 1.0, _OTHER_BEFORE)
    return _votes(memory.destination, weight, drive)


def leaving(score: Floats, drive: Drive) -> Guess:
    """Scores of places as a guess, the origin less."""
    if drive.origin >= 0:
        score = score.copy()
        score[drive.origin] *= _BACK
    return Guess(score, drive.lat, drive.lon)


def _votes(destination: Ints, weight: Floats | None, drive: Drive) -> Floats:
    votes = np.bincount(destination, weight, minlength=len(drive.lat))
    return votes.astype(np.float64)
