"""Stays are found in spite of silence, drift, jumps, traffic and late samples."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.life import (
    HOME,
    SHOP,
    WORK,
    drive,
    fix,
    learn,
    learner,
    monday,
    stay,
    trips_in,
)

from trivet.domain import Position, Sample
from trivet.engine import StayStarted, TripEnded, TripStarted
from trivet.engine.settings import Settings
from trivet.engine.stay import StayDetector

WAY = [
    *stay(monday(7), HOME, 3600),
    *drive(monday(8), HOME, WORK),
    *stay(monday(8.5), WORK, 3600),
]


def test_a_drive_between_two_stays_is_one_trip() -> None:
    events = learn(learner(), WAY)
    kinds = [type(event).__name__ for event in events]
    assert kinds == [
        "StayStarted",
        "StayEnded",
        "TripStarted",
        "TripEnded",
        "StayStarted",
    ]
    trip = trips_in(events)[0].trip
    assert abs(trip.departure - monday(8)) < 90
    assert abs(trip.arrival - (monday(8) + 5385 / 12)) < 90
    assert 5000 < trip.distance_m < 5800


@pytest.mark.parametrize("wait_s", [60, 180, 280])
def test_a_red_light_or_a_jam_is_no_stay(wait_s: float) -> None:
    half = (2500.0, 1000.0)
    samples = [
        *stay(monday(7), HOME, 3600),
        *drive(monday(8), HOME, half),
        *stay(monday(8) + 240, half, wait_s, 10),
        *drive(monday(8) + 240 + wait_s, half, WORK),
        *stay(monday(9), WORK, 3600),
    ]
    assert len(trips_in(learn(learner(), samples))) == 1


def test_drift_and_a_short_step_outside_end_no_stay() -> None:
    samples = stay(monday(7), HOME, 7200)
    wild = [
        fix(monday(7.5), (380.0, 0.0)),
        fix(monday(8), (0.0, 190.0)),
        fix(monday(8.25), (230.0, 0.0), accuracy_m=80.0),
    ]
    events = learn(learner(), sorted([*samples, *wild], key=lambda s: s.time))
    assert [type(event) for event in events] == [StayStarted]


def test_a_jump_faster_than_any_car_is_dropped_and_the_way_goes_on() -> None:
    jumpy = list(WAY)
    middle = next(n for n, s in enumerate(jumpy) if s.time >= monday(8) + 200)
    jumpy.insert(middle, fix(jumpy[middle].time - 5, (90_000.0, 90_000.0)))
    plain, shaken = learner(), learner()
    learn(plain, WAY)
    learn(shaken, jumpy)
    assert plain.trips == shaken.trips


def test_after_a_flight_the_person_is_found_again() -> None:
    far = (900_000.0, 0.0)
    samples = [*stay(monday(7), HOME, 3600), *stay(monday(8.2), far, 7200)]
    anticipator = learner(samples)
    assert anticipator.at(monday(9)) == "p2"
    assert len(anticipator.trips) == 0


def test_silence_at_one_place_is_a_stay_and_one_that_ends_elsewhere_is_none() -> None:
    night = [*WAY, fix(monday(20), (WORK[0] + 50, WORK[1]))]
    anticipator = learner(night)
    assert anticipator.stays[-1].departure == monday(20)
    gone = learner([*WAY, *stay(monday(30), SHOP, 3600)])
    assert gone.stays[1].departure < monday(10)
    assert [stay.place for stay in gone.stays] == ["p1", "p2", "p3"]


def test_the_logger_switched_off_on_arrival_still_ends_the_trip_there() -> None:
    walk = drive(monday(8), HOME, (1200.0, 0.0), speed_mps=1.4)
    later = stay(monday(20), (1250.0, 0.0), 3600)
    events = learn(learner(), [*stay(monday(7), HOME, 3600), *walk, *later])
    ended = trips_in(events)
    assert len(ended) == 1
    assert abs(ended[0].trip.arrival - walk[-1].time) < 120


def test_a_tunnel_does_not_end_a_trip() -> None:
    way = drive(monday(8), HOME, (20_000.0, 0.0))
    dark = [s for s in way if not monday(8) + 300 < s.time < monday(8) + 1200]
    samples = [*stay(monday(7), HOME, 3600), *dark]
    samples += stay(monday(9), (20_000.0, 0.0), 3600)
    assert len(trips_in(learn(learner(), samples))) == 1


def test_a_phone_that_sleeps_at_home_left_not_long_before_it_woke() -> None:
    woke = drive(monday(16), (600.0, 0.0), WORK)
    events = learn(learner(), [*stay(monday(7), HOME, 3600), *woke])
    started = next(e for e in events if isinstance(e, TripStarted))
    assert monday(15.8) < started.departure < monday(16)


def test_doubled_and_late_samples_change_nothing() -> None:
    noisy: list[Sample] = []
    for index, sample in enumerate(WAY):
        noisy += [sample, sample]
        if index > 20:
            noisy.append(WAY[index - 20])
    plain, doubled = learner(WAY), learner(noisy)
    assert plain.snapshot() == doubled.snapshot()


def test_a_loop_round_the_block_belongs_to_the_stay() -> None:
    out = drive(monday(8), HOME, (150.0, 0.0), speed_mps=1.3)
    step = drive(out[-1].time + 10, (220.0, 0.0), (230.0, 60.0), speed_mps=1.3)
    back = drive(step[-1].time + 20, (150.0, 0.0), HOME, speed_mps=1.3)
    samples = [*stay(monday(7), HOME, 3600), *out, *step, *back]
    samples += stay(back[-1].time + 60, HOME, 3600)
    anticipator = learner(samples)
    assert len(anticipator.trips) == 0
    assert len(anticipator.stays) == 1


def test_stays_never_overlap_and_time_never_goes_back() -> None:
    anticipator = learner(WAY)
    stays = anticipator.stays
    assert all(s.arrival <= s.departure for s in stays)
    assert all(a.departure <= b.arrival for a, b in itertools.pairwise(stays))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 7e9, allow_nan=False),
            st.floats(-90, 90),
            st.floats(-180, 180),
            st.floats(0, 1e6),
        ),
        max_size=60,
    )
)
def test_no_fix_whatsoever_breaks_the_detector(
    fixes: list[tuple[float, float, float, float]],
) -> None:
    detector = StayDetector(Settings())
    for time, lat, lon, accuracy_m in fixes:
        detector.learn_one(time, lat, lon, accuracy_m)
    assert len(detector.state.window) < 200


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats() | st.text() | st.booleans() | st.integers(), max_size=20))
def test_no_value_whatsoever_breaks_the_learner(values: list[object]) -> None:
    anticipator = learner(WAY)
    before = anticipator.trips
    paths = ("location", "transition.enter", "transition.leave", "Vehicle.Speed")
    for index, value in enumerate(values):
        for path in paths[:1] if isinstance(value, str) else paths:
            anticipator.learn_one(
                Sample("phone", path, monday(10) + index, value)  # type: ignore[arg-type]
            )
    nowhere = Position(float("nan"), float("inf"))
    assert anticipator.learn_one(Sample("phone", "location", 1e9, nowhere)) == []
    assert anticipator.trips == before


def test_samples_of_other_devices_and_paths_are_passed_over() -> None:
    anticipator = learner(WAY)
    state = anticipator.snapshot()
    other = Sample("car", "location", monday(12), Position(1.0, 1.0))
    assert anticipator.learn_one(other) == []
    assert anticipator.learn_one(Sample("phone", "batt", monday(12), 50)) == []
    assert anticipator.snapshot() == state


def test_a_trip_is_told_once() -> None:
    events = learn(learner(), WAY)
    assert sum(isinstance(event, TripEnded) for event in events) == 1
