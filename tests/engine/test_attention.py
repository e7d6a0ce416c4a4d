from __future__ import annotations

import msgspec
import pytest

from trivet.domain.forecast import Reason
from trivet.domain.sample import Position, Sample, Value
from trivet.domain.suggestion import Need, Surface
from trivet.engine.attention import Attention, Load
from trivet.engine.situation import Situation
from trivet.skills.check import example, knowing

NEED = Need(
    "tea",
    "tea",
    "Tea?",
    0.9,
    0.9,
    (Reason("1 of 1"),),
    4e9,
    surfaces=(Surface.PHONE, Surface.HOME, Surface.CAR),
)
SAFETY = msgspec.structs.replace(NEED, is_safety=True, surfaces=(Surface.PHONE,))
attention = Attention()


def car(situation: Situation, path: str, value: Value) -> Situation:
    return knowing(situation, Sample("car", path, situation.time, value))


def driving(speed_kph: float, hour: float = 12.0) -> Situation:
    return car(example(hour, "work", "home"), "Vehicle.Speed", speed_kph)


def staying(at: str, hour: float = 12.0) -> Situation:
    return msgspec.structs.replace(example(hour, "work"), at=at)


def test_a_standing_car_takes_no_attention_and_a_fast_one_all() -> None:
    assert attention.load(driving(0.0)) is Load.NONE
    assert attention.load(driving(50.0)) is Load.LOW
    assert attention.load(driving(130.0)) is Load.HIGH
    assert attention.load(staying("work")) is Load.NONE


@pytest.mark.parametrize(
    "path",
    [
        "Vehicle.Body.Raindetection.Intensity",
        "Vehicle.Body.Windshield.Front.Wiping.Intensity",
    ],
)
def test_rain_makes_the_load_high_at_a_lower_speed(path: str) -> None:
    assert attention.load(driving(80.0)) is Load.LOW
    assert attention.load(car(driving(80.0), path, 2)) is Load.HIGH
    assert attention.load(car(driving(80.0), path, 0)) is Load.LOW


@pytest.mark.parametrize(
    ("path", "calm", "taken"),
    [
        ("Vehicle.AngularVelocity.Yaw", 2.0, -15.0),
        ("Vehicle.Chassis.SteeringWheel.Angle", -10, 120),
        ("Vehicle.Driver.DistractionLevel", 10.0, 80.0),
    ],
)
def test_in_a_turn_or_distracted_only_safety_may_speak(
    path: str, calm: float, taken: float
) -> None:
    assert attention.load(car(driving(50.0), path, calm)) is Load.LOW
    busy = car(driving(50.0), path, taken)
    assert attention.load(busy) is Load.HIGH
    assert not attention.allows(NEED, busy)
    assert attention.allows(SAFETY, busy)
    over = msgspec.structs.replace(busy, time=busy.time + 15.0)
    assert attention.load(over) is Load.LOW
    assert attention.load(car(driving(0.0), path, taken)) is Load.NONE


@pytest.mark.parametrize("state", ["ringing", "offhook"])
def test_a_call_takes_all_attention_in_a_car_and_costs_elsewhere(state: str) -> None:
    def phone(situation: Situation, value: str) -> Situation:
        told = Sample("phone", "sensor.phone_state", situation.time - 300.0, value)
        return knowing(situation, told)

    assert attention.load(phone(driving(50.0), state)) is Load.HIGH
    assert attention.load(phone(driving(50.0), "idle")) is Load.LOW
    here = staying("work")
    assert attention.cost(phone(here, state), 0) > attention.cost(here, 0)
    assert attention.cost(phone(here, "idle"), 0) == attention.cost(here, 0)


def test_a_hand_on_the_phone_while_driving_takes_all_attention() -> None:
    there = driving(50.0)
    on = Sample("phone", "binary_sensor.interactive", there.time, "on")
    assert attention.load(knowing(there, on)) is Load.HIGH
    assert attention.load(knowing(driving(0.0), on)) is Load.NONE


def test_a_trip_whose_speed_nobody_tells_counts_as_driving() -> None:
    blind = msgspec.structs.replace(driving(0.0), car="")
    assert attention.load(blind) is Load.LOW
    assert attention.cost(blind, 0) > attention.cost(staying("work"), 0)


def test_a_person_on_foot_is_not_driving() -> None:
    walking = msgspec.structs.replace(driving(0.0), car="")
    at = Position(54.5, 4.0, speed_mps=1.4)
    walking = knowing(walking, Sample("phone", "location", walking.time, at))
    assert attention.load(walking) is Load.NONE


def test_somebody_else_in_the_car_does_not_make_the_person_a_driver() -> None:
    walking = driving(130.0)
    far = Position(54.9, 4.0, speed_mps=1.0)
    walking = knowing(walking, Sample("phone", "location", walking.time, far))
    assert attention.load(walking) is Load.NONE
    assert attention.surface(NEED, walking) is Surface.PHONE


def test_under_high_load_only_safety_may_speak() -> None:
    assert not attention.allows(NEED, driving(130.0))
    assert attention.allows(SAFETY, driving(130.0))
    assert attention.allows(NEED, driving(50.0))


def test_cost_grows_with_speed() -> None:
    costs = [attention.cost(driving(speed), 0) for speed in (0.0, 30.0, 60.0, 100.0)]
    assert costs == sorted(set(costs))


def test_cost_grows_with_what_was_given_today() -> None:
    costs = [attention.cost(driving(0.0), given) for given in range(5)]
    assert costs == sorted(set(costs))


def test_quiet_hours_cost_more_unless_the_person_is_under_way() -> None:
    noon, night = staying("work", 12.0), staying("work", 23.0)
    assert attention.cost(night, 0) > attention.cost(noon, 0)
    assert attention.cost(driving(50.0, 23.0), 0) == attention.cost(driving(50.0), 0)


@pytest.mark.parametrize(
    ("hour", "is_quiet"), [(21.9, False), (22.0, True), (3.0, True), (7.0, False)]
)
def test_quiet_hours_are_local_and_pass_midnight(hour: float, is_quiet: bool) -> None:
    assert attention.is_quiet(staying("work", hour)) is is_quiet


def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = Attention(quiet_from_h=13.0, quiet_until_h=15.0)
    assert siesta.is_quiet(staying("work", 14.0))
    assert not siesta.is_quiet(staying("work", 23.0))


def test_in_a_moving_car_it_is_the_car_and_never_the_phone() -> None:
    assert attention.surface(NEED, driving(50.0)) is Surface.CAR
    phone_only = msgspec.structs.replace(NEED, surfaces=(Surface.PHONE,))
    assert attention.surface(phone_only, driving(50.0)) is None
    assert attention.surface(phone_only, driving(0.0)) is Surface.PHONE


def test_safety_finds_a_surface_wherever_it_may() -> None:
    assert attention.surface(SAFETY, driving(50.0)) is Surface.PHONE


def test_outside_the_car_it_is_the_first_surface_that_is_there() -> None:
    assert attention.surface(NEED, staying("work")) is Surface.PHONE
    home_first = msgspec.structs.replace(NEED, surfaces=(Surface.HOME, Surface.PHONE))
    assert attention.surface(home_first, staying("home")) is Surface.HOME
    assert attention.surface(home_first, staying("work")) is Surface.PHONE
    car_only = msgspec.structs.replace(NEED, surfaces=(Surface.CAR,))
    assert attention.surface(car_only, staying("work")) is None
