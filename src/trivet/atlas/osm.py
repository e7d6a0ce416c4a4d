"""Named places out of an OpenStreetMap extract, through osmium.

Source: OpenStreetMap wiki, "PBF Format" and "OSM XML"; P. Bourke, "Calculating the
area and centroid of a polygon" (1988).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivet.atlas.kind import KEYS, kind_of
from trivet.atlas.point import Skip, clean, coordinate_fault, seats
from trivet.domain.error import InputError, SetupError
from trivet.domain.place import PointOfInterest

if TYPE_CHECKING:
    from osmium import FileProcessor

#: Names of files that osmium reads.
SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")

Ring = Sequence[tuple[float, float]]


class OsmFile:
    """An extract: its date, and a way through its places.

    A PBF file has no end mark: cut exactly between two of its blocks it reads as a
    smaller extract. Any other cut is an error.
    """

    def __init__(self, path: Path) -> None:
        """Open the extract at `path`.

        Raises:
            SetupError: osmium is not installed.
            InputError: not the head of an OpenStreetMap file.
        """
        try:
            import osmium
        except ImportError as error:
            raise SetupError(
                "reading an OpenStreetMap extract needs osmium",
                hint="pip install 'trivet[map]'",
            ) from error
        self._path = path
        self._faults = (RuntimeError, ValueError, osmium.InvalidLocationError)
        try:
            self._file: FileProcessor = (
                osmium.FileProcessor(str(path))
                .with_areas(osmium.filter.KeyFilter(*KEYS))
                .with_filter(osmium.filter.KeyFilter(*KEYS))
            )
            self._date = self._file.header.get("osmosis_replication_timestamp")
        except self._faults as error:
            raise self._unreadable(error) from error

    @property
    def time(self) -> float | None:
        """Event time up to which its data reaches, None when it does not say."""
        try:
            moment = datetime.fromisoformat(self._date)
        except ValueError:
            return None
        # without a zone it would be read in this machine's own
        return moment.timestamp() if moment.tzinfo else None

    def places(self) -> Iterator[PointOfInterest | Skip]:
        """Every place that has a name and a kind, and what became none.

        An area stands at the centroid of its largest outline.

        Raises:
            InputError: the file is cut off or damaged.
        """
        unclosed: dict[str, None] = {}
        for entity in self._entities():
            if entity.deleted or not (kind := kind_of(entity.tags)):
                continue
            id = _id(entity)
            name = clean(entity.tags.get("name", ""))
            if not name:
                # a closed way comes once more, as an area
                if not entity.is_area():
                    yield Skip("no name", id)
            elif entity.is_node():
                yield _place(id, name, kind, entity.tags, _location(entity))
            elif entity.is_area():
                unclosed.pop(id, None)
                rings = [
                    [(node.lat, node.lon) for node in ring]
                    for ring in entity.outer_rings()
                ]
                yield _place(id, name, kind, entity.tags, centroid(rings))
            else:
                unclosed[id] = None
        for id in unclosed:
            yield Skip("not a whole area", id)

    def _entities(self) -> Iterator[Any]:
        entities = iter(self._file)
        while True:
            try:
                entity = next(entities)
            except StopIteration:
                return
            except self._faults as error:
                raise self._unreadable(error) from error
            yield entity

    def _unreadable(self, error: Exception) -> InputError:
        said = str(error)
        line = re.search(r"\bline (\d+)", said)
        return InputError(
            f"not a whole OpenStreetMap file: {said}",
            path=str(self._path),
            line=int(line[1]) if line else 0,
            hint="download it again; .osm.pbf and .osm are read",
        )


def centroid(rings: Sequence[Ring]) -> tuple[float, float]:
    """Latitude and longitude in the middle of the largest ring, in degrees.

    Args:
        rings: closed outlines, each a sequence of latitude and longitude.
    """
    sized = [_weigh(ring) for ring in rings if ring]
    if not sized:
        return float("nan"), float("nan")
    _, lat, lon = max(sized)
    return lat, (lon + 180.0) % 360.0 - 180.0


def _weigh(ring: Ring) -> tuple[float, float, float]:
    """A ring's area in square degrees of latitude, and its centroid."""
    lat0, lon0 = ring[0]
    shrink = cos(radians(lat0))
    # offsets from the first node keep the digits, and cross the antimeridian
    plane = [
        (((lon - lon0 + 180.0) % 360.0 - 180.0) * shrink, lat - lat0)
        for lat, lon in ring
    ]
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in pairwise(plane):
        cross = x1 * y2 - x2 * y1
        area += cross / 2
        x += (x1 + x2) * cross / 6
        y += (y1 + y2) * cross / 6
    if abs(area) < 1e-14:
        x, y = (sum(values) / len(plane) for values in zip(*plane, strict=True))
        area, x, y = 0.0, x, y
    else:
        x, y = x / area, y / area
    return abs(area), lat0 + y, lon0 + x / max(shrink, 1e-9)


def _id(entity: Any) -> str:
    if entity.is_area():
        return f"{'way' if entity.from_way() else 'relation'}/{entity.orig_id()}"
    kind = "node" if entity.is_node() else "way" if entity.is_way() else "relation"
    return f"{kind}/{entity.id}"


def _location(node: Any) -> tuple[float, float]:
    if not node.location.valid():
        return float("nan"), float("nan")
    return node.location.lat, node.location.lon


def _place(
    id: str, name: str, kind: str, tags: Any, where: tuple[float, float]
) -> PointOfInterest | Skip:
    if coordinate_fault(*where):
        return Skip("bad coordinate", id)
    return PointOfInterest(
        id=id,
        name=name,
        kind=clean(kind),
        lat=where[0],
        lon=where[1],
        opening_hours=clean(tags.get("opening_hours", "")),
        cuisine=clean(tags.get("cuisine", "")),
        capacity=seats(tags.get("capacity", "")),
    )
