"""A device whose certificate has ended goes on by itself, when it starts or wakes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trivet.app import renewing
from trivet.app.renewing import LateDoor, Renewing, current_identity
from trivet.domain import (
    DeviceKind,
    RefusedError,
    RevokedError,
    SetupError,
    UnreachableError,
    UsageError,
)
from trivet.domain.wire import Document
from trivet.fabric import MemoryFabric, certificate, disk
from trivet.fabric.admit import admit, keep
from trivet.fabric.background import cancel
from trivet.fabric.certificate import DEVICE_DAYS
from trivet.fabric.charter import load_charter, save_charter
from trivet.fabric.household import (
    Household,
    authority,
    create_household,
    load_household,
)
from trivet.fabric.identity import Identity, issue, renew
from trivet.fabric.renewal import LATE
from trivet.fabric.renewer import Renewer
from trivet.fabric.request import make_request, new_key, read_request
from trivet.fabric.revocation import revoke
from trivet.fabric.roll import Authority

#: TLS reads the machine's own clock, so the certificates really have ended.
NOW = datetime.now(UTC)
LIFE = timedelta(days=DEVICE_DAYS)
AGO = NOW - LIFE - timedelta(days=30)


def clock() -> datetime:
    return NOW


def free_address() -> str:
    """An address whose next port is free as well."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one:
            port: int = one.getsockname()[1]
            try:
                with socket.create_server(("127.0.0.1", port + 1)):
                    return f"127.0.0.1:{port}"
            except (OSError, OverflowError):
                continue


def join(issuer: Household, folder: Path, device: str, now: datetime) -> Household:
    private = new_key()
    request = make_request(private, "ours", device, DeviceKind(device))
    keep(
        folder,
        device=device,
        private=private,
        cert_pem=admit(issuer, read_request(request), now=now),
        ca_pem=issuer.ca_path.read_bytes(),
        charter=load_charter(issuer.folder),
        now=now,
    )
    return load_household(folder)


class House:
    """A home that can issue, and a car that was away for too long."""

    def __init__(self, folder: Path) -> None:
        self.home = create_household(folder / "home", "ours", now=AGO - LATE)
        self.identity = issue(self.home, "home", DeviceKind.HOME, now=NOW)
        self.car = join(self.home, folder / "car", "car", AGO)
        self.address = free_address()

    @property
    def ended(self) -> datetime:
        path = self.car.folder / "devices" / "car" / "cert.pem"
        return certificate.from_pem(path.read_bytes()).not_valid_after_utc

    @asynccontextmanager
    async def open_door(
        self, household: Household | None = None, identity: Identity | None = None
    ) -> AsyncIterator[LateDoor]:
        door = LateDoor(
            household or self.home, identity or self.identity, self.address, clock
        )
        running = asyncio.ensure_future(door.run())
        await asyncio.sleep(0.1)
        try:
            yield door
            assert not running.done(), running
        finally:
            await cancel(running)

    async def start(self, *connect: str) -> Identity:
        return await current_identity(self.car, "car", connect, clock)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


# --- when it starts -------------------------------------------------------------------


async def test_a_late_device_starts_with_a_new_certificate(house: House) -> None:
    assert house.ended < NOW
    async with house.open_door():
        identity = await house.start(house.address)
    assert identity.device == "car"
    assert house.ended == identity.expires > NOW + LIFE / 2
    # and from then on with no door
    assert await house.start() == identity


async def test_who_is_not_late_asks_nobody(house: House) -> None:
    at_home = await current_identity(house.home, "home", [house.address], clock)
    assert at_home == house.identity


async def test_an_issuer_that_is_late_renews_itself(tmp_path: Path) -> None:
    home = create_household(tmp_path, "ours", now=AGO)
    issue(home, "home", DeviceKind.HOME, now=AGO)
    renewed = await current_identity(home, "home", (), clock)
    assert renewed.expires > NOW


async def test_when_nobody_answers_it_says_what_to_do(house: House) -> None:
    with pytest.raises(UnreachableError, match="of car has ended") as caught:
        await house.start(house.address)
    assert house.address.rpartition(":")[0] in caught.value.message
    assert "start a device that admits others" in caught.value.hint
    with pytest.raises(UnreachableError, match="no address to ask at"):
        await house.start()
    assert house.ended < NOW


@pytest.mark.parametrize("missing", ["key.pem", "cert.pem"])
async def test_what_is_wrong_besides_is_said_as_ever(
    house: House, missing: str
) -> None:
    (house.car.folder / "devices" / "car" / missing).unlink()
    with pytest.raises(SetupError, match=f"{missing} is missing"):
        await house.start(house.address)


async def test_an_address_that_is_none_is_the_callers_mistake(house: House) -> None:
    with pytest.raises(UsageError, match="not host:port"):
        await house.start("home")


async def test_attack_a_revoked_device_starts_late(house: House) -> None:
    revoke(house.home, "car", reason="stolen", now=NOW)
    async with house.open_door():
        with pytest.raises(RevokedError, match="car, was revoked by an issuer of ours"):
            await house.start(house.address)
    assert house.ended < NOW


async def test_attack_a_revoked_issuer_renews_itself(tmp_path: Path) -> None:
    home = create_household(tmp_path, "ours", now=AGO)
    issue(home, "home", DeviceKind.HOME, now=AGO)
    revoke(home, "home", reason="lost", now=AGO)
    with pytest.raises(RefusedError, match="revoked"):
        await current_identity(home, "home", (), clock)


