"""What was published between two devices, and what of it never arrived; pure.

Zenoh drops a live signal in silence when its recipient is too slow. So each side
counts, and now and then a beat with the sender's count follows the messages in their
own queue: when it arrives nothing before it is under way any more, and what has not
arrived is lost.

Counts belong to a run, which is one link from its opening to its end. Who is new
starts at nothing: of what was sent to it before, it has lost nothing.
"""

from __future__ import annotations

from trivet.fabric.beat import Beat

#: Beats that carry a count after the last message, and then one of so many: they may
#: be dropped as any message.
COUNTS, RARELY = 4, 8


class Tally:
    """Messages to one device and from it.

    Attributes:
        sent: published to it; whoever publishes adds one, after that.
        arrived: came from it; whoever receives adds one. Both are plain numbers: the
            interpreter does not change threads within `+= 1`.
    """

    __slots__ = (
        "_began",
        "_counted",
        "_counts_left",
        "_ended_lost",
        "_lost",
        "_run",
        "arrived",
        "sent",
    )

    def __init__(self) -> None:
        self.sent = 0
        self.arrived = 0
        self._run = 0
        self._began = _Marks()
        self._counted = self._counts_left = 0
        self._lost = 0
        self._ended_lost = 0

    @property
    def run(self) -> int:
        """Number of the other device's run, 0 when it is not known yet."""
        return self._run

    @property
    def sent_in_run(self) -> int:
        """Messages published to the other device in its present run."""
        return self.sent - self._began.sent

    @property
    def lost(self) -> int:
        """What the other device published to this one and never arrived."""
        return self._ended_lost + self._lost

    def is_to_be_told(self) -> bool:
        """Whether the next beat should tell the other device the count of `sent`."""
        if self.sent != self._counted:
            self._counted, self._counts_left = self.sent, COUNTS
        self._counts_left -= 1
        is_new = self._counts_left >= 0
        return is_new or (self.sent_in_run > 0 and self._counts_left % RARELY == 0)

    def meet(self) -> None:
        """The other device's token was put up: if its run is new, it begins here."""
        self._began.note(self.sent, self.arrived)

    def take(self, beat: Beat, own_run: int) -> None:
        """A beat came; `own_run` is the number of this device."""
        if beat.run != self._run:
            self._began.begin(self.sent, self.arrived)
            if not self._run:  # its messages may be here before its token
                self._began.arrived = 0
            self._run = beat.run
            self._counts_left = COUNTS if self.sent_in_run else 0
            self._ended_lost += self._lost
            self._lost = 0
        else:
            self._began.forget()
        # otherwise it counts for a run of ours that has ended
        if beat.is_counting and beat.heard_run == own_run:
            arrived = self.arrived - self._began.arrived
            self._lost = max(self._lost, beat.sent - arrived)


class _Marks:
    """The counts at which the present run began, and at which a new one would."""

    __slots__ = ("_next", "arrived", "sent")

    def __init__(self) -> None:
        self.sent = self.arrived = 0
        self._next: tuple[int, int] | None = None

    def note(self, sent: int, arrived: int) -> None:
        self._next = (sent, arrived)

    def forget(self) -> None:
        self._next = None

    def begin(self, sent: int, arrived: int) -> None:
        self.sent, self.arrived = self._next or (sent, arrived)
        self._next = None
