"""What the household agreed reaches every device in reach, over real sessions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from trivet.app.keeper import Keeper, household_of
from trivet.app.renewing import Renewing
from trivet.app.trust import Trust
from trivet.domain import (
    Device,
    DeviceKind,
    Lease,
    LeaseRequest,
    PeerError,
    Purpose,
    RefusedError,
    Sample,
    Signal,
    UnreachableError,
)
from trivet.domain.wire import Document
from trivet.fabric import Household, SessionConfig, create_household, open_session
from trivet.fabric.admit import admit, keep
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import load_charter, own_charter
from trivet.fabric.event import EventKind
from trivet.fabric.household import authority, load_household
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessor import LEASE
from trivet.fabric.letter import Received
from trivet.fabric.request import make_request, new_key, read_request
from trivet.fabric.revocation import revoke
from trivet.fabric.roll import amend
from trivet.fabric.session import ZenohLink

NOW = 1_800_000_000.0
SIGNALS = {
    "home": (Signal("forecast", datatype="forecast"),),
    "phone": (Signal("location", datatype="position"), Signal("batt")),
    "car": (Signal("Vehicle.Speed"),),
}
NO_CAR = """
@id("all") @why("Everything among us.") permit(principal, action, resource);
@id("no-car") @why("The car is nosy.")
forbid(principal, action == Action::"receive", resource)
when { principal.kind == "car" };
"""


class Living(msgspec.Struct):
    """A device that runs."""

    link: ZenohLink
    trust: Trust
    keeper: Keeper
    got: list[Received]
    keeping: asyncio.Task[None] | None = None

    @property
    def end(self) -> BaseException | None:
        """What ended its keeper, None while it runs."""
        task = self.keeping
        return task.exception() if task is not None and task.done() else None

    async def wants(
        self, owner: str, path: str, purpose: Purpose = Purpose.ARRIVAL
    ) -> Lease:
        request = LeaseRequest((path,), purpose, NOW + 3600)
        lease = await self.link.ask(owner, LEASE, request)
        assert isinstance(lease, Lease)
        return lease


def free_port() -> int:
    """A port that is free, and the one after it: a door for late renewals is there."""
    while True:
        with socket.socket() as probe, socket.socket() as after:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            try:
                after.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class House:
    """A household whose devices each have a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.household: Household = create_household(folder / "home", "ours")
        self.address = f"127.0.0.1:{free_port()}"
        self.identities = {
            device: self.join(device) for device in ("home", "phone", "car")
        }

    def join(self, device: str) -> SessionConfig:
        private = new_key()
        request = make_request(private, "ours", device, DeviceKind(device))
        certificate = admit(self.household, read_request(request))
        identity = keep(
            self.folder / device,
            device=device,
            private=private,
            cert_pem=certificate,
            ca_pem=self.household.ca_path.read_bytes(),
            charter=load_charter(self.household.folder),
        )
        is_home = device == "home"
        return SessionConfig(
            identity,
            listen=(self.address if is_home else "127.0.0.1:0",),
            connect=() if is_home else (self.address,),
        )

    @asynccontextmanager
    async def live(self, device: str) -> AsyncIterator[Living]:
        folder = self.folder / device
        household = household_of(own_charter(folder))
        config = replace(
            self.identities[device], members=tuple(sorted(household.members))
        )
        made = Device(device, DeviceKind(device), signals=SIGNALS[device])
        private = key_from_pem(self.identities[device].identity.private_pem())
        ledger = Ledger(folder / "ledger.db", device, key=private)
        with closing(Trust(made, household, ledger, NOW, private=private)) as trust:
            async with open_session(config, gate=trust.gate) as link:
                trust.attach(link)
                keeper = Keeper(
                    load_household(folder), config, link, trust, link.reopen
                )
                living = Living(link, trust, keeper, [])
                living.keeping = asyncio.create_task(keeper.run())
                tasks = [living.keeping, asyncio.create_task(self.read(living))]
                try:
                    yield living
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def read(living: Living) -> None:
        async for received in living.link.subscribe():
            heard = await living.trust.hear(received)
            if heard is not None:
                living.got.append(heard)


@asynccontextmanager
async def three(folder: Path) -> AsyncIterator[tuple[House, Living, Living, Living]]:
    house = House(folder)
    # each was admitted with the charter of its day; the newest comes by itself
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(house.live("home"))
        phone = await stack.enter_async_context(house.live("phone"))
        car = await stack.enter_async_context(house.live("car"))
        for living in (home, phone, car):
            await eventually(partial(sees_two, living))
        yield house, home, phone, car


def sees_two(living: Living) -> bool:
    return len(living.link.alive) == 2


