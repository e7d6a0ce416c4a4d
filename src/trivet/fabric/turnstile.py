"""A turnstile: of strangers few come in at a time, and none too often."""

from __future__ import annotations

from collections import Counter

from trivet.fabric.bucket import Bucket

#: Connections at a time: of all, and of one address. More wait in the system's queue.
MAX_OPEN, MAX_OPEN_EACH = 8, 2
#: Connections of one address, at once and a second after that; and of all.
BURST, RATE_PER_S = 5, 0.5
BURST_ALL, RATE_ALL_PER_S = 40, 20.0
#: Addresses that are remembered; a stranger with more of them meets the common limit.
MAX_ADDRESSES = 256


class Turnstile:
    """Who may come in: few at a time, not too often, none at the others' cost.

    Args:
        now: seconds of a monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self._all = Bucket(BURST_ALL, RATE_ALL_PER_S, now)
        self._each: dict[str, Bucket] = {}
        self._inside: Counter[str] = Counter()

    def enter(self, address: str, now: float) -> bool:
        """Whether this address may come in now; who may must `leave`."""
        if self._inside[address] >= MAX_OPEN_EACH:
            return False
        bucket = self._each.pop(address, None) or Bucket(BURST, RATE_PER_S, now)
        self._each[address] = bucket  # the newest last
        if len(self._each) > MAX_ADDRESSES:
            del self._each[next(iter(self._each))]
        if not (bucket.take(now) and self._all.take(now)):
            return False
        self._inside[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One of this address is out again."""
        self._inside[address] -= 1
        self._inside += Counter()  # forgets who is not inside
