"""A household in memory whose devices trust each other as far as the policy goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from trivet.app.simulation import make_trust, simulated_household
from trivet.app.trust import MADE, Trust
from trivet.devices.world import World
from trivet.domain import Device, DeviceKind
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.ledger import Ledger


def trust_of(device: Device) -> Trust:
    """Trust of a device with a ledger in memory."""
    return Trust(device, simulated_household(), Ledger(":memory:", device.id))


def home_trust() -> Trust:
    return trust_of(Device("home", DeviceKind.HOME, signals=MADE))


@asynccontextmanager
async def trusted(
    fabric: MemoryFabric, world: World, kind: DeviceKind, start: float
) -> AsyncIterator[tuple[Link, Trust]]:
    """A device of the simulated household on a fabric in memory."""
    ledger = Ledger(":memory:", kind.value)
    household = simulated_household()
    with closing(make_trust(world, kind, household, ledger, start)) as trust:
        async with fabric.open_session(kind.value, gate=trust.gate) as link:
            yield link, trust
