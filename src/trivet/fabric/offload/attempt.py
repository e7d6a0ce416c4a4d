"""One attempt at a run, as its asker sees it: where it can stand, and what follows.

What changes where an attempt stands is in TABLE, and nowhere else; see race.py for what
is done about it.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import Final

import msgspec

from trivet.domain.error import UsageError
from trivet.fabric.offload.placement import Candidate


class Step(StrEnum):
    """Where an attempt stands."""

    #: it was sent; whether it came, and began, is not known
    SENT = "sent"
    #: its device has it
    HELD = "held"
    #: its device is out of reach; it may go on there
    AWAY = "away"
    WON = "won"
    OVER = "over"


class What(StrEnum):
    """What can happen to an attempt."""

    ACCEPTED = "accepted"
    #: it has not begun, and never will
    REFUSED = "refused"
    LOST = "lost"
    FAILED = "failed"
    FINISHED = "finished"
    #: it is needed no more
    DROPPED = "dropped"


_LIVE = (Step.SENT, Step.HELD, Step.AWAY)
#: Where an attempt stands, and what happens: where it stands then.
TABLE: Final[dict[tuple[Step, What], Step]] = {
    (Step.SENT, What.ACCEPTED): Step.HELD,
    (Step.SENT, What.LOST): Step.AWAY,
    (Step.HELD, What.ACCEPTED): Step.HELD,
    (Step.HELD, What.LOST): Step.AWAY,
    (Step.AWAY, What.ACCEPTED): Step.HELD,
    (Step.AWAY, What.LOST): Step.AWAY,
    # a result may overtake the answer to what was sent
    **{(step, What.FINISHED): Step.WON for step in _LIVE},
    **{(step, What.REFUSED): Step.OVER for step in _LIVE},
    **{(step, What.FAILED): Step.OVER for step in _LIVE},
    **{(step, What.DROPPED): Step.OVER for step in _LIVE},
    # what is over stays so, whatever its device says of it later
    **{(Step.OVER, what): Step.OVER for what in What},
}


class Attempt(msgspec.Struct):
    """One attempt.

    Attributes:
        number: counted from 0.
        candidate: the device, as it was known at the start.
        since: time of its start.
        step: where it stands.
        lost_at: time at which its device went out of reach the last time.
    """

    number: int
    candidate: Candidate
    since: float
    step: Step = Step.SENT
    lost_at: float = inf

    @property
    def device(self) -> str:
        """The device's id."""
        return self.candidate.device

    @property
    def is_live(self) -> bool:
        """Whether it may still give a result."""
        return self.step in _LIVE

    def step_on(self, what: What) -> None:
        """This happened to it.

        Raises:
            UsageError: it cannot happen to one that stands there.
        """
        step = TABLE.get((self.step, what))
        if step is None:
            raise UsageError(f"an attempt that is {self.step} cannot be {what}")
        self.step = step
