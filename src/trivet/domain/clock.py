"""Event time for people: local days and hours, with the zone passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Protocol, TypeAlias

#: Gives the time zone at a latitude and longitude in degrees.
ZoneOf: TypeAlias = Callable[[float, float], tzinfo]


class Clock(Protocol):
    """Tells the event time; only the app reads a real one."""

    def now(self) -> float:
        """Event time in seconds since 1970-01-01 UTC."""
        ...


def local(time: float, zone: tzinfo) -> datetime:
    """The event time as a person at `zone` would write it."""
    return datetime.fromtimestamp(time, UTC).astimezone(zone)


def hour_of_day(time: float, zone: tzinfo) -> float:
    """Local hour, 0.0 to below 24.0."""
    moment = local(time, zone)
    return moment.hour + moment.minute / 60 + moment.second / 3600


def clock_text(time: float, zone: tzinfo) -> str:
    """Local time as hours and minutes: 18:05."""
    return local(time, zone).strftime("%H:%M")
