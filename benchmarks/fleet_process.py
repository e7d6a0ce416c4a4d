"""Processes of the fleet's benchmark: routers, devices, and a certificate for each."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Semaphore, Thread
from time import monotonic, perf_counter, sleep
from typing import Any, NamedTuple

import zenoh

from trivet.domain import DeviceKind
from trivet.fabric import Household, SessionConfig, certificate, create_household, key
from trivet.fabric.config import Role, settings_of
from trivet.fabric.household import authority
from trivet.fabric.identity import Identity
from trivet.fabric.request import new_key
from trivet.fabric.secret import Secret

TRIPS = 200
FLOOD_S = 1.5
#: Messages that a device sends for each other one that it beats for, in 1/s.
BEATS_PER_S = 2.0
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
