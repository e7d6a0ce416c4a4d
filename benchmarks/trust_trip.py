"""A leased sample there and back, against raw Zenoh over TCP and over the same TLS.

Each leased end is a device as it runs: its gate with a lease book, the shipped policy
and a signed ledger on disk, static access rules by certificate name on its links. Both
ways are leased: the car tells the home its speed, the home answers with its heating.
`raw` moves as many bytes as zenoh-python's examples do, see benchmarks/fabric.py.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from threading import Semaphore
from time import perf_counter

from benchmarks.fabric import PATIENCE_S, Raw, echo_raw, free_address, open_raw
from msgspec.structs import replace

from trivet.app.trust import Household, Trust
from trivet.domain import (
    Device,
    DeviceKind,
    LeaseRequest,
    Purpose,
    Sample,
    Signal,
)
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
from trivet.fabric.access import Party
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.ledger import Ledger
from trivet.fabric.policy import shipped_policy

Row = tuple[str, float, str]

NOW = 1_767_225_600.25
BLOCKS, TRIPS = 8, 300
KINDS = {"car": DeviceKind.CAR, "home": DeviceKind.HOME}
#: What each device tells the other, and what for.
SAMPLES = {
    "car": Sample("car", "Vehicle.Speed", NOW, 83.5),
    "home": Sample("home", "climate.hall", NOW, 21.5),
}
PURPOSES = {"car": Purpose.ARRIVAL, "home": Purpose.COMFORT}
OTHER = {"car": "home", "home": "car"}


@dataclass
class Ways:
    """Seconds of each round trip."""

    tcp: list[float] = field(default_factory=list)
    tls: list[float] = field(default_factory=list)
    on_message: list[float] = field(default_factory=list)
    awaiting: list[float] = field(default_factory=list)


def config_of(folder: str, device: str, address: str) -> SessionConfig:
    """A session's; the home listens."""
    config = SessionConfig(load_identity(load_household(Path(folder)), device))
    where = {"listen" if device == "home" else "connect": (address,)}
    return replace(config, **where)


@contextmanager
def leased(folder: str, device: str, ledger: str) -> Iterator[Trust]:
    """What stands between a device and the other, which holds a lease on its sample."""
    sample, other = SAMPLES[device], OTHER[device]
    household = Household(
        {name: Party(name, kind) for name, kind in KINDS.items()}, shipped_policy()
    )
    identity = load_identity(load_household(Path(folder)), device)
    key = key_from_pem(identity.private_pem())
    kept = Ledger(Path(folder) / f"{device}-{ledger}.db", device, key=key)
    offered = Device(device, KINDS[device], signals=(Signal(sample.path),))
    with closing(Trust(offered, household, kept, NOW)) as trust:
        wanted = LeaseRequest((sample.path,), PURPOSES[device], NOW + 3600)
        trust.book.request(other, wanted, NOW)
        yield trust


# --- the home, another process ------------------------------------------------------


async def hold(folder: str, address: str, pipe: Connection, way: str) -> None:
    """Answer every sample until told to end."""

    def answer(link: Link, _: Received) -> None:
        link.publish_nowait("car", SAMPLES["home"], SAMPLES["home"].path)

    async def answer_all(link: Link) -> None:
        async for _ in link.subscribe():
            await link.publish("car", SAMPLES["home"], SAMPLES["home"].path)

    config = with_members(config_of(folder, "home", address))
    listener = answer if way == "on_message" else None
    with leased(folder, "home", way) as trust:
        async with open_session(config, gate=trust.gate, on_message=listener) as link:
            answering = None
            if listener is None:
                answering = asyncio.ensure_future(answer_all(link))
            await asyncio.to_thread(pipe.recv)
            await link.close()
            if answering is not None:
                await answering


def with_members(config: SessionConfig) -> SessionConfig:
    return replace(config, members=tuple(KINDS))


def be_home(way: str, folder: str, address: str, pipe: Connection) -> None:
    asyncio.run(hold(folder, address, pipe, way))


# --- the car, this process ----------------------------------------------------------


