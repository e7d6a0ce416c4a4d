"""Times to come as a person reads them: 17:40 (50 % 17:30-17:55, 80 % 17:20-18:15)."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from trivet.domain.clock import clock_text, local
from trivet.domain.forecast import Interval
from trivet.engine.explain import percent

#: Up to so far ahead a time of day says which day is meant, and up to so far the day
#: of the week does.
_HOURS_S, _DAYS_S = 20 * 3600.0, 6 * 86_400.0


class Range(msgspec.Struct, frozen=True):
    """An interval in words.

    Attributes:
        share: of the cases that fall into it: "80 %".
        low: its first time.
        high: its last time.
    """

    share: str
    low: str
    high: str


def when_text(time: float, now: float, zone: tzinfo) -> str:
    """An event time after `now` for a person: 17:40, Wed 17:40, or 3 March."""
    if time - now < _HOURS_S:
        return clock_text(time, zone)
    there = local(time, zone)
    if time - now < _DAYS_S:
        return f"{there:%a %H:%M}"
    return f"{there.day} {there:%B}"


def ranges(
    when: Interval, now: float, zone: tzinfo, middle: Interval | None = None
) -> list[Range]:
    """An interval after `now` and the one in its middle, that first.

    A day is named once. What is one time is left out, and the one in the middle where
    it reads like the other.
    """
    whole = _range(when, now, zone)
    both = [whole] if middle is None else [_range(middle, now, zone), whole]
    if len({(each.low, each.high) for each in both}) == 1:
        both = [whole]
    return [each for each in both if each.low != each.high]


def span_text(
    when: Interval, now: float, zone: tzinfo, middle: Interval | None = None
) -> str:
    """An interval after `now`: 17:40 (80 % 17:20-18:15), with the one in its middle."""
    told = ", ".join(
        f"{each.share} {each.low}-{each.high}"
        for each in ranges(when, now, zone, middle)
    )
    median = when_text(when.median, now, zone)
    return f"{median} ({told})" if told else median


def _range(when: Interval, now: float, zone: tzinfo) -> Range:
    day = local(when.median, zone).date()
    low, high = (
        clock_text(time, zone)
        if local(time, zone).date() == day
        else when_text(time, now, zone)
        for time in (when.low, when.high)
    )
    return Range(percent(when.level), low, high)
