"""A fleet at its routers: as many devices as this machine carries, over mutual TLS.

    python -m benchmarks.fleet [N ...]

A router, or a tree of two, is a process of its own with the settings and the access
rules that `trivet router` gives it. Each device is a Zenoh session with a certificate
of its own, many in each of two processes; they are no links of ours, so that what is
measured is the router. They are in Zenoh's mode client, and once, some of them, in the
role of a leaf that a device of ours has. All devices are of one household here, which
the charter would not allow beyond 256: the router does not mind.

For each N: how soon all are seen, memory on both sides, round trips between two devices
at rest and while every device sends two messages a second, as it would to beat for one
other, and messages as fast as they go. Round trips of the same two processes without a
router are measured in between.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from threading import Event, Semaphore, Thread
from time import monotonic, perf_counter, sleep
from typing import Any, NamedTuple

import zenoh
from benchmarks.fabric import free_address

from trivet.domain import DeviceKind
from trivet.fabric import Household, SessionConfig, certificate, create_household, key
from trivet.fabric.config import Role, settings_of
from trivet.fabric.household import authority
from trivet.fabric.identity import Identity
from trivet.fabric.request import new_key
from trivet.fabric.secret import Secret

SIZES = (10, 100, 300, 1000)
#: Devices at a tree of two routers; devices as a trivet of a household opens them, of
#: which each takes Zenoh half a second to open.
TREE_OF, LEAVES = 100, 10
WORKERS = 2
TRIPS, BLOCKS = 200, 3
FLOOD_S = 1.5
#: Messages that a device sends for each other one that it beats for, in 1/s.
BEATS_PER_S = 2.0
#: Households of which each has a router in one process.
ROUTERS = 50
PATIENCE_S = 60.0
MAX_SESSIONS = 20_000
DATA = bytes(64)
HOUSE = "fleet"
#: Zenoh's mode, of which no role of ours makes use.
CLIENT = "client"
_DROP = zenoh.CongestionControl.DROP


# --- certificates ---------------------------------------------------------------------


def identities(folder: Path, names: Sequence[str]) -> None:
    """A certificate for each name; not in the charter, which has room for 256."""
    household: Household = create_household(folder, HOUSE)
    now = datetime.now(UTC)
    issuer = authority(household, now)
    for name in names:
        private, home = new_key(), folder / "devices" / name
        cert = certificate.device(
            *issuer, private.public_key(), name, DeviceKind.CAR, (), now, 14
        )
        home.mkdir(parents=True)
        (home / "cert.pem").write_bytes(certificate.to_pem(cert))
        (home / "key.pem").write_bytes(certificate.key_to_pem(private))


def config_of(folder: str, name: str, **place: Any) -> SessionConfig:
    home = Path(folder) / "devices" / name
    pem = (home / "key.pem").read_bytes()
    identity = Identity(
        HOUSE,
        name,
        DeviceKind.CAR,
        Path(folder) / "ca.pem",
        home / "cert.pem",
        home / "key.pem",
        datetime.now(UTC),
        Secret(pem),
    )
    return SessionConfig(identity, **place)


def open_as(config: SessionConfig, mode: str = "") -> zenoh.Session:
    settings = settings_of(config)
    # Zenoh takes 1,000 at most unless it is told otherwise
    settings["transport"].setdefault("unicast", {})["max_sessions"] = MAX_SESSIONS
    if mode:
        settings["mode"] = mode
        for way in ("listen", "connect"):
            settings[way]["endpoints"][mode] = settings[way]["endpoints"]["router"]
    return zenoh.open(zenoh.Config.from_json5(json.dumps(settings)))


# --- processes ------------------------------------------------------------------------


class Child(NamedTuple):
    """A process that does what it is told: `(word, arguments)` out, an answer in."""

    process: BaseProcess
    pipe: Connection

    def begin(self, word: str, *arguments: Any) -> None:
        self.pipe.send((word, arguments))

    def result(self) -> Any:
        if not self.pipe.poll(PATIENCE_S):
            raise TimeoutError(f"process {self.process.pid} does not answer")
        answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def do(self, word: str, *arguments: Any) -> Any:
        self.begin(word, *arguments)
        return self.result()

    @property
    def cpu_s(self) -> float:
        """Processor time that it took so far; see proc_pid_stat(5)."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mb(self) -> float:
        """What it holds in memory."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def child(kind: type[Devices] | type[Router], folder: str) -> Iterator[Child]:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(kind, folder, theirs), daemon=True)
    process.start()
    try:
        yield Child(process, ours)
    finally:
        process.kill()
        process.join()


def serve(kind: type[Devices] | type[Router], folder: str, pipe: Connection) -> None:
    host = kind(folder)
    while True:
        word, arguments = pipe.recv()
        try:
            pipe.send(getattr(host, word)(*arguments))
        except Exception as error:  # whoever asked is to know
            pipe.send(RuntimeError(f"{word}: {error!r}"))


class Router:
    """A router, or several that know nothing of each other."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.sessions: list[zenoh.Session] = []

    def open(
        self, name: str, at: str, members: list[str], above: tuple[str, str] | None
    ) -> None:
        config = config_of(
            self.folder,
            name,
            listen=(at,),
            connect=(above[1],) if above else (),
            members=tuple(members),
            role=Role.ROUTER,
            routers=("root", "branch"),
        )
        self.sessions.append(open_as(config))


