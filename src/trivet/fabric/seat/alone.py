"""A device that has no majority to ask, and acts on its own things alone.

Either it held the seat last and has seen no greater token, or the household's settings
name it: a device that is its own actuators' owner is their arbiter, too.
"""

from __future__ import annotations

from trivet.fabric.seat.timing import ALONE_AFTER_S
from trivet.fabric.seat.token import Tokens
from trivet.fabric.seat.view import View
from trivet.fabric.seat.voter import Voter


class Alone:
    """Whether a device acts alone for one seat.

    Args:
        seat: the seat.
        voter: this device's own.
        tokens: what is known of the seat's tokens.
        now: monotonic seconds.
    """

    def __init__(self, seat: str, voter: Voter, tokens: Tokens, now: float) -> None:
        self._seat = seat
        self._voter = voter
        self._tokens = tokens
        self._lonely_since = now
        self._from = now + ALONE_AFTER_S  # who just started may not have met anybody
        self._is_standby = False

    def token(self, now: float) -> int:
        """With which it acts alone, 0 if it does not."""
        record = self._voter.record(self._seat)
        has_held = record is not None and record.won > 0 and now >= self._from
        return self._tokens.own if has_held or self._is_standby else 0

    def is_due(self, view: View, now: float) -> bool:
        """Whether a named standby is now to begin; to be asked at each tick."""
        if view.can_win:
            self._lonely_since = now
            return False
        is_first = view.may_alone and view.stands and view.rank == 0
        is_lonely = now - self._lonely_since >= ALONE_AFTER_S
        return is_first and is_lonely and not self._is_standby

    def begin(self) -> None:
        """A named standby begins: its own voter has promised it the seat."""
        self._is_standby = True

    def end(self) -> None:
        """Another has the seat, or this device holds it."""
        self._is_standby = False
