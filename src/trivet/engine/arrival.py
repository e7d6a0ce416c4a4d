"""When a running trip arrives: an interval that holds as often as it says.

For each candidate the remaining time is a blend of three: what past trips still needed
from where they followed this way, what past trips between the two places still needed
after as long, and the distance left at the person's speed. How wrong such estimates
turned out is remembered as log ratios, and their quantiles make the interval; its level
is steered so that it holds as often as it promises.

Source: I. Gibbs and E. Candès, "Adaptive conformal inference under distribution
shift", NeurIPS 2021.
"""

from __future__ import annotations

from math import exp, log

import msgspec
import numpy as np

from trivet.domain.forecast import Interval
from trivet.engine.destination import Prior
from trivet.engine.evidence import Evidence
from trivet.engine.history import History
from trivet.engine.route import Floats, Ints, RouteMatch
from trivet.engine.trip import Judgement, RunningTrip

#: Remaining times are compared as logarithms, with this added.
_PAD_S = 30.0
LEVEL = 0.8
_STEER = 0.02
_MOST_RESIDUALS = 400
#: Imagined residuals that a bank begins with: how many, and how wide.
_IMAGINED = np.linspace(-1.8, 1.8, 20)
_PHASES = 4
_WIDTHS = (0.35, 0.5, 0.6, 0.8)
_MARKS = (np.arange(40) + 0.5) / 40
ROUTE, PAIR, DISTANCE, NEW = range(4)

_FOLLOWS = 0.4
_MOST_ROWS = 60
#: Straight lines are this much shorter than ways.
_DETOUR = 1.35
#: Own speed so far counts fully after some minutes.
_SPEED_S = 300.0
_LEAST_MPS = 0.7
_WEIGHTS = (4.0, 1.5, 0.5)


class Calibration(msgspec.Struct):
    """What earlier estimates taught; written to disk as it is.

    Attributes:
        residuals: logs of true over estimated remaining time, oldest first, by bucket:
            one for each source and third of the way.
        miss: share left outside of the interval so that it holds.
    """

    residuals: dict[int, list[float]] = {}
    miss: float = 1.0 - LEVEL


class Errors:
    """How wrong estimates turn out, by their source and by how far the trip is."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._spreads: dict[int, Floats] = {}
        self._bounds: dict[int, list[float]] = {}

    @property
    def miss(self) -> float:
        """Share to leave outside of the interval."""
        return self._calibration.miss

    def learn(self, judgement: Judgement) -> None:
        """Take up how wrong an estimate was.

        The interval gets wider after an arrival outside of it, narrower after one
        inside.
        """
        missed = 0.0 if judgement.covered else 1.0
        miss = self.miss + _STEER * ((1.0 - LEVEL) - missed)
        self._calibration.miss = min(0.5, max(0.04, miss))
        self._bounds.clear()
        bucket = judgement.bucket
        if bucket is None:
            return
        bank = self._calibration.residuals.setdefault(bucket, [])
        bank.append(judgement.residual)
        if len(bank) > _MOST_RESIDUALS:
            del bank[0]
        self._spreads.pop(bucket, None)

    def spread(self, bucket: int) -> Floats:
        """Quantiles of the bucket's errors at evenly spaced levels."""
        spread = self._spreads.get(bucket)
        if spread is None:
            imagined = _WIDTHS[bucket // _PHASES] * _IMAGINED
            bank = self._calibration.residuals.get(bucket, [])
            spread = np.quantile(np.concatenate([imagined, np.array(bank)]), _MARKS)
            self._spreads[bucket] = spread
        return spread

    def bounds(self, bucket: int) -> list[float]:
        """The bucket's errors at the low end, the middle and the high end."""
        bounds = self._bounds.get(bucket)
        if bounds is None:
            wanted = (self.miss / 2, 0.5, 1.0 - self.miss / 2)
            bounds = np.interp(wanted, _MARKS, self.spread(bucket)).tolist()
            self._bounds[bucket] = bounds
        return bounds


def residual(estimated_s: float, true_s: float) -> float:
    """How wrong an estimate of the remaining time was: the log of their ratio."""
    return log((true_s + _PAD_S) / (estimated_s + _PAD_S))


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
    logs[2] = np.log(way + _PAD_S)
    mass[2] = known
    weight = np.array(_WEIGHTS)[:, None] * np.minimum(mass, 1.0)
    total = weight.sum(axis=0)
    mean = (weight * logs).sum(axis=0) / np.maximum(total, 1e-12)
    seconds = np.where(total > 1e-9, np.exp(mean) - _PAD_S, np.nan)
    source: Ints = np.where(
        mass[0] > 0.2, ROUTE, np.where(mass[1] > 0.2, PAIR, DISTANCE)
    ).astype(np.int64)
    seconds = np.maximum(seconds, 0.0)
    new = _somewhere(history, prior, elapsed)
    done = elapsed / (
        elapsed + np.append(np.where(np.isnan(seconds), 0.0, seconds), new) + _PAD_S
    )
    phase = np.minimum((done * _PHASES).astype(np.int64), _PHASES - 1)
    bucket = source * _PHASES + phase[:-1]
    return Remaining(time, seconds, bucket, new, NEW * _PHASES + int(phase[-1]))


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
        logs[0, place] += weight * log(max(0.0, left - silent_s) + _PAD_S)
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
    left = np.log(history.duration[usable] - elapsed + _PAD_S)
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
    left = np.log(history.duration[usable] - elapsed + _PAD_S)
    return float(np.exp(weights @ left / weights.sum()) - _PAD_S)


def interval(errors: Errors, remaining: Remaining, number: int) -> Interval | None:
    """The arrival at one candidate, given that the trip goes there."""
    seconds = float(remaining.seconds[number])
    if not seconds >= 0.0:
        return None
    return _around(errors, remaining.time, seconds, int(remaining.bucket[number]))


def interval_new(errors: Errors, remaining: Remaining) -> Interval | None:
    """The arrival somewhere new, given that the trip goes there."""
    return _around(errors, remaining.time, remaining.new, remaining.new_bucket)


def _around(errors: Errors, time: float, seconds: float, bucket: int) -> Interval:
    middle = log(seconds + _PAD_S)
    low, median, high = (
        max(0.0, exp(bound + middle) - _PAD_S) + time for bound in errors.bounds(bucket)
    )
    return Interval(low, median, high, LEVEL)


def mix(
    errors: Errors, remaining: Remaining, numbers: Ints, shares: Floats, new: float
) -> Interval | None:
    """The arrival over several candidates and somewhere new, by their probability."""
    known = np.isfinite(remaining.seconds[numbers])
    numbers, shares = numbers[known], shares[known]
    points = [log(remaining.new + _PAD_S) + errors.spread(remaining.new_bucket)]
    points += [
        log(float(remaining.seconds[n]) + _PAD_S)
        + errors.spread(int(remaining.bucket[n]))
        for n in numbers
    ]
    values = np.concatenate(points)
    mass = np.repeat(np.append(new, shares), len(_MARKS))
    order = np.argsort(values, kind="stable")
    level = np.cumsum(mass[order])
    if not level[-1] > 0:
        return None
    wanted = (errors.miss / 2, 0.5, 1.0 - errors.miss / 2)
    logs = np.interp(wanted, level / level[-1], values[order])
    low, median, high = (
        max(0.0, exp(s) - _PAD_S) + remaining.time for s in logs.tolist()
    )
    return Interval(low, median, high, LEVEL)
