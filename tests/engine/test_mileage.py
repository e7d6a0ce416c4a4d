"""How far a usual day goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trivet.domain.place import Trip
from trivet.engine.mileage import DayLength, day_length

ZONE = ZoneInfo("Europe/Berlin")
#: A Thursday.
NOW = datetime(2026, 1, 15, 20, 0, tzinfo=ZONE)


def days(*km: tuple[int, float], ahead: int = 1) -> DayLength | None:
    """Trips so many days ago, of so many km each."""
    trips = [
        Trip("home", "work", begin, begin + 1500.0, 1000.0 * length)
        for ago, length in sorted(km, reverse=True)
        for begin in [(NOW - timedelta(days=ago)).timestamp()]
    ]
    return day_length(trips, ZONE, NOW.timestamp(), ahead)


def test_only_days_of_that_weekday_tell_and_trips_of_one_day_add_up() -> None:
    fridays = [(6, 10.0), (6, 10.0), (13, 15.0), (20, 25.0), (27, 30.0)]
    found = days(*fridays, (1, 500.0), (2, 500.0))
    assert found is not None
    assert found.metres == 25_000.0
    text = "3 of your last 4 Fridays took no more than 25 km"
    assert found.reason.text == text
    assert (found.reason.count, found.reason.of) == (3, 4)


def test_one_long_day_in_ten_does_not_make_the_others_longer() -> None:
    usual = [(6 + 7 * week, 20.0) for week in range(9)]
    found = days(*usual, (69, 400.0))
    assert found is not None
    assert found.metres == 20_000.0


def test_a_day_at_home_is_a_day_too() -> None:
    # trips on Thursdays only: the Fridays between were spent at home
    found = days(*[(7 * week, 20.0) for week in range(1, 6)])
    assert found is not None
    assert found.metres == 0.0


def test_a_few_days_tell_nothing() -> None:
    assert days((6, 20.0), (13, 20.0), (20, 20.0)) is None
    assert days() is None
