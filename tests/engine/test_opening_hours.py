from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.engine.opening_hours import OpeningHours, parse

#: A Monday.
MONDAY = datetime(2026, 11, 9)
MINUTES = st.integers(0, 14 * 1440 - 1)
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def at(day: str, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return MONDAY + timedelta(
        days=DAYS.index(day), hours=int(hour), minutes=int(minute)
    )


def hours(text: str) -> OpeningHours:
    found = parse(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "day", "clock", "is_open"),
    [
        ("24/7", "Su", "03:00", True),
        ("10:00-22:00", "We", "09:59", False),
        ("10:00-22:00", "We", "10:00", True),
        ("10:00-22:00", "We", "22:00", False),
        ("Mo-Fr 08:00-18:00; Sa 10:00-14:00", "Sa", "15:00", False),
        ("Mo-Fr 08:00-18:00; Sa 10:00-14:00", "Fr", "15:00", True),
        ("Mo-Fr 08:00-18:00; We off", "We", "12:00", False),
        ("Mo-Su 10:00-20:00, Tu off", "Tu", "12:00", False),
        ("Mo-Su 10:00-20:00; We 12:00-14:00", "We", "11:00", False),
        ("Mo-Fr 08:00-12:00, 13:00-18:00", "Mo", "12:30", False),
        ("Mo-Fr 08:00-12:00, Sa 09:00-10:00", "Sa", "09:30", True),
        ("Mo-Fr 08:00-12:00, Sa 09:00-10:00", "Sa", "11:00", False),
        ("Fr-Mo 10:00-12:00", "Su", "11:00", True),
        ("Fr-Mo 10:00-12:00", "We", "11:00", False),
        ("Fr 22:00-02:00", "Sa", "01:59", True),
        ("Fr 22:00-02:00", "Fr", "01:59", False),
        ("Fr 22:00-26:00", "Sa", "01:59", True),
        ("Fr 22:00-02:00; Sa off", "Sa", "01:00", True),
        ("08:00-20:00; 12:00-13:00 off", "We", "12:30", False),
        ("08:00-20:00; 12:00-13:00 off", "We", "13:00", True),
        ("Apr-Oct: 10:00-20:00", "We", "12:00", False),
        ("Oct-Feb 10:00-20:00", "We", "12:00", True),
        ("24/7; Nov 11 off", "We", "12:00", False),
        ("24/7; Nov 10-12 off", "Th", "12:00", False),
        ("24/7; Nov 10-12 off", "Fr", "12:00", True),
        ("24/7; Nov 12 off", "We", "12:00", True),
        ('Mo-Fr 10:00-18:00 "ring the bell"', "We", "12:00", True),
        ("mo-fr 8:00–18:00", "We", "12:00", True),
        ('Mo-Fr 10:00-17:00 || "call us"', "We", "12:00", True),
        ('Mo-Fr 10:00-17:00 || "call us"', "We", "20:00", None),
        ('"by appointment"', "We", "12:00", None),
        ("10:00-20:00 unknown", "We", "12:00", None),
        ("off", "We", "12:00", False),
    ],
)
def test_a_text_says_when_it_is_open(
    text: str, day: str, clock: str, is_open: bool | None
) -> None:
    assert hours(text).is_open(at(day, clock)) is is_open


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "sunrise-sunset",
        "10:00-sunset",
        "10:00+",
        "17:00-22:00+",
        "Mo[1] 10:00-12:00",
        "2026 Dec 25 off",
        "week 1-10 10:00-12:00",
        "10:00",
        "25:00-26:00",
        "10:70-12:00",
        "Mon - Fri 11am - 11pm",
        "Mo-Fr 10-18",
        "Mo-Fr 10:00-12:00 Sa 10:00-12:00",
        "Dec 40 off",
        "; ;",
        ",",
        "PH off",
        "10:00-12:00 " * 40,
    ],
)
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    assert parse(text) is None


