"""How soon a dead peer is found, and what the others notice; then against MQTT.

    python -m benchmarks.link

Peers are processes of their own, over the same mutual TLS on loopback. A fault is a
SIGKILL or a SIGSTOP; `Zenoh alone` has our settings, its lease of 2 s included, and no
heart: there a peer is gone when its liveliness token falls, and after 6 s we give up.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil
import zenoh
from benchmarks.fabric import config_of, free_address, open_raw
from benchmarks.link_mqtt import mqtt_rows

from trivet.domain import Device, DeviceKind, Sample, Signal
from trivet.fabric import Link, create_household, issue, open_session

Row = tuple[str, float, str]
PATIENCE_S = 30.0
#: Longer than this Zenoh is not waited for.
CAP_S = 6.0
TIMES = 5
#: About 16 KB on the wire, so many times a second.
BULK = Device("home", DeviceKind.HOME, signals=(Signal("a" * 200),) * 80)
BULK_BYTES = bytes(16 * 1024)
EACH_S = 1 / 200
SAMPLES = 1_000_000
SAMPLE = Sample("car", "Vehicle.Speed", 1_767_225_600.25, 83.5)


# --- the other processes ------------------------------------------------------------


def live(folder: str, device: str, address: str, pipe: Connection) -> None:
    """A device that dials `address` and counts what comes, until told to go."""
    seen = [0]

    def count(*_: object) -> None:
        seen[0] += 1

    async def main() -> None:
        config = config_of(folder, device, address, listens=False)
        async with open_session(config, on_message=count) as link:
            await link.reach("home", PATIENCE_S)
            pipe.send(True)
            while await asyncio.to_thread(pipe.recv):
                pipe.send(seen[0])

    asyncio.run(main())


def flood(folder: str, device: str, address: str, pipe: Connection) -> None:
    """A device that sends to the home as fast as it goes."""

    async def main() -> None:
        config = config_of(folder, device, address, listens=False)
        async with open_session(config) as link:
            await link.reach("home", PATIENCE_S)
            while True:
                await link.publish("home", SAMPLE, "Vehicle.Speed")

    asyncio.run(main())


def live_raw(folder: str, device: str, address: str, pipe: Connection) -> None:
    """The same by Zenoh alone, with a token."""
    with open_raw(config_of(folder, device, address, listens=False)) as session:
        subscriber = session.declare_subscriber(f"to/{device}", lambda sample: None)
        token = session.liveliness().declare_token(f"alive/{device}")
        pipe.send(True)
        pipe.recv()
        del subscriber, token


class Peer:
    """One of those processes."""

    def __init__(
        self,
        work: Callable[[str, str, str, Connection], None],
        folder: str,
        device: str,
        address: str,
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process: SpawnProcess = spawn.Process(
            target=work, args=(folder, device, address, theirs)
        )
        self.process.start()

    async def is_there(self) -> None:
        await asyncio.to_thread(self.pipe.recv)

    def send(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def count(self) -> int:
        """How many messages have come."""
        self.pipe.send(True)
        return int(self.pipe.recv())

    def rss_mb(self) -> float:
        assert self.process.pid is not None
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


@contextmanager
def peer(
    work: Callable[[str, str, str, Connection], None],
    folder: str,
    device: str,
    address: str,
) -> Iterator[Peer]:
    made = Peer(work, folder, device, address)
    try:
        yield made
    finally:
        with suppress(OSError):
            made.pipe.send(False)
            made.send(signal.SIGCONT)
        made.process.join(3)
        made.process.kill()
        made.process.join()


# --- faults ---------------------------------------------------------------------------


async def until(is_so: Callable[[], bool], limit_s: float = PATIENCE_S) -> float:
    """Seconds until it is so, or the limit."""
    began = perf_counter()
    while (spent_s := perf_counter() - began) < limit_s and not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    return min(spent_s, limit_s)


@asynccontextmanager
async def loading(put: Callable[[], None]) -> AsyncIterator[None]:
    async def load() -> None:
        while True:
            put()
            await asyncio.sleep(EACH_S)

    task = asyncio.ensure_future(load())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def faults(folder: str) -> list[Row]:
    """Ours: detection, what a healthy third notices, and coming back."""
    address = free_address()
    rows: list[Row] = []
    gaps = Gaps()
    home_config = config_of(folder, "home", address, listens=True)
    phone_config = config_of(folder, "phone", address, listens=False)
    async with (
        open_session(home_config) as home,
        open_session(phone_config, on_message=gaps.note) as phone,
    ):
        await home.reach("phone", PATIENCE_S)
        with peer(live, folder, "car", address) as car:
            await home.reach("car", PATIENCE_S)
            light_s = [await stop(home, car, n) for n in range(TIMES)]
            async with loading(lambda: home.publish_nowait("phone", SAMPLE, "a")):
                gaps.begin()
                async with loading(lambda: home.publish_nowait("car", BULK, "b")):
                    load_s = [await stop(home, car, n) for n in range(TIMES)]
                worst_s = gaps.worst_s()
            car.send(signal.SIGKILL)
            killed_s = await until(lambda: "car" not in home.alive)
        rows += [
            ("link: kill -9 found after", killed_s, "s"),
            (f"link: SIGSTOP found after, worst of {TIMES}", max(light_s), "s"),
            (f"link: SIGSTOP under 16 KB at 200/s, worst of {TIMES}", max(load_s), "s"),
            ("link: a healthy third's longest pause meanwhile", worst_s, "s"),
            ("link: messages that the healthy third lost", phone.lost, ""),
        ]
        async with loading(lambda: home.publish_nowait("phone", SAMPLE, "a")):
            await asyncio.sleep(0.5)
            gaps.begin()
            await home.reopen(home_config)
            await asyncio.sleep(1.5)
            rows.append(("link: pause if all links are made anew", gaps.worst_s(), "s"))
    return rows


async def stop(home: Link, car: Peer, number: int) -> float:
    """Freeze a peer. Returns after how many seconds it is found, and thaws it."""
    await asyncio.sleep(0.6 + number * 0.5 / TIMES)  # anywhere between two beats
    car.send(signal.SIGSTOP)
    found_s = await until(lambda: "car" not in home.alive)
    await asyncio.sleep(0.5)
    car.send(signal.SIGCONT)
    await home.reach("car", PATIENCE_S)
    return found_s


class Gaps:
    """The pauses between messages, on the carrier's thread."""

    def __init__(self) -> None:
        self.last = self.longest_s = 0.0

    def begin(self) -> None:
        self.last, self.longest_s = perf_counter(), 0.0

    def note(self, *_: object) -> None:
        now = perf_counter()
        self.longest_s = max(self.longest_s, now - self.last)
        self.last = now

    def worst_s(self) -> float:
        return max(self.longest_s, perf_counter() - self.last)