class Devices:
    """Many devices in one process."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.sessions: dict[str, zenoh.Session] = {}
        self.kept: list[object] = []
        self.seen: set[str] = set()
        self.count = 0
        self.ponged = Semaphore(0)
        self.is_beating = Event()

    def open(self, names: list[str], at: str, mode: str) -> None:
        for name in names:
            listens = mode == Role.PEER and name.endswith("0")
            config = config_of(
                self.folder,
                name,
                listen=(at,) if listens else (),
                connect=() if listens else (at,),
                role=Role.PEER if mode == Role.PEER else Role.LEAF,
            )
            session = open_as(config, mode if mode == CLIENT else "")
            self.sessions[name] = session
            self.declare(name, session)

    def declare(self, name: str, session: zenoh.Session) -> None:
        def on_sample(sample: zenoh.Sample) -> None:
            parts = str(sample.key_expr).split("/")
            if parts[-1] == "ping":
                session.put(key.stream(HOUSE, parts[5], name, "pong"), DATA)
            elif parts[-1] == "pong":
                self.ponged.release()
            else:
                self.count += 1

        inbox = session.declare_subscriber(key.inbox(HOUSE, name), on_sample)
        token = session.liveliness().declare_token(key.alive(HOUSE, name))
        self.kept += [inbox, token]

    def watch(self, name: str) -> None:
        def on_token(sample: zenoh.Sample) -> None:
            self.seen.add(str(sample.key_expr))

        everyone = key.everyone_alive(HOUSE)
        life = self.sessions[name].liveliness()
        self.kept.append(life.declare_subscriber(everyone, on_token, history=True))

    def wait_for(self, count: int) -> float:
        """When the watcher saw so many devices, by the monotonic clock."""
        end = monotonic() + PATIENCE_S
        while len(self.seen) < count and monotonic() < end:
            sleep(0.005)
        if len(self.seen) < count:
            raise TimeoutError(f"{len(self.seen)} of {count} were seen")
        return monotonic()

    def ping(self, source: str, target: str) -> list[float]:
        """Round trips, in seconds."""
        session, text = self.sessions[source], key.stream(HOUSE, target, source, "ping")
        spent = []
        for _ in range(TRIPS):
            began = perf_counter()
            session.put(text, DATA)
            if not self.ponged.acquire(timeout=PATIENCE_S):
                raise TimeoutError("an echo was lost")
            spent.append(perf_counter() - began)
        return spent

    def flood(self, pairs: list[tuple[str, str]]) -> int:
        """Send for FLOOD_S as fast as it goes; how many."""
        ways = [
            self.sessions[a].declare_publisher(
                key.stream(HOUSE, b, a, "flood"), congestion_control=_DROP
            )
            for a, b in pairs
            if a in self.sessions
        ]
        sleep(0.5)
        sent, end = 0, monotonic() + FLOOD_S
        while monotonic() < end:
            for way in ways:
                way.put(DATA)
            sent += len(ways)
        return sent

    def beat(self, pairs: list[tuple[str, str]], is_on: bool) -> None:
        """Send from each device BEATS_PER_S messages a second, spread out, or stop."""
        if not is_on:
            self.is_beating.clear()
            return
        ways = [
            (self.sessions[a], key.beat(HOUSE, a, b))
            for a, b in pairs
            if a in self.sessions
        ]

        def run() -> None:
            due, number = monotonic(), 0
            while self.is_beating.is_set():
                session, text = ways[number % len(ways)]
                session.put(text, DATA[:20], express=True)
                number += 1
                due += 1.0 / (BEATS_PER_S * len(ways))
                sleep(max(0.0, due - monotonic()))

        self.is_beating.set()
        Thread(target=run, daemon=True).start()

    def counted(self) -> int:
        """How many messages came since the last time that this was asked."""
        count, self.count = self.count, 0
        return count


# --- the measurements -----------------------------------------------------------------


class Fleet(NamedTuple):
    """Devices at their routers, and what it took to get them there."""

    routers: list[Child]
    workers: list[Child]
    names: list[str]
    joined_s: float
    router_mb: float
    device_mb: float

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each device and the one that it speaks to, in the other process."""
        half = len(self.names) // 2
        return list(zip(self.names, self.names[half:] + self.names[:half], strict=True))


