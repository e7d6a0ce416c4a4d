"""When a running trip arrives: intervals that hold as often as they say.

For each candidate the remaining time is a blend of three: what past trips still needed
from where they followed this way, what past trips between the two places still needed
after as long, and the distance left at the person's speed. How wrong such estimates
turn out is remembered (see `misjudgement`) and makes the intervals; over all candidates
it is a mixture by their probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import msgspec
import numpy as np

from trivet.domain.forecast import Interval
from trivet.engine.destination import Prior
from trivet.engine.evidence import Evidence, speed_mps
from trivet.engine.history import History
from trivet.engine.misjudgement import (
    DISTANCE,
    LEVEL,
    MIDDLE,
    NEW,
    PAD_S,
    PAIR,
    PHASES,
    ROUTE,
    SOURCES,
    Errors,
    bucket_of,
    doubt_of,
    speed_kind,
)
from trivet.engine.route import Floats, Ints, RouteMatch
from trivet.engine.times import MARKS
from trivet.engine.trip import RunningTrip

_FOLLOWS = 0.4
_MOST_ROWS = 60
#: Straight lines are this much shorter than ways.
_DETOUR = 1.35
#: Own speed so far counts fully after some minutes.
_SPEED_S = 300.0
_LEAST_MPS = 0.7
_WEIGHTS = (4.0, 1.5, 0.5)
#: When exactly somebody has arrived nobody sees: an interval reaches so much further.
_SEEN_S = 15.0


class Remaining(msgspec.Struct, frozen=True):
    """Estimated remaining seconds.

    Attributes:
        time: event time of the estimate.
        seconds: for each candidate, NaN when nothing is known.
        bucket: for each candidate, of the errors to expect.
        new: for somewhere new.
        new_bucket: likewise.
    """

    time: float
    seconds: Floats
    bucket: Ints
    new: float
    new_bucket: int


def estimate(
    history: History,
    prior: Prior,
    trip: RunningTrip,
    match: RouteMatch,
    alike: Floats,
    evidence: Evidence,
    time: float,
) -> Remaining:
    """Remaining time to each candidate at event time `time`."""
    elapsed = max(0.0, time - trip.departure)
    count = len(prior.places)
    logs, mass = np.zeros((3, count)), np.zeros((3, count))
    _from_routes(logs, mass, history, prior, match, trip, time)
    pairs = prior.weights * alike if len(alike) else prior.weights
    _from_pairs(logs, mass, history, prior, pairs, elapsed)
    typical = _speed(history, prior)
    speed = (trip.driven_m + typical * _SPEED_S) / (elapsed + _SPEED_S)
    away = evidence.away_m
    known = ~np.isnan(away)
    way = np.where(known, away * _DETOUR, 0.0) / max(_LEAST_MPS, speed)
    logs[2] = np.log(way + PAD_S)
    mass[2] = known
    weight = np.array(_WEIGHTS)[:, None] * np.minimum(mass, 1.0)
    total = weight.sum(axis=0)
    mean = (weight * logs).sum(axis=0) / np.maximum(total, 1e-12)
    seconds = np.where(total > 1e-9, np.exp(mean) - PAD_S, np.nan)
    source: Ints = np.where(
        mass[0] > 0.2, ROUTE, np.where(mass[1] > 0.2, PAIR, DISTANCE)
    ).astype(np.int64)
    seconds = np.maximum(seconds, 0.0)
    new = _somewhere(history, prior, elapsed)
    done = elapsed / (
        elapsed + np.append(np.where(np.isnan(seconds), 0.0, seconds), new) + PAD_S
    )
    phase = np.minimum((done * PHASES).astype(np.int64), PHASES - 1)
    pace = speed_kind(speed_mps(trip) if trip.trace else None)
    bucket = (pace * SOURCES + source) * PHASES + phase[:-1]
    new_bucket = bucket_of(NEW, int(phase[-1]), pace)
    return Remaining(time, seconds, bucket, new, new_bucket)


def _from_routes(
    logs: Floats,
    mass: Floats,
    history: History,
    prior: Prior,
    match: RouteMatch,
    trip: RunningTrip,
    time: float,
) -> None:
    if not match.steps:
        return
    silent_s = max(0.0, time - trip.time)
    since_m = max(0.0, trip.driven_m - match.length_m)
    trust = prior.trust * match.latest**2
    usable = (match.latest > _FOLLOWS) & (match.reached_m >= 0) & (prior.rows >= 0)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-trust[rows], kind="stable")[:_MOST_ROWS]]
    for row in rows:
        along = float(match.along_m[row]) + since_m
        left = history.routes.left_s(int(row), along)
        place, weight = prior.rows[row], trust[row]
        logs[0, place] += weight * log(max(0.0, left - silent_s) + PAD_S)
        mass[0, place] += weight
    logs[0] /= np.maximum(mass[0], 1e-12)


def _from_pairs(
    logs: Floats,
    mass: Floats,
    history: History,
    prior: Prior,
    weights: Floats,
    elapsed: float,
) -> None:
    usable = (prior.rows >= 0) & (history.duration > elapsed)
    rows, weights = prior.rows[usable], weights[usable]
    if not len(rows):
        return
    left = np.log(history.duration[usable] - elapsed + PAD_S)
    mass[1] = np.bincount(rows, weights, minlength=logs.shape[1])
    logs[1] = np.bincount(rows, weights * left, minlength=logs.shape[1])
    logs[1] /= np.maximum(mass[1], 1e-12)


def _speed(history: History, prior: Prior) -> float:
    """The person's usual speed on trips like this one, metres a second."""
    if not len(history):
        return 5.0
    weights = prior.weights + 1e-6
    metres = float(weights @ history.distance) + 3000.0
    return metres / (float(weights @ history.duration) + 600.0)


