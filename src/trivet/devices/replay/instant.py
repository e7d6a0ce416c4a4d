"""Instants: event times from the ways in which recordings write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from trivet.devices.replay.track import number

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
# Thu Sep 05 19:31:57 GMT+02:00 2013
_TORQUE_GPS = re.compile(
    r"[A-Za-z]{3} ([A-Za-z]{3}) (\d\d?) (\d\d):(\d\d):(\d\d) "
    r"(?:GMT|UTC)?([+-]\d\d):?(\d\d) (\d{4})"
)
# 05-Sep-2013 19:32:06.164
_TORQUE_DEVICE = re.compile(
    r"(\d\d?)-([A-Za-z]{3})\.?-(\d{4}) (\d\d):(\d\d):(\d\d(?:\.\d{1,6})?)"
)
# 09/15/2018 10:21:09.1234 AM
_AMERICAN = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4}) (\d\d?):(\d\d):(\d\d(?:\.\d+)?) ?([AP])M", re.I
)


def epoch(text: str, zone: tzinfo | None = None) -> float | None:
    """Event time in s of an ISO 8601 text, None when it is none.

    Args:
        text: with an offset or Z; or without, as written at `zone`.
        zone: None refuses a text without an offset.

    Source: ISO 8601 as read by `datetime.fromisoformat`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _seconds(moment, zone)


def epoch_of_number(value: object, unit_s: float = 1.0) -> float | None:
    """Event time in s of a count of `unit_s` since 1970, a number or its text."""
    count = number(value)
    return None if count is None else count * unit_s


def epoch_of_torque(text: str, zone: tzinfo | None) -> float | None:
    """Event time in s of Torque's GPS Time (with offset) or Device Time (at `zone`)."""
    try:
        if found := _TORQUE_GPS.fullmatch(text):
            month, day, hour, minute, second, off_h, off_m, year = found.groups()
            sign = -1 if off_h.startswith("-") else 1
            offset = timedelta(hours=int(off_h), minutes=sign * int(off_m))
            moment = datetime(
                int(year),
                _month(month),
                int(day),
                int(hour),
                int(minute),
                int(second),
                tzinfo=timezone(offset),
            )
        elif found := _TORQUE_DEVICE.fullmatch(text):
            day, month, year, hour, minute, seconds = found.groups()
            moment = datetime(
                int(year), _month(month), int(day), int(hour), int(minute)
            ) + timedelta(seconds=float(seconds))
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return _seconds(moment, zone)


def epoch_of_american(text: str, zone: tzinfo | None) -> float | None:
    """Event time in s of 09/15/2018 10:21:09.1234 AM, as written at `zone`."""
    found = _AMERICAN.fullmatch(text)
    if found is None:
        return None
    month, day, year, hour, minute, seconds, half = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour) % 12, int(minute)
        ) + timedelta(hours=12 if half in "Pp" else 0, seconds=float(seconds))
    except (ValueError, OverflowError):
        return None
    return _seconds(moment, zone)


def epoch_of_day(day: str, seconds: float, zone: tzinfo) -> float | None:
    """Event time in s of `seconds` on the local clock of a day, written 2017-07-05."""
    try:
        moment = datetime.fromisoformat(day) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    return _seconds(moment, zone)


def seconds_of_clock(text: str) -> float | None:
    """Seconds of the day of 08:15:30.250, None when it is no time of day."""
    parts = text.split(":")
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return None
    second = number(parts[2])
    if second is None or not 0.0 <= second < 61.0 or len(text) > 20:
        return None
    hour, minute = int(parts[0]), int(parts[1])
    return hour * 3600.0 + minute * 60.0 + second if hour < 24 and minute < 60 else None


class LocalClock:
    """Tells the two passes of the hour that autumn repeats apart, by their order."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last = float("-inf")

    def epoch(self, moment: datetime) -> float | None:
        """Event time in s of a local `moment`, read after all those before it."""
        time = _seconds(moment.replace(fold=0), self._zone)
        if time is not None and time < self._last:
            again = _seconds(moment.replace(fold=1), self._zone)
            if again is not None and again >= self._last:
                time = again
        if time is not None:
            self._last = time
        return time


def _month(name: str) -> int:
    return _MONTHS.index(name.title()) + 1


def _seconds(moment: datetime, zone: tzinfo | None) -> float | None:
    if moment.tzinfo is None:
        if zone is None:
            return None
        moment = moment.replace(tzinfo=zone)
    try:
        return (moment - _EPOCH).total_seconds()
    except (ValueError, OverflowError):
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
