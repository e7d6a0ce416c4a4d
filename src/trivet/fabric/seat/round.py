"""One round of bids for a seat: whom a candidate asked, and what it was answered."""

from __future__ import annotations

from trivet.fabric.seat.roll import is_quorum
from trivet.fabric.seat.timing import HOLD_S, ROUND_S
from trivet.fabric.seat.word import Bid, Roll


class Round:
    """A round.

    Args:
        bid: what was asked.
        began: monotonic seconds of the candidate BEFORE it asked.
        asked: ids of the voters, not counting itself.
    """

    def __init__(self, bid: Bid, began: float, asked: frozenset[str]) -> None:
        self.bid = bid
        self.began = began
        self.asked = asked
        self.waiting = set(asked)
        self.granted: dict[str, tuple[Roll, ...]] = {}
        self.left_s = 0.0

    @property
    def hold_until(self) -> float:
        """Until when its promises allow to act."""
        return self.began + HOLD_S

    @property
    def is_won(self) -> bool:
        """Whether a majority has promised."""
        return is_quorum(self.bid.roll, self.granted)

    def grant(self, device: str, rolls: tuple[Roll, ...]) -> None:
        """A voter promised."""
        self.waiting.discard(device)
        self.granted[device] = rolls

    def deny(self, device: str, left_s: float) -> None:
        """A voter did not; the seat is another's for that long."""
        self.waiting.discard(device)
        self.left_s = max(self.left_s, left_s)

    def is_over(self, now: float) -> bool:
        """Whether nothing more is to be waited for."""
        return not self.waiting or now >= self.began + ROUND_S
