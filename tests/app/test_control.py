"""The owner's word to a running device."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
from tests.app.allies import home_trust, trust_of

from trivet.app.control import MAX_LINE, Control, open_control, tell
from trivet.app.leasing import End, Ended, Leases, Standing, take_lease_words
from trivet.app.trust import Trust
from trivet.domain import (
    Device,
    DeviceKind,
    LeaseRequest,
    Purpose,
    SetupError,
    Signal,
    UsageError,
)
from trivet.fabric import MemoryFabric
from trivet.fabric.lessee import Wish
from trivet.fabric.lessor import LEASE

PHONE = Device("phone", DeviceKind.PHONE, signals=(Signal("batt"),))


async def standing(path: Path) -> Standing:
    return await asyncio.to_thread(tell, path, Leases(), Standing)


async def ended(path: Path, lease: str) -> Ended:
    return await asyncio.to_thread(tell, path, End(lease), Ended)


def control_of(trust: Trust) -> Control:
    control = Control()
    take_lease_words(control, trust)
    return control


async def test_the_owner_sees_and_ends_what_the_device_gives(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    fabric, ours, theirs = MemoryFabric(), trust_of(PHONE), home_trust()
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(
            fabric.open_session("phone", gate=ours.gate)
        )
        home = await stack.enter_async_context(
            fabric.open_session("home", gate=theirs.gate)
        )
        wish = Wish("home", ("forecast",), Purpose.DISPLAY)
        ours.attach(phone, (wish,))
        theirs.attach(home)
        await stack.enter_async_context(open_control(path, control_of(ours)))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await standing(path)).leases == ()
        await home.ask("phone", LEASE, LeaseRequest(("batt",), Purpose.ARRIVAL, 60.0))
        await ours.tick(1.0)
        answer = await standing(path)
        [lease] = answer.leases
        assert (lease.recipient, lease.paths) == ("home", ("batt",))
        assert answer.wishes[0].lease is not None
        assert (await ended(path, lease.id)).lease == lease
        assert (await standing(path)).leases == ()
        with pytest.raises(UsageError, match="no lease"):
            await ended(path, lease.id)
    assert not path.exists()


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"verb": "fly"}\n', b"\xff\x00\n"])
async def test_what_is_no_word_gets_an_error(tmp_path: Path, line: bytes) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    async with MemoryFabric().open_session("phone") as link:
        trust.attach(link)
        async with open_control(path, control_of(trust)):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line)
            assert b"error" in await reader.readline()
            writer.close()


async def test_a_second_device_does_not_take_the_socket(tmp_path: Path) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    async with open_control(path, control_of(trust)):
        with pytest.raises(SetupError, match="another process answers"):
            async with open_control(path, control_of(trust)):
                pass
        assert path.exists()


async def test_a_socket_left_by_a_crash_is_taken_over(tmp_path: Path) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with open_control(path, control_of(trust)):
        assert path.exists()


def test_nobody_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no running device answers"):
        tell(tmp_path / "control.sock", Leases(), Standing)


def test_a_word_has_one_taker() -> None:
    control = control_of(trust_of(PHONE))
    with pytest.raises(UsageError, match="taken already"):
        take_lease_words(control, trust_of(PHONE))


def test_what_has_no_verb_is_no_word() -> None:
    async def take(_: Standing) -> Standing:
        raise AssertionError

    with pytest.raises(UsageError, match="no word"):
        Control().add(Standing, take)


async def test_a_taker_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    async def fail(_: Leases) -> Standing:
        raise ZeroDivisionError

    control = Control()
    control.add(Leases, fail)
    async with open_control(tmp_path / "control.sock", control):
        with pytest.raises(UsageError, match="failed: ZeroDivisionError"):
            await standing(tmp_path / "control.sock")


class Long(msgspec.Struct, tag="long", tag_field="verb"):
    text: str


class Echo(msgspec.Struct):
    text: str


@pytest.mark.parametrize(
    ("asked", "answered", "why"),
    [(MAX_LINE, 1, "to say, the most is"), (1, MAX_LINE, "the answer is")],
)
async def test_what_is_too_long_for_a_line_is_said_to_be_so(
    tmp_path: Path, asked: int, answered: int, why: str
) -> None:
    async def echo(_: Long) -> Echo:
        return Echo("x" * answered)

    control, path = Control(), tmp_path / "control.sock"
    control.add(Long, echo)
    async with open_control(path, control):
        with pytest.raises(UsageError, match=why):
            await asyncio.to_thread(tell, path, Long("x" * asked), Echo)
