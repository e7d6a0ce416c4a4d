"""Mileage: how far a person goes on a usual day, from their past trips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from math import ceil

import msgspec

from trivet.domain.clock import local
from trivet.domain.forecast import Reason
from trivet.domain.place import Trip
from trivet.engine.travel import far_text

#: Weeks of the past that count, and days of that weekday that must speak.
WEEKS, LEAST_DAYS = 10, 4
#: Of four such days three are no longer.
SHARE = 0.75


class DayLength(msgspec.Struct, frozen=True):
    """How far a day goes.

    Attributes:
        metres: seldom more.
        reason: what that rests on.
    """

    metres: float
    reason: Reason


def day_length(
    trips: Sequence[Trip], zone: tzinfo, time: float, days_ahead: int = 0
) -> DayLength | None:
    """How far the day so many days ahead seldom goes beyond; None with no history.

    Days of the same weekday tell, those spent at home included.

    Args:
        trips: oldest first.
        zone: the local time zone.
        time: event time now.
        days_ahead: 0 is today.
    """
    driven: dict[date, float] = {}
    for trip in reversed(trips):
        if time - trip.departure > (7 * WEEKS + 1) * 86_400.0:
            break
        day = local(trip.departure, zone).date()
        driven[day] = driven.get(day, 0.0) + trip.distance_m
    if not driven:
        return None
    wanted = local(time, zone).date() + timedelta(days_ahead)
    first = min(driven)
    past = [wanted - timedelta(7 * week) for week in range(1, WEEKS + 1)]
    found = [driven.get(day, 0.0) for day in past if day >= first]
    if len(found) < LEAST_DAYS:
        return None
    # a day that was: one holiday among ten days does not make the others longer
    metres = sorted(found)[ceil(SHARE * len(found)) - 1]
    within = sum(length <= metres for length in found)
    text = (
        f"{within} of your last {len(found)} {wanted:%A}s took "
        f"no more than {far_text(metres)}"
    )
    return DayLength(metres, Reason(text, within, len(found)))
