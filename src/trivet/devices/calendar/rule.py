"""Recurrence: every so many days, or weeks on some weekdays.

Other rules (months, years, the last Friday) are not read: `rule_of` gives None, and the
calendar says that it left an entry out. Instances are found by arithmetic, so a series
that began long ago costs no more than one of today.

Source: RFC 5545, 3.3.10 "Recurrence Rule".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from trivet.devices.calendar.line import Line
from trivet.devices.calendar.moment import Moment, moment_of

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_STEP = re.compile(r"[1-9]\d{0,3}", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"})


class Rule(msgspec.Struct, frozen=True):
    """How an entry repeats.

    Attributes:
        step: days or weeks from one to the next.
        days: weekdays of a weekly rule, 0 is Monday; empty of a daily one.
        week_start: weekday on which a week begins.
        count: instances in all, 0 for no end by number.
        until: the last moment at which one may begin, None for no end by time.
    """

    step: int
    days: tuple[int, ...] = ()
    week_start: int = 0
    count: int = 0
    until: Moment | None = None

    def days_from(self, first: date, low: date, high: date) -> Iterator[date]:
        """Local dates of the instances from `low` to `high`, both in.

        Args:
            first: the date of the entry itself, the first of all.
            low: the first date of interest.
            high: the last one.
        """
        if self.days:
            yield from self._weekly(first, low, high)
            return
        skipped = max(0, -((first - low).days // self.step))
        number = skipped
        while first + timedelta(number * self.step) <= high and self._has(number):
            yield first + timedelta(number * self.step)
            number += 1

    def _weekly(self, first: date, low: date, high: date) -> Iterator[date]:
        into = (first.weekday() - self.week_start) % 7
        order = sorted((day - self.week_start) % 7 for day in self.days)
        week = first - timedelta(into)
        # the entry itself is the first instance, whether its weekday is named or not
        begun = [day for day in order if day > into]
        if low <= first <= high:
            yield first
        skipped = max(0, (low - week).days // (7 * self.step))
        turn = skipped
        while week + timedelta(7 * self.step * turn) <= high:
            named = begun if turn == 0 else order
            before = 1 if turn == 0 else 1 + len(begun) + (turn - 1) * len(order)
            for place, day in enumerate(named):
                on = week + timedelta(7 * self.step * turn + day)
                if low <= on <= high and self._has(before + place):
                    yield on
            if not self._has(before):
                return
            turn += 1

    def _has(self, number: int) -> bool:
        return not self.count or number < self.count


def rule_of(line: Line, start: Moment) -> Rule | None:
    """The rule that a property says, None when it is not daily or weekly."""
    parts: dict[str, str] = {}
    for part in line.value.rstrip(";").split(";"):
        name, is_pair, value = part.partition("=")
        if not is_pair or name.upper() in parts or name.upper() not in _KNOWN:
            return None
        parts[name.upper()] = value.upper()
    step, count = parts.get("INTERVAL", "1"), parts.get("COUNT", "0")
    week_start = parts.get("WKST", "MO")
    if not _STEP.fullmatch(step) or week_start not in _DAYS:
        return None
    if "COUNT" in parts and not _COUNT.fullmatch(count):
        return None
    until = moment_of(line, parts["UNTIL"]) if "UNTIL" in parts else None
    if "UNTIL" in parts and (until is None or "COUNT" in parts):
        return None
    named = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    if any(day not in _DAYS for day in named):
        return None
    days = tuple(sorted({_DAYS.index(day) for day in named}))
    if parts.get("FREQ") == "WEEKLY":
        days = days or (start.day.weekday(),)
    elif parts.get("FREQ") == "DAILY" and len(days) in (0, 7):
        days = ()
    elif parts.get("FREQ") == "DAILY" and step == "1":
        pass  # every day that is a Monday or Tuesday is every week on these two
    else:
        return None
    return Rule(int(step), days, _DAYS.index(week_start), int(count), until)
