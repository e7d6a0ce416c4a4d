"""Cutting one of this process's connections, and no other."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from trivet.fabric.cable import Cable, End, cut, read_end
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger


class Pair:
    """Two ends of a connection, both in this process."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as listening:
            listening.bind((host, 0))
            listening.listen()
            self.near = socket.create_connection(listening.getsockname()[:2])
            self.far, _ = listening.accept()
        near, far = self.near.getsockname(), self.near.getpeername()
        self.cable = Cable(End(*near[:2]), End(*far[:2]))

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [Pair() for _ in range(3)]
    yield made
    for pair in made:
        pair.close()


def is_alive(pair: Pair) -> bool:
    try:
        pair.near.sendall(b"x")
        return pair.far.recv(1) == b"x"
    except OSError:
        return False


def fill(connection: socket.socket) -> None:
    connection.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            connection.send(bytes(65536))


def test_the_one_is_cut_and_the_others_go_on(pairs: list[Pair]) -> None:
    assert cut([pairs[1].cable]) == 1
    assert [is_alive(pair) for pair in pairs] == [True, False, True]


def test_whoever_waits_on_a_connection_that_is_cut_wakes(pairs: list[Pair]) -> None:
    cut([pairs[0].cable])
    pairs[0].near.settimeout(5)
    assert pairs[0].near.recv(1) == b""


def test_cutting_nothing_and_what_is_gone_changes_nothing(pairs: list[Pair]) -> None:
    gone = Pair()
    gone.close()
    assert cut([]) == cut([gone.cable]) == 0
    assert all(is_alive(pair) for pair in pairs)


def test_cutting_keeps_no_file_open(pairs: list[Pair]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        cut([pairs[0].cable])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_connection_full_of_what_nobody_reads_is_closed_without_waiting() -> None:
    pair = Pair()
    lingering = struct.pack("ii", 1, 10)
    pair.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
    fill(pair.near)
    cut([pair.cable])
    began = time.monotonic()
    pair.near.close()
    assert time.monotonic() - began < 5.0
    pair.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_one_over_ipv6_is_cut_too() -> None:
    try:
        pair = Pair("::1")
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback: {error}")
    assert cut([pair.cable]) == 1
    pair.close()


@pytest.mark.parametrize(
    ("locator", "end"),
    [
        ("tls/127.0.0.1:7447", End("127.0.0.1", 7447)),
        ("tls/[::1]:7447", End("::1", 7447)),
        ("tls/[fe80::1%eth0]:7447", End("fe80::1", 7447)),
        ("tls/[::ffff:10.0.0.1]:7", End("10.0.0.1", 7)),
        ("tls/127.0.0.1:7447?prio=6-7", End("127.0.0.1", 7447)),
    ],
)
def test_an_address_is_read_from_a_locator(locator: str, end: End) -> None:
    assert read_end(locator) == end


@pytest.mark.parametrize(
    "locator", ["", "tls/", "tls/home:7447", "tls/127.0.0.1", "tls/127.0.0.1:x", "a:1"]
)
def test_what_has_no_address_gives_none(locator: str) -> None:
    assert read_end(locator) is None


# --- no file is touched ---------------------------------------------------------------

NOBODY = Cable(End("192.0.2.1", 1), End("192.0.2.2", 2))
#: Opens the ledger and closes it, as a person's `trivet ledger` does, and says how many
#: entries there are. Whoever is the last to close removes SQLite's log.
LOOK = """
import sys
from pathlib import Path
from trivet.fabric.ledger import Ledger
with Ledger(Path(sys.argv[1]), "phone") as ledger:
    print(len(list(ledger.entries())))
"""


def look(path: Path) -> int:
    words = [sys.executable, "-c", LOOK, str(path)]
    return int(subprocess.run(words, capture_output=True, check=True).stdout)


def test_after_a_cut_others_see_what_is_added_to_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger(path, "phone")) as ledger:
        for count in range(1, 5):
            ledger.append(Event(EventKind.REFUSAL, float(count), "visitor"))
            assert cut([NOBODY]) == 0
            assert look(path) == count
