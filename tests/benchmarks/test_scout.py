"""The scout finds the engine's trips, and asks when they have come so far."""

from __future__ import annotations

import pytest
from benchmarks.anticipation.scout import CLOCKS, moments, plan, time_at
from tests.engine.life import commute, here, learner

from trivet.app.zone import fixed_zone
from trivet.devices.world import World
from trivet.engine import Anticipator
from trivet.engine.trip import RunningTrip


def trip(minutes: int, mps: float = 10.0) -> RunningTrip:
    """A straight way to the north from event time 1000, a fix a minute."""
    running = RunningTrip("p1", "", 1000.0, 8.0, False)
    for minute in range(minutes + 1):
        north = minute * 60 * mps / 111_195
        running.add_fix(1000.0 + 60 * minute, 50.0 + north, 8.0)
    return running


def test_the_trips_are_those_of_the_engine() -> None:
    world = World(seed=5, days=21)
    samples = list(world.history(world.start_time, world.end_time))
    anticipator = Anticipator("ada", "phone", fixed_zone(world.zone))
    for sample in samples:
        anticipator.learn_one(sample)
    phone = [s for s in samples if s.device == "phone"]
    found = [(p.departure, p.arrival) for p in plan(phone, fixed_zone(world.zone))]
    assert found == [(t.departure, t.arrival) for t in anticipator.trips]
    assert len(found) > 40


def test_a_life_of_commuting_gives_a_plan_a_trip() -> None:
    samples = commute(5)
    assert len(list(plan(samples, here()))) == len(learner(samples).trips)


def test_marks_that_a_trip_never_reached_are_not_asked_for() -> None:
    found = moments(trip(8), 1000.0 + 8 * 60)
    asked = {(m.clock, m.mark) for m in found}
    assert {mark for clock, mark in asked if clock == "share"} == set(CLOCKS["share"])
    assert {mark for clock, mark in asked if clock == "minutes"} == {0.0, 2.0, 5.0}
    assert {mark for clock, mark in asked if clock == "km"} == {0.5, 1.0, 2.0}


def test_moments_come_in_order_of_time() -> None:
    times = [m.time for m in moments(trip(30), 1000.0 + 30 * 60)]
    assert times == sorted(times)


def test_a_kilometre_is_over_between_two_fixes() -> None:
    assert time_at(trip(5), 900.0) == pytest.approx(1090.0, abs=0.5)
    assert time_at(trip(5), 9000.0) is None