async def eventually(is_true: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for; fails after 8 s."""
    for _ in range(800):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def speed(number: float) -> Sample:
    return Sample("car", "Vehicle.Speed", NOW + number, 50.0)


async def test_who_is_revoked_is_out_at_every_device_in_reach(tmp_path: Path) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        await phone.wants("car", "Vehicle.Speed", Purpose.SAFETY)
        assert await car.trust.lessor.give(speed(1)) == ["phone"]
        revoke(house.household, "phone", reason="stolen")
        await eventually(lambda: "phone" not in car.trust.household.members)
        assert await car.trust.lessor.give(speed(2)) == []
        assert car.trust.book.leases == ()
        await eventually(lambda: "phone" not in home.trust.household.members)
        with pytest.raises(PeerError):
            await phone.wants("car", "Vehicle.Speed", Purpose.SAFETY)
        with pytest.raises(PeerError):
            await phone.wants("home", "forecast", Purpose.DISPLAY)
        # home and car go on, once both have opened their sessions anew
        async with asyncio.timeout(20):
            while True:
                await eventually(lambda: "car" in home.link.alive)
                with suppress(UnreachableError):
                    await home.wants("car", "Vehicle.Speed")
                    break
        kinds = [(e.event.kind, e.event.detail) for e in car.trust.ledger.entries()]
        assert (EventKind.END, "revoked") in kinds


async def test_attack_a_stolen_phone_comes_back_with_its_old_key(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.live("home") as home:
        revoke(house.household, "phone", reason="stolen")
        await eventually(lambda: "phone" not in home.trust.household.members)
        async with house.live("phone") as phone:
            await asyncio.sleep(1.0)
            assert "phone" not in home.link.alive
            with pytest.raises(PeerError):
                await phone.wants("home", "forecast", Purpose.DISPLAY)
        private = house.identities["phone"].identity.private_pem()
        assert private
        with pytest.raises(Exception, match="revoked"):
            house.join("phone")


async def test_who_was_away_learns_of_a_revocation_at_first_contact(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.live("car") as car:
        revoke(house.household, "phone", reason="lost")
        async with house.live("home"):
            await eventually(lambda: "phone" not in car.trust.household.members)


async def test_a_new_policy_is_live_at_once_without_a_new_session(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        lease = await car.wants("phone", "location")
        issuer = authority(house.household)
        amend(house.household.folder, issuer, lambda old: replace(old, policy=NO_CAR))
        await eventually(lambda: phone.trust.book.leases == ())
        with pytest.raises(RefusedError, match="The car is nosy"):
            await car.wants("phone", "location")
        assert (await home.wants("phone", "location")).rule == "all"
        ends = [
            entry.event
            for entry in phone.trust.ledger.entries()
            if entry.event.kind is EventKind.END
        ]
        assert [(end.lease, end.rule, end.detail) for end in ends] == [
            (lease.id, "no-car", "policy")
        ]


async def test_attack_a_member_shows_a_charter_of_its_own(tmp_path: Path) -> None:
    foreign = create_household(tmp_path / "foreign", "ours")
    async with three(tmp_path / "house") as (_, home, phone, _):
        before = home.trust.household
        forged = Document("charter", load_charter(foreign.folder))
        await phone.link.ask("home", "charter", forged)
        await phone.link.publish("home", forged, "charter")
        await phone.link.publish("home", Document("charter", b"\x00" * 99), "charter")
        await asyncio.sleep(0.5)
        assert home.trust.household == before


def an_hour_later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def test_a_certificate_is_renewed_and_the_stream_goes_on(tmp_path: Path) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        await home.wants("car", "Vehicle.Speed", Purpose.COMFORT)
        for living, device in ((home, "home"), (phone, "phone"), (car, "car")):
            there = load_household(house.folder / device)
            renewing = Renewing(
                there, device, living.link, living.keeper.renewed, an_hour_later
            )
            if device == "home":
                continue
            before = (house.folder / device / "devices" / device / "cert.pem").stat()
            assert await renewing.renew()
            after = (house.folder / device / "devices" / device / "cert.pem").stat()
            assert after.st_ino != before.st_ino
        await eventually(lambda: "home" in car.link.alive and "car" in home.link.alive)
        for number in range(100):
            await car.trust.lessor.give(speed(number))
            await asyncio.sleep(0.02)
            if home.got:
                break
        assert home.got, "the stream did not go on"


async def test_attack_renewing_in_the_name_of_another(tmp_path: Path) -> None:
    async with three(tmp_path) as (house, home, phone, _):
        ours = load_household(house.folder / "home")
        Renewing(ours, "home", home.link, home.keeper.renewed)
        theirs = make_request(new_key(), "ours", "car", DeviceKind.CAR)
        with pytest.raises(RefusedError, match="phone asks for a certificate of car"):
            await phone.link.ask("home", "renew", Document("renew", theirs))
        mine = make_request(new_key(), "ours", "phone", DeviceKind.PHONE)
        with pytest.raises(RefusedError):
            await phone.link.ask("home", "renew", Document("renew", mine))


async def test_a_policy_of_a_later_version_allows_nothing_and_revokes_all_the_same(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (house, home, phone, car):
        await car.wants("phone", "location")
        folder, issuer = house.household.folder, authority(house.household)
        amend(folder, issuer, lambda old: replace(old, policy="permit in a new way;"))
        await eventually(lambda: phone.trust.book.leases == ())
        with pytest.raises(RefusedError, match="update trivet"):
            await car.wants("phone", "location")
        revoke(house.household, "car", reason="sold")
        await eventually(lambda: "car" not in phone.trust.household.members)
        assert "car" not in home.link.alive
