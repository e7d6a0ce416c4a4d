"""Without positions: how well length and pace since the departure fit past trips.

A car that says only its speed still says much: how far it has come by each minute, and
that it cannot have come further than the whole way.
"""

from __future__ import annotations

import numpy as np

from trivet.engine.history import History
from trivet.engine.route import Floats
from trivet.engine.trip import PACE_S, RunningTrip

#: A past trip that fits not at all still counts this much.
_LEAST = 0.02
#: Lengths at the same minute differ by this share, and by this much in any case.
_SPREAD = 0.2
_SPREAD_M = 400.0
#: No more than so many minutes are compared.
_MOST_MINUTES = 240
#: No more than so many past trips are compared minute by minute.
_MOST_ROWS = 200


def compare(
    history: History, trip: RunningTrip, time: float, weights: Floats
) -> Floats:
    """0 to 1 for each row: how well the running trip fits it so far.

    The rows that weigh most are compared minute by minute, the others by whole length
    and time alone.
    """
    elapsed = max(0.0, time - trip.departure)
    fits = np.ones(len(history))
    # the same way may take longer, but is not longer; see the residuals of GPS lengths
    fits *= _survives(trip.driven_m, history.distance, 0.06)
    fits *= _survives(elapsed, history.duration, 0.5)
    mine = np.array(trip.pace[:_MOST_MINUTES])
    if len(mine):
        for row in np.argsort(-weights, kind="stable")[:_MOST_ROWS]:
            past = history.past[int(row)].pace
            if past:
                fits[row] *= _fit(mine, np.array(past[:_MOST_MINUTES]))
    return _LEAST + (1.0 - _LEAST) * fits


def _survives(so_far: float, whole: Floats, share: float) -> Floats:
    """Near 1 while `so_far` is below each whole, falling fast beyond it."""
    spread = share * whole + 1e-3 * so_far + 1.0
    chance: Floats = 1.0 / (1.0 + np.exp(np.clip((so_far - whole) / spread, -30, 30)))
    return np.minimum(1.0, 2.0 * chance)


def _fit(mine: Floats, past: Floats) -> float:
    count = min(len(mine), len(past))
    if not count:
        return 1.0
    a, b = mine[:count], past[:count]
    spread = _SPREAD * (a + b) / 2 + _SPREAD_M
    error = float(np.mean(((a - b) / spread) ** 2))
    return float(np.exp(-0.5 * error * min(1.0 + count * PACE_S / 600.0, 4.0)))
