"""Venue: where on Earth an appointment is.

What the person's own history calls so comes first: the gym that they go to is that gym.
Then the calendar's own point, then the map, and only where the map has one of that name
within reach: of two branches nobody knows which is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from trivet.domain.appointment import Appointment
from trivet.domain.geo import distance_m
from trivet.domain.place import Place, PlaceRole
from trivet.engine.situation import Situation
from trivet.engine.whereabouts import position_of

#: A point this near a learned place is that place.
SAME_M = 150.0
#: Names on the map further than this from home and from here are others.
REACH_M = 60_000.0
#: Two of one name no further apart than this are one thing mapped twice.
TWICE_M = 200.0
_LINK = re.compile(r"https?:|www\.|\w@\w|^\+?[\d ()/-]{6,}$", re.IGNORECASE)
_PARTS = re.compile(r"[,;/\n(|]| - ")
_LEAST = 3


class Venue(msgspec.Struct, frozen=True):
    """Where it is.

    Attributes:
        lat: latitude in degrees.
        lon: longitude in degrees.
        place: id of the learned place that it is, empty when none.
        label: what to call it.
    """

    lat: float
    lon: float
    place: str
    label: str


def venue_of(situation: Situation, appointment: Appointment) -> Venue | None:
    """Where an appointment is, None when nothing tells, or it is a call."""
    names = tuple(_names(appointment.location))
    for place in _ranked(situation):
        own = {place.name.casefold(), place.label.casefold()} - {""}
        if place.lat is not None and place.lon is not None and own & set(names):
            return Venue(place.lat, place.lon, place.id, place.label)
    if appointment.lat is not None and appointment.lon is not None:
        label = appointment.location[:80] or appointment.title
        return _at(situation, appointment.lat, appointment.lon, label)
    return _on_map(situation, names)


def _names(location: str) -> Iterator[str]:
    """What of a location may be a name: all of it, then its parts; links never."""
    if _LINK.search(location):
        return
    for part in (location, *_PARTS.split(location)[:4]):
        name = " ".join(part.casefold().split())
        if len(name) >= _LEAST and not name.isdigit():
            yield name


def _ranked(situation: Situation) -> list[Place]:
    return sorted(situation.places.values(), key=lambda place: -place.visits)


def _at(situation: Situation, lat: float, lon: float, label: str) -> Venue:
    for place in _ranked(situation):
        if place.lat is None or place.lon is None:
            continue
        if distance_m(lat, lon, place.lat, place.lon) <= max(SAME_M, place.radius_m):
            return Venue(place.lat, place.lon, place.id, label or place.label)
    return Venue(lat, lon, "", label)


def _on_map(situation: Situation, names: tuple[str, ...]) -> Venue | None:
    atlas, centres = situation.atlas, list(_centres(situation))
    if atlas is None or not centres:
        return None
    for name in names:
        found = [
            point
            for point in atlas.search(name)
            if " ".join(point.name.casefold().split()) == name
            and min(distance_m(*c, point.lat, point.lon) for c in centres) <= REACH_M
        ]
        apart = [distance_m(found[0].lat, found[0].lon, p.lat, p.lon) for p in found]
        if found and max(apart) <= TWICE_M:
            return _at(situation, found[0].lat, found[0].lon, found[0].name)
    return None


def _centres(situation: Situation) -> Iterator[tuple[float, float]]:
    home, here = situation.place_of(PlaceRole.HOME), position_of(situation)
    if home is not None and home.lat is not None and home.lon is not None:
        yield home.lat, home.lon
    if here is not None:
        yield here
