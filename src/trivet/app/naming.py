"""Names for learned places, from the offline map.

A place takes the name of what people stay at, a shop or a school, before that of what
they pass, a charging station or a statue; and only where it is as near as the place is
known exactly. Where nothing is so near, it is told by what is near enough to find it,
by the way from home, or by the day on which it was first seen: nobody knows a place by
its id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from math import sqrt
from typing import TypeAlias

import msgspec

from trivet.domain import (
    Candidate,
    Forecast,
    Place,
    PlaceRole,
    PointOfInterest,
    Stay,
)
from trivet.domain.clock import local
from trivet.domain.geo import bearing_deg, distance_m
from trivet.engine.situation import Atlas
from trivet.engine.travel import far_text

#: Latitude and longitude in degrees.
Point: TypeAlias = tuple[float, float]

#: How far from its point on the map people are who are there: kinds of large grounds,
#: and all others.
LARGE_M, SMALL_M = 90.0, 35.0
#: How far off one visit's centre is; with more visits it is less.
ONE_VISIT_M = 40.0
#: What is no further away tells a person which place is meant.
NEAR_M = 400.0
#: Points of interest looked at around a place.
MOST = 30
_WINDS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)
#: From here on texts of distances are of whole kilometres.
_FAR_M = 10_000.0
_ID = re.compile(r"\bp\d+\b")
_LARGE = frozenset(
    """aerodrome amusement_arcade beach_resort camp_site college department_store
    doityourself exhibition_centre furniture garden_centre golf_course hospital mall
    marina marketplace museum nature_reserve park school sports_centre stadium station
    supermarket terminal theme_park university water_park wholesale zoo""".split()
)
#: What people stop at or walk by, though it may have a name.
PASSED = frozenset(
    """artwork atm attraction bbq bicycle_parking bicycle_rental bicycle_repair_station
    car_sharing charging_station compressed_air drinking_water ferry_terminal fountain
    fuel grave_yard halt information letter_box memorial monument motorcycle_parking
    outdoor_seating parcel_locker parking photo_booth playground public_bookcase
    sanitary_dump_station taxi ticket_validator toilets trolley_bay viewpoint
    water_point watering_place""".split()
)


class Namer:
    """Gives places the names that the map has for them.

    Args:
        atlas: the offline map; with none, places keep what they are called.
    """

    def __init__(self, atlas: Atlas | None) -> None:
        self._atlas = atlas
        self._known: dict[tuple[float, float, float], str] = {}
        self._ways: dict[tuple[float, float, float, float], str] = {}
        #: gives where home is, in degrees
        self.home: Callable[[], Point | None] = _nowhere
        #: gives the day on which a place was first seen, by its id; empty if not known
        self.first_seen: Callable[[str], str] = _unknown

    def forget(self) -> None:
        """Days were forgotten, or places put right: keep no position of before."""
        self._known.clear()
        self._ways.clear()

    def place(self, place: Place) -> Place:
        """The place with a name, if it had none and the map has one."""
        return self._named(place, self.home())

    def places(self, places: Mapping[str, Place]) -> dict[str, Place]:
        """All of the places with names, by id."""
        home = self.home()
        return {key: self._named(place, home) for key, place in places.items()}

    def forecast(self, forecast: Forecast, places: Mapping[str, Place]) -> Forecast:
        """The forecast with its candidates named, in the reasons as well."""
        candidates = tuple(self._candidate(c, places) for c in forecast.candidates)
        return msgspec.structs.replace(forecast, candidates=candidates)

    def text(self, text: str, places: Mapping[str, Place]) -> str:
        """A text with the names of places instead of their ids."""

        def name(found: re.Match[str]) -> str:
            place = places.get(found[0])
            return found[0] if place is None else self.place(place).label

        return _ID.sub(name, text)

    def _candidate(
        self, candidate: Candidate, places: Mapping[str, Place]
    ) -> Candidate:
        place = places.get(candidate.place)
        if place is None:
            return candidate
        reasons = tuple(
            msgspec.structs.replace(reason, text=self.text(reason.text, places)[:500])
            for reason in candidate.reasons
        )
        label = self.place(place).label
        return msgspec.structs.replace(candidate, label=label, reasons=reasons)

    def _named(self, place: Place, home: Point | None) -> Place:
        if place.name or place.role is not PlaceRole.OTHER:
            return place
        name = self._name(place) or self._told(place, home)
        return msgspec.structs.replace(place, name=name) if name else place

    def _told(self, place: Place, home: Point | None) -> str:
        """What tells a person which one it is, where the map has no name for it."""
        if place.lat is not None and place.lon is not None:
            at = round(place.lat, 4), round(place.lon, 4)
            near = self._near(*at)
            if near:
                return f"a place near {near}"
            if home is not None:
                ends = (*at, round(home[0], 4), round(home[1], 4))
                if ends not in self._ways:
                    self._ways[ends] = _from_home(*ends)
                return self._ways[ends]
        day = self.first_seen(place.id)
        return f"an unnamed place ({day})" if day else ""

    def _near(self, lat: float, lon: float) -> str:
        key = (lat, lon, -1.0)
        if key not in self._known:
            near = []
            if self._atlas is not None:
                near = self._atlas.near(lat, lon, NEAR_M, limit=MOST)
            self._known[key] = _nearest(near)
        return self._known[key]

    def _name(self, place: Place) -> str:
        if self._atlas is None or place.lat is None or place.lon is None:
            return ""
        off_m = float(round(ONE_VISIT_M / sqrt(max(1, place.visits))))
        key = (round(place.lat, 4), round(place.lon, 4), off_m)
        if key not in self._known:
            reach_m = LARGE_M + off_m
            near = self._atlas.near(place.lat, place.lon, reach_m, limit=MOST)
            self._known[key] = _best(near, off_m)
        return self._known[key]


class Firsts:
    """On which day each place was first seen, in words: 11 Jan.

    Args:
        stays: gives the stays that are remembered, oldest first.
        zone: gives the local time zone.
    """

    def __init__(
        self, stays: Callable[[], Sequence[Stay]], zone: Callable[[], tzinfo]
    ) -> None:
        self._stays, self._zone = stays, zone
        self._known: dict[str, float] = {}

    def __call__(self, place: str) -> str:
        """The day; empty of a place with no stay that is remembered."""
        if place not in self._known:
            for stay in self._stays():
                self._known.setdefault(stay.place, stay.arrival)
        if place not in self._known:
            return ""
        there = local(self._known[place], self._zone())
        return f"{there.day} {there:%b}"

    def clear(self) -> None:
        """Stays were forgotten, or places joined: look again."""
        self._known.clear()


def _from_home(lat: float, lon: float, home_lat: float, home_lon: float) -> str:
    """Where a point lies, told from home; both in degrees."""
    away_m = distance_m(home_lat, home_lon, lat, lon)
    course = bearing_deg(home_lat, home_lon, lat, lon)
    wind = _WINDS[round(course / 45.0) % len(_WINDS)]
    # to 100 m: another may be near
    far = f"{away_m / 1000:.1f} km" if away_m > _FAR_M else far_text(away_m)
    return f"a place {far} {wind} of home"


def _nearest(near: list[PointOfInterest]) -> str:
    """The name of what is nearest, what people stay at before what they pass."""
    ranked = sorted(
        (point.kind in PASSED, point.distance_m, point.name)
        for point in near
        if point.name
    )
    return ranked[0][2] if ranked else ""


def home_position(places: Mapping[str, Place]) -> Point | None:
    """Where the most visited home is, in degrees; None if none was found."""
    found = [place for place in places.values() if place.role is PlaceRole.HOME]
    home = max(found, key=lambda place: place.visits, default=None)
    if home is None or home.lat is None or home.lon is None:
        return None
    return home.lat, home.lon


def _unknown(place: str) -> str:
    return ""


def _nowhere() -> Point | None:
    return None


def _best(near: list[PointOfInterest], off_m: float) -> str:
    """The name that fits best, empty when none is near enough."""
    ranked = sorted(
        (point.kind in PASSED, point.distance_m / _reach_m(point, off_m), point.name)
        for point in near
        if point.name
    )
    return next((name for _, share, name in ranked if share <= 1.0), "")


def _reach_m(point: PointOfInterest, off_m: float) -> float:
    return off_m + (LARGE_M if point.kind in _LARGE else SMALL_M)
