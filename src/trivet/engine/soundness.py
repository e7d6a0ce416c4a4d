"""Soundness: whether what a snapshot says can be what a learner remembers.

A decoder sees to types. Here is what types do not say: numbers are finite, positions
are on Earth, times are of the calendar, and lists that belong together are as long as
each other. What is sound can be asked and learned from; it need not be true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

import msgspec

from trivet.domain.place import Stay, TracePoint
from trivet.engine.forecaster import Check
from trivet.engine.history import PastTrip
from trivet.engine.homecoming import LEVELS, HomeState
from trivet.engine.place import PlaceRecord
from trivet.engine.stay import StayState
from trivet.engine.timeline import is_event_time
from trivet.engine.times import MARKS
from trivet.engine.trip import RunningTrip

#: Experts that speak of ways home, and as many as spoke earlier.
_EXPERTS = (2, 3)
#: No trip is longer, in metres and in seconds, and no hours spent at a place more.
_LONGEST_M, _LONGEST_S, _MOST_H = 1e9, 1e9, 1e7


def is_finite(value: object) -> bool:
    """Whether every number in a structure is one."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, msgspec.Struct):
        return all(is_finite(getattr(value, f)) for f in value.__struct_fields__)
    if isinstance(value, dict):
        return all(is_finite(each) for each in value.values())
    if isinstance(value, list | tuple):
        return all(is_finite(each) for each in value)
    return True


def is_on_earth(lat: float | None, lon: float | None) -> bool:
    """Whether a position is one, in degrees; or none at all.

    Beyond 180 is a mean about the date line, or who went across it.
    """
    if lat is None or lon is None:
        return lat is None and lon is None
    return -90.0 <= lat <= 90.0 and -540.0 <= lon <= 540.0


def are_sound_points(points: Iterable[TracePoint]) -> bool:
    """Whether points are on Earth and of the calendar."""
    return all(is_on_earth(p.lat, p.lon) and is_event_time(p.time) for p in points)


def is_sound_detector(state: StayState) -> bool:
    """Whether a stay detector can go on from there."""
    points = (*state.window, *state.outside, *state.suspects)
    times = (state.time, state.since, state.inside)
    return (
        is_on_earth(state.lat, state.lon)
        and is_on_earth(state.centre_lat, state.centre_lon)
        and all(map(is_event_time, times))
        and state.weight >= 0
        and are_sound_points(points)
    )


def are_sound_stays(stays: Sequence[Stay], is_open: bool, count: int) -> bool:
    """Whether stays are in order, and as many as there are spots."""
    if len(stays) != count or (is_open and not stays):
        return False
    return all(stay.arrival <= stay.departure for stay in stays)


def is_sound_record(record: PlaceRecord) -> bool:
    """Whether a place is on Earth and its hours can be."""
    hours = record.night_h, record.office_h
    return (
        is_on_earth(record.lat, record.lon)
        and all(is_on_earth(lat, lon) for lat, lon in record.more)
        and all(0.0 <= spent <= _MOST_H for spent in hours)
        and is_event_time(record.hours_at)
        and 0 <= record.visits < 1 << 53
    )


def is_sound_trip(trip: RunningTrip) -> bool:
    """Whether a running trip can go on."""
    metres = (trip.driven_m, *trip.lengths, *trip.pace)
    return (
        len(trip.lengths) == len(trip.trace)
        and is_event_time(trip.departure)
        and is_event_time(trip.time)
        and 0.0 <= trip.hour < 24.0
        and is_on_earth(trip.lat, trip.lon)
        and (trip.lat is not None or not trip.trace)
        and all(0.0 <= length <= _LONGEST_M for length in metres)
        and are_sound_points(trip.trace)
    )


def is_sound_past(past: PastTrip) -> bool:
    """Whether a trip that ended can be learned from."""
    trip = past.trip
    metres = (trip.distance_m, *past.pace)
    return (
        trip.departure <= trip.arrival
        and 0.0 <= past.hour < 24.0
        and all(0.0 <= length <= _LONGEST_M for length in metres)
        and are_sound_points(trip.trace)
        and is_finite(past.judgements)
    )


def is_sound_check(check: Check) -> bool:
    """Whether an estimate that was put aside can be judged; NaN says that none was."""
    told = (check.new, *check.seconds.values())
    return (
        is_event_time(check.time)
        and check.bucket.keys() == check.seconds.keys()
        and all(not seconds < 0.0 and not seconds > _LONGEST_S for seconds in told)
        and isfinite(check.low)
        and isfinite(check.high)
    )


def is_sound_home(home: HomeState) -> bool:
    """Whether what ways home taught can be used."""
    blends = [blend.weights for blend in home.blends.values()]
    return (
        is_finite(home)
        and all(len(weights) in _EXPERTS for weights in blends)
        and all(min(weights) >= 0.0 and sum(weights) > 0.0 for weights in blends)
        and all(
            0.0 <= level <= 1.0
            for steering in home.steerings.values()
            for level in steering.asked.values()
        )
        and all(
            len(check.asked) == len(LEVELS)
            and len(check.says) in _EXPERTS
            and all(len(said) == len(MARKS) for said in check.says)
            for check in home.checks
        )
    )
