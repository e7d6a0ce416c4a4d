"""A device follows the founder to a new authority by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fabric.test_late import free_port

from trivet.app.following import Following
from trivet.app.renewing import LateDoor
from trivet.domain import DeviceKind
from trivet.fabric import MemoryFabric, certificate
from trivet.fabric.admit import admit, keep
from trivet.fabric.background import cancel
from trivet.fabric.charter import load_charter, own_charter
from trivet.fabric.household import (
    Household,
    create_household,
    load_household,
    read_certificate,
)
from trivet.fabric.identity import issue, load_identity
from trivet.fabric.refounding import refound
from trivet.fabric.request import make_request, new_key, read_request
from trivet.fabric.revocation import revoke

#: TLS reads the machine's own clock.
BEFORE = datetime.now(UTC) - timedelta(days=3)


class Stage:
    """A home that listens, and a car on a machine of its own."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.house = create_household(folder / "home", "ours", now=BEFORE)
        issue(self.house, "home", DeviceKind.HOME, now=BEFORE)
        issue(self.house, "phone", DeviceKind.PHONE, now=BEFORE)
        private = new_key()
        asked = make_request(private, "ours", "car", DeviceKind.CAR, ["car.local"])
        keep(
            folder / "car",
            device="car",
            private=private,
            cert_pem=admit(self.house, read_request(asked), now=BEFORE),
            ca_pem=self.house.ca_path.read_bytes(),
            charter=load_charter(self.house.folder),
        )
        self.car: Household = load_household(folder / "car")

    @asynccontextmanager
    async def door(self) -> AsyncIterator[LateDoor]:
        door = LateDoor(self.house, load_identity(self.house, "home"), self.address)
        serving = asyncio.ensure_future(door.run())
        await asyncio.sleep(0.1)
        try:
            yield door
        finally:
            await cancel(serving)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Following]:
        async with MemoryFabric("ours").open_session("car") as link:
            yield Following(self.car, link, [self.address])


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_a_device_takes_the_new_authority_up_with_its_hosts(stage: Stage) -> None:
    async with stage.door() as door, stage.following() as car:
        assert not await car.look()
        revoke(stage.house, "phone", reason="stolen")
        refound(stage.house)
        door.show(load_identity(stage.house, "home"))
        assert await car.look()
        load_identity(stage.car, "car")  # it fits together
        agreed = own_charter(stage.car.folder)
        assert [m.device for m in agreed.members] == ["car", "home"]
        cert = read_certificate(stage.car.folder / "devices/car/cert.pem", "")
        assert "car.local" in certificate.hosts_of(cert)
        assert not await car.look()


async def test_a_door_that_does_not_show_its_new_certificate_yet_will_do(
    stage: Stage,
) -> None:
    """The founder's word is believed by its signature, whoever hands it over."""
    async with stage.door(), stage.following() as car:
        refound(stage.house)
        assert await car.look()
        load_identity(stage.car, "car")  # it fits together


async def test_nobody_at_the_door_changes_nothing(stage: Stage) -> None:
    async with stage.following() as car:
        assert not await car.look()
    load_identity(stage.car, "car")  # it fits together
