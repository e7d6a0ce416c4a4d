"""Blend: several experts' probabilities as one, by how well each has foretold lately.

The weights are those of Bayes over which expert is right, with a small share given back
to all at each step, so that one that was wrong for a year can be right again within
days: a season turns, a household moves.

Source: M. Herbster and M. K. Warmuth, "Tracking the best expert", Machine Learning 32
(1998): fixed share.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Share given back to all experts at each step.
SHARE = 0.005
#: No expert is taken to be surer than this of what did not happen.
LEAST = 1e-4


class Blend(msgspec.Struct):
    """Weights of experts, together 1; written to disk as it is."""

    weights: list[float]

    @classmethod
    def even(cls, experts: int) -> Blend:
        """All experts are trusted alike."""
        return cls([1.0 / experts] * experts)

    def mix(self, opinions: Floats) -> Floats:
        """The blend of what the experts say; one row each."""
        mixed: Floats = np.array(self.weights) @ opinions
        return mixed

    def learn(self, chances: Sequence[float], rate: float = 1.0) -> None:
        """Take up which chance each expert gave to what came true.

        Args:
            chances: of each expert.
            rate: below 1 where steps are not independent, so that each counts less.
        """
        given = np.maximum(np.array(chances), LEAST) ** rate
        posterior = np.array(self.weights) * given
        posterior = (1.0 - SHARE) * posterior / posterior.sum()
        self.weights = (posterior + SHARE / len(given)).tolist()

    def is_sound(self, experts: int) -> bool:
        """Whether so many experts can be blended by it."""
        weights = self.weights
        return (
            len(weights) == experts
            and all(0.0 <= weight < inf for weight in weights)
            and 0.0 < sum(weights) < inf
        )


class Steering(msgspec.Struct):
    """Levels to ask for, so that intervals hold as often as they promise.

    Source: I. Gibbs and E. Candès, "Adaptive conformal inference under distribution
    shift", NeurIPS 2021.

    Attributes:
        asked: by the level in percent that is promised, the level that is asked for.
    """

    asked: dict[int, float] = {}

    def level(self, promised: float) -> float:
        """The level to ask for."""
        return self.asked.get(round(100 * promised), promised)

    def learn(self, promised: float, held: bool, rate: float = 0.01) -> None:
        """Ask for more after one that did not hold, for less after one that did."""
        level = self.level(promised) + rate * (promised - float(held))
        self.asked[round(100 * promised)] = min(0.99, max(0.02, level))

    @property
    def is_sound(self) -> bool:
        """Whether every level is one."""
        return all(0.0 <= level <= 1.0 for level in self.asked.values())
