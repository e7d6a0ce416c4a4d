"""The replicated state: what a durable, signed write costs, and how two come together.

    python -m benchmarks.state

Writes alternate in short blocks with bare SQLite, which inserts as many bytes with the
same durability: a busy machine, or a slow disk, is slow for both.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from statistics import median

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.app.replicating import Replicating
from trivet.domain import DeviceKind
from trivet.fabric import (
    Link,
    MemoryFabric,
    SessionConfig,
    create_household,
    issue,
    load_identity,
    open_session,
)
from trivet.fabric.access import Party
from trivet.fabric.replica import Add, Change, Put, Replica
from trivet.fabric.replica.update import (
    BEGINNING,
    Claim,
    fingerprint_bytes,
    new_incarnation,
    sign_update,
)
from trivet.fabric.request import new_key

DEVICES = ("home", "phone")
#: Writes in one go where many come at once.
BATCH = 100
ROUNDS, SINGLE = 10, 40
#: What each side wrote while they were apart.
APART = 10_000
HOUSEHOLD = "bench"


class Roll(msgspec.Struct):
    """Who belongs to the household."""

    members: Mapping[str, Party]
    keys: Mapping[str, ec.EllipticCurvePublicKey]


KEYS = {device: new_key() for device in DEVICES}
ROLL = Roll(
    {device: Party(device, DeviceKind.OTHER) for device in DEVICES},
    {device: key.public_key() for device, key in KEYS.items()},
)


def open_replica(folder: Path, device: str) -> Replica:
    path = folder / f"state-{device}.db"
    return Replica(path, device, HOUSEHOLD, KEYS[device], lambda: ROLL)


def change(n: int) -> Change:
    """A write as devices make them: a setting, or something on a list."""
    return Put(f"settings/key{n}", n) if n % 10 else Add(f"list{n % 30}", f"item {n}")


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            *writes(Path(folder)),
            *seals(),
            *compaction(Path(folder)),
            *apart("memory", Path(folder)),
            *apart("Zenoh and TLS", Path(folder)),
        ]


def writes(folder: Path) -> list[tuple[str, float, str]]:
    """Acknowledged writes, one at a time and many at once, beside SQLite alone."""
    with ExitStack() as stack:
        replica = open_replica(folder, "home")
        stack.callback(replica.close)
        plain = plain_store(folder / "plain.db")
        count = iter(range(1 << 30))
        single = in_turn(
            {
                "plain": lambda: plain(1),
                "state": lambda: replica.write(change(next(count))),
            },
            SINGLE,
        )
        many = in_turn(
            {
                "plain": lambda: plain(BATCH),
                "state": lambda: replica.write_all(
                    [[change(next(count))] for _ in range(BATCH)]
                ),
            },
            3,
        )
    return [
        ("SQLite alone: durable inserts", 1 / single["plain"], "per s"),
        ("state: acknowledged writes", 1 / single["state"], "per s"),
        ("  as many as SQLite alone", single["plain"] / single["state"], "times"),
        (f"SQLite alone, {BATCH} at once", BATCH / many["plain"], "per s"),
        (f"state, {BATCH} at once", BATCH / many["state"], "per s"),
        ("  as many as SQLite alone", many["plain"] / many["state"], "times"),
    ]


def in_turn(work: Mapping[str, Callable[[], object]], count: int) -> dict[str, float]:
    """Median seconds of each, in blocks that alternate."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, do in work.items():
            start = time.perf_counter()
            for _ in range(count):
                do()
            taken[name].append((time.perf_counter() - start) / count)
    return {name: median(times) for name, times in taken.items()}


