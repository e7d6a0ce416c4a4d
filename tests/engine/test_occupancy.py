"""Occupancy lives no longer a past than it keeps."""

from __future__ import annotations

from tests.engine.home import at
from tests.engine.life import BERLIN

from trivet.engine.occupancy import Occupancy, OccupancyState, Presence

LONG_S = 440 * 86_400.0


def test_a_clock_that_stood_still_for_years_begins_anew() -> None:
    """From 1970 on each quarter of an hour would be lived, for minutes."""
    occupancy = Occupancy(BERLIN)
    occupancy.learn_one(at(0, 0) - LONG_S, True)
    occupancy.learn_one(at(0, 0), False)
    assert [change.time for change in occupancy.state.changes] == [at(0, 0)]
    assert occupancy.state.until == at(0, 0)


def test_no_more_is_lived_again_than_is_kept() -> None:
    long_ago, lately = Presence(0.0, True), Presence(at(0, 0), False)
    again = Occupancy(BERLIN, OccupancyState([long_ago, lately], until=at(1, 0)))
    short = Presence(at(1, 0) - LONG_S, True)
    same = Occupancy(BERLIN, OccupancyState([short, lately], until=at(1, 0)))
    assert again.predict_slots(at(1, 0)) == same.predict_slots(at(1, 0))
