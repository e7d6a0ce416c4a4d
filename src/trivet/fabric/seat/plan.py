"""Who stands for a seat, and who votes, in a household as its charter has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trivet.domain.error import SetupError
from trivet.fabric.access import Party
from trivet.fabric.seat.word import Roll

#: The seat of whoever forecasts and suggests.
ENGINE = "engine"


class Plan(msgspec.Struct, frozen=True):
    """Who stands for a seat.

    Attributes:
        seat: the seat's name.
        order: ids of devices, or kinds for all of a kind, the preferred ones first.
        may_take_over_alone: ids of devices that act alone on their own things where no
            majority is in reach, though they have not held the seat before.
    """

    seat: str
    order: tuple[str, ...] = ("home", "phone", "car")
    may_take_over_alone: tuple[str, ...] = ()


def roll_of(members: Mapping[str, Party], version: int) -> Roll:
    """Who votes: the household's devices that are no guests.

    Raises:
        SetupError: it has none.
    """
    voters = [device for device, member in members.items() if not member.is_guest]
    if not voters:
        raise SetupError(
            "nobody of the household can vote for seats",
            hint="take part in the household anew",
        )
    return Roll(version, tuple(sorted(voters)))


def order_of(members: Mapping[str, Party], names: Sequence[str]) -> tuple[str, ...]:
    """The devices that `names` of ids or kinds stand for, guests left out."""
    ours = {device: m for device, m in members.items() if not m.is_guest}
    found: dict[str, None] = {}
    for name in names:
        kind = sorted(device for device, m in ours.items() if m.kind == name)
        found.update(dict.fromkeys([name] if name in ours else kind))
    return tuple(found)
