"""What the owner of a machine says to its device about seats; see control.py."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.seating import Row, Seating


class Seats(msgspec.Struct, frozen=True, tag="seats", tag_field="verb"):
    """Ask who does what for the household."""


class Yield(msgspec.Struct, frozen=True, tag="yield", tag_field="verb"):
    """Have a seat that this device holds taken by the next one."""

    seat: Annotated[str, Meta(max_length=64)]


class Seated(msgspec.Struct, frozen=True):
    """All seats, as the device sees them.

    Attributes:
        device: the device.
        seats: one row each.
    """

    device: str
    seats: tuple[Row, ...]


class Yielded(msgspec.Struct, frozen=True):
    """A seat is being handed over.

    Attributes:
        seat: the seat.
        heir: id of the device that is to have it.
    """

    seat: str
    heir: str


def take_seat_words(control: Control, seating: Seating) -> None:
    """Have the device take the words about its seats."""

    async def tell_seats(_: Seats) -> Seated:
        return Seated(seating.device, seating.rows)

    async def give_away(word: Yield) -> Yielded:
        return Yielded(word.seat, seating.give_away(word.seat))

    control.add(Seats, tell_seats)
    control.add(Yield, give_away)
