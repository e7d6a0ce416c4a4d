"""Names for learned places, from the offline map."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trivet.domain import Candidate, Forecast, Place, PlaceRole
from trivet.engine.situation import Atlas

#: A place takes the name of the nearest point of interest within this distance.
NAMED_WITHIN_M = 90.0


class Namer:
    """Gives places the names that the map has for them.

    Args:
        atlas: the offline map; with none, places keep what they are called.
    """

    def __init__(self, atlas: Atlas | None) -> None:
        self._atlas = atlas
        self._known: dict[tuple[float, float], str] = {}

    def place(self, place: Place) -> Place:
        """The place with a name, if it had none and the map has one."""
        if place.name or place.role is not PlaceRole.OTHER:
            return place
        name = self._name(place.lat, place.lon)
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

    def _name(self, lat: float | None, lon: float | None) -> str:
        if self._atlas is None or lat is None or lon is None:
            return ""
        key = (round(lat, 4), round(lon, 4))
        if key not in self._known:
            near = self._atlas.near(lat, lon, NAMED_WITHIN_M, limit=1)
            self._known[key] = near[0].name if near else ""
        return self._known[key]
