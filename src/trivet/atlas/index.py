"""The offline map on disk: the nearest places in a millisecond, with no connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import sqrt
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from trivet.atlas.box import FARTHEST_M, boxes, check_limit, check_question
from trivet.atlas.point import Extent, Source, clean, words
from trivet.atlas.schema import database_errors, open_reader
from trivet.domain.geo import distance_m
from trivet.domain.place import PointOfInterest

#: First reach of a search for the nearest; it grows until enough is found.
_FIRST_REACH_M = 100.0
#: What follows every other code point that a name can hold.
_LAST = "\U0010ffff"

_COLUMNS = "id, name, kind, lat, lon, opening_hours, cuisine, capacity"
_IN_BOX = f"""
    SELECT {_COLUMNS} FROM box JOIN point USING (number)
    WHERE north >= ? AND south <= ? AND east >= ? AND west <= ?"""
# A kind's index is read rather than the R*Tree: a rare kind is then found without
# looking at every other point around.
_OF_KIND_IN_BOX = f"""
    SELECT {_COLUMNS} FROM point INDEXED BY point_kind
    WHERE kind IN (%s) AND lat BETWEEN ? AND ? AND lon BETWEEN ? AND ?"""


class AtlasIndex:
    """An index that `import_map` wrote, open for reading.

    Any number of threads may ask: a lock lets one at a time into SQLite. An import
    into the same file is seen by the next question after it is complete.
    """

    def __init__(self, path: Path | str) -> None:
        """Open the index at `path`.

        Raises:
            SetupError: no such file, not an index, damaged, of a newer version, or an
                SQLite without R*Tree.
        """
        self._path = Path(path)
        self._database = open_reader(self._path)
        self._lock = Lock()

    def __enter__(self) -> AtlasIndex:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        with self._lock:
            self._database.close()

    @property
    def attribution(self) -> str:
        """Whom to name wherever its data is shown, all sources together."""
        rows = self._rows("SELECT attribution FROM source ORDER BY number")
        return "; ".join(dict.fromkeys(text for (text,) in rows))

    @property
    def count(self) -> int:
        """Points held, of all sources."""
        total: int = self._rows("SELECT count(*) FROM point")[0][0]
        return total

    @property
    def sources(self) -> tuple[Source, ...]:
        """What was imported, oldest import first."""
        rows = self._rows(
            "SELECT source.name, time, attribution, count(id),"
            " min(lat), min(lon), max(lat), max(lon)"
            " FROM source LEFT JOIN point ON source = source.number"
            " GROUP BY source.number ORDER BY source.number"
        )
        return tuple(
            Source(name, time, attribution, count, Extent(*edges) if count else None)
            for name, time, attribution, count, *edges in rows
        )

    def kinds(self) -> dict[str, int]:
        """Points held of each kind, most first."""
        return dict(
            self._rows(
                "SELECT kind, count(*) FROM point GROUP BY kind ORDER BY 2 DESC, 1"
            )
        )

    def get(self, id: str) -> PointOfInterest | None:
        """The point with that id (`node/123`), None when there is none."""
        if clean(id) != id:
            return None
        rows = self._rows(f"SELECT {_COLUMNS} FROM point WHERE id = ?", (id,))
        return _point(rows[0]) if rows else None

    def near(
        self,
        lat: float,
        lon: float,
        radius_m: float,
        kinds: Collection[str] = (),
        limit: int = 50,
    ) -> list[PointOfInterest]:
        """Points within `radius_m`, nearest first; no kinds means all.

        Args:
            lat: latitude in degrees.
            lon: longitude in degrees.
            radius_m: along the great circle.
            kinds: OpenStreetMap's values, as `kinds()` lists them.
            limit: at most so many.

        Raises:
            UsageError: a coordinate off Earth, a negative radius or limit.
            SetupError: the index cannot be read any more.
        """
        check_question(lat, lon, radius_m, kinds, limit)
        asked = sorted({kind for kind in kinds if clean(kind) == kind})
        if kinds and not asked:
            return []
        farthest_m = min(radius_m, FARTHEST_M + 1.0)
        reach_m = min(_FIRST_REACH_M, farthest_m)
        while limit:
            # everything within reach is known, so the nearest `limit` of it are right
            found = self._within(lat, lon, reach_m, asked)
            if len(found) >= limit or reach_m >= farthest_m:
                return [_point(row, away_m) for away_m, row in sorted(found)[:limit]]
            # to an area that should hold twice the limit, and never past twice as far
            growth = min(2.0, sqrt(2.0 * limit / max(1, len(found))))
            reach_m = min(growth * reach_m, farthest_m)
        return []

    def search(self, name: str, limit: int = 20) -> list[PointOfInterest]:
        """Points whose names have words that begin with the words of `name`.

        Case and accents do not matter; the shortest names come first.

        Raises:
            UsageError: a negative limit.
            SetupError: the index cannot be read any more.
        """
        check_limit(limit)
        wanted = words(clean(name))
        if not wanted:
            return []
        each = "SELECT number FROM word WHERE word >= ? AND word < ?"
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM point WHERE number IN"
            f" ({' INTERSECT '.join([each] * len(wanted))})"
            " ORDER BY length(name), name, id LIMIT ?",
            [*(edge for word in wanted for edge in (word, word + _LAST)), limit],
        )
        return [_point(row) for row in rows]

    def _within(
        self, lat: float, lon: float, reach_m: float, kinds: list[str]
    ) -> list[tuple[float, tuple[Any, ...]]]:
        found = []
        for box in boxes(lat, lon, reach_m):
            if kinds:
                marks = ", ".join("?" * len(kinds))
                rows = self._rows(_OF_KIND_IN_BOX % marks, [*kinds, *box])
            else:
                rows = self._rows(_IN_BOX, box)
            for row in rows:
                away_m = distance_m(lat, lon, row[3], row[4])
                if away_m <= reach_m:
                    found.append((away_m, row))
        return found

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with database_errors(self._path), self._lock:
            return self._database.execute(query, values).fetchall()


def _point(row: tuple[Any, ...], away_m: float = 0.0) -> PointOfInterest:
    id, name, kind, lat, lon, opening_hours, cuisine, capacity = row
    return PointOfInterest(
        id, name, kind, lat, lon, opening_hours, cuisine, capacity, away_m
    )
