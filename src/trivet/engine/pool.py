"""Pool: experts' probabilities multiplied, each raised to a weight that is learned.

A mixture can be no surer than the surest expert. A product can: where one knows what
came before, and another what is due by now, both together know more. The weights follow
the gradient of the log loss, which has one minimum; those for each last event start at
none and learn what holds after it alone.

Source: C. Genest and J. V. Zidek, "Combining probability distributions: a critique and
an annotated bibliography", Statistical Science 1 (1986), for logarithmic pools; J.
Duchi et al., "Adaptive subgradient methods for online learning and stochastic
optimization", J. Machine Learning Research 12 (2011), for the steps.
"""

from __future__ import annotations

from collections.abc import Container

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.engine.blend import LEAST, Floats

Bools = NDArray[np.bool_]

_RATE = 0.1
#: Steps for one last event are smaller, and start smaller yet.
_OWN_RATE, _OWN_START = 0.05, 3.0
#: Half-life, in events, of how much was learned: so that a weight never sets for good.
_LIFE = 5000.0
#: Weights of all experts together to start with.
_WHOLE = 1.05
#: No weight, and no sum of squared gradients, is learned that is beyond.
_MOST, _MOST_SQUARE = 1e4, 1e8


class Lean(msgspec.Struct):
    """Weights of the experts, and the squared gradients that size the next step."""

    weights: list[float]
    squares: list[float]

    def step(self, gradient: Floats, rate: float) -> None:
        """Learn from one event."""
        squares = np.array(self.squares) * 0.5 ** (1.0 / _LIFE) + gradient**2
        ahead = np.array(self.weights) + rate * gradient / np.sqrt(squares + 1.0)
        self.weights, self.squares = ahead.tolist(), squares.tolist()

    def is_sound(self, experts: int) -> bool:
        """Whether so many experts can be weighed by it."""
        return (
            len(self.weights) == len(self.squares) == experts
            and all(abs(weight) <= _MOST for weight in self.weights)
            and all(0.0 <= square <= _MOST_SQUARE for square in self.squares)
        )


class Pool(msgspec.Struct):
    """Weights for all, and beside them those after each event; written as it is."""

    whole: Lean
    after: dict[str, Lean] = {}

    @classmethod
    def even(cls, experts: int) -> Pool:
        """All experts are trusted alike."""
        return cls(Lean([_WHOLE / experts] * experts, [0.0] * experts))

    def mix(self, opinions: Floats, last: str, can_come: Bools) -> Floats:
        """The chances that the experts give together.

        Args:
            opinions: of each expert, one row; of each event, one column.
            last: the event before.
            can_come: of each event; the others keep next to no chance.
        """
        mixed: Floats = np.full(len(can_come), LEAST)
        mixed[can_come] = self._pooled(_logs(opinions, can_come), last)
        mixed /= mixed.sum()
        return mixed

    def learn(self, opinions: Floats, last: str, can_come: Bools, came: int) -> None:
        """Take up which event came after `last`, by its column."""
        if not can_come[came]:
            return
        logs = _logs(opinions, can_come)
        wrong = -self._pooled(logs, last)
        wrong[int(can_come[:came].sum())] += 1.0
        gradient = logs @ wrong
        none = [0.0] * len(logs)
        own = self.after.setdefault(last, Lean(none, [_OWN_START] * len(logs)))
        self.whole.step(gradient, _RATE)
        own.step(gradient, _OWN_RATE)

    def keep(self, events: Container[str]) -> None:
        """Forget what holds after events other than these."""
        self.after = {last: own for last, own in self.after.items() if last in events}

    def is_sound(self, experts: int) -> bool:
        """Whether so many experts can be pooled by it."""
        return all(
            lean.is_sound(experts) for lean in (self.whole, *self.after.values())
        )

    def _pooled(self, logs: Floats, last: str) -> Floats:
        weights = np.array(self.whole.weights)
        if last in self.after:
            weights = weights + np.array(self.after[last].weights)
        score = weights @ logs
        pooled: Floats = np.exp(score - score.max())
        pooled /= pooled.sum()
        return pooled


def _logs(opinions: Floats, can_come: Bools) -> Floats:
    logs: Floats = np.log(np.maximum(opinions[:, can_come], LEAST))
    return logs
