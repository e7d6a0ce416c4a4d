"""Surroundings: what of the map may be new to a person, around where they are.

The map is asked by cells of a fixed grid and quarters of an hour, so that what is found
at a moment does not hang on when was asked before; and never for more than so many
things, so that a city costs no more than a town.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import cos, floor, inf, isfinite, radians
from typing import NamedTuple

import numpy as np

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay
from trivet.engine.appeal import DRAW, STRONG, appeal
from trivet.engine.plane import away_m, plane_m
from trivet.engine.route import Floats
from trivet.engine.situation import Atlas
from trivet.engine.visit import SAME_M

#: Things of all kinds are looked for so far, and at most so many, from each cell.
REACH_M, MOST, CELL_M = 6000.0, 60, 500.0
#: Likewise those that draw people from far.
FAR_M, MOST_FAR, FAR_CELL_M = 12_000.0, 30, 2500.0
#: What is this near to a place is that place: `Settings.place_radius_m`.
KNOWN_M = 200.0
_KINDS = tuple(DRAW)
#: So many cells are remembered: those of the ways that a person goes each day.
_CELLS = 64
#: Of a long life the last so many stays and places tell how far the person goes, and
#: what they like.
_MOST_STAYS, _MOST_PLACES = 1000, 40
#: Time on the way to somewhere new, before anything is known, as if seen so often.
_USUAL_S, _SEEN = 900.0, 5


class Surroundings(NamedTuple):
    """Things on the map where the person never stayed, and how much each draws them.

    Attributes:
        points: by distance.
        lat: latitude of each in degrees.
        lon: longitude likewise.
        appeal: of each.
        centre_lat: latitude in degrees of where was asked.
        centre_lon: longitude likewise.
        reach_m: up to there everything is known, but for a limit.
    """

    points: tuple[PointOfInterest, ...]
    lat: Floats
    lon: Floats
    appeal: Floats
    centre_lat: float
    centre_lon: float
    reach_m: float


def cell(lat: float, lon: float, side_m: float = CELL_M) -> tuple[float, float]:
    """The middle of the grid's cell that holds a position, in degrees."""
    step = side_m / DEGREE_M
    middle = min(90.0, max(-90.0, (floor(lat / step) + 0.5) * step))
    wide = step / max(0.01, cos(radians(middle)))
    return middle, min(180.0, max(-180.0, (floor(lon / wide) + 0.5) * wide))


class Cells:
    """What the map has around cells, asked once each as long as it is remembered.

    Args:
        atlas: the map.
    """

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._known: dict[tuple[float, float, float], list[PointOfInterest]] = {}

    def near(self, lat: float, lon: float) -> list[PointOfInterest]:
        """Things of all kinds around the middle of a cell of CELL_M, in degrees."""
        return self._ask((lat, lon, REACH_M), _KINDS, MOST)

    def far(self, lat: float, lon: float) -> list[PointOfInterest]:
        """What draws people from far, around the middle of a cell of FAR_CELL_M."""
        return self._ask((lat, lon, FAR_M), STRONG, MOST_FAR)

    def _ask(
        self, where: tuple[float, float, float], kinds: Collection[str], most: int
    ) -> list[PointOfInterest]:
        if where not in self._known:
            self._known[where] = self._atlas.near(*where, kinds, most)[:most]
            if len(self._known) > _CELLS:
                self._known.pop(next(iter(self._known)))
        return self._known[where]


def look(
    cells: Cells,
    lat: float,
    lon: float,
    moment: datetime,
    places: Iterable[Place],
    tastes: Mapping[str, int],
) -> Surroundings:
    """What is around a position in degrees, by its cell, and worth at a local time.

    Args:
        cells: of the map.
        lat: latitude in degrees.
        lon: longitude likewise.
        moment: local time of coming.
        places: at which the person stayed.
        tastes: at how many places of each kind.
    """
    far = cells.far(*cell(lat, lon, FAR_CELL_M))
    lat, lon = cell(lat, lon)
    near = cells.near(lat, lon)
    found = {p.id: p for p in [*near, *far] if _is_sound(p)}
    points = tuple(found.values())
    lats, lons = np.array([p.lat for p in points]), np.array([p.lon for p in points])
    reach_m = REACH_M
    if len(near) >= MOST and points:
        told = np.array([p.lat for p in near if p.id in found])
        tolds = np.array([p.lon for p in near if p.id in found])
        reach_m = float(away_m(lat, lon, told, tolds).max(initial=CELL_M))
    draws = np.array([appeal(point, moment, tastes) for point in points])
    fresh = (draws > 0.0) & _is_new(lat, lon, lats, lons, places)
    kept = np.flatnonzero(fresh)
    return Surroundings(
        tuple(points[number] for number in kept),
        lats[kept],
        lons[kept],
        draws[kept],
        lat,
        lon,
        reach_m,
    )


def usual_s(stays: Sequence[Stay], places: Mapping[str, Place]) -> float:
    """How long the person is on the way to somewhere new: the median, in seconds."""
    recent = stays[-_MOST_STAYS:]
    count: dict[str, int] = {}
    for stay in recent:
        count[stay.place] = count.get(stay.place, 0) + 1
    times, seen = [_USUAL_S] * _SEEN, set[str]()
    for before, after in pairwise(recent):
        first, place = after.place not in seen, places.get(after.place)
        seen.add(after.place)
        way_s = after.arrival - before.departure
        if first and place and place.visits <= count[after.place] and way_s > 0.0:
            times.append(way_s)
    return float(np.median(times))


class Taste:
    """At how many places of each kind the person stayed, by the map."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._kinds: dict[tuple[float, float], str] = {}

    def of(self, stays: Sequence[Stay], places: Mapping[str, Place]) -> dict[str, int]:
        """The kinds of the places stayed at last, home and work left out."""
        recent: dict[str, None] = {}
        for stay in reversed(stays[-_MOST_STAYS:]):
            recent.setdefault(stay.place)
            if len(recent) >= _MOST_PLACES:
                break
        counts: dict[str, int] = {}
        for name in recent:
            place = places.get(name)
            if place is None or place.role is not PlaceRole.OTHER:
                continue
            kind = self._kind(place)
            if kind:
                counts[kind] = counts.get(kind, 0) + 1
        return counts

    def _kind(self, place: Place) -> str:
        if place.lat is None or place.lon is None:
            return ""
        key = (round(place.lat, 4), round(place.lon, 4))
        if key not in self._kinds:
            near = self._atlas.near(place.lat, place.lon, SAME_M, limit=1)
            self._kinds[key] = near[0].kind if near else ""
        return self._kinds[key]


def _is_sound(point: PointOfInterest) -> bool:
    """Whether a point is on Earth and can be told of."""
    on_earth = isfinite(point.lat) and isfinite(point.lon)
    return on_earth and abs(point.lat) <= 90.0 and abs(point.lon) <= 180.0


def _is_new(
    lat: float, lon: float, lats: Floats, lons: Floats, places: Iterable[Place]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which points are at no place stayed at before."""
    known = [(p.lat, p.lon) for p in places if p.lat is not None and p.lon is not None]
    spots = np.array(known, dtype=float).reshape(-1, 2)
    east, north = plane_m(lat, lon, lats, lons)
    spot_east, spot_north = plane_m(lat, lon, spots[:, 0], spots[:, 1])
    apart = (east[:, None] - spot_east) ** 2 + (north[:, None] - spot_north) ** 2
    return np.asarray(apart.min(axis=1, initial=inf) > KNOWN_M**2)
