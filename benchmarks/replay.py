"""Replaying a long life: speed, memory, and what one forecast costs."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from trivet.app.zone import fixed_zone
from trivet.devices.replay import Report, read
from trivet.devices.world import World
from trivet.domain import Position, Sample
from trivet.engine import Anticipator

SAMPLES = 1_000_000
_HEAD = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2\n0\n"


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    world = World(seed=7, days=1200)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "life.plt"
        write(file, islice(dense(world), SAMPLES))
        reader_s = timed(file, None)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        anticipator = Anticipator("ada", "phone", fixed_zone(world.zone))
        all_s = timed(file, anticipator)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        (f"{SAMPLES:,} GPS samples: reader alone", reader_s, "s"),
        (f"{SAMPLES:,} GPS samples: reader and learning", all_s, "s"),
        ("  learning as a multiple of reading", all_s / reader_s, "x"),
        ("  memory that learning them added", (after - before) / 1024, "MB"),
        *forecasts(world, anticipator),
    ]


def dense(world: World) -> Iterator[Sample]:
    """The world's phone with a fix a second under way: nine between each two."""
    last: Sample | None = None
    for sample in world.history(world.start_time, world.end_time):
        if last is not None and sample.time - last.time < 30:
            yield from between(last, sample)
        last = sample
        yield sample


def between(last: Sample, sample: Sample) -> Iterator[Sample]:
    """Fixes on the straight line between two."""
    a, b = last.value, sample.value
    if isinstance(a, Position) and isinstance(b, Position):
        count = int(sample.time - last.time)
        for step in range(1, count):
            share = step / count
            lat = a.lat + share * (b.lat - a.lat)
            lon = a.lon + share * (b.lon - a.lon)
            yield Sample("phone", "location", last.time + step, Position(lat, lon))


def write(file: Path, samples: Iterator[Sample]) -> None:
    """A GeoLife track of the samples."""
    with file.open("w") as out:
        out.write(_HEAD)
        for sample in samples:
            if isinstance(sample.value, Position):
                moment = datetime.fromtimestamp(sample.time, UTC)
                days = sample.time / 86400 + 25569
                out.write(
                    f"{sample.value.lat:.6f},{sample.value.lon:.6f},0,0,{days:.7f},"
                    f"{moment:%Y-%m-%d},{moment:%H:%M:%S}\n"
                )


def timed(file: Path, anticipator: Anticipator | None) -> float:
    """Processor seconds to read the file, and to learn it if asked."""
    start = time.process_time()
    for sample in read([file], Report()):
        if anticipator is not None:
            anticipator.learn_one(sample)
    return time.process_time() - start


def forecasts(
    world: World, anticipator: Anticipator
) -> Iterator[tuple[str, float, str]]:
    """What one forecast costs after all that was learned."""
    costs: list[float] = []
    begin = anticipator.trips[-1].arrival + 60
    for sample in world.history(begin, begin + 14 * 86400):
        anticipator.learn_one(sample)
        start = time.process_time()
        if anticipator.predict_one(sample.time) is not None:
            costs.append(time.process_time() - start)
    costs.sort()
    yield "one forecast, median", 1e3 * costs[len(costs) // 2], "ms"
    yield "one forecast, 95th percentile", 1e3 * costs[int(0.95 * len(costs))], "ms"
    yield "  trips known", float(len(anticipator.trips)), ""
