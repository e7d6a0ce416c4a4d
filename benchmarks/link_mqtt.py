"""Our round trip and throughput against MQTT's, in one run; both encode and decode.

Mosquitto runs on loopback, without TLS and with the same mutual TLS as ours; its
clients are aiomqtt on asyncio, in two processes as ours. Nagle's algorithm is off on
its sockets. A round trip is a publish and its echo: over MQTT both go by the broker.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from threading import Semaphore
from time import perf_counter, sleep

import aiomqtt
from benchmarks.fabric import (
    Counter,
    config_of,
    echo_await,
    echo_on_message,
    flood_await,
    free_address,
    trips_await,
    trips_on_message,
)

from trivet.domain import Sample
from trivet.domain.wire import decode, encode
from trivet.fabric import load_household, load_identity, open_session
from trivet.fabric.background import cancel

Row = tuple[str, float, str]
PATIENCE_S = 20.0
#: Until the other side has seen us too, and can answer.
MEET_S = 0.3
TRIPS, FLOOD, BLOCKS = 400, 5_000, 4
SAMPLE = Sample("car", "Vehicle.Speed", 1_767_225_600.25, 83.5)
WAYS = [(is_tls, qos) for is_tls in (False, True) for qos in (0, 1)]


def mqtt_rows(folder: str) -> list[Row]:
    """The comparison; one row that says so where there is no Mosquitto."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        sys.stderr.write("MQTT left out: apt-get install mosquitto\n")
        return [("MQTT left out: mosquitto is not installed", 0.0, "")]
    with broker(program, folder) as ports:
        return asyncio.run(compare(folder, ports))


# --- the broker -----------------------------------------------------------------------


