"""Names for learned places, from the offline map.

A place takes the name of what people stay at, a shop or a school, before that of what
they pass, a charging station or a statue; and only where it is as near as the place is
known exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

import msgspec

from trivet.domain import Candidate, Forecast, Place, PlaceRole, PointOfInterest
from trivet.engine.situation import Atlas

#: How far from its point on the map people are who are there: kinds of large grounds,
#: and all others.
LARGE_M, SMALL_M = 90.0, 35.0
#: How far off one visit's centre is; with more visits it is less.
ONE_VISIT_M = 40.0
#: Points of interest looked at around a place.
MOST = 30
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
        self._known: dict[tuple[float, float, int], str] = {}
        #: what the household itself calls places, by their ids
        self.names: Mapping[str, str] = {}

    def place(self, place: Place) -> Place:
        """The place with a name, if it had none and the map has one."""
        ours = self.names.get(place.id)
        if ours:
            return msgspec.structs.replace(place, name=ours)
        if place.name or place.role is not PlaceRole.OTHER:
            return place
        name = self._name(place)
        return msgspec.structs.replace(place, name=name) if name else place

    def places(self, places: Mapping[str, Place]) -> dict[str, Place]:
        """All of the places with names, by id."""
        return {key: self.place(place) for key, place in places.items()}

    def forecast(self, forecast: Forecast, places: Mapping[str, Place]) -> Forecast:
        """The forecast with its candidates named."""
        candidates = tuple(self._candidate(c, places) for c in forecast.candidates)
        return msgspec.structs.replace(forecast, candidates=candidates)

    def _candidate(
        self, candidate: Candidate, places: Mapping[str, Place]
    ) -> Candidate:
        place = places.get(candidate.place)
        if place is None:
            return candidate
        return msgspec.structs.replace(candidate, label=self.place(place).label)

    def _name(self, place: Place) -> str:
        if self._atlas is None or place.lat is None or place.lon is None:
            return ""
        off_m = round(ONE_VISIT_M / sqrt(max(1, place.visits)))
        key = (round(place.lat, 4), round(place.lon, 4), off_m)
        if key not in self._known:
            reach_m = LARGE_M + off_m
            near = self._atlas.near(place.lat, place.lon, reach_m, limit=MOST)
            self._known[key] = _best(near, off_m)
        return self._known[key]


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
