"""The fabric against raw Zenoh: two processes, the same mutual TLS, the same run.

    python -m benchmarks.fabric

Both ends encode and decode a sample and pass the gate; `raw` moves the same bytes with
zenoh-python as its examples use it, a callback on Zenoh's thread and a caller that
waits on a semaphore. Two ways through a Link are measured end to end:

- `on_message`: as raw, on the carrier's thread; nothing hops into an event loop;
- `await`: `publish` and `subscribe` on asyncio at both ends.

Blocks of the three alternate, so that a busy machine is busy for each of them.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from threading import Semaphore
from time import perf_counter, sleep

import zenoh

from trivet.domain import DeviceKind, Sample
from trivet.domain.wire import encode
from trivet.fabric import (
    Link,
    Received,
    SessionConfig,
    create_household,
    issue,
    load_household,
    load_identity,
    open_session,
)
from trivet.fabric.config import settings_of

BLOCKS = 6
TRIPS = 400
FLOOD = 20_000
SAMPLE = Sample("car", "Vehicle.Speed", 1_767_225_600.25, 83.5)
PATH = "Vehicle.Speed"
PATIENCE_S = 20.0


@dataclass
class Seen:
    """Round trips in seconds; floods as rate per second and share that arrived."""

    raw_s: list[float] = field(default_factory=list)
    message_s: list[float] = field(default_factory=list)
    await_s: list[float] = field(default_factory=list)
    raw_rates: list[tuple[float, float]] = field(default_factory=list)
    await_rates: list[tuple[float, float]] = field(default_factory=list)


def config_of(folder: str, device: str, address: str, listens: bool) -> SessionConfig:
    identity = load_identity(load_household(Path(folder)), device)
    if listens:
        return SessionConfig(identity, listen=(address,), capacity=2 * FLOOD)
    return SessionConfig(identity, connect=(address,), capacity=2 * FLOOD)


def open_raw(config: SessionConfig, protocol: str = "tls") -> zenoh.Session:
    """Zenoh alone, with the settings of a session of ours; over `tcp` without TLS."""
    text = json.dumps(settings_of(config)).replace('"tls/', f'"{protocol}/')
    settings = json.loads(text)
    settings["transport"]["link"]["protocols"] = [protocol]
    return zenoh.open(zenoh.Config.from_json5(json.dumps(settings)))


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


# --- the other process --------------------------------------------------------------


class Counter:
    """Counts a flood and tells its end apart from a lost message."""

    def __init__(self) -> None:
        self.seen, self.last = 0, 0.0

    def add(self) -> None:
        self.seen += 1
        self.last = perf_counter()

    def serve(self, pipe: Connection) -> None:
        """Tell the count and the time of the last, whenever asked, until the end."""
        while pipe.recv():
            pipe.send((self.seen, self.last))
            self.seen = 0


def echo_raw(
    folder: str, address: str, pipe: Connection, protocol: str = "tls"
) -> None:
    """Put each sample of bench/ping back as bench/pong; bench/flood is counted."""
    counter, config = Counter(), config_of(folder, "home", address, listens=True)
    with open_raw(config, protocol) as session:
        pong = session.declare_publisher("bench/pong")

        def count(sample: zenoh.Sample) -> None:
            sample.payload.to_bytes()
            counter.add()

        def echo(sample: zenoh.Sample) -> None:
            pong.put(sample.payload.to_bytes())

        subscribers = [
            session.declare_subscriber("bench/ping", echo),
            session.declare_subscriber("bench/flood", count),
        ]
        counter.serve(pipe)
        subscribers.clear()


def echo_await(folder: str, address: str, pipe: Connection) -> None:
    async def echo(link: Link, counter: Counter) -> None:
        async for received in link.subscribe():
            if received.path == "flood":
                counter.add()
            else:
                await link.publish("car", received.message, PATH)

    async def main() -> None:
        counter = Counter()
        config = config_of(folder, "home", address, listens=True)
        async with open_session(config) as link:
            echoing = asyncio.ensure_future(echo(link, counter))
            await asyncio.to_thread(counter.serve, pipe)
            await link.close()
            await echoing

    asyncio.run(main())


def echo_on_message(folder: str, address: str, pipe: Connection) -> None:
    counter = Counter()

    def echo(link: Link, received: Received) -> None:
        if received.path == "flood":
            counter.add()
        else:
            link.publish_nowait("car", received.message, PATH)

    async def main() -> None:
        config = config_of(folder, "home", address, listens=True)
        async with open_session(config, on_message=echo):
            await asyncio.to_thread(counter.serve, pipe)

    asyncio.run(main())


# --- this process -------------------------------------------------------------------


class Raw:
    """The raw side: `trips` in seconds, `flood` as fast as it goes."""

    def __init__(self, session: zenoh.Session, trips: int = TRIPS) -> None:
        self.count = trips
        self.ping = session.declare_publisher("bench/ping")
        self.flooding = session.declare_publisher("bench/flood")
        self.came = Semaphore(0)
        self.subscriber = session.declare_subscriber("bench/pong", self.on_pong)
        # the stub says bool; it is an object with a bool in it
        while not (
            self.ping.matching_status.matching  # type: ignore[attr-defined]
            and self.flooding.matching_status.matching  # type: ignore[attr-defined]
        ):
            sleep(0.01)

    def on_pong(self, sample: zenoh.Sample) -> None:
        sample.payload.to_bytes()
        self.came.release()

    def trips(self, data: bytes) -> list[float]:
        spent = []
        for _ in range(self.count):
            began = perf_counter()
            self.ping.put(data)
            if not self.came.acquire(timeout=PATIENCE_S):
                raise TimeoutError("a raw echo was lost")
            spent.append(perf_counter() - began)
        return spent

    def flood(self, data: bytes) -> None:
        for _ in range(FLOOD):
            self.flooding.put(data)


def trips_on_message(link: Link, came: Semaphore) -> list[float]:
    spent = []
    for _ in range(TRIPS):
        began = perf_counter()
        link.publish_nowait("home", SAMPLE, PATH)
        if not came.acquire(timeout=PATIENCE_S):
            raise TimeoutError("an echo was lost")
        spent.append(perf_counter() - began)
    return spent


async def trips_await(link: Link) -> list[float]:
    spent = []
    answers = link.subscribe()
    async with asyncio.timeout(PATIENCE_S * 10):
        for _ in range(TRIPS):
            began = perf_counter()
            await link.publish("home", SAMPLE, PATH)
            await anext(answers)
            spent.append(perf_counter() - began)
    return spent


async def flood_await(link: Link) -> None:
    for _ in range(FLOOD):
        await link.publish("home", SAMPLE, "flood")


async def rate(pipe: Connection, began: float) -> tuple[float, float]:
    """Messages per second that arrived, and the share of them that did."""
    await asyncio.sleep(1.0)
    pipe.send(True)
    seen, last = pipe.recv()
    return seen / max(last - began, 1e-9), seen / FLOOD


async def measure(folder: str, others: list[tuple[str, Connection]]) -> Seen:
    (raw_at, raw_pipe), (await_at, await_pipe), (message_at, _) = others
    data, came, seen = encode(SAMPLE), Semaphore(0), Seen()
    awaiting = config_of(folder, "car", await_at, listens=False)
    messaging = config_of(folder, "car", message_at, listens=False)
    with open_raw(config_of(folder, "car", raw_at, listens=False)) as session:
        raw = Raw(session)
        async with (
            open_session(awaiting) as slow,
            open_session(messaging, on_message=lambda *_: came.release()) as quick,
        ):
            await slow.reach("home", PATIENCE_S)
            await quick.reach("home", PATIENCE_S)
            for block in range(BLOCKS + 1):
                raw_s, message_s = raw.trips(data), trips_on_message(quick, came)
                await_s = await trips_await(slow)
                if block:  # the first one warms up
                    seen.raw_s += raw_s
                    seen.message_s += message_s
                    seen.await_s += await_s
            for _ in range(3):
                began = perf_counter()
                raw.flood(data)
                seen.raw_rates.append(await rate(raw_pipe, began))
                began = perf_counter()
                await flood_await(slow)
                seen.await_rates.append(await rate(await_pipe, began))
    return seen


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "bench")
        household = create_household(Path(folder), "bench")
        issue(household, "home", DeviceKind.HOME)
        issue(household, "car", DeviceKind.CAR)
        processes, others = [], []
        for work in (echo_raw, echo_await, echo_on_message):
            address, (ours, theirs) = free_address(), spawn.Pipe()
            process = spawn.Process(target=work, args=(folder, address, theirs))
            process.start()
            processes.append(process)
            others.append((address, ours))
        try:
            seen = asyncio.run(measure(folder, others))
        finally:
            for process, (_, pipe) in zip(processes, others, strict=True):
                with suppress(OSError):
                    pipe.send(False)
                process.join(10)
                process.kill()
    return figures(seen)


def figures(seen: Seen) -> list[tuple[str, float, str]]:
    raw_us, message_us, await_us = (
        1e6 * median(spent) for spent in (seen.raw_s, seen.message_s, seen.await_s)
    )
    (raw_rate, raw_share), (our_rate, our_share) = (
        max(rates) for rates in (seen.raw_rates, seen.await_rates)
    )
    return [
        ("fabric round trip p50, raw Zenoh", raw_us, "us"),
        ("fabric round trip p50, on_message", message_us, "us"),
        ("fabric round trip p50, await", await_us, "us"),
        ("fabric round trip, on_message / raw", message_us / raw_us, "x"),
        ("fabric round trip, await / raw", await_us / raw_us, "x"),
        ("fabric throughput, raw Zenoh", raw_rate, "1/s"),
        ("fabric throughput, await", our_rate, "1/s"),
        ("fabric throughput, await / raw", our_rate / raw_rate, "x"),
        ("fabric flood that arrived, raw Zenoh", 100 * raw_share, "%"),
        ("fabric flood that arrived, await", 100 * our_share, "%"),
    ]


def main() -> None:
    for name, value, unit in rows():
        sys.stdout.write(f"{name:42} {value:12,.2f} {unit}\n")


if __name__ == "__main__":
    main()
