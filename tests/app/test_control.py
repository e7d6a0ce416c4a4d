"""The owner's word to a running device."""

from __future__ import annotations

import asyncio
import socket
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.app.allies import home_trust, trust_of

from trivet.app.control import Answer, End, Leases, open_control, tell
from trivet.domain import (
    Device,
    DeviceKind,
    LeaseRequest,
    Purpose,
    SetupError,
    Signal,
)
from trivet.fabric import MemoryFabric
from trivet.fabric.lessee import Wish
from trivet.fabric.lessor import LEASE

PHONE = Device("phone", DeviceKind.PHONE, signals=(Signal("batt"),))


async def said(path: Path, word: Leases | End) -> Answer:
    return await asyncio.to_thread(tell, path, word)


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
        await stack.enter_async_context(open_control(path, ours))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (await said(path, Leases())).leases == ()
        await home.ask("phone", LEASE, LeaseRequest(("batt",), Purpose.ARRIVAL, 60.0))
        await ours.tick(1.0)
        answer = await said(path, Leases())
        [lease] = answer.leases
        assert (lease.recipient, lease.paths) == ("home", ("batt",))
        assert answer.wishes[0].lease is not None
        ended = await said(path, End(lease.id))
        assert ended.ended == lease
        assert (await said(path, Leases())).leases == ()
        again = await said(path, End(lease.id))
        assert "no lease" in again.error
    assert not path.exists()


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"verb": "fly"}\n', b"\xff\x00\n"])
async def test_what_is_no_word_gets_an_error(tmp_path: Path, line: bytes) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    async with MemoryFabric().open_session("phone") as link:
        trust.attach(link)
        async with open_control(path, trust):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(line)
            assert b"error" in await reader.readline()
            writer.close()


async def test_a_second_device_does_not_take_the_socket(tmp_path: Path) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    async with open_control(path, trust):
        with pytest.raises(SetupError, match="another process answers"):
            async with open_control(path, trust):
                pass
        assert path.exists()


async def test_a_socket_left_by_a_crash_is_taken_over(tmp_path: Path) -> None:
    path, trust = tmp_path / "control.sock", trust_of(PHONE)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with open_control(path, trust):
        assert path.exists()


def test_nobody_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no running device answers"):
        tell(tmp_path / "control.sock", Leases())
