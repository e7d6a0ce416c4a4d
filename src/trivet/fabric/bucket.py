"""A limit on how often something may be done, for whoever can be asked too much."""

from __future__ import annotations


class Bucket:
    """Lets so many through at once, and so many a second after that."""

    def __init__(self, burst: int, rate_per_s: float, now: float) -> None:
        """Begin full at `now`, in seconds of a monotonic clock."""
        self._level, self._burst = float(burst), float(burst)
        self._rate_per_s, self._time = rate_per_s, now

    def take(self, now: float) -> bool:
        """Whether one more may pass."""
        gained = max(0.0, now - self._time) * self._rate_per_s
        self._level = min(self._burst, self._level + gained)
        self._time = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