def test_holidays_are_left_out_and_that_is_told() -> None:
    with_holidays = hours("Mo-Fr,PH 10:00-18:00; PH off")
    without = hours("Mo-Fr 10:00-18:00")
    assert with_holidays.has_holidays
    assert not without.has_holidays
    for minute in range(0, 7 * 1440, 30):
        moment = MONDAY + timedelta(minutes=minute)
        assert with_holidays.is_open(moment) is without.is_open(moment)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_the_parser(text: str) -> None:
    found = parse(text)
    if found is not None:
        found.is_open(MONDAY)
        found.closes(MONDAY)


#: Words of the language in any order come much further into the parser than noise.
_WORDS = st.sampled_from(
    "Mo Tu We Th Fr Sa Su Mo-Fr Dec Jan-Mar 10:00-18:00 22:00-02:00 00:00-24:00 "
    '; , || off open unknown 24/7 PH SH "x" : - 10:00 + [1] 99:99-99:99 25'.split()
)


@given(st.lists(_WORDS, max_size=14), MINUTES)
@settings(max_examples=300, deadline=None)
def test_no_order_of_words_breaks_the_parser(words: list[str], minute: int) -> None:
    found = parse(" ".join(words))
    if found is None:
        return
    moment = MONDAY + timedelta(minutes=minute)
    is_open = found.is_open(moment)
    assert is_open in (True, False, None)
    closing = found.closes(moment)
    if closing is not None:
        assert is_open is True
        assert moment < closing <= moment + timedelta(days=1)
        assert found.is_open(closing) is not True


@given(MINUTES)
@settings(max_examples=60, deadline=None)
def test_round_the_clock_has_many_spellings(minute: int) -> None:
    moment = MONDAY + timedelta(minutes=minute)
    for text in (
        "24/7",
        "00:00-24:00",
        "Mo-Su 00:00-24:00",
        "Tu-Mo 00:00-00:00",
        "Mo-Su open",
        "00:00-12:00,12:00-24:00",
        "Mo-Fr 00:00-24:00; Sa,Su 00:00-24:00",
    ):
        assert hours(text).is_open(moment) is True, text
        assert hours(text).closes(moment) is None, text


@given(st.integers(0, 6), st.integers(12, 23), st.integers(1, 11), MINUTES)
@settings(max_examples=100, deadline=None)
def test_past_midnight_is_the_evening_and_the_next_morning(
    day: int, begin: int, end: int, minute: int
) -> None:
    today, tomorrow = DAYS[day], DAYS[(day + 1) % 7]
    one = hours(f"{today} {begin:02}:00-{end:02}:00")
    two = hours(f"{today} {begin:02}:00-24:00, {tomorrow} 00:00-{end:02}:00")
    moment = MONDAY + timedelta(minutes=minute)
    assert one.is_open(moment) is two.is_open(moment)


@given(st.integers(0, 6), st.integers(0, 6), MINUTES)
@settings(max_examples=60, deadline=None)
def test_a_range_of_days_is_the_list_of_its_days(
    first: int, last: int, minute: int
) -> None:
    names = [DAYS[(first + step) % 7] for step in range((last - first) % 7 + 1)]
    moment = MONDAY + timedelta(minutes=minute)
    whole = hours(f"{DAYS[first]}-{DAYS[last]} 09:00-17:00")
    listed = hours(f"{','.join(names)} 09:00-17:00")
    assert whole.is_open(moment) is listed.is_open(moment)


@given(MINUTES)
@settings(max_examples=40, deadline=None)
def test_a_last_off_closes_whatever_came_before(minute: int) -> None:
    moment = MONDAY + timedelta(minutes=minute)
    assert hours("Mo-Su 10:00-20:00; off").is_open(moment) is False


def test_closing_time_is_the_end_of_all_spans_that_touch() -> None:
    assert hours("10:00-14:00,14:00-18:00").closes(at("We", "11:00")) == at(
        "We", "18:00"
    )
    assert hours("Fr 22:00-02:00").closes(at("Fr", "23:00")) == at("Sa", "02:00")
    assert hours("Fr 22:00-02:00").closes(at("Sa", "01:00")) == at("Sa", "02:00")
    assert hours("10:00-14:00").closes(at("We", "15:00")) is None
