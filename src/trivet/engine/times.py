"""When something happens, as times and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from trivet.domain.forecast import Interval
from trivet.engine.route import Floats

#: Even levels by which a forecast, and errors of some, are handed on.
MARKS = (np.arange(40) + 0.5) / 40
_BELL = np.array([NormalDist().inv_cdf(mark) for mark in MARKS.tolist()])
#: Times are spread by this, and by a share of how far off they are, when it is asked
#: how likely they found what came true.
_SPREAD_S, _SPREAD = 300.0, 0.1


class Times(msgspec.Struct, frozen=True):
    """A distribution over event times: times and their weights.

    Attributes:
        times: event times.
        weights: of each.
        mass: weight of all where it was added up in another order, to the last bit.
    """

    times: Floats
    weights: Floats
    mass: float | None = None

    def scaled(self, share: float) -> Times:
        """The same, weighing `share` in all."""
        return Times(self.times, self.weights * (share / max(self.total, 1e-12)))

    def not_before(self, time: float) -> Times:
        """The same, with what is sooner than `time` put off to then."""
        return Times(np.maximum(self.times, time), self.weights)

    def in_order(self) -> Times:
        """The same, the first time first."""
        order = np.argsort(self.times, kind="stable")
        return Times(self.times[order], self.weights[order], self.total)

    @property
    def total(self) -> float:
        """Weight of all."""
        return float(self.weights.sum()) if self.mass is None else self.mass

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        """The times by which so much of the weight has come."""
        order = np.argsort(self.times, kind="stable")
        weights = self.weights[order]
        reached = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
        found: list[float] = np.interp(levels, reached, self.times[order]).tolist()
        return found

    def density(self, time: float, now: float) -> float:
        """How likely a time is, for comparing two distributions."""
        spread = _SPREAD_S + _SPREAD * np.maximum(0.0, self.times - now)
        apart = (time - self.times) / spread
        bells = np.exp(-0.5 * apart**2) / (spread / _SPREAD_S)
        return float(bells @ self.weights / max(self.total, 1e-12))


def together(parts: Sequence[Times]) -> Times:
    """Several, by their weights."""
    return Times(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def spread_of(arrival: Interval) -> Times:
    """A trip's arrival as times: two halves of bells about its median."""
    levels = _BELL / NormalDist().inv_cdf((1.0 + arrival.level) / 2)
    below, above = arrival.median - arrival.low, arrival.high - arrival.median
    times = arrival.median + levels * np.where(levels < 0, below, above)
    return Times(times, np.ones(len(MARKS)))
