"""Times, shares and names as a person reads them at a glance."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trivet.domain.clock import clock_text, local
from trivet.domain.forecast import Interval


@lru_cache(maxsize=32)
def zone_of(name: str) -> tzinfo:
    """The time zone by its name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def hours(time: float, zone: str) -> str:
    """Hours and minutes: 17:50."""
    return clock_text(time, zone_of(zone))


def day(time: float, zone: str) -> str:
    """Weekday and date: Friday 6 March."""
    moment = local(time, zone_of(zone))
    return f"{moment:%A} {moment.day} {moment:%B}"


def date(time: float, zone: str) -> str:
    """Day and month: 6 March."""
    moment = local(time, zone_of(zone))
    return f"{moment.day} {moment:%B}"


def span(arrival: Interval, zone: str) -> str:
    """An interval: 17:50–18:10, or one time when both ends are the same."""
    low, high = hours(arrival.low, zone), hours(arrival.high, zone)
    return low if low == high else f"{low}–{high}"


def percent(probability: float) -> str:
    """A probability for a person: whole percent, never a false 0 or 100."""
    if 0.0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1.0:
        return ">99 %"
    return f"{probability * 100:.0f} %"


def short(label: str, most: int = 26) -> str:
    """A label cut to at most so many characters, for a map has little room."""
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"


def headed(label: str) -> str:
    """A label that stands by itself begins with a capital: "Home"."""
    return label[:1].upper() + label[1:]
