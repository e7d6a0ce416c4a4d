"""Hours that are missing: no place, no trip and no forecast is made of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.engine.mishap import (
    AFTER,
    BEFORE,
    KNOWN,
    TOWN,
    assert_recovers,
    between,
    experienced,
    home_of,
    hurt,
    learn,
    learner,
    live,
    place_at,
    without,
)

from trivet.domain import Position, Sample
from trivet.domain.geo import offset
from trivet.engine import Anticipator, StayStarted, TripEnded, TripStarted

#: No trip of this life takes as long; one that holds missing hours would.
LONGEST_S = 20 * 60.0

#: From and to which local hour of Tuesday, or day and hour, the phone was off.
OFF = {
    "at home in the evening": (19.0, 23.5),
    "over night": (22.0, 30.0),
    "at work": (9.0, 16.0),
    "over the departure": (7.0, 8.05),
    "on the way": (8.03, 8.1),
    "over the arrival": (8.08, 11.0),
    "from home to work": (7.0, 12.0),
    "from one way to the next": (8.05, 17.05),
    "from the way out till night": (8.05, 23.0),
    "a day": (5.0, 29.0),
    "two days": (-20.0, 30.0),
}


def lived_without(name: str) -> Anticipator:
    since, until = OFF[name]
    off = TOWN.time(KNOWN + 1, since), TOWN.time(KNOWN + 1, until)
    anticipator = experienced()
    learn(anticipator, without(hurt(), *off))
    return anticipator


@pytest.mark.parametrize("name", OFF)
def test_missing_hours_make_no_place_and_spoil_no_forecast(name: str) -> None:
    assert_recovers(lived_without(name))


@pytest.mark.parametrize("name", OFF)
def test_missing_hours_are_no_part_of_a_trip(name: str) -> None:
    days = [t for t in lived_without(name).trips if t.departure >= BEFORE]
    assert days
    assert max(t.arrival - t.departure for t in days) < LONGEST_S


def test_an_evening_at_home_with_the_phone_off_is_one_stay() -> None:
    stays = lived_without("at home in the evening").stays
    evening = TOWN.time(KNOWN + 1, 21.0)
    assert [s.place for s in stays if s.arrival <= evening <= s.departure] == ["p1"]


def test_of_who_vanishes_on_the_way_nothing_is_foretold_for_hours() -> None:
    anticipator = experienced()
    gone = TOWN.time(KNOWN + 1, 8.05)
    learn(anticipator, between(hurt(), BEFORE, gone))
    assert anticipator.predict_one(gone) is not None
    assert anticipator.predict_one(gone + 3600.0) is None
    assert anticipator.at(gone + 3600.0) == ""


@pytest.mark.parametrize("every_s", [420.0, 900.0, 1500.0])
def test_a_phone_that_tells_seldom_leaves_and_arrives(every_s: float) -> None:
    """Fixes minutes apart, each after a silence: who is out has left."""
    kept, last = list[Sample](), 0.0
    for sample in live(7, step_s=60.0):
        if sample.time - last >= every_s:
            kept, last = [*kept, sample], sample.time
    anticipator = learner()
    events = learn(anticipator, kept)
    came = [e for e in events if isinstance(e, StayStarted)]
    for name in ("home", "work", "friend"):
        assert place_at(anticipator, TOWN.point(name))
    assert home_of(anticipator) == place_at(anticipator, TOWN.point("home"))
    work = place_at(anticipator, TOWN.point("work"))
    mornings = [e.arrival for e in came if e.place == work]
    assert len(mornings) == 5
    for day, arrival in enumerate(mornings):
        assert abs(arrival - TOWN.time(day, 8.2)) < 1200.0 + every_s


def steps_away(east_m: float, time: float) -> Sample:
    """A fix so far from home."""
    where = Position(*offset(*TOWN.point("home"), east_m, 0.0), 10.0)
    return Sample("phone", "location", time, where)


@pytest.mark.parametrize("wakes_m", [450.0, 1500.0])
def test_who_vanishes_a_few_steps_from_home_was_not_on_the_way_for_hours(
    wakes_m: float,
) -> None:
    """Seen once outside, then ten hours later, there or not far from there."""
    anticipator = experienced()
    night = TOWN.time(KNOWN + 1, 1.0)
    learn(anticipator, between(hurt(), BEFORE, night))
    later = night + 10 * 3600.0
    learn(anticipator, [steps_away(400.0, night)])
    learn(anticipator, [steps_away(wakes_m, later + 60.0 * n) for n in range(30)])
    learn(anticipator, [steps_away(0.0, later + 7200.0 + 60.0 * n) for n in range(30)])
    days = [t for t in anticipator.trips if t.departure >= night]
    assert max((t.arrival - t.departure for t in days), default=0.0) < LONGEST_S


def test_a_phone_that_tells_each_hour_leaves_for_next_door_too() -> None:
    """A kilometre away, for half a day."""
    anticipator = experienced()
    start = TOWN.time(KNOWN, 0.0)
    told = [steps_away(1000.0, start + 3600.0 * n) for n in range(12)]
    learn(anticipator, told)
    there = anticipator.at(told[-1].time)
    assert there not in ("", "p1")


def test_a_drift_before_a_silence_is_no_departure() -> None:
    """The last fix before the phone slept was a little off; it left hours later."""
    anticipator = experienced()
    night = TOWN.time(KNOWN + 1, 2.0)
    known = between(hurt(), BEFORE, night)
    drifted = known[-1]
    where = Position(*offset(*TOWN.point("home"), 240.0, 0.0), 10.0)
    drift = replace(drifted, time=night, value=where)
    way = between(hurt(), TOWN.time(KNOWN + 1, 8.05), AFTER)
    events = learn(anticipator, [*known, drift, *way])
    left = next(
        e for e in events if isinstance(e, TripStarted) and e.departure > BEFORE + 9e4
    )
    assert left.departure > TOWN.time(KNOWN + 1, 7.5)
    assert all(not isinstance(e, TripEnded) or e.trip.destination for e in events)