# --- the door -------------------------------------------------------------------------


async def test_a_device_that_cannot_issue_serves_nobody(house: House) -> None:
    async with house.open_door(house.car):
        with pytest.raises(UnreachableError):
            await house.start(house.address)


async def test_a_device_that_becomes_an_issuer_serves_from_then_on(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "LOOK_S", 0.05)
    phone = join(house.home, tmp_path / "phone", "phone", NOW)
    shown = await current_identity(phone, "phone", (), clock)
    async with house.open_door(phone, shown):
        with pytest.raises(UnreachableError):
            await house.start(house.address)
        disk.replace(
            phone.ca_key_path, house.home.ca_key_path.read_bytes(), disk.SECRET
        )
        await asyncio.sleep(0.3)
        assert (await house.start(house.address)).expires > NOW


async def test_the_door_opens_to_who_was_admitted_meanwhile(house: House) -> None:
    async with house.open_door():
        phone = join(house.home, house.car.folder.with_name("phone"), "phone", AGO)
        identity = await current_identity(phone, "phone", [house.address], clock)
    assert identity.expires > NOW


async def test_the_door_shows_a_renewed_certificate(house: House) -> None:
    ended = issue(house.home, "old", DeviceKind.HOME, now=AGO)
    async with house.open_door(identity=ended) as door:
        with pytest.raises(RefusedError, match="expired"):
            await house.start(house.address)
        door.show(house.identity)
        assert (await house.start(house.address)).expires > NOW


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.0.0.1:65535", "taken"])
async def test_without_a_port_the_device_goes_on(
    house: House, listen: str, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        if listen == "taken":
            listen = f"127.0.0.1:{taken.getsockname()[1] - 1}"
        house.address = listen
        async with house.open_door():
            pass
    assert "no late renewals" in caplog.text


# --- while it runs --------------------------------------------------------------------


async def wake(house: House, connect: Sequence[str]) -> tuple[bool, list[Identity]]:
    """The car wakes, its certificate over and nobody of the household in reach."""
    shown: list[Identity] = []

    async def renewed(identity: Identity) -> None:
        shown.append(identity)

    async with MemoryFabric("ours").open_session("car") as link:
        woken = Renewing(house.car, "car", link, renewed, clock, connect)
        return await woken.renew(), shown


async def test_a_device_that_wakes_late_proves_its_key(house: House) -> None:
    async with house.open_door():
        is_renewed, shown = await wake(house, [house.address])
    assert is_renewed
    assert [identity.expires for identity in shown] == [house.ended]
    assert house.ended > NOW


async def test_a_device_that_wakes_alone_tries_again_later(house: House) -> None:
    assert await wake(house, [house.address]) == (False, [])
    assert house.ended < NOW


async def test_it_runs_on_and_renews_when_the_door_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Renewer, "failed", lambda *_: None)
    shown = asyncio.Event()

    async def renewed(identity: Identity) -> None:
        shown.set()

    async with MemoryFabric("ours").open_session("car") as link:
        woken = Renewing(house.car, "car", link, renewed, clock, [house.address])
        running = asyncio.ensure_future(woken.run())
        await asyncio.sleep(0.1)
        assert not shown.is_set()
        async with house.open_door():
            async with asyncio.timeout(5.0):
                await shown.wait()
        await cancel(running)


async def test_what_a_person_renewed_is_shown_from_then_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewing, "SLEEP_S", 0.05)
    shown: list[Identity] = []

    async def renewed(identity: Identity) -> None:
        shown.append(identity)

    async with MemoryFabric("ours").open_session("home") as link:
        living = Renewing(house.home, "home", link, renewed, clock)
        running = asyncio.ensure_future(living.run())
        await asyncio.sleep(0.2)
        assert shown == []
        made = renew(house.home, "home", now=NOW, days=2 * DEVICE_DAYS)
        await asyncio.sleep(0.3)
        assert shown == [made]
        await cancel(running)


async def test_a_device_that_is_not_late_does_not_ask_at_the_door(
    house: House,
) -> None:
    """Its own links are there for that, and a stranger must not learn of it."""
    async with house.open_door():
        await house.start(house.address)
        save_charter(house.car.folder, load_charter(house.home.folder))
        assert await wake(house, [house.address]) == (False, [])


# --- an issuer that is asked ----------------------------------------------------------


async def test_attack_a_guest_asks_without_end_where_keys_are_locked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open a locked key costs a third of a second; whoever asks causes one of it."""
    opened = []

    def count(household: Household, now: datetime) -> Authority:
        opened.append(household)
        return authority(household, now)

    async def renewed(identity: Identity) -> None:
        pass

    monkeypatch.setattr(renewing, "authority", count)
    fabric = MemoryFabric("ours")
    async with fabric.open_session("home") as home, fabric.open_session("x") as guest:
        Renewing(house.home, "home", home, renewed, clock)
        asked = [
            guest.ask("home", "renew", Document("renew", b"no request"))
            for _ in range(10)
        ]
        refused = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(error) for error in refused} == {RefusedError}
        assert len(opened) == 1
        # and where the key has been taken away, nobody is renewed any more
        house.home.ca_key_path.unlink()
        with pytest.raises(RefusedError, match="home cannot renew certificates"):
            await guest.ask("home", "renew", Document("renew", b""))
