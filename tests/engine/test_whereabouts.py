from __future__ import annotations

import msgspec
import pytest

from trivet.domain.sample import Position, Quality, Sample
from trivet.engine.situation import Situation
from trivet.engine.whereabouts import (
    LATITUDE,
    LONGITUDE,
    SPEED,
    has_car,
    is_in_car,
    position_of,
    speed_kph,
)
from trivet.skills.check import example, knowing
from trivet.skills.check.example import samples_of, with_samples

DRIVING = example(12.0, "home", "work")
STAYING = example(12.0, "work")


def phone(
    situation: Situation,
    lat: float,
    age_s: float = 0.0,
    quality: Quality = Quality.GOOD,
    speed_mps: float | None = None,
) -> Situation:
    at = Position(lat, 4.0, speed_mps=speed_mps)
    time = situation.time - age_s
    return knowing(situation, Sample("phone", "location", time, at, quality))


def without_phone(situation: Situation) -> Situation:
    return msgspec.structs.replace(situation, phone="")


def test_on_a_trip_the_car_stands_in_for_the_phone() -> None:
    assert position_of(without_phone(DRIVING)) == position_of(DRIVING)


def test_a_parked_car_does_not_say_where_the_person_is() -> None:
    assert position_of(without_phone(STAYING)) is None
    assert position_of(STAYING) is not None


def test_a_wrong_fix_and_an_impossible_one_are_no_position() -> None:
    bad = phone(STAYING, 10.0, quality=Quality.BAD)
    assert position_of(bad) is None
    odd = knowing(without_phone(DRIVING), Sample("car", LATITUDE, DRIVING.time, -1e9))
    assert position_of(odd) is None


def test_in_the_car_is_on_a_trip_with_the_car_near_and_its_speed_fresh() -> None:
    assert is_in_car(DRIVING)
    assert not is_in_car(STAYING)
    assert not is_in_car(msgspec.structs.replace(DRIVING, car=""))
    assert not is_in_car(phone(DRIVING, 54.6))
    assert not is_in_car(msgspec.structs.replace(DRIVING, time=DRIVING.time + 300))


def test_a_phone_that_sleeps_is_in_the_car_if_that_can_have_come_from_there() -> None:
    told = [s for s in samples_of(DRIVING) if s.device != "phone"]
    asleep = with_samples(DRIVING, told)
    lat, lon = position_of(asleep) or (0.0, 0.0)

    def is_in(north: float, age_s: float) -> bool:
        at = Position(lat + north, lon)
        sample = Sample("phone", "location", DRIVING.time - age_s, at)
        return is_in_car(knowing(asleep, sample))

    assert is_in(0.05, 300.0)  # 6 km
    assert not is_in(0.3, 300.0)  # 33 km
    assert not is_in(0.05, 60.0)


def test_a_car_with_no_position_is_taken_at_its_word() -> None:
    bare = without_phone(DRIVING)
    bare = knowing(bare, Sample("car", LONGITUDE, bare.time, "unavailable"))
    assert is_in_car(bare)


def test_a_car_is_at_hand_when_driven_or_parked_close_by() -> None:
    assert has_car(DRIVING)
    assert has_car(STAYING)
    assert not has_car(phone(STAYING, 54.6))
    assert not has_car(msgspec.structs.replace(STAYING, car=""))


def test_speed_is_the_car_s_in_it_and_the_phone_s_outside() -> None:
    assert speed_kph(DRIVING) == 45.0
    walking = phone(STAYING, 54.5, speed_mps=1.5)
    assert speed_kph(walking) == pytest.approx(5.4)
    assert speed_kph(phone(STAYING, 54.5)) is None
    assert speed_kph(msgspec.structs.replace(walking, time=NOW_LATER)) is None


NOW_LATER = STAYING.time + 600.0


def test_a_speed_that_is_no_number_is_none() -> None:
    odd = knowing(DRIVING, Sample("car", SPEED, DRIVING.time, "unavailable"))
    assert speed_kph(odd) is None
