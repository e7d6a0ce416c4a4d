"""The map in memory: for a simulated town, and the measure for the index on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from trivet.atlas.box import check_limit, check_question
from trivet.atlas.point import SIMULATED_ATTRIBUTION, clean, point_fault, words
from trivet.domain.error import UsageError
from trivet.domain.geo import distance_m
from trivet.domain.place import PointOfInterest


class MemoryAtlas:
    """Points of interest in memory, each question a scan over all of them.

    Immutable, so any number of threads may ask.
    """

    def __init__(
        self,
        points: Iterable[PointOfInterest],
        attribution: str = SIMULATED_ATTRIBUTION,
    ) -> None:
        """Take up `points`; of two with one id the first stays.

        Raises:
            UsageError: a point without name or kind, or with a coordinate off Earth.
        """
        self._points: dict[str, PointOfInterest] = {}
        for point in points:
            fault = point_fault(point)
            if fault:
                raise UsageError(f"not a point of a map: {fault}")
            kept = msgspec.structs.replace(
                point, name=clean(point.name), distance_m=0.0
            )
            self._points.setdefault(point.id, kept)
        self._attribution = attribution

    @property
    def attribution(self) -> str:
        """Whom to name wherever its data is shown."""
        return self._attribution

    @property
    def count(self) -> int:
        """Points held."""
        return len(self._points)

    def kinds(self) -> dict[str, int]:
        """Points held of each kind, most first."""
        counts = Counter(point.kind for point in self._points.values())
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def get(self, id: str) -> PointOfInterest | None:
        """The point with that id, None when there is none."""
        return self._points.get(id)

    def near(
        self,
        lat: float,
        lon: float,
        radius_m: float,
        kinds: Collection[str] = (),
        limit: int = 50,
    ) -> list[PointOfInterest]:
        """Points within `radius_m`, nearest first; no kinds means all.

        Raises:
            UsageError: a coordinate off Earth, a negative radius or limit.
        """
        check_question(lat, lon, radius_m, kinds, limit)
        found = []
        for point in self._points.values():
            if kinds and point.kind not in kinds:
                continue
            away_m = distance_m(lat, lon, point.lat, point.lon)
            if away_m <= radius_m:
                found.append((away_m, point.id, point))
        return [
            msgspec.structs.replace(point, distance_m=away_m)
            for away_m, _, point in sorted(found)[:limit]
        ]

    def search(self, name: str, limit: int = 20) -> list[PointOfInterest]:
        """Points whose names have words that begin with the words of `name`.

        Case and accents do not matter; the shortest names come first.

        Raises:
            UsageError: a negative limit.
        """
        check_limit(limit)
        wanted = words(clean(name))
        if not wanted:
            return []
        found = [
            (len(point.name), point.name, point.id, point)
            for point in self._points.values()
            for known in [words(point.name)]
            if all(any(word.startswith(start) for word in known) for start in wanted)
        ]
        return [point for *_, point in sorted(found)[:limit]]
