"""What it costs to take down what leaves, and to sign what a third device passes on.

Everything stands beside something plain that was measured in the same run: compare
ratios, the times are this machine's.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain import Sample
from trivet.domain.wire import decode, encode
from trivet.fabric.disclosure import Disclosures
from trivet.fabric.envelope import Opener, Sealer
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import encode_event

KEY = ec.generate_private_key(ec.SECP256R1())
LEASE = "0123456789abcdef"
EVENT = Event(
    EventKind.DISCLOSED,
    1.8e9,
    peer="car",
    lease=LEASE,
    paths=("location",),
    purpose="navigation",
    exact_m=500,
    count=812,
    first=1.8e9,
    last=1.8e9,
)
BATCH = 100
ROUNDS = 5


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as folder:
        return [*appends(Path(folder)), *reading(Path(folder)), *notes(), *seals()]


def appends(folder: Path) -> list[tuple[str, float, str]]:
    """Durable writes of one event and of many, beside SQLite alone."""
    plain = plain_store(folder / "plain.db")
    with (
        Ledger(folder / "signed.db", "phone", key=KEY) as signed,
        Ledger(folder / "unsigned.db", "phone") as unsigned,
    ):
        one = {
            "plain": lambda: plain(1),
            "unsigned": lambda: unsigned.append(EVENT),
            "signed": lambda: signed.append(EVENT),
        }
        single = in_turn(one, 100)
        many = {
            "plain": lambda: plain(BATCH),
            "unsigned": lambda: unsigned.append_many([EVENT] * BATCH),
            "signed": lambda: signed.append_many([EVENT] * BATCH),
        }
        batched = {name: s / BATCH for name, s in in_turn(many, 20).items()}
    per_event = (folder / "signed.db").stat().st_size / (100 + 20 * BATCH) / ROUNDS
    return [
        ("SQLite alone: durable inserts", 1 / single["plain"], "per s"),
        ("ledger, signed: durable appends", 1 / single["signed"], "per s"),
        ("  as many as SQLite alone", single["plain"] / single["signed"], "times"),
        ("  without a key", single["plain"] / single["unsigned"], "times"),
        (f"SQLite alone, {BATCH} at once", 1 / batched["plain"], "per s"),
        (f"ledger, signed, {BATCH} at once", 1 / batched["signed"], "per s"),
        ("  as many as SQLite alone", batched["plain"] / batched["signed"], "times"),
        ("on the disk", per_event, "bytes per event"),
    ]


def plain_store(path: Path) -> Callable[[int], None]:
    """The same bytes with the same durability, in a table and no more."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, event BLOB, hash BLOB)")

    def insert(how_many: int) -> None:
        rows = [(encode_event(EVENT), bytes(32)) for _ in range(how_many)]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO entry (event, hash) VALUES (?, ?)", rows)
        db.execute("COMMIT")

    return insert


def reading(folder: Path) -> list[tuple[str, float, str]]:
    """Looking at a whole ledger."""
    with Ledger(folder / "long.db", "phone", key=KEY) as ledger:
        ledger.append_many([EVENT] * 50_000)
        start = time.perf_counter()
        assert ledger.verify().is_sound
        verified = 50_000 / (time.perf_counter() - start)
    return [("entries verified", verified, "per s")]


def notes() -> list[tuple[str, float, str]]:
    """A sample that is only counted, beside encoding it."""
    message = car_sample()
    with Ledger(":memory:", "phone") as ledger:
        flows = Disclosures(ledger)

        def note() -> None:
            flows.note(LEASE, "car", "location", "navigation", 500, 1.0, 1.0)

        note()
        took = in_turn({"note": note, "encode": lambda: encode(message)}, 20_000)
    return [
        ("taking down one more sample", took["note"] * 1e6, "µs"),
        ("  to encoding it", took["note"] / took["encode"], "times"),
    ]


def seals() -> list[tuple[str, float, str]]:
    """Signing a sample for one recipient and checking it, beside encode and decode."""
    message = car_sample()
    data = encode(message)
    sealer = Sealer(KEY, "phone", boot=1, household="ours")
    public = KEY.public_key()
    opener = Opener("home", key_of=lambda owner: public, household="ours")
    sealed = [sealer.seal("home", message.path, data, 1.0) for _ in range(ROUNDS * 500)]
    numbers = count()
    took = in_turn(
        {
            "encode": lambda: encode(message),
            "decode": lambda: decode(data),
            "seal": lambda: sealer.seal("home", message.path, data, 1.0),
            "open": lambda: opener.open(sealed[next(numbers)], 1.0),
        },
        500,
    )
    both = (took["seal"] + took["open"]) / (took["encode"] + took["decode"])
    return [
        (f"sealing a sample of {len(data)} bytes", took["seal"] * 1e6, "µs"),
        ("  to encoding it", took["seal"] / took["encode"], "times"),
        ("opening it", took["open"] * 1e6, "µs"),
        ("  to decoding it", took["open"] / took["decode"], "times"),
        ("  both to both", both, "times"),
        ("bytes that a seal adds", len(sealed[0]) - len(data), "bytes"),
    ]


def car_sample() -> Sample:
    """A sample as a car sends many of."""
    return Sample("car", "Vehicle.Speed", 1.8e9, 42.5)


def in_turn(what: Mapping[str, Callable[[], object]], times: int) -> dict[str, float]:
    """Median seconds of one call of each, measured in turn so that noise is shared."""
    took: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(ROUNDS):
        for name, call in what.items():
            start = time.perf_counter()
            for _ in range(times):
                call()
            took[name].append((time.perf_counter() - start) / times)
    return {name: median(seconds) for name, seconds in took.items()}