async def flood_faults(folder: str) -> list[Row]:
    """A peer that freezes while it floods us: what it sent before goes on arriving."""
    spent, address = [], free_address()
    config = config_of(folder, "home", address, listens=True)
    for _ in range(TIMES):
        async with open_session(config, on_message=lambda *_: None) as home:
            with peer(flood, folder, "car", address) as car:
                await home.reach("car", PATIENCE_S)
                await asyncio.sleep(1.5)
                car.send(signal.SIGSTOP)
                spent.append(await until(lambda: "car" not in home.alive))
                car.send(signal.SIGKILL)
    name = f"link: SIGSTOP while it floods us found after, worst of {TIMES}"
    return [(name, max(spent), "s")]


async def raw_faults(folder: str) -> list[Row]:
    """Zenoh alone, under the same."""
    address, there = free_address(), set[str]()

    def on_token(sample: zenoh.Sample) -> None:
        device = str(sample.key_expr).partition("/")[2]
        is_put = sample.kind == zenoh.SampleKind.PUT
        (there.add if is_put else there.discard)(device)

    session = open_raw(config_of(folder, "home", address, listens=True))
    watch = session.liveliness().declare_subscriber("alive/*", on_token, history=True)
    found: dict[str, float] = {}
    for name, fault, is_loaded in (
        ("kill -9", signal.SIGKILL, False),
        ("SIGSTOP", signal.SIGSTOP, False),
        ("SIGSTOP under 16 KB at 200/s", signal.SIGSTOP, True),
    ):
        with peer(live_raw, folder, "car", address) as car:
            await until(lambda: "car" in there)
            put = session.declare_publisher(
                "to/car", congestion_control=zenoh.CongestionControl.DROP
            )
            work = partial(put.put, BULK_BYTES) if is_loaded else lambda: None
            async with loading(work):
                await asyncio.sleep(0.5)
                car.send(fault)
                found[name] = await until(lambda: "car" not in there, CAP_S)
        await until(lambda: "car" not in there)
        put.undeclare()  # type: ignore[no-untyped-call]
    watch.undeclare()  # type: ignore[no-untyped-call]
    await asyncio.to_thread(session.close)
    return [
        (f"Zenoh alone: {name} found after (at most {CAP_S:g} s)", value, "s")
        for name, value in found.items()
    ]


