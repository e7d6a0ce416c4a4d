"""Right or not: guesses in order, those of equal score at the rank to expect."""

from __future__ import annotations

from math import comb

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.geo import EARTH_RADIUS_M

Floats = NDArray[np.float64]

#: A guess this close to where the trip ended is right.
NEAR_M = 500.0
RANKS = (1, 3, 5)


class Guess(msgspec.Struct, frozen=True):
    """Points where a trip may end, each with a score; the greatest is the best guess.

    The first are the places that the judge knows, by its number for them; what is no
    number's is NaN. Further points may follow.
    """

    score: Floats
    lat: Floats
    lon: Floats


class Hit(msgspec.Struct, frozen=True):
    """How good one guess was.

    Attributes:
        credits: for each of `RANKS`, how likely a right one is among so many.
        error_m: from the best guess to the truth; infinite when there was none.
    """

    credits: tuple[float, ...]
    error_m: float


NOTHING = Hit((0.0,) * len(RANKS), float("inf"))


def judge(guess: Guess, truth: int, lat: float, lon: float) -> Hit:
    """Compare a guess with the place of number `truth` at a point in degrees."""
    known = np.flatnonzero(np.isfinite(guess.lat) & np.isfinite(guess.score))
    if not len(known):
        return NOTHING
    score = guess.score[known]
    if len(known) > RANKS[-1]:
        least = np.partition(score, -RANKS[-1])[-RANKS[-1]]
        known = known[score >= least]
        score = guess.score[known]
    away = away_m(guess.lat[known], guess.lon[known], lat, lon)
    right = (away <= NEAR_M) | (known == truth)
    credits = tuple(credit(score, right, rank) for rank in RANKS)
    return Hit(credits, float(away[score == score.max()].mean()))


def credit(score: Floats, right: NDArray[np.bool_], rank: int) -> float:
    """How likely one of the best `rank` is right when ties are drawn by lot."""
    if not right.any():
        return 0.0
    best = score[right].max()
    above = int((score > best).sum())
    if above >= rank:
        return 0.0
    tied = score == best
    size, good = int(tied.sum()), int((tied & right).sum())
    drawn = min(size, rank - above)
    return 1.0 - comb(size - good, drawn) / comb(size, drawn)


def away_m(lat: Floats, lon: Floats, to_lat: float, to_lon: float) -> Floats:
    """Great-circle distance in metres from points in degrees to one point."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half_lat = np.sin((to_phi - phi) / 2)
    half_lon = np.sin(np.radians(to_lon - lon) / 2)
    h = half_lat**2 + np.cos(phi) * np.cos(to_phi) * half_lon**2
    found: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, h)))
    return found
