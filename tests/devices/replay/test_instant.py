"""Times as recordings write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.replay import instant

BERLIN = ZoneInfo("Europe/Berlin")
T = 1714557600.0


@pytest.mark.parametrize(
    "text", ["2024-05-01T10:00:00Z", "2024-05-01 12:00:00+02:00", "20240501T100000Z"]
)
def test_iso_8601(text: str) -> None:
    assert instant.epoch(text) == T


def test_a_time_without_offset_needs_a_zone() -> None:
    assert instant.epoch("2024-05-01T12:00:00") is None
    assert instant.epoch("2024-05-01T12:00:00", BERLIN) == T


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("08:15:30.25", 29730.25),
        ("24:00:00", None),
        ("08:60:00", None),
        ("08:15", None),
        ("-1:00:00", None),
        ("08:15:nan", None),
    ],
)
def test_time_of_day(text: str, seconds: float | None) -> None:
    assert instant.seconds_of_clock(text) == seconds


def test_seconds_of_the_day_are_of_the_local_clock() -> None:
    """On the day that summer begins 03:30 is two and a half hours after midnight."""
    midnight = instant.epoch_of_day("2024-03-31", 0, BERLIN)
    assert midnight is not None
    assert (
        instant.epoch_of_day("2024-03-31", 3.5 * 3600, BERLIN) == midnight + 2.5 * 3600
    )


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.floats())
def test_no_text_breaks_a_clock(text: str, number: float) -> None:
    for found in (
        instant.epoch(text, BERLIN),
        instant.epoch_of_number(text),
        instant.epoch_of_torque(text, BERLIN),
        instant.epoch_of_american(text, BERLIN),
        instant.epoch_of_day(text, number, BERLIN),
        instant.epoch_of_day("2024-05-01", number, BERLIN),
        instant.seconds_of_clock(text),
    ):
        assert found is None or isinstance(found, float)


@settings(max_examples=50, deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2199, 1, 1)), st.integers(-11, 11))
def test_torque_and_american_times_are_read_back(moment: datetime, hours: int) -> None:
    moment = moment.replace(microsecond=0)
    expected = (moment - timedelta(hours=hours)).replace(tzinfo=UTC).timestamp()
    torque = moment.strftime(f"%a %b %d %H:%M:%S GMT{hours:+03d}:00 %Y")
    assert instant.epoch_of_torque(torque, None) == expected
    device = moment.strftime("%d-%b-%Y %H:%M:%S.000")
    utc = moment.replace(tzinfo=UTC).timestamp()
    assert instant.epoch_of_torque(device, UTC) == utc
    american = moment.strftime("%m/%d/%Y %I:%M:%S.0000 %p")
    assert instant.epoch_of_american(american, UTC) == utc
