"""Bring places into an index: whole or not at all, several sources side by side."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec

from trivet.atlas import osm, places_csv
from trivet.atlas.point import (
    OSM_ATTRIBUTION,
    SIMULATED_ATTRIBUTION,
    Skip,
    clean,
    point_fault,
    words,
)
from trivet.atlas.schema import writing
from trivet.domain.error import InputError, UsageError
from trivet.domain.place import PointOfInterest

#: Called now and then with the number of places taken so far.
Progress: TypeAlias = Callable[[int], None]

_PROGRESS_EACH = 1000
_EXAMPLES_EACH = 3


class ImportReport(msgspec.Struct, frozen=True):
    """What an import took and what it left.

    Attributes:
        source: the name that the index knows it by.
        attribution: whom to name wherever its points are shown.
        taken: places taken, by kind, most first.
        skipped: things left out, by reason, most first.
        examples: of each reason the first few: "no name: line 17".
        removed: points of an earlier import of the same source that made room.
        replaced: points of other sources with an id of this one that made room.
    """

    source: str
    attribution: str
    taken: Mapping[str, int]
    skipped: Mapping[str, int]
    examples: tuple[str, ...]
    removed: int
    replaced: int

    @property
    def count(self) -> int:
        """Places taken."""
        return sum(self.taken.values())


def import_map(
    path: Path | str, index_path: Path | str, progress: Progress | None = None
) -> ImportReport:
    """Import an OpenStreetMap extract or a table of places.

    `.osm.pbf`, `.osm` (also gzip and bzip2) are read by osmium, `.csv` and `.xz` as
    tables. The file's name is the source's: importing a file of that name again
    replaces its points.

    Args:
        path: the file.
        index_path: the index, made where there is none.
        progress: told the number of places taken, now and then.

    Raises:
        InputError: the file cannot be read as what its name says, or has no place.
        SetupError: osmium is not installed, or the index cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("no such file", path=str(path))
    if path.stat().st_size == 0:
        raise InputError("the file is empty", path=str(path))
    time = path.stat().st_mtime
    if path.name.lower().endswith(osm.SUFFIXES):
        extract = osm.OsmFile(path)
        time = time if extract.time is None else extract.time
        things = extract.places()
    elif path.name.lower().endswith(places_csv.SUFFIXES):
        things = places_csv.read_places(path)
    else:
        raise InputError(
            "not a map that can be read",
            path=str(path),
            hint=f"its name ends in {' '.join(osm.SUFFIXES + places_csv.SUFFIXES)}",
        )
    with writing(Path(index_path)) as database:
        intake = _Intake(database, path.name, time, OSM_ATTRIBUTION, progress)
        report = intake.take(things)
        if not report.count:
            raise _nothing(path, intake.first)
    return report


def import_points(
    points: Iterable[PointOfInterest],
    index_path: Path | str,
    source: str,
    *,
    attribution: str = SIMULATED_ATTRIBUTION,
    time: float = 0.0,
    progress: Progress | None = None,
) -> ImportReport:
    """Import points in memory, such as a simulated town's.

    Args:
        points: what to import; of two with one id the first is taken.
        index_path: the index, made where there is none.
        source: their name; importing under it again replaces them.
        attribution: whom to name wherever they are shown.
        time: event time of the data.
        progress: told the number of places taken, now and then.

    Raises:
        UsageError: a point without name or kind, or with a coordinate off Earth.
        SetupError: the index cannot be written.
    """
    if not source or clean(source) != source:
        raise UsageError(f"a source cannot be called {source!r}")
    with writing(Path(index_path)) as database:
        return _Intake(database, source, time, attribution, progress).take(points)


def _nothing(path: Path, first: Skip | None) -> InputError:
    if first is None:
        return InputError("no named place in it", path=str(path))
    return InputError(
        f"no named place in it; left out first: {first}",
        path=str(path),
        line=first.line,
    )


class _Intake:
    """Takes the things of one source into an open transaction."""

    def __init__(
        self,
        database: sqlite3.Connection,
        name: str,
        time: float,
        attribution: str,
        progress: Progress | None,
    ) -> None:
        self._database = database
        self._name = name
        self._attribution = attribution
        self._progress = progress
        self._removed = self._forget(name)
        self._source = database.execute(
            "INSERT INTO source (name, time, attribution) VALUES (?, ?, ?)",
            (name, time, attribution),
        ).lastrowid
        self._replaced = 0
        self._taken: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._examples: list[str] = []
        #: what was skipped first
        self.first: Skip | None = None

    def take(self, things: Iterable[PointOfInterest | Skip]) -> ImportReport:
        count = 0
        for thing in things:
            skip = thing if isinstance(thing, Skip) else self._add(thing)
            if skip:
                self.first = self.first or skip
                self._skipped[skip.reason] += 1
                if self._skipped[skip.reason] <= _EXAMPLES_EACH:
                    self._examples.append(str(skip))
                continue
            count += 1
            if self._progress and count % _PROGRESS_EACH == 0:
                self._progress(count)
        if self._progress:
            self._progress(count)
        return ImportReport(
            source=self._name,
            attribution=self._attribution,
            taken=dict(self._taken.most_common()),
            skipped=dict(self._skipped.most_common()),
            examples=tuple(self._examples),
            removed=self._removed,
            replaced=self._replaced,
        )

    def _add(self, point: PointOfInterest) -> Skip | None:
        fault = point_fault(point)
        if fault:
            raise UsageError(f"not a point of a map: {fault}")
        run = self._database.execute
        known = run(
            "SELECT number, name, source FROM point WHERE id = ?", (point.id,)
        ).fetchone()
        if known:
            number, name, source = known
            if source == self._source:
                return Skip("an id seen before", point.id)
            self._drop([(number, name)])
            self._replaced += 1
        name = clean(point.name)
        number = run(
            "INSERT INTO point (source, id, name, kind, lat, lon, opening_hours,"
            " cuisine, capacity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._source,
                point.id,
                name,
                point.kind,
                point.lat,
                point.lon,
                clean(point.opening_hours),
                clean(point.cuisine),
                point.capacity,
            ),
        ).lastrowid
        run(
            "INSERT INTO box VALUES (?, ?, ?, ?, ?)",
            (number, point.lat, point.lat, point.lon, point.lon),
        )
        self._database.executemany(
            "INSERT INTO word VALUES (?, ?)",
            [(word, number) for word in set(words(name))],
        )
        self._taken[point.kind] += 1
        return None

    def _forget(self, name: str) -> int:
        """Remove an earlier import of that name; how many points it had."""
        rows = self._database.execute(
            "SELECT point.number, point.name FROM point JOIN source"
            " ON source.number = source WHERE source.name = ?",
            (name,),
        ).fetchall()
        self._drop(rows)
        self._database.execute("DELETE FROM source WHERE name = ?", (name,))
        return len(rows)

    def _drop(self, rows: list[tuple[int, str]]) -> None:
        run = self._database.executemany
        numbers = [(number,) for number, _ in rows]
        run("DELETE FROM point WHERE number = ?", numbers)
        run("DELETE FROM box WHERE number = ?", numbers)
        run(
            "DELETE FROM word WHERE word = ? AND number = ?",
            [(word, number) for number, name in rows for word in set(words(name))],
        )
