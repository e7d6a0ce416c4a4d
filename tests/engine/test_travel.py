"""How long the way takes: from the person's own trips first."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain.place import Trip
from trivet.engine.situation import Situation
from trivet.engine.travel import far_text, quantile, travel_between, winding
from trivet.skills.check import example

AT_WORK = example(16.5, "work")
MINUTE_S = 60.0


def having(*minutes: float, origin: str = "work", hour: float = 16.5) -> Situation:
    """Trips to the mall of those lengths, one a day, at an hour of the day."""
    trips = [
        Trip(origin, "mall", begin, begin + length * MINUTE_S, 6000.0)
        for day, length in enumerate(minutes)
        for begin in [AT_WORK.time + (hour - 16.5) * 3600.0 - (90 - day) * 86_400.0]
    ]
    return msgspec.structs.replace(AT_WORK, trips=trips)


def test_trips_between_the_same_places_tell_first() -> None:
    travel = travel_between(having(18, 25, 20), "work", "mall", 6000.0)
    assert travel.text == "18 to 25 min"
    assert travel.median_s == 20 * MINUTE_S
    assert (
        travel.reason.text == "Your last 3 trips from here to there took 18 to 25 min"
    )


def test_trips_at_about_this_hour_go_before_others() -> None:
    rush = having(30, 31, 32, 33, 34).trips
    night = having(10, 10, 10, 10, 10, 10, hour=2.0).trips
    both = msgspec.structs.replace(AT_WORK, trips=[*rush, *night])
    travel = travel_between(both, "work", "mall", 6000.0)
    assert travel.text == "30 to 34 min"
    assert "at about this hour" in travel.reason.text


def test_with_too_few_such_trips_others_of_that_length_tell() -> None:
    # from home to the mall it is 5 km
    alike = having(10, 10, 10, 10, 10, origin="home")
    travel = travel_between(alike, "work", "mall", 5000.0)
    assert travel.text == "10 min"
    longer = travel_between(alike, "work", "mall", 7500.0)
    assert longer.median_s == pytest.approx(15 * MINUTE_S, rel=0.01)
    assert "trips of yours of that length" in longer.reason.text


def test_with_no_trips_a_usual_pace_and_a_wide_interval() -> None:
    none = msgspec.structs.replace(AT_WORK, trips=())
    travel = travel_between(none, "work", "mall", 6000.0)
    assert 10 * MINUTE_S < travel.low_s < travel.median_s < travel.high_s
    assert travel.high_s > 1.8 * travel.low_s
    assert "at a usual pace" in travel.reason.text


@given(st.lists(st.floats(1.0, 1e6), min_size=1, max_size=40), st.floats(0.0, 1.0))
def test_a_quantile_lies_within_and_rises(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert min(values) <= found <= max(values)
    assert quantile(values, share / 2) <= found


def test_of_few_values_the_quantile_is_the_outermost() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.1) == 1.0
    assert quantile([3.0, 1.0, 2.0], 0.9) == 3.0


def test_winding_is_the_person_s_own() -> None:
    trips = [
        Trip("home", "mall", n * 1e5, n * 1e5 + 600, 10_000.0) for n in range(1, 9)
    ]
    bent = msgspec.structs.replace(AT_WORK, trips=trips)
    assert winding(bent) == pytest.approx(2.0, rel=0.01)
    assert winding(msgspec.structs.replace(AT_WORK, trips=())) == 1.3


@pytest.mark.parametrize(
    ("metres", "text"),
    [(4, "10 m"), (651, "650 m"), (4_240, "4.2 km"), (120_400, "120 km")],
)
def test_distances_for_a_person(metres: float, text: str) -> None:
    assert far_text(metres) == text
