"""Recurrence by arithmetic is recurrence by counting days one by one."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trivet.devices.calendar.rule import Rule

DAYS = st.dates(date(2025, 1, 1), date(2026, 6, 1))


def counted(rule: Rule, first: date, low: date, high: date) -> list[date]:
    """The same, walked day by day from the first."""
    week = first - timedelta((first.weekday() - rule.week_start) % 7)
    found, day, number = [], first, 0
    while day <= high and (not rule.count or number < rule.count):
        if rule.days:
            turn = (day - week).days // 7
            is_one = turn % rule.step == 0 and day.weekday() in rule.days
        else:
            is_one = (day - first).days % rule.step == 0
        if is_one or day == first:
            number += 1
            if day >= low:
                found.append(day)
        day += timedelta(1)
    return found


@given(
    st.integers(1, 5),
    st.sets(st.integers(0, 6)),
    st.integers(0, 6),
    st.integers(0, 40),
    DAYS,
    DAYS,
    st.integers(0, 90),
)
def test_arithmetic_and_counting_agree(
    step: int,
    days: set[int],
    week_start: int,
    count: int,
    first: date,
    low: date,
    length: int,
) -> None:
    rule = Rule(step, tuple(sorted(days)), week_start, count)
    high = low + timedelta(length)
    assert list(rule.days_from(first, low, high)) == counted(rule, first, low, high)
