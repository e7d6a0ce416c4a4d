"""The linear student: a conditional logit fitted by maximum likelihood.

Newton's method on the mean negative log probability of what came true, with a penalty
on the squares of the weights that keeps what the data do not tell near nothing. The
function is convex: there is one answer, whatever it begins from.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.engine.custom import CUSTOMS, CUSTOMS_NEW
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.route import Floats, Ints
from trivet.engine.student import Network, Weights
from trivet.train.case import Cases

_PLACES, _NEW = len(COLUMNS), len(NEW_COLUMNS)
#: Cases that are worked on at once.
_PART = 2000
_STEPS, _HALVINGS = 30, 12
_CLOSE = 1e-7
#: Added to the second derivatives before they are inverted: what is told by nothing is
#: not to be moved by chance.
_DAMPING = 0.02
#: What is blind sees of a candidate and of somewhere new: the rest is 0 then.
_BLIND = ("prior", "hour", "lately", "since", "far", "back", *CUSTOMS)
BLIND = tuple(map(COLUMNS.index, _BLIND))
BLIND_NEW = tuple(map(NEW_COLUMNS.index, ("prior", "one", *CUSTOMS_NEW)))
#: `pace` is a log likelihood ratio already.
PACE, PACE_WEIGHT = COLUMNS.index("pace"), 1.0


class Fitted(msgspec.Struct, frozen=True):
    """Weights, and how well they do on what they were fitted on.

    Attributes:
        weights: of the evidence.
        loss: mean negative log probability of what came true.
        cases: how many.
    """

    weights: Weights
    loss: float
    cases: int


class Design(msgspec.Struct, frozen=True):
    """Some cases as one matrix: a row for each candidate and each somewhere new.

    Attributes:
        rows: of all cases, by COLUMNS and then NEW_COLUMNS.
        starts: first row of each case.
        sizes: rows of each case.
        truth: row of what came true in each.
        base: what each row's score is besides, of a network.
    """

    rows: Floats
    starts: Ints
    sizes: Ints
    truth: Ints
    base: Floats

    def log_shares(self, weights: Floats) -> Floats:
        """Log probability of each row within its case."""
        scores = self.rows @ weights + self.base
        top = np.maximum.reduceat(scores, self.starts)
        odds = np.exp(scores - np.repeat(top, self.sizes))
        total = np.log(np.add.reduceat(odds, self.starts)) + top
        logs: Floats = scores - np.repeat(total, self.sizes)
        return logs


def design(cases: Cases, network: Network | None = None) -> Design:
    """The matrix of all of these cases, beside what a network adds."""
    sizes = cases.sizes + 1
    ends = np.cumsum(sizes)
    starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
    rows = np.zeros((int(sizes.sum()), _PLACES + _NEW))
    is_new = np.zeros(len(rows), dtype=np.bool_)
    is_new[ends - 1] = True
    rows[~is_new, :_PLACES] = cases.table
    rows[is_new, _PLACES:] = cases.new
    base = np.zeros(len(rows))
    if network is not None:
        base[~is_new] = added(network, cases)
    return Design(rows, starts, sizes, starts + cases.truth, base)


def added(network: Network, cases: Cases) -> Floats:
    """What a network adds to the score of each row of the cases' tables."""
    hidden = np.array(network.hidden)
    around = cases.new @ hidden[:, _PLACES:].T + np.array(network.bias)
    own = cases.table @ hidden[:, :_PLACES].T
    out: Floats = np.tanh(own + np.repeat(around, cases.sizes, axis=0)) @ np.array(
        network.out
    )
    return out


def parts(cases: Cases, network: Network | None = None) -> Iterator[Design]:
    """Matrices of some cases each, all together of all."""
    for first in range(0, len(cases), _PART):
        mask = np.zeros(len(cases), dtype=np.bool_)
        mask[first : first + _PART] = True
        yield design(cases.where(mask), network)


