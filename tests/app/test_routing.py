"""A household's router, run as a person runs it, and devices that meet through it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import zenoh
from tests.fabric.contract import speed, take
from typer.testing import CliRunner

from trivet.app.cli.router import router_app
from trivet.app.keeper import household_of
from trivet.app.routing import RouterSettings, admit_router, check_guest, run_router
from trivet.domain import DeviceKind, UsageError
from trivet.domain.sample import Sample
from trivet.domain.wire import encode
from trivet.fabric import (
    Household,
    SessionConfig,
    create_household,
    issue,
    key,
    load_identity,
    open_session,
)
from trivet.fabric.charter import own_charter
from trivet.fabric.config import Role, settings_of
from trivet.fabric.session import ZenohLink

LIMIT_S = 30.0


class House:
    """A household on this machine with a router at a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.founded: Household = create_household(folder / "identity", "ours")
        for name in ("phone", "car"):
            issue(self.founded, name, DeviceKind(name))
        admit_router(self.founded, "router")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.at = f"127.0.0.1:{probe.getsockname()[1]}"

    def place(self, device: str, *, is_held: bool = True) -> SessionConfig:
        members = tuple(household_of(own_charter(self.founded.folder)).members)
        return SessionConfig(
            load_identity(self.founded, device),
            connect=(self.at,),
            members=members if is_held else (),
            role=Role.LEAF,
            routers=("router",),
        )

    def open(self, device: str) -> AbstractAsyncContextManager[ZenohLink]:
        return open_session(self.place(device))

    @asynccontextmanager
    async def routing(self) -> AsyncIterator[None]:
        """The router, until the end of the `async with`."""
        opened = asyncio.Event()
        settings = RouterSettings(self.folder, "router", listen=(self.at,))
        running = asyncio.create_task(run_router(settings, lambda _: opened.set()))
        waiting = asyncio.create_task(opened.wait())
        try:
            await asyncio.wait(
                {running, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=LIMIT_S
            )
            assert opened.is_set(), running
            yield
        finally:
            waiting.cancel()
            running.cancel()
            await asyncio.wait({running})


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_leaves_meet_through_a_router_that_comes_after_them(house: House) -> None:
    async with house.open("phone") as phone, house.open("car") as car:
        assert not phone.alive
        async with house.routing():
            await phone.reach("car", LIMIT_S)
            await car.reach("phone", LIMIT_S)
            assert phone.alive == {"car", "router"}
            await car.publish("phone", speed(50.0), "Vehicle.Speed")
            received = await take(phone.subscribe(), 1)
            assert [(r.owner, r.message) for r in received] == [("car", speed(50.0))]


async def test_who_is_admitted_while_a_router_runs_is_served(house: House) -> None:
    async with house.routing(), house.open("phone") as phone:
        await phone.reach("router", LIMIT_S)
        issue(house.founded, "van", DeviceKind.CAR)
        await phone.reopen(house.place("phone"))  # as its keeper would
        async with house.open("van") as van:
            await phone.reach("van", LIMIT_S)
            await van.reach("phone", LIMIT_S)


async def test_attack_a_member_speaks_as_another_to_a_router(house: House) -> None:
    async with house.routing(), house.open("phone") as phone:
        await phone.reach("router", LIMIT_S)
        settings = settings_of(house.place("car", is_held=False))
        thief = await asyncio.to_thread(
            zenoh.open, zenoh.Config.from_json5(json.dumps(settings))
        )
        issue(house.founded, "van", DeviceKind.CAR)
        forged = encode(Sample("van", "Vehicle.Speed", 1_800_000_000.0, 66.0))
        honest = speed(1.0)
        token = thief.liveliness().declare_token(key.alive("ours", "car"))
        await phone.reach("car", LIMIT_S)
        inbox = phone.subscribe()
        for _ in range(20):
            thief.put(key.stream("ours", "phone", "van", "Vehicle.Speed"), forged)
            thief.put("trivet/ours/to/*/from/*/Vehicle/Speed", forged)
            thief.put(
                key.stream("ours", "phone", "car", "Vehicle.Speed"), encode(honest)
            )
        received = await take(inbox, 20)
        assert {(r.owner, r.message) for r in received} == {("car", honest)}
        token.undeclare()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(thief.close)


def test_a_router_is_admitted_as_a_guest_by_the_command_line(tmp_path: Path) -> None:
    founded = create_household(tmp_path / "identity", "ours")
    words = ["add", "door", "--host", "home.example", "--household", str(tmp_path)]
    told = CliRunner().invoke(router_app, words)
    assert told.exit_code == 0, told.output
    assert "door admitted until" in told.output
    member = own_charter(founded.folder).member("door")
    assert member is not None
    assert (member.kind, member.is_guest) == (DeviceKind.OTHER, True)
    again = CliRunner().invoke(router_app, words)
    assert again.exit_code == UsageError.exit_code
    assert "has an identity already" in again.output


def test_a_full_member_is_no_router(house: House) -> None:
    household = household_of(own_charter(house.founded.folder))
    check_guest(household, "router")
    with pytest.raises(UsageError, match="full member") as caught:
        check_guest(household, "car")
    assert "trivet router add" in str(caught.value)
    words = ["run", "car", "--listen", house.at, "--household", str(house.folder)]
    told = CliRunner().invoke(router_app, words)
    assert told.exit_code == UsageError.exit_code
    assert "full member" in told.output


@pytest.mark.parametrize(
    ("role", "listen", "connect", "lans", "words"),
    [
        (Role.LEAF, ("127.0.0.1:1",), ("127.0.0.1:2",), (), "a leaf dials routers"),
        (Role.LEAF, (), (), (), "a leaf dials routers"),
        (Role.ROUTER, ("127.0.0.1:1",), (), (), "must know whom it serves"),
        (Role.PEER, (), ("127.0.0.1:1",), ("eth0",), "only a router passes on"),
    ],
)
def test_a_role_that_does_not_go_with_the_rest_is_refused(
    house: House,
    role: Role,
    listen: tuple[str, ...],
    connect: tuple[str, ...],
    lans: tuple[str, ...],
    words: str,
) -> None:
    identity = load_identity(house.founded, "car")
    config = SessionConfig(
        identity, listen=listen, connect=connect, role=role, lans=lans
    )
    with pytest.raises(UsageError, match=words):
        settings_of(config)
