"""Cases out of nothing: what came true follows from known weights."""

from __future__ import annotations

import numpy as np

from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.student import Network
from trivet.train.case import SHARES, Case, Cases

WIDTH, NEW = len(COLUMNS), len(NEW_COLUMNS)
PLACES = np.zeros(WIDTH)
PLACES[:5] = 1.5, -1.0, 0.5, 0.0, 0.8
OF_NEW = np.zeros(NEW)
OF_NEW[:2] = 1.0, -0.5


def cases(
    count: int, seed: int = 1, *, sharp: float = 1.0, network: Network | None = None
) -> Cases:
    """Moments of trips, a sixth of them blind, of people who choose by the weights."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        table = rng.normal(0.0, 1.0, (int(rng.integers(2, 7)), WIDTH))
        table[:, COLUMNS.index("pace")] = 0.0
        new = rng.normal(0.0, 1.0, NEW)
        new[1] = 1.0
        share = SHARES[number % len(SHARES)]
        if share == 0.0:
            table[:, 4:] = 0.0
            new[2:] = 0.0
        scores = np.append(table @ PLACES, new @ OF_NEW) * sharp
        if network is not None:
            around = np.hstack([table, np.tile(new, (len(table), 1))])
            hidden = np.array(network.hidden)
            scores[:-1] += np.tanh(around @ hidden.T + network.bias) @ network.out
        odds = np.exp(scores - scores.max())
        truth = int(rng.choice(len(odds), p=odds / odds.sum()))
        made.append(Case(table, new, truth, share, share == 0.0, float(number)))
    return Cases.of(made)
