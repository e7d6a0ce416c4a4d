"""The fabric against raw Zenoh: two processes, the same mutual TLS, the same run.

    python -m benchmarks.fabric

`raw` is zenoh-python as its examples use it: a callback on Zenoh's thread that puts
the same bytes back, and a caller woken by a lock. `ours` is a Link end to end: gate,
encoding, publish, the hop into asyncio, decoding, on both sides. The rounds of both
alternate, so that a busy machine is busy for both.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

import zenoh

from trivet.domain import DeviceKind, Sample
from trivet.domain.wire import encode
from trivet.fabric import (
    Link,
    SessionConfig,
    create_household,
    issue,
    load_household,
    load_identity,
    open_session,
)
from trivet.fabric.config import settings_of

BLOCKS = 8
TRIPS = 400
FLOOD = 20_000
SAMPLE = Sample("car", "Vehicle.Speed", 1_767_225_600.25, 83.5)
PATH = "Vehicle.Speed"


def config_of(folder: str, device: str, address: str, listens: bool) -> SessionConfig:
    identity = load_identity(load_household(Path(folder)), device)
    if listens:
        return SessionConfig(identity, listen=(address,), capacity=2 * FLOOD)
    return SessionConfig(identity, connect=(address,), capacity=2 * FLOOD)


def open_raw(config: SessionConfig) -> zenoh.Session:
    return zenoh.open(zenoh.Config.from_json5(json.dumps(settings_of(config))))


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


# --- the other process --------------------------------------------------------------


def echo_raw(folder: str, address: str, done: Connection) -> None:
    """Put each sample of bench/ping back as bench/pong; bench/flood is counted."""
    seen = 0
    with open_raw(config_of(folder, "home", address, listens=True)) as session:
        pong = session.declare_publisher("bench/pong")

        def count(sample: zenoh.Sample) -> None:
            nonlocal seen
            sample.payload.to_bytes()
            seen += 1
            if seen == FLOOD:
                seen = 0
                pong.put(b"")

        def echo(sample: zenoh.Sample) -> None:
            pong.put(sample.payload.to_bytes())

        session.declare_subscriber("bench/ping", echo)
        session.declare_subscriber("bench/flood", count)
        done.recv()


def echo_ours(folder: str, address: str, done: Connection) -> None:
    async def main() -> None:
        config = config_of(folder, "home", address, listens=True)
        seen = 0
        async with open_session(config) as link:
            stop = asyncio.get_running_loop().run_in_executor(None, done.recv)
            stop.add_done_callback(lambda _: asyncio.ensure_future(link.close()))
            async for received in link.subscribe():
                if received.path == "flood":
                    seen += 1
                    if seen < FLOOD:
                        continue
                    seen = 0
                await link.publish("car", received.message, PATH)

    asyncio.run(main())


# --- this process -------------------------------------------------------------------


class Raw:
    def __init__(self, session: zenoh.Session) -> None:
        self.session = session
        self.ping = session.declare_publisher("bench/ping")
        self.flooding = session.declare_publisher("bench/flood")
        self.came = threading.Semaphore(0)
        session.declare_subscriber("bench/pong", self.on_pong)
        while not (self.ping.matching_status and self.flooding.matching_status):
            pass

    def on_pong(self, sample: zenoh.Sample) -> None:
        sample.payload.to_bytes()
        self.came.release()

    def trips(self, data: bytes) -> list[float]:
        spent = []
        for _ in range(TRIPS):
            began = perf_counter()
            self.ping.put(data)
            self.came.acquire()
            spent.append(perf_counter() - began)
        return spent

    def flood(self, data: bytes) -> float:
        began = perf_counter()
        for _ in range(FLOOD):
            self.flooding.put(data)
        if not self.came.acquire(timeout=20):
            return 0.0
        return FLOOD / (perf_counter() - began)


async def our_trips(link: Link) -> list[float]:
    spent = []
    answers = link.subscribe()
    for _ in range(TRIPS):
        began = perf_counter()
        await link.publish("home", SAMPLE, PATH)
        await anext(answers)
        spent.append(perf_counter() - began)
    return spent


async def our_flood(link: Link) -> float:
    began = perf_counter()
    for _ in range(FLOOD):
        await link.publish("home", SAMPLE, "flood")
    try:
        async with asyncio.timeout(20):
            await anext(link.subscribe())
    except TimeoutError:
        return 0.0
    return FLOOD / (perf_counter() - began)


async def measure(folder: str, raw_at: str, our_at: str) -> dict[str, list[float]]:
    data = encode(SAMPLE)
    seen: dict[str, list[float]] = {name: [] for name in ("rt", "ot", "rf", "of")}
    session = open_raw(config_of(folder, "car", raw_at, listens=False))
    config = config_of(folder, "car", our_at, listens=False)
    try:
        raw = Raw(session)
        async with open_session(config) as link:
            await link.reach("home", 20)
            raw.trips(data)
            await our_trips(link)
            for _ in range(BLOCKS):
                seen["rt"] += raw.trips(data)
                seen["ot"] += await our_trips(link)
            for _ in range(3):
                seen["rf"].append(raw.flood(data))
                seen["of"].append(await our_flood(link))
    finally:
        session.close()  # type: ignore[no-untyped-call]
    return seen


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "bench")
        household = create_household(Path(folder), "bench")
        issue(household, "home", DeviceKind.HOME)
        issue(household, "car", DeviceKind.CAR)
        raw_at, our_at = free_address(), free_address()
        others = []
        for work, address in ((echo_raw, raw_at), (echo_ours, our_at)):
            ours, theirs = spawn.Pipe()
            other = spawn.Process(target=work, args=(folder, address, theirs))
            other.start()
            others.append((other, ours))
        try:
            seen = asyncio.run(measure(folder, raw_at, our_at))
        finally:
            for other, pipe in others:
                pipe.send(None)
                other.join(10)
                other.kill()
    raw_us, our_us = (1e6 * statistics.median(seen[name]) for name in ("rt", "ot"))
    raw_per_s, our_per_s = (max(seen[name]) for name in ("rf", "of"))
    return [
        ("fabric round trip, raw Zenoh, p50", raw_us, "us"),
        ("fabric round trip, ours, p50", our_us, "us"),
        ("fabric round trip, ours / raw", our_us / raw_us, "x"),
        ("fabric throughput, raw Zenoh", raw_per_s, "1/s"),
        ("fabric throughput, ours", our_per_s, "1/s"),
        ("fabric throughput, ours / raw", our_per_s / max(raw_per_s, 1.0), "x"),
    ]


def main() -> None:
    for name, value, unit in rows():
        sys.stdout.write(f"{name:42} {value:12,.2f} {unit}\n")


if __name__ == "__main__":
    main()