def trips_on_message(link: Link, came: Semaphore) -> list[float]:
    sample, spent = SAMPLES["car"], []
    for _ in range(TRIPS):
        began = perf_counter()
        link.publish_nowait("home", sample, sample.path)
        if not came.acquire(timeout=PATIENCE_S):
            raise TimeoutError("an answer was lost")
        spent.append(perf_counter() - began)
    return spent


async def trips_await(link: Link) -> list[float]:
    sample, spent, answers = SAMPLES["car"], [], link.subscribe()
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(TRIPS):
            began = perf_counter()
            await link.publish("home", sample, sample.path)
            await anext(answers)
            spent.append(perf_counter() - began)
    return spent


async def measure(folder: str, addresses: dict[str, str]) -> Ways:
    """Take turns, so that a busy machine is busy for each of them."""
    data, came, ways = encode(SAMPLES["car"]), Semaphore(0), Ways()
    config = {way: config_of(folder, "car", at) for way, at in addresses.items()}
    with ExitStack() as stack:
        tcp = Raw(stack.enter_context(open_raw(config["tcp"], "tcp")), TRIPS)
        tls = Raw(stack.enter_context(open_raw(config["tls"])), TRIPS)
        quick_gate = stack.enter_context(leased(folder, "car", "on_message")).gate
        slow_gate = stack.enter_context(leased(folder, "car", "await")).gate
        async with (
            open_session(
                with_members(config["on_message"]),
                gate=quick_gate,
                on_message=lambda *_: came.release(),
            ) as quick,
            open_session(with_members(config["await"]), gate=slow_gate) as slow,
        ):
            await quick.reach("home", PATIENCE_S)
            await slow.reach("home", PATIENCE_S)
            for block in range(BLOCKS + 1):
                seen = (
                    tcp.trips(data),
                    tls.trips(data),
                    trips_on_message(quick, came),
                    await trips_await(slow),
                )
                if block:  # the first one warms up
                    for spent, more in zip(vars(ways).values(), seen, strict=True):
                        spent += more
    return ways


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    homes: dict[str, Callable[[str, str, Connection], None]] = {
        "tcp": partial(echo_raw, protocol="tcp"),
        "tls": echo_raw,
        "on_message": partial(be_home, "on_message"),
        "await": partial(be_home, "await"),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "bench")
        household = create_household(Path(folder), "bench")
        for device, kind in KINDS.items():
            issue(household, device, kind)
        with running(folder, homes) as addresses:
            ways = asyncio.run(measure(folder, addresses))
    return figures(ways)


@contextmanager
def running(
    folder: str, homes: dict[str, Callable[[str, str, Connection], None]]
) -> Iterator[dict[str, str]]:
    """The other processes, and where each one listens."""
    spawn = multiprocessing.get_context("spawn")
    addresses, ends = {}, []
    for way, work in homes.items():
        address, (ours, theirs) = free_address(), spawn.Pipe()
        process = spawn.Process(target=work, args=(folder, address, theirs))
        process.start()
        addresses[way] = address
        ends.append((process, ours))
    try:
        yield addresses
    finally:
        for _, pipe in ends:
            with suppress(OSError):
                pipe.send(False)
        for process, _ in ends:
            process.join(10)
            process.kill()


def figures(ways: Ways) -> list[Row]:
    size = len(encode(SAMPLES["car"]))
    names = {
        "raw Zenoh, TCP": ways.tcp,
        "raw Zenoh, TLS": ways.tls,
        "leased, on_message": ways.on_message,
        "leased, await": ways.awaiting,
    }
    p50 = {name: 1e6 * median(spent) for name, spent in names.items()}
    p95 = {name: 1e6 * quantiles(spent, n=20)[-1] for name, spent in names.items()}
    made: list[Row] = []
    for name in names:
        made.append((f"round trip of {size} B p50, {name}", p50[name], "us"))
        made.append((f"round trip of {size} B p95, {name}", p95[name], "us"))
    for name in ("leased, on_message", "leased, await"):
        for raw in ("raw Zenoh, TLS", "raw Zenoh, TCP"):
            for share, at in (("p50", p50), ("p95", p95)):
                made.append((f"{name} / {raw}, {share}", at[name] / at[raw], "x"))
    return made
