"""Prediction by partial matching: the next symbol from the longest context seen before.

Source: J. Cleary and I. Witten, "Data compression using adaptive coding and partial
string matching", IEEE Trans. Communications 32 (1984); escapes of method C with
exclusion: A. Moffat, "Implementing the PPM data compression scheme", ibid. 38 (1990).
"""

from __future__ import annotations

from collections import deque

import numpy as np

from trivet.engine.blend import Floats

ORDER = 3


class PartialMatch:
    """Counts of what followed each of the last one to `order` symbols.

    Args:
        order: of the longest context.
    """

    def __init__(self, order: int = ORDER) -> None:
        self._order = order
        self._counts: dict[tuple[int, ...], dict[int, int]] = {}
        self._last: deque[int] = deque(maxlen=order)

    def learn_one(self, symbol: int) -> None:
        """Take up the next symbol."""
        last = tuple(self._last)
        for length in range(len(last) + 1):
            context = last[len(last) - length :]
            followed = self._counts.setdefault(context, {})
            followed[symbol] = followed.get(symbol, 0) + 1
        if self._order:
            self._last.append(symbol)

    def predict_one(self, symbols: int) -> Floats:
        """Chance of each of `symbols` symbols, and last of one never seen."""
        chances = np.zeros(symbols + 1)
        left, seen = 1.0, set[int]()
        last = tuple(self._last)
        for length in range(len(last), -1, -1):
            followed = self._counts.get(last[len(last) - length :])
            if not followed:
                continue
            fresh = {s: n for s, n in followed.items() if s not in seen}
            total = sum(fresh.values())
            if not total:
                continue
            whole = total + len(fresh)
            for symbol, count in fresh.items():
                chances[symbol] = left * count / whole
            left *= len(fresh) / whole
            seen.update(fresh)
        chances[symbols] = left
        return chances
