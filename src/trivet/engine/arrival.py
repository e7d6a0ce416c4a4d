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

from math import log

import msgspec
import numpy as np

from trivet.domain.forecast import Interval
from trivet.engine.destination import Prior
from trivet.engine.evidence import Evidence
from trivet.engine.history import History
from trivet.engine.route import Floats, Ints, RouteMatch
from trivet.engine.trip import RunningTrip

#: Remaining times are compared as logarithms, with this added.
_PAD_S = 30.0
LEVEL = 0.8
_STEER = 0.02
_MOST_RESIDUALS = 400
#: Imagined residuals that a bank begins with: how many, and how wide.
_IMAGINED = 20
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
    """What earlier estimates taught: residuals by source, oldest first, and the level.

    Attributes:
        residuals: log of true over estimated remaining time, for ROUTE, PAIR,
            DISTANCE, NEW.
        miss: share left outside of the interval so that it holds.
    """

    residuals: list[list[float]] = msgspec.field(
        default_factory=lambda: [[], [], [], []]
    )
    miss: float = 1.0 - LEVEL

    def learn(self, source: int, estimated_s: float, true_s: float) -> None:
        """Take up how wrong an estimate was."""
        bank = self.residuals[source]
        bank.append(log((true_s + _PAD_S) / (estimated_s + _PAD_S)))
        if len(bank) > _MOST_RESIDUALS:
            del bank[0]

    def steer(self, covered: bool) -> None:
        """Widen after an arrival outside of the interval, narrow after one inside."""
        miss = self.miss + _STEER * ((1.0 - LEVEL) - (0.0 if covered else 1.0))
        self.miss = min(0.6, max(0.02, miss))

    def spread(self, source: int) -> Floats:
        """Quantiles of the residuals of a source at evenly spaced levels."""
        width = _WIDTHS[source]
        imagined = width * np.linspace(-1.8, 1.8, _IMAGINED)
        bank = np.concatenate([imagined, np.array(self.residuals[source])])
        quantiles: Floats = np.quantile(bank, _MARKS)
        return quantiles


class Remaining(msgspec.Struct, frozen=True):
    """Estimated remaining seconds.

    Attributes:
        time: event time of the estimate.
        seconds: for each candidate, NaN when nothing is known.
        source: for each candidate, ROUTE, PAIR or DISTANCE.
        new: for somewhere new.
    """

    time: float
    seconds: Floats
    source: Ints
    new: float


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
    _from_routes(logs, mass, history, prior, match, max(0.0, time - trip.time))
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
    new = _somewhere(history, prior, elapsed)
    return Remaining(time, np.maximum(seconds, 0.0), source, new)


def _from_routes(
    logs: Floats,
    mass: Floats,
    history: History,
    prior: Prior,
    match: RouteMatch,
    silent_s: float,
) -> None:
    if not match.steps:
        return
    trust = prior.trust * match.latest**2
    usable = (match.latest > _FOLLOWS) & (match.reached_m >= 0) & (prior.rows >= 0)
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(-trust[rows], kind="stable")[:_MOST_ROWS]]
    for row in rows:
        left = history.routes.left_s(int(row), float(match.reached_m[row]))
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


def mix(
    calibration: Calibration,
    remaining: Remaining,
    shares: list[tuple[int, float]],
    new: float,
) -> Interval | None:
    """The arrival over several candidates: (number, probability) each, and new."""
    points, weights = [], []
    for number, share in shares:
        seconds = remaining.seconds[number]
        if np.isfinite(seconds):
            spread = calibration.spread(int(remaining.source[number]))
            points.append(log(seconds + _PAD_S) + spread)
            weights.append(share)
    if new > 0:
        points.append(log(remaining.new + _PAD_S) + calibration.spread(NEW))
        weights.append(new)
    if not points:
        return None
    values = np.concatenate(points)
    mass = np.repeat(weights, len(_MARKS))
    order = np.argsort(values, kind="stable")
    level = np.cumsum(mass[order])
    if level[-1] <= 0:
        return None
    wanted = (calibration.miss / 2, 0.5, 1.0 - calibration.miss / 2)
    index = np.searchsorted(level / level[-1], wanted)
    seconds = np.exp(values[order][np.minimum(index, len(values) - 1)]) - _PAD_S
    low, median, high = (float(max(0.0, s)) + remaining.time for s in seconds)
    return Interval(low, median, high, LEVEL)