def fit(cases: Cases, *, blind: bool, penalty: float = 1e-4) -> Fitted:
    """The weights that make what came true most likely.

    Args:
        cases: all blind, or none.
        blind: no position of the trip is known.
        penalty: on the sum of the squared weights.
    """
    free = _free(blind=blind)
    weights = np.zeros(_PLACES + _NEW)
    weights[PACE] = PACE_WEIGHT
    made = list(parts(cases))
    weights = _descend(made, weights, free, penalty)
    # four decimals are the same on every machine
    rounded = [round(weight, 4) for weight in weights.tolist()]
    loss, _, curve = _derive(made, np.array(rounded), free, 0.0)
    places, new = tuple(rounded[:_PLACES]), tuple(rounded[_PLACES:])
    return Fitted(Weights(places, new, _steps(curve, free)), loss, len(cases))


def steps(cases: Cases, weights: Weights, network: Network | None) -> Weights:
    """These weights of a student with a network, and how far slopes move them."""
    whole = np.array(weights.places + weights.new)
    free = _free(blind=False)
    curve = _derive(list(parts(cases, network)), whole, free, 0.0)[2]
    return Weights(weights.places, weights.new, _steps(curve, free))


def losses(
    cases: Cases, weights: Weights, network: Network | None = None
) -> tuple[Floats, NDArray[np.bool_]]:
    """Of each case, the loss, and whether the likeliest place was the right one."""
    whole = np.array(weights.places + weights.new)
    loss, right = [np.empty(0)], [np.empty(0, dtype=np.bool_)]
    for part in parts(cases, network):
        logs = part.log_shares(whole)
        loss.append(-logs[part.truth])
        best = logs.copy()
        best[part.starts + part.sizes - 1] = -np.inf
        right.append(best[part.truth] >= np.maximum.reduceat(best, part.starts))
    return np.concatenate(loss), np.concatenate(right)


def _free(*, blind: bool) -> NDArray[np.bool_]:
    """The weights that are to be found."""
    free = np.full(_PLACES + _NEW, not blind)
    if blind:
        free[list(BLIND)] = True
        free[[_PLACES + column for column in BLIND_NEW]] = True
    free[PACE] = False
    return free


def _steps(curve: Floats, free: NDArray[np.bool_]) -> tuple[tuple[float, ...], ...]:
    """How far a slope moves each weight: the inverse of the second derivatives."""
    steps = np.zeros(curve.shape)
    inner = curve[np.ix_(free, free)] + _DAMPING * np.eye(int(free.sum()))
    steps[np.ix_(free, free)] = np.linalg.inv(inner)
    return tuple(tuple(round(float(x), 3) for x in row) for row in steps)


def _descend(
    made: list[Design], weights: Floats, free: NDArray[np.bool_], penalty: float
) -> Floats:
    """The best weights, by Newton steps that are halved where they overshoot."""
    loss, slope, curve = _derive(made, weights, free, penalty)
    for _ in range(_STEPS):
        step = np.zeros(len(weights))
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        before = loss
        for _ in range(_HALVINGS):
            loss, slope, curve = _derive(made, weights - step, free, penalty)
            if loss <= before:
                break
            step /= 2.0
        weights = weights - step
        if before - loss < _CLOSE:
            break
    return weights


def _derive(
    made: list[Design], weights: Floats, free: NDArray[np.bool_], penalty: float
) -> tuple[float, Floats, Floats]:
    """The penalised loss, its gradient and its second derivatives."""
    width = len(weights)
    loss, slope, curve = 0.0, np.zeros(width), np.zeros((width, width))
    total = sum(len(part.sizes) for part in made)
    for part in made:
        logs = part.log_shares(weights)
        loss -= float(logs[part.truth].sum())
        weighed = part.rows * np.exp(logs)[:, None]
        mean = np.add.reduceat(weighed, part.starts)
        slope += mean.sum(axis=0) - part.rows[part.truth].sum(axis=0)
        curve += part.rows.T @ weighed - mean.T @ mean
    own = weights * free
    loss = loss / total + penalty * float(own @ own)
    curve = curve / total + 2 * penalty * np.eye(width)
    return loss, slope / total + 2 * penalty * own, curve