@contextmanager
def fleet(
    folder: str, count: int, *, is_tree: bool = False, mode: str = CLIENT
) -> Iterator[Fleet]:
    """As many devices, half of them in each process, at one router or at two."""
    names = [f"car-{number:04}" for number in range(count)]
    members, half = [*names, "root", "branch"], count // 2
    ats = [free_address() for _ in range(1 + is_tree)]
    with ExitStack() as stack:
        routers = [stack.enter_context(child(Router, folder)) for _ in ats]
        workers = [stack.enter_context(child(Devices, folder)) for _ in range(WORKERS)]
        routers[0].do("open", "root", ats[0], members, None)
        if is_tree:
            routers[1].do("open", "branch", ats[1], members, ("root", ats[0]))
        for worker in workers:
            worker.do("counted")
        before = [sum(c.memory_mb for c in some) for some in (routers, workers)]
        began = monotonic()
        halves = names[:half], names[half:]
        for worker, some, at in zip(workers, halves, (ats[0], ats[-1]), strict=True):
            worker.begin("open", some, at, mode)
        for worker in workers:
            worker.result()
        workers[0].do("watch", names[0])
        joined_s = workers[0].do("wait_for", count) - began
        after = [sum(c.memory_mb for c in some) for some in (routers, workers)]
        grown = [(b - a) / count for a, b in zip(before, after, strict=True)]
        yield Fleet(routers, workers, names, joined_s, *grown)


@contextmanager
def direct(folder: str) -> Iterator[list[Child]]:
    """Two devices that reach each other without a router."""
    at = free_address()
    with ExitStack() as stack:
        workers = [stack.enter_context(child(Devices, folder)) for _ in range(WORKERS)]
        for worker, name in zip(workers, ("pair-0", "pair-1"), strict=True):
            worker.do("open", [name], at, Role.PEER.value)
        workers[1].do("watch", "pair-1")
        workers[1].do("wait_for", 2)
        sleep(0.5)  # their subscriptions follow
        yield workers


def trips(fleet: Fleet, pair: list[Child]) -> tuple[list[float], list[float]]:
    """Round trips through the router and without, in turns."""
    through: list[float] = []
    without: list[float] = []
    for block in range(BLOCKS + 1):
        source, target = fleet.pairs[0]
        spent = fleet.workers[0].do("ping", source, target)
        bare = pair[0].do("ping", "pair-0", "pair-1")
        if block:  # the first one warms up
            through += spent
            without += bare
    return through, without


def beaten(fleet: Fleet) -> tuple[list[float], float]:
    """Round trips while all devices beat, and the router's share of a processor."""
    for worker in fleet.workers:
        worker.do("beat", fleet.pairs, True)
    sleep(0.5)
    began, cpu_s = monotonic(), sum(r.cpu_s for r in fleet.routers)
    sleep(1.0)
    share = (sum(r.cpu_s for r in fleet.routers) - cpu_s) / (monotonic() - began)
    source, target = fleet.pairs[0]
    spent = [s for _ in range(2) for s in fleet.workers[0].do("ping", source, target)]
    for worker in fleet.workers:
        worker.do("beat", [], False)
    sleep(0.2)
    return spent, share


class Flood(NamedTuple):
    """Messages a second that arrived, of those sent; the routers' work for one."""

    rate: float
    arrived: float
    router_us: float
    router_share: float


