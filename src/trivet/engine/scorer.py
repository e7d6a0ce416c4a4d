"""Scoring: a student's weights on the evidence of a moment, and the softmax."""

from __future__ import annotations

import numpy as np

from trivet.engine.evidence import COLUMNS
from trivet.engine.residual import Residual
from trivet.engine.route import Floats
from trivet.engine.student import Student, Weights

_Pair = tuple[Floats, Floats]


class Scorer:
    """A student at work: its weights as arrays, moved a little for one person."""

    def __init__(self, student: Student, residual: Residual | None = None) -> None:
        self._way, self._blind = _arrays(student.way), _arrays(student.blind)
        if residual is not None:
            self._way = _sum(self._way, residual.way)
            self._blind = _sum(self._blind, residual.blind)
        self._network: tuple[Floats, Floats, Floats, Floats] | None = None
        if student.network is not None:
            hidden = np.array(student.network.hidden, dtype=np.float64)
            width = len(COLUMNS)
            self._network = (
                np.ascontiguousarray(hidden[:, :width].T),
                np.ascontiguousarray(hidden[:, width:]),
                np.array(student.network.bias, dtype=np.float64),
                np.array(student.network.out, dtype=np.float64),
            )

    def score(self, table: Floats, new: Floats, *, blind: bool) -> Floats:
        """Score of each candidate, then of somewhere new.

        Args:
            table: candidates by `evidence.COLUMNS`.
            new: by `evidence.NEW_COLUMNS`.
            blind: no position of the trip is known.
        """
        places, of_new = self._blind if blind else self._way
        scores = np.append(table @ places, new @ of_new)
        if self._network is not None and not blind:
            each, around, bias, out = self._network
            scores[:-1] += np.tanh(table @ each + (around @ new + bias)) @ out
        return scores


def shares(scores: Floats) -> tuple[Floats, float]:
    """Probabilities, of these scores, of each candidate and of somewhere new."""
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    return odds[:-1], float(odds[-1])


def _sum(one: _Pair, other: _Pair) -> _Pair:
    return one[0] + other[0], one[1] + other[1]


def _arrays(weights: Weights) -> _Pair:
    return np.array(weights.places, dtype=np.float64), np.array(
        weights.new, dtype=np.float64
    )
