"""Rivals of the open world: what somebody with a map and no model would name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import TypeAlias

from trivet.domain import Place, PointOfInterest
from trivet.domain.clock import local
from trivet.domain.geo import bearing_deg, distance_m
from trivet.engine.appeal import DRAW, appeal
from trivet.engine.heading import Way, way_of
from trivet.engine.open_world import TOGETHER_M
from trivet.engine.situation import Atlas
from trivet.engine.surroundings import KNOWN_M
from trivet.engine.trip import RunningTrip

#: Latitude and longitude in degrees.
Spot: TypeAlias = tuple[float, float]
CLOSE_M = 250.0
NEAREST, AHEAD, KIND = "nearest", "nearest ahead", "nearest of the likeliest kind"
NAMES = ("trivet", NEAREST, AHEAD, KIND)
_NAMED = 3
_AHEAD_DEG = 60.0
_REACH_M, _MOST = 100_000.0, 2000


class Guesser:
    """Names three things each, from the same positions and map as trivet has.

    Args:
        atlas: the map.
        zone: the local time zone.
    """

    def __init__(self, atlas: Atlas, zone: tzinfo) -> None:
        self._atlas, self._zone = atlas, zone

    def guess(
        self, trip: RunningTrip, places: Mapping[str, Place], arrival: float
    ) -> dict[str, list[Spot]]:
        """First three of each rival; `arrival` is event time."""
        way = way_of(trip)
        if way is None:
            return {}
        near = self._atlas.near(way.lat, way.lon, _REACH_M, tuple(DRAW), _MOST)
        fresh = [point for point in near if not _is_known(point, places.values())]
        moment = local(arrival, self._zone)
        draws = {point.kind: appeal(_bare(point), moment, {}) for point in fresh}
        likeliest = max(draws, key=lambda kind: (draws[kind], kind), default="")
        return {
            NEAREST: _first(fresh),
            AHEAD: _first([point for point in fresh if _is_ahead(way, point)]),
            KIND: _first([point for point in fresh if point.kind == likeliest]),
        }


def _bare(point: PointOfInterest) -> PointOfInterest:
    return PointOfInterest("", "", point.kind, 0.0, 0.0)


def _is_known(point: PointOfInterest, places: Iterable[Place]) -> bool:
    return any(
        distance_m(point.lat, point.lon, place.lat, place.lon) <= KNOWN_M
        for place in places
        if place.lat is not None and place.lon is not None
    )


def _is_ahead(way: Way, point: PointOfInterest) -> bool:
    course = bearing_deg(way.back.lat, way.back.lon, way.lat, way.lon)
    there = bearing_deg(way.lat, way.lon, point.lat, point.lon)
    return abs((there - course + 180.0) % 360.0 - 180.0) <= _AHEAD_DEG


def _first(points: Sequence[PointOfInterest]) -> list[Spot]:
    """The first three that do not stand together."""
    found: list[Spot] = []
    for point in points:
        spot = (point.lat, point.lon)
        if all(distance_m(*spot, *other) > TOGETHER_M for other in found):
            found.append(spot)
        if len(found) == _NAMED:
            break
    return found
