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

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import NamedTuple

from benchmarks.fabric import free_address
from benchmarks.fleet_process import (
    CLIENT,
    HOUSE,
    Child,
    Devices,
    Router,
    child,
    identities,
)

from trivet.fabric.config import Role

SIZES = (10, 100, 300, 1000)
#: Devices at a tree of two routers; devices as a trivet of a household opens them, of
#: which each takes Zenoh half a second to open.
TREE_OF, LEAVES = 100, 10
WORKERS = 2
BLOCKS = 3
#: Households of which each has a router in one process.
ROUTERS = 50


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
