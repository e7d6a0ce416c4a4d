"""Hosts on one network, out of namespaces: each with its own address and nothing else.

All of it is apart from this machine's networks: the bridge has a namespace too.

Source: ip-netns(8), veth(4), ip-link(8) of iproute2.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

from trivet.app.folder import ledger_file
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import Entry

NET = "10.77.0."
TRIVET = (sys.executable, "-m", "trivet.app.cli.main")
#: Seconds that what is waited for may take on a machine that has much else to do.
LIMIT_S = 60.0


class Done(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams, with spaces for the lines' ends: a terminal wraps anywhere."""
        return " ".join(f"{self.out} {self.err}".split())


class Child:
    """A process that runs, and the lines that it has said so far."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.lines: list[tuple[float, str]] = []
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append((time.monotonic(), line.rstrip()))

    @property
    def said(self) -> str:
        return "\n".join(line for _, line in list(self.lines))

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, pattern: str) -> tuple[float, str]:
        """When, by the monotonic clock, and in which line it first said so."""

        def found() -> tuple[float, str] | None:
            lines = list(self.lines)
            return next(((t, x) for t, x in lines if re.search(pattern, x)), None)

        when: tuple[float, str] = eventually(
            found, f"{pattern!r}; it said:\n{{}}", lambda: self.said
        )
        return when

    def wait(self, limit_s: float = LIMIT_S) -> int:
        code = self._process.wait(limit_s)
        self._reader.join(limit_s)
        return code

    def send(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> None:
        """End it, gently at first."""
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._reader.join(5.0)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Host:
    """One host: its network, its folder, its processes."""

    def __init__(self, lan: Lan, name: str, number: int, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.address = f"{NET}{number}"
        self.listen = f"{self.address}:7447"
        self._lan, self._port = lan, f"port{number}"
        self.space = lan.space(name)

    def run(self, *words: str, folder: Path | None = None, stdin: str = "") -> Done:
        """Run a `trivet` command to its end."""
        return self.python(*TRIVET[1:], *words, folder=folder, stdin=stdin)

    def python(self, *words: str, folder: Path | None = None, stdin: str = "") -> Done:
        """Run Python to its end."""
        done = subprocess.run(
            [*self._enter(), sys.executable, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120.0,
            env=self._environment(folder),
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, folder: Path | None = None, stdin: str = "") -> Done:
        """As `run`, of a command that must succeed."""
        done = self.run(*words, folder=folder, stdin=stdin)
        assert done.code == 0, f"trivet {' '.join(words)}: {done.said}"
        return done

    def start(self, *words: str, folder: Path | None = None) -> Child:
        """Start a `trivet` command; the network ends it if nobody does before."""
        return self.start_python(*TRIVET[1:], *words, folder=folder)

    def start_python(self, *words: str, folder: Path | None = None) -> Child:
        """Start Python."""
        command = [*self._enter(), sys.executable, *words]
        child = Child(command, self._environment(folder))
        self._lan.children.append(child)
        return child

    def entries(self) -> list[Entry]:
        """What the ledger of the host's device holds; nothing before it begins."""
        path = ledger_file(self.folder, self.name)
        if not path.exists():
            return []
        with Ledger(path, self.name) as ledger:
            return list(ledger.entries())

    def cut(self) -> None:
        """Pull the host's cable."""
        ip("-n", self._lan.switch, "link", "set", self._port, "down")

    def mend(self) -> None:
        """Put it back."""
        ip("-n", self._lan.switch, "link", "set", self._port, "up")

    def _enter(self) -> list[str]:
        return [_found("ip"), "netns", "exec", self.space]

    def _environment(self, folder: Path | None) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TRIVET_")}
        return {
            **kept,
            "TRIVET_HOUSEHOLD": str(folder or self.folder),
            "PYTHONUNBUFFERED": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "NO_COLOR": "1",
            "COLUMNS": "400",
        }


class Lan:
    """Hosts on one bridge, and the processes that run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self._spaces: list[str] = []
        self.hosts: dict[str, Host] = {}
        self.switch = self.space("switch")

    def space(self, name: str) -> str:
        """The name of a host's namespace, such as nobody else has."""
        return f"trivet-{os.getpid()}-{name}"

    def begin(self, names: tuple[str, ...]) -> None:
        """Make the hosts.

        Raises:
            OSError: this machine does not let us.
        """
        self._add(self.switch)
        ip("-n", self.switch, "link", "add", "bridge0", "type", "bridge")
        ip("-n", self.switch, "link", "set", "bridge0", "type", "bridge", *_FLOOD)
        ip("-n", self.switch, "link", "set", "bridge0", "up")
        for number, name in enumerate(names, 1):
            host = Host(self, name, number, self.folder / name)
            self.hosts[name] = host
            self._add(host.space)
            self._plug(host, f"port{number}")

    def _add(self, space: str) -> None:
        ip("netns", "add", space)
        self._spaces.append(space)

    def _plug(self, host: Host, port: str) -> None:
        at = ("-n", host.space)
        ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "eth0",
           "netns", host.space)  # fmt: skip
        ip("-n", self.switch, "link", "set", port, "master", "bridge0")
        ip("-n", self.switch, "link", "set", port, "up")
        ip(*at, "link", "set", "lo", "up")
        ip(*at, "address", "add", f"{host.address}/24", "dev", "eth0")
        ip(*at, "link", "set", "eth0", "up")

    def end(self) -> None:
        """End all processes, then take the hosts away."""
        with ExitStack() as stack:  # each, even if one before it fails
            for space in self._spaces:
                stack.callback(ip, "netns", "delete", space)
            for child in self.children:
                stack.callback(child.end)


#: A bridge that learns who wants multicast would need a querier; this one floods it.
_FLOOD = ("mcast_snooping", "0")


@contextmanager
def network(folder: Path, *names: str) -> Iterator[Lan]:
    """Hosts of these names, until the end of the `with`.

    Raises:
        OSError: this machine does not let us make them; says why.
    """
    lan = Lan(folder)
    try:
        lan.begin(names)
        yield lan
    finally:
        lan.end()


def ip(*words: str) -> None:
    """Run iproute2's `ip`."""
    done = subprocess.run(
        [_found("ip"), *words], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _found(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise OSError(f"{program} is not installed (package iproute2)")
    return path


def eventually(
    look: Callable[[], Any],
    what: str,
    more: Callable[[], object] = lambda: "",
    limit_s: float = LIMIT_S,
) -> Any:
    """Look again and again until there is something; fails after `limit_s`."""
    end = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < end, f"never came: {what.format(more())}"
        time.sleep(0.05)
    return found