@contextmanager
def broker(program: str, folder: str) -> Iterator[tuple[int, int]]:
    """Mosquitto, and its ports without TLS and with it."""
    plain, secure = (int(free_address().rpartition(":")[2]) for _ in range(2))
    identity = load_identity(load_household(Path(folder)), "home")
    private = Path(folder) / "mosquitto.key"
    private.touch(mode=0o600)
    private.write_bytes(identity.private_pem())
    config = Path(folder) / "mosquitto.conf"
    config.write_text(
        f"user root\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 0\n"
        f"listener {plain} 127.0.0.1\nallow_anonymous true\n"
        f"listener {secure} 127.0.0.1\nallow_anonymous true\n"
        f"cafile {identity.ca_path}\ncertfile {identity.cert_path}\n"
        f"keyfile {private}\nrequire_certificate true\n"
    )
    process = subprocess.Popen(
        [program, "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for port in (plain, secure):
            wait_for(port)
        yield plain, secure
    finally:
        process.terminate()
        process.wait(5)


def wait_for(port: int) -> None:
    end = perf_counter() + PATIENCE_S
    while perf_counter() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        sleep(0.05)
    raise TimeoutError(f"mosquitto does not listen at {port}")


@asynccontextmanager
async def client(
    folder: str, device: str, port: int, is_tls: bool
) -> AsyncIterator[aiomqtt.Client]:
    context = None
    if is_tls:
        identity = load_identity(load_household(Path(folder)), device)
        context = ssl.create_default_context(cafile=str(identity.ca_path))
        private = Path(folder) / f"{device}.client.key"
        private.touch(mode=0o600)
        private.write_bytes(identity.private_pem())
        context.load_cert_chain(identity.cert_path, private)
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier=device, tls_context=context
    ) as made:
        connection = made._client.socket()
        assert isinstance(connection, socket.socket)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield made


# --- the other process ----------------------------------------------------------------


def echo(folder: str, port: int, is_tls: bool, qos: int, pipe: Connection) -> None:
    async def answer(made: aiomqtt.Client, counter: Counter) -> None:
        async for message in made.messages:
            sample = decode(bytes(message.payload))
            if str(message.topic) == "flood":
                counter.add()
            else:
                await made.publish("pong", encode(sample), qos=qos)

    async def main() -> None:
        counter = Counter()
        async with client(folder, "home", port, is_tls) as made:
            await made.subscribe("ping", qos=qos)
            await made.subscribe("flood", qos=qos)
            pipe.send(True)
            answering = asyncio.ensure_future(answer(made, counter))
            await asyncio.to_thread(counter.serve, pipe)
            await cancel(answering)

    asyncio.run(main())


# --- this process ---------------------------------------------------------------------


class Way:
    """One way over MQTT, with what was measured."""

    def __init__(self, made: aiomqtt.Client, qos: int) -> None:
        self.client, self.qos = made, qos
        self.spent: list[float] = []
        self.rates: list[float] = []

    async def trips(self) -> list[float]:
        spent, messages = [], aiter(self.client.messages)
        async with asyncio.timeout(10 * PATIENCE_S):
            for _ in range(TRIPS):
                began = perf_counter()
                sending = asyncio.ensure_future(
                    self.client.publish("ping", encode(SAMPLE), qos=self.qos)
                )
                decode(bytes((await anext(messages)).payload))
                spent.append(perf_counter() - began)
                await sending
        return spent

    async def flood(self, pipe: Connection) -> float:
        """Messages a second that the other one took."""
        began = perf_counter()
        for _ in range(FLOOD):
            await self.client.publish("flood", encode(SAMPLE), qos=self.qos)
        return await rate(pipe, began)


async def rate(pipe: Connection, began: float) -> float:
    await asyncio.sleep(1.0)
    pipe.send(True)
    seen, last = await asyncio.to_thread(pipe.recv)
    return float(seen / max(last - began, 1e-9))


@contextmanager
def beside(work: object, *words: object) -> Iterator[Connection]:
    """A process of its own that does this work, and a pipe to it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=work, args=(*words, theirs))  # type: ignore[arg-type]
    process.start()
    try:
        yield ours
    finally:
        with suppress(OSError):
            ours.send(False)
        process.join(5)
        process.kill()
        process.join()


async def compare(folder: str, ports: tuple[int, int]) -> list[Row]:
    """Blocks of all ways alternate, so that a busy machine is busy for each."""
    ours = {"on_message": list[float](), "await": list[float]()}
    theirs = {way: list[float]() for way in WAYS}
    for block in range(BLOCKS):
        for name, spent in (await our_trips(folder)).items():
            ours[name] += spent if block else []
        for is_tls, qos in WAYS:
            spent, _ = await their_trips(folder, ports[is_tls], is_tls, qos)
            theirs[is_tls, qos] += spent if block else []
    rates = {
        w: (await their_trips(folder, ports[w[0]], *w, floods=True))[1] for w in WAYS
    }
    return figures(ours, theirs, await our_rate(folder), rates)


async def our_trips(folder: str) -> dict[str, list[float]]:
    came, slow_at, quick_at = Semaphore(0), free_address(), free_address()
    with beside(echo_await, folder, slow_at), beside(echo_on_message, folder, quick_at):
        slow_config = config_of(folder, "car", slow_at, listens=False)
        quick_config = config_of(folder, "car", quick_at, listens=False)
        async with (
            open_session(slow_config) as slow,
            open_session(quick_config, on_message=lambda *_: came.release()) as quick,
        ):
            await slow.reach("home", PATIENCE_S)
            await quick.reach("home", PATIENCE_S)
            await asyncio.sleep(MEET_S)
            await trips_await(slow)  # warms up
            trips_on_message(quick, came)
            return {
                "on_message": trips_on_message(quick, came),
                "await": await trips_await(slow),
            }


async def our_rate(folder: str) -> float:
    address = free_address()
    with beside(echo_await, folder, address) as pipe:
        config = config_of(folder, "car", address, listens=False)
        async with open_session(config) as link:
            await link.reach("home", PATIENCE_S)
            await asyncio.sleep(MEET_S)
            await trips_await(link)
            began = perf_counter()
            await flood_await(link)
            return await rate(pipe, began)


async def their_trips(
    folder: str, port: int, is_tls: bool, qos: int, *, floods: bool = False
) -> tuple[list[float], float]:
    with beside(echo, folder, port, is_tls, qos) as pipe:
        await asyncio.to_thread(pipe.recv)
        async with client(folder, "car", port, is_tls) as made:
            await made.subscribe("pong", qos=qos)
            way = Way(made, qos)
            await way.trips()  # warms up
            return await way.trips(), await way.flood(pipe) if floods else 0.0


def figures(
    ours: dict[str, list[float]],
    theirs: dict[tuple[bool, int], list[float]],
    our_per_s: float,
    rates: dict[tuple[bool, int], float],
) -> list[Row]:
    rows = [
        (f"trivet round trip p50, TLS, {name}", 1e6 * median(spent), "us")
        for name, spent in ours.items()
    ]
    for (is_tls, qos), spent in theirs.items():
        over = "TLS" if is_tls else "no TLS"
        trip_us = 1e6 * median(spent)
        rows += [
            (f"MQTT QoS {qos} round trip p50, {over}", trip_us, "us"),
            (f"MQTT QoS {qos}, {over} / trivet, await", trip_us / rows[1][1], "x"),
            (f"MQTT QoS {qos}, {over} / trivet, on_message", trip_us / rows[0][1], "x"),
        ]
    rows.append(("trivet throughput, TLS, await", our_per_s, "1/s"))
    for (is_tls, qos), per_s in rates.items():
        over = "TLS" if is_tls else "no TLS"
        rows.append((f"MQTT QoS {qos} throughput, {over}", per_s, "1/s"))
    return rows
