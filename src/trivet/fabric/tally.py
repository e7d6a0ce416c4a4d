"""What was published between two devices, and what of it never arrived; pure.

Zenoh drops a live signal in silence when its recipient is too slow. So each side
counts, the beats carry the sender's count, and the receiver compares one beat later:
by then what was under way is there.

Counts belong to a run, which is one link from its opening to its end. Who is new
starts at nothing: of what was sent to it before, it has lost nothing.
"""

from __future__ import annotations

from trivet.fabric.beat import Beat

#: Seconds until a count is compared with what arrived.
UNDER_WAY_S = 0.4


class Tally:
    """Messages to one device and from it.

    Attributes:
        sent: published to it; whoever publishes adds one.
        arrived: came from it; whoever receives adds one. Both are plain numbers: the
            interpreter does not change threads within `+= 1`.
    """

    __slots__ = ("_began", "_claim", "_ended_lost", "_lost", "_run", "arrived", "sent")

    def __init__(self) -> None:
        self.sent = 0
        self.arrived = 0
        self._run = 0
        self._began = _Marks()
        self._claim: tuple[float, int] | None = None
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
        """What the other device published to this one and never arrived, so far."""
        return self._ended_lost + self._lost

    def meet(self) -> None:
        """The other device's token was put up: if its run is new, it begins here."""
        self._began.note(self.sent, self.arrived)

    def take(self, beat: Beat, own_run: int, time: float) -> None:
        """A beat came at monotonic `time`; `own_run` is the number of this device."""
        if beat.run != self._run:
            self._run = beat.run
            self._began.begin(self.sent, self.arrived)
            self._ended_lost += self._lost
            self._lost, self._claim = 0, None
        else:
            self._began.forget()
        if beat.heard_run != own_run:  # it counts for a run of ours that has ended
            return
        if self._claim is None:
            self._claim = (time, beat.sent)
        elif time - self._claim[0] >= UNDER_WAY_S:
            arrived = self.arrived - self._began.arrived
            self._lost = max(0, self._claim[1] - arrived)
            self._claim = (time, beat.sent)


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
