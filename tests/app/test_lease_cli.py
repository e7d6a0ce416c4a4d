"""A person asks for a lease, sees what comes of it, and gives it back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.app.allies import trust_of
from typer.testing import CliRunner, Result

from trivet.app.cli.lease import lease_app
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file
from trivet.app.leasing import take_lease_words
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind, Position, Purpose, Sample, Signal
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.access import Circumstances
from trivet.fabric.background import cancel
from trivet.fabric.lessee import MAX_HEARD, Wish

PHONE = Device(
    "phone",
    DeviceKind.PHONE,
    signals=(Signal("location", datatype="position"), Signal("batt")),
)
HOME = Device("home", DeviceKind.HOME, signals=(Signal("cover.garage"),))
CAR = Device("car", DeviceKind.CAR, signals=(Signal("Vehicle.Speed"),))


class Living(msgspec.Struct):
    """A device that runs, with its folder."""

    link: Link
    trust: Trust
    folder: Path

    async def say(self, *words: str) -> Result:
        """Say words to it at the command line."""
        rest = ["--device", self.link.device, "--household", str(self.folder)]
        arguments = [*words, *rest]
        return await asyncio.to_thread(CliRunner().invoke, lease_app, arguments)

    async def said(self, *words: str) -> Any:
        """What it answers as JSON."""
        done = await self.say(*words, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.output)


@asynccontextmanager
async def live(
    fabric: MemoryFabric, device: Device, folder: Path, wishes: tuple[Wish, ...] = ()
) -> AsyncIterator[Living]:
    control = Control()
    with closing(trust_of(device)) as trust:
        async with fabric.open_session(device.id, gate=trust.gate) as link:
            trust.attach(link, wishes)
            take_lease_words(control, trust)
            async with open_control(control_file(folder, device.id), control):
                yield Living(link, trust, folder)


@asynccontextmanager
async def three(
    folder: Path, wishes: tuple[Wish, ...] = ()
) -> AsyncIterator[tuple[Living, Living, Living]]:
    fabric = MemoryFabric()
    async with AsyncExitStack() as stack:
        phone, car, home = [
            await stack.enter_async_context(
                live(fabric, device, folder, wishes if device is HOME else ())
            )
            for device in (PHONE, CAR, HOME)
        ]
        yield phone, car, home


async def test_a_lease_is_asked_for_by_hand_and_given_back(tmp_path: Path) -> None:
    async with three(tmp_path) as (phone, _, home):
        words = ("ask", "phone", "location", "batt", "--for", "arrival")
        done = await home.say(*words, "--until", "2h")
        assert done.exit_code == 0, done.output
        assert "phone gives location, batt for arrival" in done.output
        assert "by rule home-knows-phone" in done.output
        [lease] = phone.trust.book.leases
        assert (lease.recipient, lease.until) == ("home", 7200.0)
        dropped = await home.said("drop", lease.id)
        assert dropped["dropped"][0]["lease"]["id"] == lease.id
        assert phone.trust.book.leases == ()
        assert home.trust.lessee.standing == {}


async def test_what_is_granted_coarser_is_said(tmp_path: Path) -> None:
    async with three(tmp_path) as (phone, car, _):
        await phone.trust.lessor.set_circumstances(Circumstances(driving=False))
        done = await car.say("ask", "phone", "location", "--for", "comfort")
        assert done.exit_code == 0, done.output
        assert "coarser than asked for: 500 m, not as measured" in done.output
        said = await car.said("ask", "phone", "location", "--for", "comfort")
        assert said["lease"]["exact_m"] == 500
        # asked anew by hand it takes the other's place
        assert len(phone.trust.book.leases) == len(car.trust.lessee.standing) == 1


async def test_what_is_refused_says_the_rule_and_what_to_do(tmp_path: Path) -> None:
    async with three(tmp_path) as (_, car, home):
        done = await home.say("ask", "phone", "location", "--for", "display")
        assert done.exit_code == 6
        assert "no rule allows it" in done.output
        assert "trivet policy why home receive phone location" in done.output
        assert "home asks again; trivet lease drop phone" in done.output
        done = await car.say("ask", "bike", "location", "--for", "display")
        assert (done.exit_code, "bike is not there" in done.output) == (6, True)
        assert (await home.said("drop", "phone"))["dropped"][0]["lease"] is None


@pytest.mark.parametrize(
    "words",
    [
        ("phone", "location", "--for", "arrival", "--exact", "3"),
        ("phone", "location", "--for", "arrival", "--until", "soon"),
        ("phone", "location", "--for", "arrival", "--until", "0h"),
        ("phone", "location", "--for", "arrival", "--every", "100000"),
        ("phone", "not a path", "--for", "arrival"),
        ("No Device", "location", "--for", "arrival"),
        ("phone", "--for", "arrival"),
        ("phone", "location", "--for", "fun"),
    ],
)
async def test_what_cannot_be_asked_for_is_said_and_nothing_wanted(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    async with three(tmp_path) as (phone, _, home):
        assert (await home.say("ask", *words)).exit_code == 2
        assert home.trust.lessee.standing == {}
        assert phone.trust.book.leases == ()


async def test_what_the_device_wants_by_itself_is_not_taken_from_it(
    tmp_path: Path,
) -> None:
    own = (Wish("phone", ("location", "batt"), Purpose.ARRIVAL),)
    async with three(tmp_path, own) as (_, _, home):
        done = await home.say("ask", "phone", "**", "--for", "arrival")
        assert done.exit_code == 2
        assert "by itself already" in done.output
        done = await home.say("ask", "phone", "batt", "--for", "assistant")
        assert done.exit_code == 0, done.output
        await home.trust.tick(0.0)
        assert len((await home.said("drop", "phone"))["dropped"]) == 1
        assert tuple(home.trust.lessee.standing) == own
        # but by its id even that is given back, until the device starts anew
        [lease] = home.trust.lessee.leases
        assert len((await home.said("drop", lease.id))["dropped"]) == 1
        assert home.trust.lessee.standing == {}


async def test_a_wish_ends_with_its_time_and_is_not_renewed_past_it(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (phone, _, home):
        await home.said("ask", "phone", "batt", "--for", "arrival", "--until", "10m")
        first = phone.trust.book.leases
        for time in (300.0, 550.0, 599.0):
            for living in (home, phone):
                await living.trust.tick(time)
            assert phone.trust.book.leases == first
        for living in (home, phone):
            await living.trust.tick(601.0)
        assert phone.trust.book.leases == ()
        assert home.trust.lessee.standing == {}
        assert (await home.say("drop", "phone")).exit_code == 2


async def test_what_arrives_is_watched(tmp_path: Path) -> None:
    async with three(tmp_path) as (phone, _, home):

        async def read() -> None:
            async for received in home.link.subscribe():
                await home.trust.hear(received)

        reading = asyncio.ensure_future(read())
        try:
            words = ("ask", "phone", "location", "--for", "arrival")
            await home.said(*words)
            at = Position(52.6, 8.0)
            for number in range(3):
                sample = Sample("phone", "location", float(number), at)
                assert await phone.trust.lessor.give(sample) == ["home"]
            done = await home.say("watch", "--count", "2")
            assert done.exit_code == 0, done.output
            lines = done.output.splitlines()
            assert len(lines) == 2
            assert "phone  location" in lines[0]
        finally:
            await cancel(reading)


async def test_what_came_too_fast_to_be_watched_is_counted(tmp_path: Path) -> None:
    async with three(tmp_path) as (_, _, home):
        await home.said("ask", "phone", "batt", "--for", "arrival")
        for number in range(MAX_HEARD + 9):
            home.trust.lessee.hear(Sample("phone", "batt", float(number), 50.0))
            home.trust.lessee.hear(Sample("car", "batt", float(number), 50.0))
        assert len(home.trust.lessee.heard) == MAX_HEARD
        done = await home.say("watch", "--count", "1", "--json")
        assert json.loads(done.stdout.splitlines()[0])["time"] == 9.0
