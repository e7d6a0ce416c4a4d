"""Who claims a seat of its holder, and for how long it has done so in a row."""

from __future__ import annotations

from collections.abc import Sequence, Set

from trivet.fabric.seat.timing import CLAIM_GAP_S, STABLE_S


class Claims:
    """Claims of preferred devices, by the holder's own clock."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[float, float]] = {}

    def add(self, device: str, now: float) -> None:
        """A device claims the seat."""
        first, last = self._rows.get(device, (now, now))
        self._rows[device] = (now if now - last > CLAIM_GAP_S else first, now)

    def clear(self) -> None:
        """Another term begins."""
        self._rows.clear()

    def heir(self, order: Sequence[str], present: Set[str], now: float) -> str:
        """The first of `order` that has claimed long enough; empty for nobody."""
        for device in order:
            first, last = self._rows.get(device, (now, now))
            is_live = now - last <= CLAIM_GAP_S and device in present
            if is_live and now - first >= STABLE_S:
                return device
        return ""
