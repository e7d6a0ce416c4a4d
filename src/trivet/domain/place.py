"""Places: where a person stays, and what the map says is there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.sample import EventTime


class PlaceRole(StrEnum):
    """What a place is to a person; found from the hours spent there."""

    HOME = "home"
    WORK = "work"
    OTHER = "other"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somewhere a person has stayed, or a region that a device names.

    Attributes:
        id: stable within one person's history.
        lat: latitude of its centre in degrees, None for a region known by name only.
        lon: longitude likewise.
        radius_m: positions within it count as being there.
        role: home, work or other.
        name: what the person or the map calls it, else empty.
        visits: how often the person has stayed there.
    """

    id: str
    lat: float | None = None
    lon: float | None = None
    radius_m: float = 100.0
    role: PlaceRole = PlaceRole.OTHER
    name: str = ""
    visits: int = 0

    @property
    def label(self) -> str:
        """What to call it in a sentence."""
        if self.name:
            return self.name
        return self.id if self.role is PlaceRole.OTHER else self.role.value


class Stay(msgspec.Struct, frozen=True):
    """A time spent at one place.

    Attributes:
        place: the place's id.
        arrival: event time of coming.
        departure: event time of leaving; equal to the last sample seen while it lasts.
    """

    place: str
    arrival: EventTime
    departure: EventTime


class TracePoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One point of a trip's trace: event time, latitude, longitude in degrees."""

    time: float
    lat: float
    lon: float


class Trip(msgspec.Struct, frozen=True, omit_defaults=True):
    """A way from one place to another.

    Attributes:
        origin: id of the place it began at, empty when unknown.
        destination: id of the place it ended at.
        departure: event time at which it began.
        arrival: event time at which it ended.
        distance_m: length driven.
        trace: thinned positions, empty when there were none.
    """

    origin: str
    destination: str
    departure: EventTime
    arrival: EventTime
    distance_m: float = 0.0
    trace: tuple[TracePoint, ...] = ()


class PointOfInterest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named thing on the map, with OpenStreetMap's words.

    Source: OpenStreetMap wiki, keys `amenity`, `shop`, `leisure`, `opening_hours`.

    Attributes:
        id: `node/123`, `way/45`, or the source's own id.
        name: as signposted.
        kind: the tag's value: restaurant, cafe, fast_food, supermarket, mall, ...
        lat: latitude in degrees.
        lon: longitude in degrees.
        opening_hours: OpenStreetMap's opening_hours text, empty when not known.
        cuisine: OpenStreetMap's cuisine text, empty when not known.
        capacity: seats, 0 when not known.
        distance_m: from the point that was asked about, 0 when none was.
    """

    id: str
    name: str
    kind: str
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    opening_hours: str = ""
    cuisine: str = ""
    capacity: int = 0
    distance_m: float = 0.0
