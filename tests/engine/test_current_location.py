"""A car that says latitude and longitude by themselves is where both say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.life import HOME, WORK, commute, drive, here, learn, stay

from trivet.domain import Position, Quality, Sample
from trivet.engine import Anticipator
from trivet.engine.current_location import LATITUDE, LONGITUDE, CurrentLocation


def halves(sample: Sample, gap_s: float = 0.0) -> list[Sample]:
    assert isinstance(sample.value, Position)
    return [
        Sample("car", LATITUDE, sample.time, sample.value.lat),
        Sample("car", LONGITUDE, sample.time + gap_s, sample.value.lon),
    ]


@pytest.mark.parametrize("swap", [False, True])
def test_two_signals_of_one_time_are_one_position(swap: bool) -> None:
    location = CurrentLocation()
    pair = [Sample("car", LATITUDE, 5.0, 49.0), Sample("car", LONGITUDE, 5.0, 8)]
    first, second = reversed(pair) if swap else pair
    assert location.join(first) is None
    assert location.join(second) == Sample("car", "location", 5.0, Position(49.0, 8.0))


@pytest.mark.parametrize("gap_s", [0.0, 0.1, 0.5, 1.0])
def test_halves_that_come_in_turn_are_each_told_once(gap_s: float) -> None:
    location, told = CurrentLocation(), list[Sample]()
    for second in range(10):
        for path, late in ((LATITUDE, 0.0), (LONGITUDE, gap_s)):
            time = 2.0 * second + late
            found = location.join(Sample("car", path, time, float(second)))
            told += [] if found is None else [found]
    spots = [(s.value.lat, s.value.lon) for s in told if isinstance(s.value, Position)]
    assert spots == [(float(n), float(n)) for n in range(10)]


def test_a_half_that_is_not_said_again_is_as_it_was() -> None:
    location = CurrentLocation()
    location.join(Sample("car", LATITUDE, 1.0, 50.0))
    location.join(Sample("car", LONGITUDE, 1.0, 8.0))
    assert location.join(Sample("car", LATITUDE, 3.0, 52.0)) is None
    told = location.join(Sample("car", LATITUDE, 4.0, 53.0))
    assert told == Sample("car", "location", 3.0, Position(52.0, 8.0))


def test_a_half_of_long_ago_is_no_position() -> None:
    location = CurrentLocation()
    location.join(Sample("car", LONGITUDE, 0.0, 8.0))
    location.join(Sample("car", LATITUDE, 500.0, 49.0))
    assert location.join(Sample("car", LATITUDE, 501.0, 49.0)) is None


def test_a_car_is_learned_from_like_a_phone() -> None:
    days = commute(7)
    phone = Anticipator("ada", "phone", here())
    car = Anticipator("ada", "car", here())
    learn(phone, days)
    learn(car, [half for sample in days for half in halves(sample)])
    assert list(car.stays) == list(phone.stays)
    assert list(car.trips) == list(phone.trips)
    way = [
        *stay(days[-1].time + 60, HOME, 600),
        *drive(days[-1].time + 700, HOME, WORK),
    ]
    learn(phone, way[:30])
    learn(car, [half for sample in way[:30] for half in halves(sample, 0.1)])
    mine, theirs = car.predict_one(way[29].time), phone.predict_one(way[29].time)
    assert mine is not None
    assert theirs is not None
    assert mine.best.place == theirs.best.place


def test_a_restart_between_two_halves_loses_none() -> None:
    car = Anticipator("ada", "car", here())
    for sample in commute(1)[:60]:
        first, second = halves(sample)
        car.learn_one(first)
        car = Anticipator.restore(car.snapshot(), here())
        car.learn_one(second)
    assert len(car.stays) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([LATITUDE, LONGITUDE]),
            st.floats(0, 1000),
            st.one_of(
                st.floats(allow_nan=True), st.integers(), st.booleans(), st.text()
            ),
            st.sampled_from(Quality),
        )
    )
)
def test_attack_nothing_that_a_car_says_makes_an_impossible_position(
    said: list[tuple[str, float, float | int | bool | str, Quality]],
) -> None:
    location = CurrentLocation()
    for path, time, value, quality in said:
        told = location.join(Sample("car", path, time, value, quality))
        if told is not None:
            assert isinstance(told.value, Position)
            assert abs(told.value.lat) <= 90
            assert abs(told.value.lon) <= 180
            assert math.isfinite(told.time)
