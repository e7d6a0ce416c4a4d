"""Travel: how long the way takes this person, from their own trips.

Trips between the same two places tell best; else trips as long as the way, by how long
they took for each kilometre of the straight line; else a usual pace in a town. An
interval always, and words on what it rests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import tzinfo
from statistics import median

import msgspec

from trivet.domain.clock import hour_of_day
from trivet.domain.forecast import Reason
from trivet.domain.geo import distance_m
from trivet.domain.place import Place, Trip
from trivet.engine.situation import Situation

#: Trips that must speak: between the same places, and of the same length.
LEAST_SAME, LEAST_ALIKE = 3, 5
#: Newest trips that are asked.
MOST = 60
#: Trips at about the same hour are preferred, where there are enough.
SAME_HOUR_H, LEAST_SAME_HOUR = 2.0, 5
#: A way is as long as another from this share of it to its inverse.
ALIKE = 0.6
#: Shorter than this a straight line says nothing of the way.
SHORTEST_M = 300.0
#: Share of ways that take less than the low end, and more than the high end.
TAIL = 0.1
#: Metres driven for each metre of the straight line, where no trip tells.
DETOUR = 1.3
#: A trip that winds more went somewhere else first.
MOST_WINDING = 3.0
#: A pace in a town, metres of straight line a second, and how much it varies.
TOWN_MPS, TOWN_FAST, TOWN_SLOW = 6.0, 0.6, 1.7
#: Longer ways are driven on faster roads.
FAR_M, FAR_MPS = 20_000.0, 18.0
#: To come to the car, and from it to the door.
ENDS_S = 180.0


class Travel(msgspec.Struct, frozen=True):
    """How long a way takes.

    Attributes:
        low_s: seconds that it seldom takes less than.
        median_s: as often less as more.
        high_s: seconds that it seldom takes more than.
        reason: what that rests on.
    """

    low_s: float
    median_s: float
    high_s: float
    reason: Reason

    @property
    def text(self) -> str:
        """The time in minutes: 18 to 25 min."""
        low, high = minutes(self.low_s), minutes(self.high_s)
        return f"{high} min" if low == high else f"{low} to {high} min"


def travel_between(
    situation: Situation, origin: str, destination: str, away_m: float
) -> Travel:
    """How long the person takes from one place to another.

    Args:
        situation: with the trips to learn from.
        origin: id of the place the way begins at, empty when it is none.
        destination: id of the place it leads to, likewise.
        away_m: straight line between the two.
    """
    same = [
        trip
        for trip in reversed(situation.trips)
        if trip.destination == destination and trip.origin == origin
    ][:MOST]
    if origin and destination and len(same) >= LEAST_SAME:
        return _by_same(situation, same)
    alike = _paces(situation.trips, situation.places, away_m)
    if len(alike) >= LEAST_ALIKE and away_m >= SHORTEST_M:
        return _by_length(alike, away_m)
    seconds = town_s(away_m)
    text = f"{far_text(away_m)} in a straight line, at a usual pace"
    return Travel(
        ENDS_S + TOWN_FAST * seconds,
        ENDS_S + seconds,
        ENDS_S + TOWN_SLOW * seconds,
        Reason(text),
    )


def town_s(away_m: float) -> float:
    """Seconds that a way usually takes, from its straight line alone."""
    near_m = min(away_m, FAR_M)
    return near_m / TOWN_MPS + (away_m - near_m) / FAR_MPS


def winding(situation: Situation) -> float:
    """Metres that the person drives for each metre of the straight line."""
    found = [
        trip.distance_m / away_m
        for trip, away_m in _lines(situation.trips, situation.places)
        if away_m >= 2_000.0 and away_m <= trip.distance_m <= MOST_WINDING * away_m
    ]
    return median(found[:MOST]) if len(found) >= LEAST_ALIKE else DETOUR


def quantile(values: Collection[float], share: float) -> float:
    """The value that `share` of the values lie below, rather outside than inside.

    Of few values it is the least or the greatest.
    """
    ordered = sorted(values)
    last = len(ordered) - 1
    at = share * (last + 2) - 1.0
    if at <= 0.0 or at >= last:
        return ordered[0] if at <= 0.0 else ordered[last]
    low, high = ordered[int(at)], ordered[int(at) + 1]
    return min(high, low + (high - low) * (at - int(at)))


def minutes(seconds: float) -> int:
    """Whole minutes, at least one."""
    return max(1, round(seconds / 60))


def far_text(metres: float) -> str:
    """A distance for a person: 650 m, 4.2 km, 120 km."""
    if metres < 995:
        return f"{max(10, round(metres, -1)):.0f} m"
    return f"{metres / 1000:.1f} km" if metres < 19_950 else f"{metres / 1000:.0f} km"


def _by_same(situation: Situation, trips: Sequence[Trip]) -> Travel:
    now = hour_of_day(situation.time, situation.zone)
    near = [trip for trip in trips if _is_near(trip, now, situation.zone)]
    is_hour = len(near) >= LEAST_SAME_HOUR
    asked = near if is_hour else trips
    found = [trip.arrival - trip.departure for trip in asked]
    travel = _interval(found, 1.0)
    when = " at about this hour" if is_hour else ""
    text = f"Your last {len(asked)} trips from here to there{when} took {travel.text}"
    reason = Reason(text, len(asked))
    return msgspec.structs.replace(travel, reason=reason)


def _by_length(paces: Sequence[float], away_m: float) -> Travel:
    travel = _interval(paces, away_m)
    text = (
        f"It is {far_text(away_m)} away; {len(paces)} trips of yours of that length "
        f"would have taken {travel.text}"
    )
    return msgspec.structs.replace(travel, reason=Reason(text, len(paces)))


def _interval(values: Sequence[float], scale: float) -> Travel:
    low, middle, high = (
        scale * quantile(values, share) for share in (TAIL, 0.5, 1.0 - TAIL)
    )
    return Travel(low, middle, high, Reason(""))


def _is_near(trip: Trip, hour: float, zone: tzinfo) -> bool:
    apart = abs(hour_of_day(trip.departure, zone) - hour)
    return min(apart, 24.0 - apart) <= SAME_HOUR_H


def _paces(
    trips: Sequence[Trip], places: Mapping[str, Place], away_m: float
) -> list[float]:
    """Seconds a metre of straight line, of the newest trips of about that length."""
    found = []
    for trip, line_m in _lines(trips, places):
        if ALIKE * away_m <= line_m <= away_m / ALIKE:
            found.append((trip.arrival - trip.departure) / line_m)
            if len(found) == MOST:
                break
    return found


def _lines(
    trips: Sequence[Trip], places: Mapping[str, Place]
) -> Iterator[tuple[Trip, float]]:
    """Trips between places known by their points, newest first, with the line's m."""
    known: dict[tuple[str, str], float] = {}
    for trip in reversed(trips):
        pair = trip.origin, trip.destination
        if pair not in known:
            known[pair] = _line_m(places.get(pair[0]), places.get(pair[1]))
        if known[pair] >= SHORTEST_M and trip.arrival > trip.departure:
            yield trip, known[pair]


def _line_m(one: Place | None, other: Place | None) -> float:
    if one is None or other is None or one.lat is None or other.lat is None:
        return 0.0
    if one.lon is None or other.lon is None:
        return 0.0
    return distance_m(one.lat, one.lon, other.lat, other.lon)
