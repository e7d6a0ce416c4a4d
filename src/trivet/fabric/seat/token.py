"""Which token a candidate is to bid with: one that no other device has or had."""

from __future__ import annotations

from trivet.fabric.seat.voter import Voter
from trivet.fabric.seat.word import Denial


class Tokens:
    """What a candidate knows of one seat's tokens.

    Args:
        seat: the seat.
        voter: this device's own.
    """

    def __init__(self, seat: str, voter: Voter) -> None:
        self._seat = seat
        self._voter = voter
        self._others = 0  # the greatest of another device
        self._mine = 0  # the greatest of this device that another voter knows

    def note(self, denial: Denial) -> None:
        """A voter said no, and what it knows."""
        if denial.holder == self._voter.me:
            self._mine = max(self._mine, denial.token)
        elif denial.holder:
            self._others = max(self._others, denial.token)

    @property
    def own(self) -> int:
        """This device's own, if none is known that is as great; else 0."""
        record = self._voter.record(self._seat)
        if record is None or record.holder != self._voter.me:
            return 0
        return record.token if record.token > self._others else 0

    def choose(self) -> int:
        """This device's own, if it is still the greatest; else a greater one."""
        if self.own and self.own >= self._mine:
            return self.own
        record = self._voter.record(self._seat)
        last = record.token if record is not None else 0
        return max(last, self._others, self._mine) + 1