# --- restarts and memory --------------------------------------------------------------


async def restart(folder: str) -> list[Row]:
    """The listener goes for half a second and comes back on the same address."""
    address, spent = free_address(), []
    with peer(live, folder, "car", address):
        for _ in range(TIMES):
            config = config_of(folder, "home", address, listens=True)
            began = perf_counter()
            async with open_session(config) as home:
                await home.reach("car", PATIENCE_S)
                spent.append(perf_counter() - began)
                await asyncio.sleep(0.5)
            await asyncio.sleep(0.5)
    return [("link: there after the listener restarts, median", median(spent[1:]), "s")]


async def memory(folder: str) -> list[Row]:
    """How much a node grows by a million samples, and what it closes in."""
    address = free_address()
    config = config_of(folder, "home", address, listens=True)
    with peer(live, folder, "car", address) as car:
        async with open_session(config) as home:
            await home.reach("car", PATIENCE_S)
            await asyncio.to_thread(car.pipe.recv)
            grown, came, ours = [0.0, 0.0], 0, psutil.Process()
            for share in (0.1, 1.0):  # the first tenth warms up
                mine_mb, theirs_mb = ours.memory_info().rss / 1e6, car.rss_mb()
                came = await pour(home, car, int(share * SAMPLES))
                now_mb = ours.memory_info().rss / 1e6
                grown = [now_mb - mine_mb, car.rss_mb() - theirs_mb]
            return [
                ("link: samples that the node took", came, ""),
                ("link: growth of the node that sends", grown[0], "MB"),
                ("link: growth of the node that takes", grown[1], "MB"),
            ]


async def pour(home: Link, car: Peer, count: int) -> int:
    """Send so many, no further ahead of the taker than a thousand."""
    first = car.count()
    for number in range(0, count, 500):
        for _ in range(500):
            await home.publish("car", SAMPLE, "Vehicle.Speed")
        await until(lambda n=number: n - car.count() + first <= 1000)  # type: ignore[misc]
    await until(lambda: car.count() - first >= count, 2.0)
    return car.count() - first


async def leaving(folder: str) -> list[Row]:
    """Closing with a peer that has just frozen."""
    address = free_address()
    config = config_of(folder, "home", address, listens=True)
    with peer(live, folder, "car", address) as car:
        async with open_session(config) as home:
            await home.reach("car", PATIENCE_S)
            async with loading(lambda: home.publish_nowait("car", BULK, "b")):
                car.send(signal.SIGSTOP)
                await asyncio.sleep(0.5)
            began = perf_counter()
            await home.close()
            spent_s = perf_counter() - began
            return [("link: closed beside a frozen peer in", spent_s, "s")]


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "bench")
        household = create_household(Path(folder), "bench")
        for device in ("home", "car", "phone"):
            issue(household, device, DeviceKind.OTHER)
        made: list[Row] = []
        for part in (faults, flood_faults, raw_faults, restart, leaving, memory):
            made += asyncio.run(part(folder))
        return made + mqtt_rows(folder)


def main() -> None:
    for name, value, unit in rows():
        sys.stdout.write(f"{name:64} {value:12,.3f} {unit}\n")


if __name__ == "__main__":
    main()
