"""The fence at a resource: an old holder's word comes too late there, however late.

A holder that is frozen between its check and its act cannot be stopped by any clock. It
is stopped where it acts: whoever owns an actuator knows the greatest token, and refuses
a lesser one. That it knows is the voter's doing, which keeps every promise on the disk;
a token that this device's own voter has not promised is not admitted either, so nobody
can shut the holder out with a number of its own.

Source: Kleppmann, "How to do distributed locking", 2016, for the fencing token.
"""

from __future__ import annotations

from trivet.domain.error import RefusedError
from trivet.fabric.seat.voter import Voter


class Fence:
    """The fence of one device, for all seats.

    Args:
        voter: the device's own.
    """

    def __init__(self, voter: Voter) -> None:
        self._voter = voter

    def admit(self, seat: str, token: int, asker: str) -> None:
        """Let a device act here for a seat, or raise. Without a seat a person asks.

        Args:
            seat: as in the command; empty lets it pass.
            token: as in the command.
            asker: who sent it, as the link has authenticated it; this device itself
                for its own acts.

        Raises:
            RefusedError: it is not the token of the device to which this one promised
                the seat last.
        """
        if not seat:
            return
        record, me = self._voter.record(seat), self._voter.me
        wish = f"{asker} acts for the seat {seat!r} with token {token}"
        if record is None:
            raise RefusedError(
                f"{wish}, which {me} has promised to nobody",
                hint="who holds a seat is known here in a moment; ask again",
            )
        is_its = record.holder == asker
        if not is_its or not record.floor <= token <= record.token:
            raise RefusedError(
                f"{wish}; {me} has promised it to {record.holder} with {record.token}",
                hint=f"{asker} has lost the seat, or is not known here to have it yet",
            )
