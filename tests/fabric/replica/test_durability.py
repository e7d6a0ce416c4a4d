"""What was acknowledged is on the disk: after kill -9, and when the disk is full."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fabric.replica.household import (
    House,
    content,
    exchange,
    give,
    key_of,
)

from trivet.domain import SetupError
from trivet.fabric.replica import Add, Put, Replica

WRITER = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.serialization import load_der_private_key
from tests.fabric.replica.household import NAME, Roll
from trivet.domain import DeviceKind
from trivet.fabric.access import Party
from trivet.fabric.replica import Add, Put, Replica

key = load_der_private_key(bytes.fromhex(sys.argv[2]), None)
roll = Roll({"home": Party("home", DeviceKind.OTHER)}, {"home": key.public_key()})
replica = Replica(Path(sys.argv[1]), "home", NAME, key, lambda: roll)
n = int(sys.argv[3])
while True:
    replica.write(Put(f"settings/k{n}", n), Add("log", str(n)))
    print(n, flush=True)
    n += 1
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def text_of(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).hex()


def run_writer(path: Path, first: int, words: int) -> list[int]:
    """Let a child write until it has said so many words, then kill it."""
    text = text_of(key_of("home"))
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), text, str(first)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        text=True,
    )
    assert child.stdout is not None
    with child.stdout as out:
        try:
            said = [int(out.readline()) for _ in range(words)]
        finally:
            os.kill(child.pid, signal.SIGKILL)
        said += [int(line) for line in out.read().split("\n") if line]
    child.wait(30)
    return said


def test_acknowledged_writes_survive_a_kill(house: House) -> None:
    """A writer is killed at random, again and again, and goes on each time."""
    rng, known = Random(7), 0
    for _ in range(6):
        said = run_writer(house.path("home"), known, rng.randrange(1, 60))
        with house.open("home") as home:
            texts = [int(item.text) for item in home.state.lists["log"]]
            assert texts == list(range(len(texts)))
            # what was under way may be there without a word; what had one must be
            assert said[-1] + 1 <= len(texts) <= said[-1] + 2
            assert all(home.state.settings[f"k{n}"] == n for n in texts)
            known = len(texts)


def fill(replica: Replica) -> None:
    """Let the file grow no more."""
    store = replica._journal.store
    [pages] = store.one("PRAGMA page_count")
    store.run(f"PRAGMA max_page_count = {pages}")


def make_room(replica: Replica) -> None:
    replica._journal.store.run("PRAGMA max_page_count = 1000000")


def test_a_full_disk_refuses_a_write_and_shows_nothing_of_it(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("settings/a", 1), Add("log", "first"))
        before, vector = content(home), home.vector
        fill(home)
        for _ in range(3):
            with pytest.raises(SetupError, match="cannot be kept") as caught:
                home.write(Put("settings/a", "x" * 9000), Add("log", "second"))
            assert "room" in caught.value.hint
            assert content(home) == before
            assert home.vector == vector
        make_room(home)
        home.write(Put("settings/b", 2))
        exchange(home, phone)
        assert phone.state.settings == {"a": 1, "b": 2}
        assert len(phone.state.lists["log"]) == 1
    with house.open("home") as home:
        assert home.state.settings == {"a": 1, "b": 2}


def test_a_full_disk_acknowledges_nothing_that_is_received(house: House) -> None:
    with house.open("home") as home, house.open("phone") as phone:
        for n in range(20):
            home.write(Put(f"settings/k{n}", f"{n:04}" * 1000))
        fill(phone)
        given = home.lacking(phone.vector).carried
        with pytest.raises(SetupError, match="cannot be kept"):
            phone.receive("home", given)
        assert phone.state.is_empty
        assert phone.vector == {}
        make_room(phone)
        give(home, phone)
        assert content(phone) == content(home)


def test_a_file_that_may_not_grow_refuses_a_write(house: House) -> None:
    """The same by the system's own limit, in a process of its own."""
    script = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from pathlib import Path
from tests.fabric.replica.household import House
from trivet.domain import SetupError
from trivet.fabric.replica import Put
house = House(Path({str(house.folder)!r}))
with house.open("home") as home:
    home.write(Put("settings/a", 1))
    before = home.state.settings
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        for n in range(100):
            home.write(Put("settings/b", f"{{n:04}}" * 4000))
            before = home.state.settings
    except SetupError as error:
        assert "nothing was written" in error.hint, error
        assert home.state.settings == before
        print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout == "refused\n", done.stderr


def test_what_another_process_holds_is_waited_for_and_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.fabric.replica.store_file._BUSY_S", 0.05)
    with house.open("home") as home:
        home.write(Put("settings/a", 1))
        other = sqlite3.connect(house.path("home"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SetupError, match="locked"):
            home.write(Put("settings/a", 2))
        assert home.state.settings == {"a": 1}
        other.execute("ROLLBACK")
        other.close()
        home.write(Put("settings/a", 3))
        assert home.state.settings == {"a": 3}


def test_after_a_write_of_unknown_fate_no_number_is_used_twice(house: House) -> None:
    """A commit that failed may be on the disk: its numbers are never given again."""
    with house.open("home") as home:
        home.write(Put("settings/a", 1))
        first = set(home.vector)
        fill(home)
        with pytest.raises(SetupError):
            home.write(Put("settings/a", "x" * 9000))
        make_room(home)
        home.write(Put("settings/b", 1))
        assert first < set(home.vector)
        with house.open("phone") as phone:
            give(home, phone)
            assert content(phone) == content(home)
