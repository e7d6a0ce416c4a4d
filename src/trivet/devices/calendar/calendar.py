"""A calendar: entries, and what of them falls into a stretch of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta, tzinfo

import msgspec

from trivet.devices.calendar.moment import Moment
from trivet.devices.calendar.rule import Rule
from trivet.domain.appointment import Appointment
from trivet.domain.clock import local
from trivet.domain.error import InputError, UsageError

#: The longest stretch of time that can be asked about.
MAX_SPAN_S = 400 * 86_400.0
#: Event time up to which can be asked: some day in 2198.
LATEST = 7_200_000_000.0
#: More than this in one answer is no life of a person.
MAX_APPOINTMENTS = 10_000
#: No entry lasts longer: one that does is not read.
MAX_LENGTH = timedelta(366)
#: The world's zones differ by at most this.
_APART = timedelta(2)


class Entry(msgspec.Struct, frozen=True):
    """An entry, and how it repeats.

    Attributes:
        uid: the series that it belongs to.
        title: what it is about.
        start: of the first instance.
        length: of each.
        location: where, in words.
        point: latitude and longitude in degrees, None when not said.
        rule: None when it happens once.
        without: starts that the series leaves out.
        instead_of: the start that it takes the place of, in the series of its uid.
        is_cancelled: it does not take place; in a series that start is left out.
    """

    uid: str
    title: str
    start: Moment
    length: timedelta
    location: str = ""
    point: tuple[float, float] | None = None
    rule: Rule | None = None
    without: tuple[Moment, ...] = ()
    instead_of: Moment | None = None
    is_cancelled: bool = False


class Calendar(msgspec.Struct, frozen=True):
    """What was read of a calendar.

    Attributes:
        entries: in the order of the file.
        left_out: how many entries were not understood, by the reason.
    """

    entries: tuple[Entry, ...]
    left_out: Mapping[str, int]

    def between(self, start: float, end: float, zone: tzinfo) -> list[Appointment]:
        """Appointments that touch the time from `start` up to `end`, in order.

        Args:
            start: event time.
            end: event time, at most MAX_SPAN_S later.
            zone: the person's time zone: whole days are days there, and so are times
                for which the calendar names no zone.

        Raises:
            UsageError: the stretch is too long, or ends before it begins.
            InputError: there are more than MAX_APPOINTMENTS.
        """
        if not (0.0 <= start <= end <= LATEST and end - start <= MAX_SPAN_S):
            raise UsageError(
                f"appointments from {start} to {end}",
                hint=f"ask for at most {MAX_SPAN_S / 86400:.0f} days at once",
            )
        moved: dict[str, set[date | float]] = {}
        for entry in self.entries:
            if entry.instead_of is not None:
                mark = _mark(entry.instead_of, zone)
                moved.setdefault(entry.uid, set()).add(mark)
        found = []
        for entry in self.entries:
            others = moved.get(entry.uid, ()) if entry.instead_of is None else ()
            for appointment in _instances(entry, others, start, end, zone):
                found.append(appointment)
                if len(found) > MAX_APPOINTMENTS:
                    raise InputError(f"more than {MAX_APPOINTMENTS} appointments")
        return sorted(found, key=lambda one: (one.start, one.end, one.id))


def _instances(
    entry: Entry,
    moved: Collection[date | float],
    start: float,
    end: float,
    zone: tzinfo,
) -> Iterator[Appointment]:
    if entry.is_cancelled:
        return
    low = local(start, zone).date() - entry.length - _APART
    high = local(end, zone).date() + _APART
    without = {_mark(moment, zone) for moment in entry.without}
    for day in _days(entry, low, high):
        begin = entry.start.on(day)
        mark = _mark(begin, zone)
        if mark in without or mark in moved or _is_over(entry.rule, begin, zone):
            continue
        appointment = _appointment(entry, begin, zone)
        touches = appointment.end > start or appointment.start >= start
        if touches and appointment.start < end:
            yield appointment


def _days(entry: Entry, low: date, high: date) -> Iterator[date]:
    first = entry.start.day
    if entry.rule is not None:
        if entry.rule.until is not None:
            # a series that has ended is not looked through again
            high = min(high, entry.rule.until.day + _APART)
        yield from entry.rule.days_from(first, low, high)
    elif low <= first <= high:
        yield first


def _appointment(entry: Entry, begin: Moment, zone: tzinfo) -> Appointment:
    is_all_day = begin.second is None
    time = begin.time(zone)
    # a whole day has 23 or 25 hours where the clocks change
    after = begin.on(begin.day + entry.length) if is_all_day else None
    end = time + entry.length.total_seconds() if after is None else after.time(zone)
    lat, lon = entry.point or (None, None)
    return Appointment(
        entry.uid, entry.title, time, end, entry.location, lat, lon, is_all_day
    )


def _mark(moment: Moment, zone: tzinfo) -> date | float:
    """What makes two moments the same: the day, or the event time."""
    return moment.day if moment.second is None else moment.time(zone)


def _is_over(rule: Rule | None, begin: Moment, zone: tzinfo) -> bool:
    until = None if rule is None else rule.until
    if until is None:
        return False
    if until.second is None or begin.second is None:
        return begin.day > until.day
    return begin.time(zone) > until.time(zone)
