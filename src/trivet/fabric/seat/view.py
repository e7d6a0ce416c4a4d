"""What a candidate sees, how it stands, and what it has to say."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trivet.fabric.seat.roll import is_majority
from trivet.fabric.seat.word import Roll, Word


class Standing(StrEnum):
    """How a device stands to a seat."""

    #: another holds it, or this device does not stand for it
    NONE = "none"
    #: nobody is known to hold it; this device seeks it
    WAITING = "waiting"
    #: a majority has promised it to this device
    HOLDING = "holding"
    #: no majority is to be had; this device acts on its own things and nothing else
    ALONE = "alone"


class View(msgspec.Struct, frozen=True):
    """What a candidate sees around it.

    Attributes:
        me: this device.
        roll: who votes.
        order: the devices that stand for the seat, the preferred one first.
        present: the other devices that are there.
        may_alone: whether this device may act alone without having held before.
    """

    me: str
    roll: Roll
    order: tuple[str, ...]
    present: frozenset[str]
    may_alone: bool = False

    @property
    def stands(self) -> bool:
        """Whether this device stands for the seat."""
        return self.me in self.order and self.me in self.roll.devices

    @property
    def voters(self) -> frozenset[str]:
        """The other voters that are there."""
        return self.present.intersection(self.roll.devices) - {self.me}

    @property
    def can_win(self) -> bool:
        """Whether those that are there could be a majority."""
        return is_majority(self.roll.devices, self.voters | {self.me})

    @property
    def before(self) -> tuple[str, ...]:
        """The devices that are preferred to this one."""
        if self.me not in self.order:
            return self.order
        return self.order[: self.order.index(self.me)]

    @property
    def rank(self) -> int:
        """How many of those are there."""
        return len(self.present.intersection(self.before))

    def is_preferred_to(self, holder: str) -> bool:
        """Whether this device comes before another one."""
        return self.stands and holder != self.me and holder not in self.before


class Send(msgspec.Struct, frozen=True):
    """A word for another device."""

    device: str
    word: Word


class Hold(msgspec.Struct, frozen=True):
    """What a device may do for a seat now.

    Attributes:
        seat: the seat.
        device: the device.
        token: goes with each act, to the fence of whose actuator it is.
        standing: HOLDING, or ALONE.
    """

    seat: str
    device: str
    token: int
    standing: Standing

    def may_act_on(self, owner: str) -> bool:
        """Whether it may act on things of `owner`; empty for any device's."""
        return self.standing is Standing.HOLDING or owner == self.device