def flooded(fleet: Fleet) -> Flood:
    for worker in fleet.workers:
        worker.do("counted")
    began, cpu_s = monotonic(), sum(r.cpu_s for r in fleet.routers)
    for worker in fleet.workers:
        worker.begin("flood", fleet.pairs)
    sent = sum(worker.result() for worker in fleet.workers)
    came, end = 0, monotonic()
    while True:  # until nothing more comes
        sleep(0.3)
        more = sum(worker.do("counted") for worker in fleet.workers)
        came += more
        if not more:
            break
        end = monotonic()
    spent_s = sum(r.cpu_s for r in fleet.routers) - cpu_s
    took_s = end - began
    return Flood(came / took_s, came / sent, 1e6 * spent_s / came, spent_s / took_s)


def at(spent: list[float], share: float) -> float:
    """The round trip, in us, that this share of them did not exceed."""
    return 1e6 * sorted(spent)[min(int(share * len(spent)), len(spent) - 1)]


def fleet_rows(
    folder: str,
    count: int,
    pair: list[Child],
    *,
    is_tree: bool = False,
    mode: str = CLIENT,
) -> Iterator[tuple[str, float, str]]:
    where = "two routers" if is_tree else "one router"
    what = f"{count} {'clients' if mode == CLIENT else 'leaves'}, {where}"
    with fleet(folder, count, is_tree=is_tree, mode=mode) as made:
        through, without = trips(made, pair)
        spent, share = beaten(made)
        flood = flooded(made)
    yield f"{what}: all seen", made.joined_s, "s"
    yield f"{what}: router memory a device", 1000 * made.router_mb, "kB"
    yield f"{what}: device memory a session", 1000 * made.device_mb, "kB"
    yield f"{what}: round trip p50", 1e6 * median(through), "us"
    yield f"{what}: round trip p99", at(through, 0.99), "us"
    yield f"{what}: direct round trip p50", 1e6 * median(without), "us"
    yield f"{what}: direct round trip p99", at(without, 0.99), "us"
    yield f"{what}: while all beat, round trip p50", 1e6 * median(spent), "us"
    yield f"{what}: while all beat, round trip p99", at(spent, 0.99), "us"
    yield f"{what}: while all beat, router's processors", share, ""
    yield f"{what}: messages that arrived", flood.rate, "1/s"
    yield f"{what}: of those sent", 100 * flood.arrived, "%"
    yield f"{what}: router's work a message", flood.router_us, "us"
    yield f"{what}: router's processors", flood.router_share, ""


def household_rows(folder: str) -> Iterator[tuple[str, float, str]]:
    """A router for each of many households, in one process."""
    with child(Router, folder) as host:
        host.do("open", "root", free_address(), ["car-0000", "car-0001", "root"], None)
        before, cpu_s = host.memory_mb, host.cpu_s
        for _ in range(ROUTERS):
            at = free_address()
            host.do("open", "root", at, ["car-0000", "car-0001", "root"], None)
        yield (
            f"one more household's router in a process, of {ROUTERS}: memory",
            1000 * (host.memory_mb - before) / ROUTERS,
            "kB",
        )
        yield (
            f"one more household's router in a process, of {ROUTERS}: to open",
            1000 * (host.cpu_s - cpu_s) / ROUTERS,
            "ms of processor",
        )
        cpu_s, began = host.cpu_s, monotonic()
        sleep(2.0)
        idle = (host.cpu_s - cpu_s) / (monotonic() - began)
        yield f"{ROUTERS} idle routers: processors", idle, ""


def rows(sizes: Sequence[int] = SIZES) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / HOUSE)
        names = [f"car-{number:04}" for number in range(max(*sizes, TREE_OF, LEAVES))]
        identities(Path(folder), [*names, "root", "branch", "pair-0", "pair-1"])
        with direct(folder) as pair:
            for count in sizes:
                yield from fleet_rows(folder, count, pair)
            yield from fleet_rows(folder, TREE_OF, pair, is_tree=True)
            yield from fleet_rows(folder, LEAVES, pair, mode=Role.LEAF.value)
        yield from household_rows(folder)


def main() -> None:
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    for name, value, unit in rows(sizes):
        sys.stdout.write(f"{name:64} {value:12,.2f} {unit}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
