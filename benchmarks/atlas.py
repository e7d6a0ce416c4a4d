"""How fast the offline map answers, against a scan over the same points.

    python -m benchmarks atlas million

A town of 10,018 points, which is the New York table's size, and a region of 100,000;
`million` is a country of 1,000,000. Each map is asked for the 50 nearest of all kinds
and of three, around points of its own. Seeds are fixed: the same points and questions
in every run. Times are of this machine; the ratio to the scan is taken in the same run.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import TypeAlias

from trivet.atlas import AtlasIndex, import_points
from trivet.domain.geo import distance_m
from trivet.domain.place import PointOfInterest

#: Name, value and unit of one figure.
Row: TypeAlias = tuple[str, float, str]

SEED = 20261101
QUESTIONS = 200
SCANS = 3
EATING = ("restaurant", "cafe", "fast_food")
KINDS = {
    "restaurant": 20,
    "cafe": 10,
    "fast_food": 10,
    "supermarket": 10,
    "clothes": 20,
    "school": 10,
    "bank": 5,
    "fuel": 5,
    "library": 2,
    "zoo": 0.1,
}


def points(count: int, towns: int, spread_deg: float) -> Iterator[PointOfInterest]:
    """Made-up places in `towns` towns of uneven size, about one middle."""
    rng = random.Random(SEED)
    middles = [
        (50.0 + rng.uniform(-spread_deg, spread_deg), rng.uniform(9, 9 + spread_deg))
        for _ in range(towns)
    ]
    sizes = [rng.expovariate(1.0) for _ in middles]
    words = ("Alte", "Neue", "Golden", "Corner", "Green", "Central", "Harbour", "Old")
    for number in range(count):
        lat, lon = rng.choices(middles, sizes)[0]
        yield PointOfInterest(
            id=f"node/{number}",
            name=f"{rng.choice(words)} {rng.choice(words)} {number % 997}",
            kind=rng.choices(list(KINDS), list(KINDS.values()))[0],
            lat=lat + rng.gauss(0.0, 0.04),
            lon=lon + rng.gauss(0.0, 0.06),
        )


def scan(
    where: list[tuple[float, float, str]],
    lat: float,
    lon: float,
    radius_m: float,
    kinds: tuple[str, ...],
) -> int:
    """The plain way: the distance to every point. How many it finds, at most 50."""
    found = [
        away_m
        for there_lat, there_lon, kind in where
        if (not kinds or kind in kinds)
        and (away_m := distance_m(lat, lon, there_lat, there_lon)) <= radius_m
    ]
    return len(sorted(found)[:50])


def measure(label: str, count: int, towns: int, spread_deg: float) -> list[Row]:
    """Import `count` points and ask."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map"
        start = time.perf_counter()
        import_points(points(count, towns, spread_deg), path, "made up")
        import_s = time.perf_counter() - start
        rows.append((f"atlas {label}, import", import_s, "s"))
        rows.append((f"atlas {label}, on disk", path.stat().st_size / 1e6, "MB"))
        where = [(p.lat, p.lon, p.kind) for p in points(count, towns, spread_deg)]
        rng = random.Random(SEED + 1)
        asked = [rng.choice(where)[:2] for _ in range(QUESTIONS)]
        with AtlasIndex(path) as index:
            for radius_m in (1_000.0, 20_000.0):
                for kinds in ((), EATING):
                    rows += _near(label, index, where, asked, radius_m, kinds)
            for text in ("harbour 99", "golden"):
                start = time.perf_counter()
                index.search(text)
                search_ms = (time.perf_counter() - start) * 1e3
                rows.append((f"atlas {label}, search {text!r}", search_ms, "ms"))
    return rows


def _near(
    label: str,
    index: AtlasIndex,
    where: list[tuple[float, float, str]],
    asked: list[tuple[float, float]],
    radius_m: float,
    kinds: tuple[str, ...],
) -> list[Row]:
    wall_ms, cpu_ms, scan_ms = [], [], []
    for number, (lat, lon) in enumerate(asked):
        wall, cpu = time.perf_counter(), time.thread_time()
        found = index.near(lat, lon, radius_m, kinds)
        cpu_ms.append((time.thread_time() - cpu) * 1e3)
        wall_ms.append((time.perf_counter() - wall) * 1e3)
        if number < SCANS:
            start = time.thread_time()
            assert scan(where, lat, lon, radius_m, kinds) == len(found)
            scan_ms.append((time.thread_time() - start) * 1e3)
    reach = f"{radius_m / 1000:.0f} km, {len(kinds) or 'all'} kinds"
    name = f"atlas {label}, near {reach}"
    return [
        (f"{name}, p50", median(wall_ms), "ms"),
        (f"{name}, p95 of processor time", quantiles(cpu_ms, n=20)[-1], "ms"),
        (f"{name}, scan / ours", median(scan_ms) / median(cpu_ms), "x"),
    ]


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    return [
        *measure("10,018", 10_018, towns=5, spread_deg=0.2),
        *measure("100,000", 100_000, towns=60, spread_deg=1.5),
    ]


def million_rows() -> list[Row]:
    """The same for a country: some minutes."""
    return measure("1,000,000", 1_000_000, towns=300, spread_deg=4.0)


if __name__ == "__main__":
    for name, value, unit in rows():
        print(f"{name:<66} {value:>10.3f} {unit}")
