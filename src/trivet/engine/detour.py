"""Detours: what lies near the way ahead, how much longer it makes it, and when.

The way ahead is that of the latest trip between the same two places, from where the
person is now; where there is none, or they drive another way, the straight line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import msgspec

from trivet.domain.forecast import Candidate
from trivet.domain.geo import distance_m
from trivet.domain.place import PointOfInterest
from trivet.engine.situation import Situation
from trivet.engine.travel import DETOUR, minutes, winding
from trivet.engine.whereabouts import position_of

#: Who is further than this from a past trip's way drives another.
OFF_M = 800.0
#: Points of the way at which the map is asked, and found at each.
MOST_ASKED, MOST_FOUND = 12, 20
#: A detour is driven in streets, however fast the road was.
STREET_MPS, WALK_MPS = 12.0, 1.0
#: So little longer is no detour.
SMALL_S = 30.0

Point = tuple[float, float]


class Detour(msgspec.Struct, frozen=True):
    """A thing near the way ahead.

    Attributes:
        point: what it is.
        ahead_m: the way to it from here.
        extra_m: how much longer the way becomes.
        extra_s: the same in seconds of driving; the stop itself is not in it.
        time: event time of getting there.
    """

    point: PointOfInterest
    ahead_m: float
    extra_m: float
    extra_s: float
    time: float

    @property
    def text(self) -> str:
        """How much longer: 4 min detour."""
        if self.extra_s < SMALL_S:
            return "no detour"
        return f"{minutes(self.extra_s)} min detour"


class Way(msgspec.Struct, frozen=True):
    """The way ahead.

    Attributes:
        points: (latitude, longitude) in degrees, from here to the destination.
        factor: metres driven for each metre of the line through the points.
        arrival: event time of getting there.
    """

    points: tuple[Point, ...]
    factor: float
    arrival: float

    @property
    def length_m(self) -> float:
        """Metres left to drive."""
        return self.factor * sum(distance_m(*a, *b) for a, b in pairwise(self.points))


def way_to(situation: Situation, candidate: Candidate) -> Way | None:
    """The way ahead to one destination of the forecast, None when not known."""
    here, forecast = position_of(situation), situation.forecast
    if here is None or forecast is None:
        return None
    arrival = candidate.arrival or forecast.arrival
    if arrival is None or candidate.lat is None or candidate.lon is None:
        return None
    end = candidate.lat, candidate.lon
    median = max(arrival.median, situation.time + 60.0)
    traced = _trace(situation, forecast.origin, candidate.place, here)
    if traced:
        return Way((here, *traced, end), 1.0, median)
    return Way((here, end), winding(situation), median)


def detours(
    situation: Situation, way: Way, kinds: Collection[str], most_m: float
) -> list[Detour]:
    """Things of those kinds whose detour is at most `most_m`, the smallest first."""
    atlas = situation.atlas
    if atlas is None:
        return []
    found: dict[str, PointOfInterest] = {}
    for lat, lon in _asked(way, most_m):
        for point in atlas.near(lat, lon, most_m, kinds, MOST_FOUND):
            found.setdefault(point.id, point)
    made = [_detour(situation, way, point) for point in found.values()]
    near = [detour for detour in made if detour.extra_m <= most_m]
    return sorted(near, key=lambda detour: (detour.extra_m, detour.point.id))


def _detour(situation: Situation, way: Way, point: PointOfInterest) -> Detour:
    at = point.lat, point.lon
    driven = best_m = best_ahead = 0.0
    for number, (a, b) in enumerate(pairwise(way.points)):
        step = distance_m(*a, *b)
        there, back = distance_m(*a, *at), distance_m(*at, *b)
        extra = max(0.0, there + back - step)
        if number == 0 or extra < best_m:
            best_m, best_ahead = extra, driven + there
        driven += step
    # what is off the way is reached by streets, whatever the way itself is
    extra_m, ahead_m = DETOUR * best_m, way.factor * best_ahead
    speed = way.length_m / (way.arrival - situation.time)
    street = min(STREET_MPS, max(WALK_MPS, speed))
    time = situation.time + ahead_m / max(WALK_MPS, speed)
    return Detour(point, ahead_m, extra_m, extra_m / street, time)


def _asked(way: Way, radius_m: float) -> list[Point]:
    """Points of the way about `radius_m` apart, so that circles about them cover it."""
    step_m = max(radius_m, way.length_m / way.factor / MOST_ASKED)
    asked, since = [way.points[0]], 0.0
    for a, b in pairwise(way.points):
        length = distance_m(*a, *b)
        at = step_m - since
        while at <= length and length > 0.0:
            share = at / length
            asked.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
            at += step_m
        since = length - (at - step_m)
    return [*asked, way.points[-1]]


def _trace(
    situation: Situation, origin: str, destination: str, here: Point
) -> Sequence[Point]:
    """What is left of the latest such trip's way, empty when it leads elsewhere."""
    for trip in reversed(situation.trips):
        if (trip.origin, trip.destination) != (origin, destination) or not destination:
            continue
        if len(trip.trace) < 2:
            continue
        line = [(point.lat, point.lon) for point in trip.trace]
        away = [distance_m(*here, *point) for point in line]
        nearest = away.index(min(away))
        return line[nearest + 1 :] if away[nearest] <= OFF_M else ()
    return ()
