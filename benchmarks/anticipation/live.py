"""A person's recording, scouted and judged, from files or from a simulated world."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import msgspec
from benchmarks.anticipation.judge import Judge
from benchmarks.anticipation.people import recordings
from benchmarks.anticipation.scout import plan
from benchmarks.anticipation.table import Table

from trivet.app.zone import fixed_zone, zone_by_position
from trivet.devices.replay import Report, read
from trivet.devices.world import World
from trivet.domain import Sample
from trivet.domain.clock import ZoneOf
from trivet.engine import Anticipator
from trivet.engine.student import Student

_DEVICE = "phone"
Samples = Callable[[], Iterable[Sample]]


class Order(msgspec.Struct, frozen=True):
    """Whose life to judge, for a process of its own.

    Attributes:
        folder: of GeoLife, None for a simulated household.
        person: of the folder, or the seed of the household.
        dropped: files to leave out.
        days: of the simulated household.
        student: file of the weights, None for those that come with trivet.
    """

    folder: Path | None
    person: str
    dropped: frozenset[Path] = frozenset()
    days: int = 0
    student: Path | None = None


def kept(order: Order, folder: Path | None) -> Table:
    """One life as it was judged before, if its table is in the folder; else judged.

    The folder is of one version of trivet and of one command: a table does not say
    what it was made by.
    """
    if folder is None:
        return live(order)
    file = folder / f"{order.person}.pickle"
    if file.exists():
        found = pickle.loads(file.read_bytes())
        assert isinstance(found, Table)
        return found
    table = live(order)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(table))
    return table


def live(order: Order) -> Table:
    """Judge one life."""
    if order.folder is None:
        world = World(int(order.person), date(2026, 1, 5), order.days)
        return _live(order, lambda: _simulated(world), fixed_zone(world.zone))
    files = recordings(order.folder, order.person)
    kept = [file for file in files if file not in order.dropped]
    table = _live(order, lambda: read(kept, Report()), zone_by_position())
    notes = table.notes | {"files": len(kept), "copies": len(files) - len(kept)}
    return msgspec.structs.replace(table, notes=notes)


def _simulated(world: World) -> Iterator[Sample]:
    for sample in world.history(world.start_time, world.end_time):
        if sample.device == _DEVICE:
            yield sample


def _live(order: Order, samples: Samples, zone_of: ZoneOf) -> Table:
    student = None if order.student is None else Student.load(order.student)

    plans = list(plan(samples(), zone_of))
    anticipator = Anticipator(order.person, _DEVICE, zone_of, student=student)
    table = Judge(anticipator, plans).run(samples())
    days = {int(p.departure // 86_400) for p in plans}
    return msgspec.structs.replace(
        table,
        memory_bytes=len(anticipator.snapshot()),
        notes={
            "trips": len(plans),
            "places": len(anticipator.places),
            "days with a trip": len(days),
        },
    )
