"""Named places out of a table: a CSV file with Geofabrik's columns.

The head names the columns, in any order: `osm_id`, `name`, `fclass`, `lon`, `lat`, and
where it has them `opening_hours`, `cuisine`, `capacity`.

Source: F. Ramm, "OpenStreetMap Data in Layered GIS Format" (Geofabrik); RFC 4180.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trivet.atlas.kind import kind_word
from trivet.atlas.point import UNKNOWN_KIND, Skip, clean, coordinate_fault, seats
from trivet.domain.error import InputError
from trivet.domain.place import PointOfInterest

#: Names of files that are read as tables.
SUFFIXES = (".csv", ".csv.xz", ".xz")
#: A line longer than this is no line of a table.
MAX_LINE = 64 * 1024

_NEEDED = ("osm_id", "name", "fclass", "lon", "lat")


def read_places(path: Path) -> Iterator[PointOfInterest | Skip]:
    """Every place of the table at `path`, and every row that became none.

    Raises:
        InputError: other columns, not text, cut off or damaged, with the line.
    """
    line = 0
    try:
        with _open(path) as stream:
            table = csv.reader(_lines(stream, path), strict=True)
            head = [title.strip() for title in next(table, [])]
            missing = [title for title in _NEEDED if title not in head]
            if missing:
                raise InputError(
                    f"no column {', '.join(missing)} in the head",
                    path=str(path),
                    line=1,
                    hint=f"the columns are {','.join(_NEEDED)}",
                )
            line = table.line_num
            for row in table:
                line = table.line_num
                if row:
                    yield _place(head, row, line)
    except (csv.Error, UnicodeDecodeError, lzma.LZMAError, EOFError) as error:
        raise InputError(
            f"not a whole table of places: {error}", path=str(path), line=line + 1
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror or error}", path=str(path)
        ) from error


def _open(path: Path) -> BinaryIO | lzma.LZMAFile:
    return lzma.open(path) if path.suffix.lower() == ".xz" else path.open("rb")


def _lines(stream: BinaryIO | lzma.LZMAFile, path: Path) -> Iterator[str]:
    # decoded one by one, so that a fault is told with its own line
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            raise InputError(
                f"a line of {MAX_LINE} bytes and more", path=str(path), line=number
            )
        # spreadsheets put a byte order mark before the head
        yield line.decode("utf-8-sig" if number == 1 else "utf-8")


def _place(head: list[str], row: list[str], line: int) -> PointOfInterest | Skip:
    if len(row) != len(head):
        return Skip(f"not {len(head)} columns", line=line)
    cells = dict(zip(head, row, strict=True))
    id, name = clean(cells["osm_id"]), clean(cells["name"])
    if not id:
        return Skip("no id", line=line)
    if not name:
        return Skip("no name", id, line)
    try:
        lat, lon = float(cells["lat"]), float(cells["lon"])
    except ValueError:
        return Skip("bad coordinate", id, line)
    if coordinate_fault(lat, lon):
        return Skip("bad coordinate", id, line)
    return PointOfInterest(
        # the table does not say whether it is a node or a way
        id=clean(f"osm/{id}"),
        name=name,
        kind=clean(kind_word(cells["fclass"])) or UNKNOWN_KIND,
        lat=lat,
        lon=lon,
        opening_hours=clean(cells.get("opening_hours", "")),
        cuisine=clean(cells.get("cuisine", "")),
        capacity=seats(cells.get("capacity", "")),
    )