def plain_store(path: Path) -> Callable[[int], None]:
    """As many bytes with the same durability, in a table and no more."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, raw BLOB)")

    def insert(how_many: int) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO row (raw) VALUES (?)", [(bytes(300),)] * how_many)
        db.execute("COMMIT")

    return insert


def seals() -> list[tuple[str, float, str]]:
    """What the signature of an update costs, made and verified."""
    key = KEYS["home"]
    print_ = fingerprint_bytes(key.public_key())
    claim = Claim("home", print_, new_incarnation(print_), 0, 1, BEGINNING, bytes(100))
    update = sign_update(key, HOUSEHOLD, claim)
    public = key.public_key()
    costs = in_turn(
        {
            "sign": lambda: sign_update(key, HOUSEHOLD, claim),
            "verify": lambda: update.is_signed_by(public, HOUSEHOLD),
        },
        100,
    )
    return [
        ("an update signed", costs["sign"] * 1e6, "us"),
        ("an update verified; once for a run of updates", costs["verify"] * 1e6, "us"),
        ("signature and names around an update", len(update.raw) - 100.0, "bytes"),
    ]


def compaction(folder: Path) -> list[tuple[str, float, str]]:
    """Bytes on the disk before and after what everybody has seen gave way."""
    place = folder / "compaction"
    with ExitStack() as stack:
        home, phone = (open_replica(place, device) for device in DEVICES)
        stack.callback(home.close)
        stack.callback(phone.close)
        for n in range(APART):
            home.write_all([[Put(f"settings/key{n % 500}", n)]])
        even(home, phone)
        home.note_seen([phone.declare(1)])
        before = size_of(place / "state-home.db")
        start = time.perf_counter()
        assert home.compact()
        took = time.perf_counter() - start
        after = size_of(place / "state-home.db")
    return [
        (f"{APART} writes to 500 keys, on the disk", before / 1024, "KiB"),
        ("  after compaction", after / 1024, "KiB"),
        ("  which takes", took, "s"),
    ]


def size_of(path: Path) -> int:
    return sum(p.stat().st_size for p in path.parent.glob(f"{path.name}*"))


def even(giver: Replica, taker: Replica) -> None:
    while carried := giver.lacking(taker.vector).carried:
        taker.receive(giver.device, carried)


def apart(way: str, folder: Path) -> list[tuple[str, float, str]]:
    """Two that wrote apart come together: in single updates, as each wrote them."""
    place = folder / way.split()[0]
    with ExitStack() as stack:
        replicas = {device: open_replica(place, device) for device in DEVICES}
        for replica in replicas.values():
            stack.callback(replica.close)
            with unsynced(replica):
                for n in range(APART):
                    replica.write(Put(f"settings/{replica.device}{n}", n))
        opened = memory_links if way == "memory" else zenoh_links
        took = asyncio.run(come_together(opened(place), replicas))
    return [(f"{APART} updates on each side, even over {way}", took, "s")]


@contextmanager
def unsynced(replica: Replica) -> Iterator[None]:
    """Write without waiting for the disk: what is prepared is not what is measured."""
    store = replica._journal.store
    store.run("PRAGMA synchronous = OFF")
    try:
        yield
    finally:
        store.run("PRAGMA synchronous = FULL")


async def come_together(
    opened: AbstractAsyncContextManager[list[Link]], replicas: Mapping[str, Replica]
) -> float:
    """Seconds from the first word until both have all, durably."""
    async with opened as links:
        ends = [
            Replicating(link, replicas[link.device], lambda: ROLL) for link in links
        ]
        start = time.perf_counter()
        tasks = [asyncio.create_task(end.run()) for end in ends]
        while len({frozenset(one.vector.items()) for one in replicas.values()}) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        took = time.perf_counter() - start
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    values = [replica.state.settings for replica in replicas.values()]
    assert values[0] == values[1]
    assert len(values[0]) == 2 * APART
    return took


@asynccontextmanager
async def memory_links(folder: Path) -> AsyncIterator[list[Link]]:
    fabric = MemoryFabric(HOUSEHOLD)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(fabric.open_session(device))
            for device in DEVICES
        ]


@asynccontextmanager
async def zenoh_links(folder: Path) -> AsyncIterator[list[Link]]:
    household = create_household(folder / "household", HOUSEHOLD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        links: list[Link] = []
        for device in DEVICES:
            issue(household, device, DeviceKind.OTHER)
            config = SessionConfig(
                load_identity(household, device),
                listen=() if links else (address,),
                connect=(address,) if links else (),
            )
            links.append(await stack.enter_async_context(open_session(config)))
        await links[0].reach(DEVICES[1], 30.0)
        await links[1].reach(DEVICES[0], 30.0)
        yield links


def main() -> None:
    for what, value, unit in rows():
        print(f"{what:<64} {value:>12,.3f} {unit}", flush=True)


if __name__ == "__main__":
    main()
