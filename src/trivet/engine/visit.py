"""Visits: where the person ate and shopped before, and how long the wait there is.

The wait is a prior curve, by kind of place and hour of the week, scaled by capacity
and updated by the person's own stays: a stay longer than usual was spent waiting. The
curves are this project's own reading of how such places fill, not measurements: they
rank places and hours, and give way to a handful of own visits.

Source: S. Halfin and W. Whitt, "Heavy-Traffic Limits for Queues with Many
Exponential Servers", Operations Research 29 (1981): at equal load the wait falls with
the square root of the number of servers, here of seats.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from math import exp, sqrt
from statistics import median
from typing import NamedTuple

import msgspec

from trivet.domain.clock import local
from trivet.domain.place import PlaceRole, PointOfInterest
from trivet.engine.situation import Situation

#: Stays that can have been a visit: not a stop at a red light, not a night.
SHORTEST_S = 10 * 60.0
LONGEST_S = 4 * 3600.0
#: How far back visits are looked for.
HISTORY_S = 180 * 86400.0
#: A place belongs to the nearest thing on the map, if that is this near.
SAME_M = 60.0
#: Visits this close to an hour of the day tell of that hour.
AROUND_H = 1.5
#: The prior weighs as much as so many own visits.
PRIOR_VISITS = 3
#: No single stay is taken for a longer wait than this.
MOST_WAIT_MIN = 60.0
#: Seats that the curves are drawn for.
USUAL_SEATS = 40


class _Curve(NamedTuple):
    """How a kind of place fills.

    Attributes:
        wait_min: wait at the fullest hour of the week, in minutes.
        stay_min: usual stay without waiting, in minutes.
        peaks: hour of day, width in hours, and height of each busy time.
        days: factor of each weekday, Monday first.
    """

    wait_min: float
    stay_min: float
    peaks: tuple[tuple[float, float, float], ...]
    days: tuple[float, ...]


_MEALS = ((12.75, 0.9, 0.8), (19.25, 1.3, 1.0))
_COFFEE = ((10.0, 1.5, 0.8), (12.75, 1.0, 0.8), (15.5, 1.5, 1.0))
_EVENING = ((20.0, 1.5, 0.8), (22.5, 2.0, 1.0))
_SHOPPING = ((11.0, 2.0, 0.7), (17.5, 1.8, 1.0))
_GOING_OUT = (0.65, 0.65, 0.7, 0.8, 1.0, 1.0, 0.8)
_ANY_DAY = (0.85, 0.8, 0.8, 0.85, 1.0, 1.0, 0.85)
_CURVES = {
    "restaurant": _Curve(20.0, 60.0, _MEALS, _GOING_OUT),
    "fast_food": _Curve(8.0, 20.0, _MEALS, _ANY_DAY),
    "food_court": _Curve(6.0, 30.0, _MEALS, _ANY_DAY),
    "cafe": _Curve(6.0, 35.0, _COFFEE, _ANY_DAY),
    "bar": _Curve(8.0, 90.0, _EVENING, _GOING_OUT),
    "pub": _Curve(8.0, 75.0, _EVENING, _GOING_OUT),
    "supermarket": _Curve(6.0, 25.0, _SHOPPING, _ANY_DAY),
}
_OTHER = _Curve(6.0, 40.0, _SHOPPING, _ANY_DAY)


class Visit(msgspec.Struct, frozen=True):
    """One stay of the person at a thing on the map.

    Attributes:
        point: id of the point of interest.
        arrival: local time of coming.
        minutes: length of the stay.
    """

    point: str
    arrival: datetime
    minutes: float


class Wait(msgspec.Struct, frozen=True):
    """An expected wait, and what it is based on.

    Attributes:
        minutes: expected wait.
        visits: own visits around that hour that went into it.
        basis: for a person: "a usual Friday at 19:00; no visits of yours yet".
    """

    minutes: float
    visits: int
    basis: str


def visits_of(situation: Situation, kinds: Collection[str]) -> list[Visit]:
    """The person's past stays at things of those kinds, oldest first.

    Stays at home and at work are none, wherever the nearest cafe is.
    """
    atlas = situation.atlas
    if atlas is None:
        return []
    points: dict[str, str] = {}
    found = []
    for stay in situation.stays:
        length_s = stay.departure - stay.arrival
        is_recent = 0 <= situation.time - stay.arrival <= HISTORY_S
        if not is_recent or not SHORTEST_S <= length_s <= LONGEST_S:
            continue
        if stay.place not in points:
            points[stay.place] = point_at(situation, stay.place, kinds)
        if points[stay.place]:
            arrival = local(stay.arrival, situation.zone)
            found.append(Visit(points[stay.place], arrival, length_s / 60))
    return found


def point_at(situation: Situation, place_id: str, kinds: Collection[str]) -> str:
    """Id of the thing on the map that a place is, empty when of another kind.

    Home and work are never one.
    """
    place = situation.places.get(place_id)
    if place is None or place.role is not PlaceRole.OTHER or situation.atlas is None:
        return ""
    if place.lat is None or place.lon is None:
        return ""
    found = situation.atlas.near(place.lat, place.lon, SAME_M, limit=1)
    return found[0].id if found and found[0].kind in kinds else ""


def busyness(kind: str, moment: datetime) -> float:
    """How full a place of that kind is at a local time: 0 empty, 1 its fullest hour."""
    curve = _CURVES.get(kind, _OTHER)
    hour = moment.hour + moment.minute / 60
    filled = max(
        height * exp(-(((hour - peak) / width) ** 2) / 2)
        for peak, width, height in curve.peaks
    )
    return filled * curve.days[moment.weekday()]


def expect_wait(
    point: PointOfInterest, moment: datetime, visits: Sequence[Visit]
) -> Wait:
    """The wait to expect at a place when coming at a local time.

    Args:
        point: the place.
        moment: local time of coming.
        visits: own visits, those at other places are left out.
    """
    curve = _CURVES.get(point.kind, _OTHER)
    # queues grow faster than the crowd: a half full place has hardly any
    prior = curve.wait_min * busyness(point.kind, moment) ** 3
    if point.capacity > 0:
        prior *= min(1.6, max(0.6, sqrt(USUAL_SEATS / point.capacity)))
    own = [visit for visit in visits if visit.point == point.id]
    around = [visit for visit in own if is_around(visit.arrival, moment)]
    others = [visit.minutes for visit in own if not is_around(visit.arrival, moment)]
    usual_min = median(others) if len(others) >= PRIOR_VISITS else curve.stay_min
    waited = [
        min(MOST_WAIT_MIN, max(0.0, visit.minutes - usual_min)) for visit in around
    ]
    minutes = (PRIOR_VISITS * prior + sum(waited)) / (PRIOR_VISITS + len(waited))
    return Wait(minutes, len(around), _basis(point, moment, len(around)))


def is_around(one: datetime, other: datetime, within_h: float = AROUND_H) -> bool:
    """Whether two local times are about the same hour of the day."""
    apart = abs((one.hour + one.minute / 60) - (other.hour + other.minute / 60))
    return min(apart, 24.0 - apart) <= within_h


def nearest_hour(moment: datetime) -> int:
    """The full hour next to a local time: 19 for 18:55."""
    return (moment + timedelta(minutes=30)).hour


def _basis(point: PointOfInterest, moment: datetime, visits: int) -> str:
    text = f"a usual {moment:%A} at {nearest_hour(moment)}:00"
    if point.capacity > 0:
        text += f" with {point.capacity} seats"
    if visits == 0:
        return f"{text}; no visits of yours yet"
    noun = "visit" if visits == 1 else "visits"
    return f"{text}; {visits} {noun} of yours around that hour"