def _somewhere(history: History, prior: Prior, elapsed: float) -> float:
    usable = history.duration > elapsed
    if not usable.any():
        return 600.0 + 0.3 * elapsed
    weights = prior.weights[usable] + 1e-9
    left = np.log(history.duration[usable] - elapsed + PAD_S)
    return float(np.exp(weights @ left / weights.sum()) - PAD_S)


def interval(
    errors: Errors, remaining: Remaining, number: int, doubt: int
) -> Interval | None:
    """The arrival at one candidate, given that the trip goes there.

    Args:
        errors: how wrong estimates turn out.
        remaining: the estimates.
        number: of the candidate.
        doubt: kind of trip, see `doubt_of`.
    """
    seconds = float(remaining.seconds[number])
    if not seconds >= 0.0:
        return None
    bucket = int(remaining.bucket[number])
    return _around(errors, remaining.time, seconds, bucket, doubt)


def interval_new(errors: Errors, remaining: Remaining, doubt: int) -> Interval:
    """The arrival somewhere new, given that the trip goes there."""
    bucket = remaining.new_bucket
    return _around(errors, remaining.time, remaining.new, bucket, doubt)


def _around(
    errors: Errors, time: float, seconds: float, bucket: int, doubt: int
) -> Interval:
    tail = (1.0 - errors.level(LEVEL, doubt)) / 2
    middle = log(seconds + PAD_S)
    median = float(np.interp(0.5, MARKS, errors.spread(bucket)))
    low, high = np.interp((tail, 1.0 - tail), MARKS, errors.reach(bucket)).tolist()
    return _interval(time, middle + low, middle + median, middle + high, LEVEL)


def _interval(
    time: float, low: float, median: float, high: float, level: float
) -> Interval:
    """An interval out of logarithms, as far as an arrival is seen; median within."""
    low_s, median_s, high_s = (
        max(0.0, exp(end) - PAD_S) for end in (min(low, median), median, high)
    )
    low_s = max(0.0, low_s - _SEEN_S)
    return Interval(
        time + low_s, time + median_s, time + max(high_s, median_s) + _SEEN_S, level
    )


def mix(
    errors: Errors, remaining: Remaining, numbers: Ints, shares: Floats, new: float
) -> tuple[Interval, Interval] | None:
    """The arrival over several candidates and somewhere new, by their probability.

    Args:
        errors: how wrong estimates turn out.
        remaining: the estimates.
        numbers: of the candidates.
        shares: their probabilities.
        new: that of somewhere new.

    Returns:
        The intervals for half of the cases and for 80 %.
    """
    known = np.isfinite(remaining.seconds[numbers])
    numbers, shares = numbers[known], shares[known]
    buckets = [remaining.new_bucket, *remaining.bucket[numbers].tolist()]
    seconds = np.append(remaining.new, remaining.seconds[numbers])
    mass = np.append(new, shares)
    if not mass.sum() > 0:
        return None
    logs = np.log(seconds + PAD_S)[:, None]
    spread = logs + np.array([errors.spread(bucket) for bucket in buckets])
    reach = logs + np.array([errors.reach(bucket) for bucket in buckets])
    [median] = _quantiles(spread, mass, (0.5,))
    doubt, wanted = doubt_of(new), list[float]()
    for level in (MIDDLE, LEVEL):
        tail = (1.0 - errors.level(level, doubt)) / 2
        wanted += tail, 1.0 - tail
    low, high, lowest, highest = _quantiles(reach, mass, wanted)
    return (
        _interval(remaining.time, low, median, high, MIDDLE),
        _interval(remaining.time, min(low, lowest), median, max(high, highest), LEVEL),
    )


def _quantiles(values: Floats, mass: Floats, levels: Sequence[float]) -> list[float]:
    """Of a mixture: rows of evenly likely values, each row with its mass."""
    every = np.repeat(mass / mass.sum(), values.shape[1])
    order = np.argsort(values, axis=None, kind="stable")
    reached = np.cumsum(every[order])
    found: list[float] = np.interp(
        levels, reached / reached[-1], values.ravel()[order]
    ).tolist()
    return found
