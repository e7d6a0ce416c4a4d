"""The hosts of a household: each with a network and a disk of its own, and no other.

A host is a network namespace whose only way out is a port of the switch (wire.py), and
a folder on a file system of its own that is small enough to fill. Names begin with
`trivet-chaos-` and the process's number, so that what a killed run left is found.

Source: ip-netns(8), ip-link(8), nft(8), mount(8).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

NET = "10.79.0."
DISK_MIB = 24
PREFIX = "trivet-chaos-"


class Host:
    """One host.

    Attributes:
        name: of its device.
        number: its port at the switch, and the last byte of its address.
        folder: what its device keeps; small.
    """

    def __init__(self, lan: Lan, name: str, number: int, folder: Path) -> None:
        self.name, self.number, self.folder = name, number, folder
        self.address = f"{NET}{number}" if lan.is_apart else "127.0.0.1"
        self.space = f"{PREFIX}{os.getpid()}-{name}" if lan.is_apart else ""
        self._lan = lan

    @property
    def enter(self) -> list[str]:
        """What a command begins with to run on this host."""
        return [_found("ip"), "netns", "exec", self.space] if self.space else []

    def set_cable(self, *, is_in: bool) -> None:
        """Put the cable in or pull it."""
        ip("-n", self.space, "link", "set", "eth0", "up" if is_in else "down")

    def drop(self, name: str, sources: Sequence[str], percent: int = 100) -> None:
        """Lose packets that come from these addresses, until `undrop` of that name."""
        some = "" if percent >= 100 else f"numgen random mod 100 < {percent} "
        rule = f"ip saddr {{ {', '.join(sources)} }} {some}drop"
        self._nft(
            f"add table inet {name}\n"
            f"add chain inet {name} in {{ type filter hook input priority 0; }}\n"
            f"add rule inet {name} in {rule}\n"
        )

    def undrop(self, name: str) -> None:
        """Let through what `drop` lost."""
        self._nft(f"delete table inet {name}\n")

    def slow(self, delay_ms: int, spread_ms: int) -> None:
        """Let what it sends come late; with a spread, out of order too."""
        self._lan.order(f"{self.number} {delay_ms} {spread_ms}")

    def pids(self) -> list[int]:
        """All processes on this host; none where it is not apart from others."""
        if not self.space:
            return []
        done = subprocess.run(
            [_found("ip"), "netns", "pids", self.space],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in done.stdout.split()]

    def signal_all(self, number: int) -> None:
        """Send a signal to all processes on this host."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _nft(self, script: str) -> None:
        _run([*self.enter, _found("nft"), "-f", "-"], script)


class Lan:
    """Hosts on one switch.

    Args:
        folder: where the hosts' folders are.
        is_apart: whether each host has a network and a disk of its own; else all run
            on this machine's loopback, and its faults are left out.
    """

    def __init__(self, folder: Path, *, is_apart: bool = True) -> None:
        self.folder, self.is_apart = folder, is_apart
        self.hosts: dict[str, Host] = {}
        self._wire: subprocess.Popen[str] | None = None

    def begin(self, names: Sequence[str], stack: ExitStack) -> None:
        """Make the hosts; what takes them away goes onto the stack.

        Raises:
            OSError: this machine does not let us.
        """
        for number, name in enumerate(names, 1):
            host = Host(self, name, number, self.folder / name)
            host.folder.mkdir(parents=True)
            self.hosts[name] = host
        if not self.is_apart:
            return
        switch = f"{PREFIX}{os.getpid()}-switch"
        _add_space(switch, stack)
        self._start_wire(switch, len(names), stack)
        for host in self.hosts.values():
            _add_space(host.space, stack)
            stack.callback(host.signal_all, signal.SIGKILL)
            _plug(host, switch)
            _add_disk(host.folder, stack)

    def order(self, order: str) -> None:
        """Tell the switch."""
        assert self._wire is not None
        assert self._wire.stdin is not None
        self._wire.stdin.write(f"{order}\n")
        self._wire.stdin.flush()

    def _start_wire(self, switch: str, ports: int, stack: ExitStack) -> None:
        self._wire = subprocess.Popen(
            [_found("ip"), "netns", "exec", switch, sys.executable, "-m",
             "scripts.chaos.wire", str(ports)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        stack.callback(_end, self._wire)
        assert self._wire.stdout is not None
        if self._wire.stdout.readline() != "ready\n":
            raise OSError("the switch did not start: is there a /dev/net/tun?")


@contextmanager
def network(folder: Path, names: Sequence[str], *, is_apart: bool) -> Iterator[Lan]:
    """Hosts of these names, until the end of the `with`.

    Raises:
        OSError: this machine does not let us make them; says why.
    """
    lan = Lan(folder, is_apart=is_apart)
    with ExitStack() as stack:
        if is_apart:
            sweep()
        lan.begin(names, stack)
        yield lan


def sweep() -> None:
    """Take away what runs left that were killed themselves."""
    done = subprocess.run(
        [_found("ip"), "netns", "list"], capture_output=True, text=True, check=False
    )
    for space, pid in re.findall(rf"^({PREFIX}(\d+)-\S+)", done.stdout, re.M):
        if not Path("/proc", pid).exists():
            with suppress(OSError):
                ip("netns", "delete", space)
    mounts = Path("/proc/mounts").read_text()
    for path, pid in re.findall(
        rf"^trivet-chaos (\S*/{PREFIX}(\d+)\S*) ", mounts, re.M
    ):
        if not Path("/proc", pid).exists():
            with suppress(OSError):
                _run([_found("umount"), "--lazy", path])


def _add_space(space: str, stack: ExitStack) -> None:
    ip("netns", "add", space)
    stack.callback(ip, "netns", "delete", space)


def _plug(host: Host, switch: str) -> None:
    at, port = ("-n", host.space), f"port{host.number}"
    mac = f"02:00:00:00:00:{host.number:02x}"
    ip("-n", switch, "link", "set", port, "netns", host.space, "name", "eth0")
    ip(*at, "link", "set", "eth0", "address", mac)
    ip(*at, "link", "set", "lo", "up")
    ip(*at, "address", "add", f"{host.address}/24", "dev", "eth0")
    ip(*at, "link", "set", "eth0", "up")


def _add_disk(folder: Path, stack: ExitStack) -> None:
    size = f"size={DISK_MIB}m,mode=700"
    _run([_found("mount"), "-t", "tmpfs", "-o", size, "trivet-chaos", str(folder)])
    stack.callback(_run, [_found("umount"), "--lazy", str(folder)])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def ip(*words: str) -> None:
    """Run iproute2's `ip`."""
    _run([_found("ip"), *words])


def _run(command: list[str], stdin: str = "") -> None:
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


def _found(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise OSError(f"{program} is not installed")
    return path
