"""What a node is told when it starts."""

from __future__ import annotations

import msgspec
from scripts.chaos.work.sabotage import Sabotage


class Settings(msgspec.Struct, frozen=True):
    """How a node runs.

    Attributes:
        device: its id.
        devices: ids of all devices.
        folder: what its device keeps.
        journal: where it writes down what it did.
        life: which start of it this is, from 1.
        seed: of what it does.
        listen: `host:port` at which it is dialled.
        connect: `host:port` of the devices that it dials.
        sabotage: what it does wrong on purpose.
    """

    device: str
    devices: tuple[str, ...]
    folder: str
    journal: str
    life: int
    seed: int
    listen: tuple[str, ...]
    connect: tuple[str, ...] = ()
    sabotage: tuple[Sabotage, ...] = ()
