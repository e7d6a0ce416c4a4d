"""Presence: an evening of the home's own, to be lived again while nobody is in.

The evening is a real one of the past weeks, rather of the same weekday: lamps then go
on and off as these people do it, and not every day at one time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

import msgspec

from trivet.domain.clock import local
from trivet.domain.sample import Sample

#: An evening begins and ends at these local hours; the end is on the next day.
FROM_H, TO_H = 15.0, 27.0
#: A lamp that was on for less was somebody looking for something.
LEAST_S = 10 * 60.0
#: An evening lit for less in all tells of nobody in.
LIT_S = 45 * 60.0
WEEKS = 10
_DAY_H = 24.0


class Lit(msgspec.Struct, frozen=True):
    """A lamp that is on for a while.

    Attributes:
        path: which lamp.
        on: event time at which it goes on.
        off: event time at which it goes out.
    """

    path: str
    on: float
    off: float


class Evening(msgspec.Struct, frozen=True):
    """An evening to live again.

    Attributes:
        of: the date that it is taken from.
        lit: what is on when, moved to today; by the time that it goes on.
    """

    of: date
    lit: tuple[Lit, ...]


def evening_plan(
    changes: Sequence[Sample], zone: tzinfo, time: float
) -> Evening | None:
    """Which lamps go on and off this evening as on one of the past.

    Args:
        changes: of the home, oldest first.
        zone: its time zone.
        time: event time now; before noon it is still last evening's night.

    Returns:
        None when no past evening was lit.
    """
    today = (local(time, zone) - timedelta(hours=FROM_H - 3.0)).date()
    lamps = [sample for sample in changes if sample.path.startswith("light.")]
    days = sorted({local(lamp.time, zone).date() for lamp in lamps}, reverse=True)
    past = [day for day in days if timedelta(0) < today - day <= timedelta(7 * WEEKS)]
    past.sort(key=lambda day: (day.weekday() != today.weekday(), today - day))
    for day in past:
        lit = _lit(lamps, zone, day)
        if sum(one.off - one.on for one in lit) >= LIT_S:
            shift = _at(today, FROM_H, zone) - _at(day, FROM_H, zone)
            moved = (Lit(one.path, one.on + shift, one.off + shift) for one in lit)
            return Evening(day, tuple(moved))
    return None


def _lit(lamps: Sequence[Sample], zone: tzinfo, day: date) -> list[Lit]:
    """When lamps were on in the evening of a day."""
    begin, end = _at(day, FROM_H, zone), _at(day, TO_H, zone)
    since: dict[str, float] = {}
    found = []
    for sample in lamps:
        if sample.time >= end:
            break
        if sample.value == "on":
            since.setdefault(sample.path, sample.time)
        elif sample.path in since:
            found.append(Lit(sample.path, since.pop(sample.path), sample.time))
    cut = [
        Lit(one.path, max(begin, one.on), one.off)
        for one in found
        if one.off > begin and one.on < end
    ]
    long = [one for one in cut if one.off - one.on >= LEAST_S]
    return sorted(long, key=lambda one: (one.on, one.path))


def _at(day: date, hour: float, zone: tzinfo) -> float:
    """Event time of a local hour, by the clock on the wall; past 24 on the next."""
    on = day + timedelta(days=int(hour // _DAY_H))
    wall = datetime(on.year, on.month, on.day) + timedelta(hours=hour % _DAY_H)
    return wall.replace(tzinfo=zone).timestamp()
