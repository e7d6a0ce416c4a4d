"""Moments: dates and times of a calendar, and lengths of time.

Source: RFC 5545, 3.3.4 "Date", 3.3.5 "Date-Time", 3.3.6 "Duration".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from trivet.devices.calendar.line import Line

#: Years that are read: event time ends in 2200, and a year's rest is left for zones.
FIRST_YEAR, LAST_YEAR = 1971, 2198
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME = re.compile(r"T(\d{2})(\d{2})(\d{2})(Z?)", re.ASCII)
_LENGTH = re.compile(
    r"\+?P(?:(\d{1,4})W|(?:(\d{1,4})D)?"
    r"(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?)",
    re.ASCII,
)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)


class Moment(msgspec.Struct, frozen=True):
    """A local date and time, or a date alone.

    Attributes:
        day: the date on the wall.
        second: seconds of the wall's clock since midnight, None of a whole day.
        zone: whose wall; None where the calendar leaves it to the reader's.
    """

    day: date
    second: int | None
    zone: tzinfo | None

    def on(self, day: date) -> Moment:
        """The same hour on another day."""
        return msgspec.structs.replace(self, day=day)

    def time(self, zone: tzinfo) -> float:
        """Event time, with the reader's own zone where the calendar names none."""
        midnight = datetime(self.day.year, self.day.month, self.day.day)
        wall = midnight + timedelta(seconds=self.second or 0)
        return wall.replace(tzinfo=self.zone or zone).timestamp()


def moment_of(line: Line, value: str) -> Moment | None:
    """The moment that a property says, None when it is none or its zone unknown."""
    name = line.parameters.get("TZID", "")
    zone = zone_of(name) if name else None
    if name and zone is None:
        return None
    found = _DATE.match(value)
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR or not 1 <= month <= 12:
        return None
    try:
        on = date(year, month, day)
    except ValueError:
        return None
    rest = value[found.end() :]
    if not rest:
        # a whole day is one wherever the reader is
        return Moment(on, None, None)
    clock = _TIME.fullmatch(rest)
    if clock is None:
        return None
    hour, minute, second = (int(clock[n]) for n in (1, 2, 3))
    if hour > 23 or minute > 59 or second > 60:
        return None
    return Moment(
        on, hour * 3600 + minute * 60 + min(second, 59), UTC if clock[4] else zone
    )


def length_of(value: str) -> timedelta | None:
    """A DURATION, None when it is none; negative ones are none."""
    found = _LENGTH.fullmatch(value)
    if found is None or not any(found.groups()):
        return None
    weeks, days, hours, minutes, seconds = (int(n or 0) for n in found.groups())
    return timedelta(days, seconds, weeks=weeks, hours=hours, minutes=minutes)


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name, None when there is none.

    Some programs put their own name before it: `/freeassociation.sourceforge.net/
    Europe/Berlin`.
    """
    for key in (name, "/".join(name.split("/")[-2:])):
        if not _ZONE.fullmatch(key):
            continue
        try:
            return ZoneInfo(key)
        except (KeyError, ValueError, OSError):
            # not in the database, or a folder of it
            continue
    return None
