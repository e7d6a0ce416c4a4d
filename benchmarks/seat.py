"""Take-over of a seat: three processes over Zenoh, the holder killed, time and again.

    python -m benchmarks.seat

Home, phone and car each run a session over mutual TLS on loopback and seek the seat
`engine`. The home, which holds it, is killed with SIGKILL at a moment drawn by lot and
started again. All clocks are one: the machine's, which its processes share.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from trivet.app.seating import Row, Seating
from trivet.app.trust import Household
from trivet.domain import DeviceKind
from trivet.domain.wire import encode
from trivet.fabric import (
    SessionConfig,
    create_household,
    issue,
    load_household,
    load_identity,
    open_session,
)
from trivet.fabric.access import Party
from trivet.fabric.policy import shipped_policy
from trivet.fabric.seat import ENGINE, Roll, pack, steady_s
from trivet.fabric.seat.timing import RENEW_S
from trivet.fabric.seat.word import Bid, Promise, Word

KILLS = 7
QUIET_S = 6.0
PATIENCE_S = 30.0
DEVICES = ("car", "home", "phone")
OURS = Household({d: Party(d, DeviceKind(d)) for d in DEVICES}, shipped_policy())


@dataclass
class Seen:
    """Seconds; processor seconds a second of one device."""

    over_s: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    idle: float = 0.0
    holding: float = 0.0


# --- a device -------------------------------------------------------------------------


def say(what: str, value: float) -> None:
    print(what, f"{value:.6f}", flush=True)


async def live(folder: str, device: str, seats: str, listen: str, *to: str) -> None:
    """One device: it says when it is up, when it holds, and what it costs."""
    identity = load_identity(load_household(Path(folder)), device)
    async with open_session(SessionConfig(identity, (listen,), to)) as link:
        tasks = [asyncio.create_task(cost())]
        if seats == "seats":
            path = Path(folder) / f"{device}.json"
            seating = Seating(link, lambda: OURS, path)

            def changed(row: Row) -> None:
                if row.standing == "holding":
                    say("holding", steady_s())

            seating.on_change(changed)
            tasks.append(asyncio.create_task(seating.run()))
        say("up", steady_s())
        await asyncio.gather(*tasks)


async def cost() -> None:
    await asyncio.sleep(QUIET_S / 2)
    before = time.process_time()
    await asyncio.sleep(QUIET_S / 2)
    say("cost", (time.process_time() - before) / (QUIET_S / 2))


# --- the bench ------------------------------------------------------------------------


class Bench:
    """The three devices as processes."""

    def __init__(self, folder: str, stack: AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack
        home, phone, car = (free_address() for _ in DEVICES)
        self._ways = {
            "home": [home],
            "phone": [phone, home],
            "car": [car, home, phone],
        }

    async def start(self, device: str, seats: str = "seats") -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.seat", self._folder, device, seats),
            *self._ways[device],
            stdout=PIPE,
        )
        self._stack.push_async_callback(kill, process)
        return process


async def said(process: Process, what: str, since: float = 0.0) -> float:
    """Wait until a device says something; the number, if a later one than `since`."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := (await process.stdout.readline()).decode().split():
            if line[0] == what and float(line[1]) > since:
                return float(line[1])
    raise RuntimeError(f"a device ended before it said {what}")


async def kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.wait()


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def measure(folder: str) -> Seen:
    seen, rng = Seen(), Random(7)
    async with AsyncExitStack() as stack:
        bench = Bench(folder, stack)
        idle = [await bench.start(device, "none") for device in DEVICES]
        seen.idle = await said(idle[1], "cost")
        for process in idle:
            await kill(process)
        home, phone = await bench.start("home"), await bench.start("phone")
        await bench.start("car")
        await said(home, "holding")
        seen.holding = await said(home, "cost")
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(1.0, 1.0 + RENEW_S))
            killed = steady_s()
            await kill(home)
            seen.over_s.append(await said(phone, "holding", killed) - killed)
            home = await bench.start("home")
            up = await said(home, "up")
            seen.back_s.append(await said(home, "holding") - up)
    return seen


def size_of(word: Word) -> int:
    return len(encode(pack(word)))


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bench"
        household = create_household(folder, "bench")
        for device in DEVICES:
            issue(household, device, DeviceKind(device))
        seen = asyncio.run(measure(str(folder)))
    bid = Bid(ENGINE, 1000, 1 << 60, 100_000, Roll(9, DEVICES), True)
    promise = Promise(ENGINE, 1000, 1 << 60, 100_000)
    a_second = (len(DEVICES) - 1) / RENEW_S
    return [
        ("take-over after kill -9, median", median(seen.over_s), "s"),
        (f"take-over after kill -9, worst of {KILLS}", max(seen.over_s), "s"),
        ("hand-back once it is up again, median", median(seen.back_s), "s"),
        (f"hand-back once it is up again, worst of {KILLS}", max(seen.back_s), "s"),
        ("renewing, questions of the holder", a_second, "1/s"),
        (
            "renewing, payload both ways",
            a_second * (size_of(bid) + size_of(promise)),
            "B/s",
        ),
        ("renewing, processor of the holder", 100 * (seen.holding - seen.idle), "%"),
        ("a session alone, processor", 100 * seen.idle, "%"),
    ]


def main() -> None:
    if len(sys.argv) > 1:
        asyncio.run(live(*sys.argv[1:]))
        return
    for name, value, unit in rows():
        print(f"{name:48} {value:12,.3f} {unit}")


if __name__ == "__main__":
    main()
