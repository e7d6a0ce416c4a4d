"""A holder that is killed or frozen is replaced: in processes, over Zenoh."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.app.test_keeper import free_port
from tests.app.test_seating import DEVICES, eventually, household

from trivet.app.seating import Seating
from trivet.domain import DeviceKind, RefusedError
from trivet.fabric import (
    SessionConfig,
    create_household,
    issue,
    load_identity,
    open_session,
)
from trivet.fabric.seat import ENGINE, steady_s

CHILD = """
import asyncio, sys
from pathlib import Path
from tests.app.test_seating import household
from trivet.app.seating import Seating
from trivet.fabric import SessionConfig, load_household, load_identity, open_session

async def main(folder, device, listen, *connect):
    identity = load_identity(load_household(Path(folder)), device)
    config = SessionConfig(identity, listen=(listen,), connect=connect)
    async with open_session(config) as link:
        ours = household("home", "phone", "car")
        seating = Seating(link, lambda: ours, Path(folder) / f"{device}.json")
        seating.on_change(lambda row: print(row.standing, row.token, flush=True))
        await seating.run()

asyncio.run(main(*sys.argv[1:]))
"""


async def until_holds(process: asyncio.subprocess.Process, above: int = 0) -> int:
    """Wait until a child says that it holds with a greater token; the token."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        while line := (await process.stdout.readline()).decode().split():
            if line[0] == "holding" and int(line[1]) > above:
                return int(line[1])
    raise AssertionError("it has ended")


async def test_over_zenoh_a_process_that_is_killed_is_replaced_within_5_s(
    tmp_path: Path,
) -> None:
    made = create_household(tmp_path / "ours", "ours")
    for device in DEVICES:
        issue(made, device, DeviceKind.OTHER)
    first, second, third = (f"127.0.0.1:{free_port()}" for _ in DEVICES)
    ways = {"home": [first], "phone": [second, first], "car": [third, first, second]}
    async with AsyncExitStack() as stack:

        async def start(device: str) -> asyncio.subprocess.Process:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", CHILD, str(made.folder), device),
                *ways[device],
                stdout=asyncio.subprocess.PIPE,
            )
            stack.push_async_callback(end, process)
            return process

        home, phone, _ = [await start(device) for device in DEVICES]
        before = await until_holds(home)
        await asyncio.sleep(1.0)
        home.send_signal(signal.SIGKILL)
        began = steady_s()
        after = await until_holds(phone, before)
        took_s = steady_s() - began
        assert took_s < 5.0
        home = await start("home")
        await until_holds(home, after)


async def end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def test_over_zenoh_a_frozen_holder_is_replaced_and_its_old_token_refused(
    tmp_path: Path,
) -> None:
    made = create_household(tmp_path / "ours", "ours")
    for device in DEVICES:
        issue(made, device, DeviceKind.OTHER)
    address, other = (f"127.0.0.1:{free_port()}" for _ in range(2))
    async with AsyncExitStack() as stack:
        seatings = {}
        for device, listen in (("phone", address), ("car", other)):
            config = SessionConfig(
                load_identity(made, device),
                listen=(listen,),
                connect=(address,) if device == "car" else (),
            )
            link = await stack.enter_async_context(open_session(config))
            path = tmp_path / f"{device}.json"
            seatings[device] = Seating(link, partial(household, *DEVICES), path)
            running = asyncio.create_task(seatings[device].run())
            stack.push_async_callback(ended, running)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CHILD, str(made.folder), "home"),
            *("127.0.0.1:0", address, other),
            stdout=asyncio.subprocess.PIPE,
        )
        stack.push_async_callback(end, process)
        old = await until_holds(process)
        await eventually(lambda: seatings["car"].row(ENGINE).holder == "home")
        seatings["car"].fence.admit(ENGINE, old, "home")
        process.send_signal(signal.SIGSTOP)
        await eventually(lambda: seatings["phone"].holding() is not None, 8.0)
        hold = seatings["phone"].holding()
        assert hold is not None
        assert hold.token > old
        seatings["car"].fence.admit(ENGINE, hold.token, "phone")
        with pytest.raises(RefusedError, match="has lost the seat"):
            seatings["car"].fence.admit(ENGINE, old, "home")
        process.send_signal(signal.SIGCONT)
        await until_holds(process, hold.token)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
