from __future__ import annotations

import msgspec
import pytest

from trivet.domain.geo import offset
from trivet.domain.sample import Position, Quality, Sample, Value
from trivet.domain.suggestion import Need
from trivet.engine.situation import Situation
from trivet.skills.check import LAT, LON, example, knowing
from trivet.skills.left_open import LeftOpen

LEAVING = example(8.5, "home", "mall")
CLOSED: dict[str, Value] = {
    "cover.garage_door": "closed",
    "lock.front_door": "locked",
    "binary_sensor.kitchen_window": "off",
    "switch.stove": "off",
}


def home(situation: Situation, **states: Value) -> Situation:
    """The situation with everything seen to, but for what `states` say for a while."""
    wanted = CLOSED | {path.replace("__", "."): v for path, v in states.items()}
    time = situation.time - 120.0
    samples = [Sample("home", path, time, v) for path, v in wanted.items()]
    return knowing(situation, *samples)


def needs(situation: Situation) -> list[Need]:
    return list(LeftOpen().needs(situation))


def away(metres: float, situation: Situation = LEAVING) -> Situation:
    at = Position(*offset(LAT, LON, metres, 0.0))
    return knowing(situation, Sample("phone", "location", situation.time + 1, at))


def test_leaving_with_all_seen_to_says_nothing() -> None:
    assert not needs(home(LEAVING))


@pytest.mark.parametrize(
    ("path", "value", "says", "label", "target"),
    [
        ("cover__garage_door", "open", "Garage door is open", "Close the", "closed"),
        (
            "lock__front_door",
            "unlocked",
            "Front door is unlocked",
            "Lock the",
            "locked",
        ),
        ("switch__stove", "on", "Stove is on", "Switch off the stove", "off"),
    ],
)
def test_it_says_exactly_what_and_offers_to_see_to_it(
    path: str, value: str, says: str, label: str, target: str
) -> None:
    (need,) = needs(home(LEAVING, **{path: value}))
    assert need.title == f"{says} at home"
    (action,) = need.actions
    assert (action.device, action.path) == ("home", path.replace("__", "."))
    assert action.value == target
    assert action.label.startswith(label)


@pytest.mark.parametrize(
    "path", ["binary_sensor.kitchen_window", "binary_sensor.front_door"]
)
def test_what_has_no_motor_is_told_with_no_action(path: str) -> None:
    (need,) = needs(home(LEAVING, **{path: "on"}))
    assert "is open" in need.title
    assert not need.actions


def test_several_things_are_told_together_by_what_can_be_done() -> None:
    stove, closable, by_hand = needs(LEAVING)
    assert stove.is_safety
    assert closable.title == "Garage door is open and front door is unlocked at home"
    assert len(closable.actions) == 2
    assert by_hand.title == "Kitchen window is open at home"


def test_only_the_stove_is_safety() -> None:
    assert [need.is_safety for need in needs(LEAVING)] == [True, False, False]


def test_seeing_to_one_group_brings_up_nothing_new() -> None:
    _, closable, by_hand = needs(LEAVING)
    done = [
        Sample("home", action.path, LEAVING.time, action.value)
        for action in closable.actions
    ]
    after = [need.key for need in needs(knowing(LEAVING, *done))]
    assert after == ["switch.stove", by_hand.key]


def test_not_while_somebody_is_still_in_the_stove_included() -> None:
    assert not needs(home(LEAVING, binary_sensor__occupancy="on", switch__stove="on"))


def test_one_room_with_somebody_in_it_is_enough() -> None:
    rooms = {
        "binary_sensor__kitchen_occupancy": "on",
        "binary_sensor__occupancy": "off",
    }
    assert not needs(home(LEAVING, switch__stove="on", **rooms))


def test_a_home_that_says_nothing_of_people_is_less_surely_empty() -> None:
    known = needs(LEAVING)[0].probability
    unknown = knowing(
        LEAVING,
        Sample("home", "binary_sensor.occupancy", LEAVING.time, "unavailable"),
    )
    assert 0.0 < needs(unknown)[0].probability < known


def test_not_before_having_left() -> None:
    assert not needs(away(120.0))
    assert needs(away(160.0))


def test_not_in_the_first_minute() -> None:
    assert LEAVING.forecast is not None
    departure = LEAVING.forecast.departure
    assert not needs(msgspec.structs.replace(LEAVING, time=departure + 30.0))


def test_not_at_home() -> None:
    assert not needs(msgspec.structs.replace(LEAVING, forecast=None, at="home"))


def test_away_with_no_trip_counts_too() -> None:
    assert needs(example(12.0, "work"))


def test_without_any_position_the_length_driven_tells() -> None:
    blind = msgspec.structs.replace(LEAVING, phone="", car="")
    assert needs(blind)
    assert blind.forecast is not None
    begun = msgspec.structs.replace(blind.forecast, driven_m=50.0)
    assert not needs(msgspec.structs.replace(blind, forecast=begun))


def test_on_the_way_back_home_it_waits() -> None:
    assert not needs(example(17.5, "work", "home"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cover.bedroom_blinds", "open"),
        ("switch.lamp", "on"),
        ("binary_sensor.front_door_battery", "on"),
        ("binary_sensor.motion", "on"),
        ("cover.garage_door", "unavailable"),
        ("lock.front_door", "unknown"),
    ],
)
def test_what_may_stay_as_it_is_is_not_told(path: str, value: str) -> None:
    assert not needs(home(LEAVING, **{path: value}))


def test_a_reading_that_its_source_calls_wrong_is_not_told() -> None:
    bad = Sample("home", "switch.stove", LEAVING.time, "on", Quality.BAD)
    assert not needs(knowing(home(LEAVING), bad))


def test_it_ends_half_an_hour_after_leaving() -> None:
    assert LEAVING.forecast is not None
    for need in needs(LEAVING):
        assert need.expires == LEAVING.forecast.departure + 1800


def test_reasons_say_when_one_left_and_when_it_was_seen() -> None:
    reasons = [reason.text for reason in needs(LEAVING)[0].reasons]
    assert reasons[0] == "You left home at 08:25 and are 500 m away"
    assert reasons[1] == "The stove is on, last reported at 08:20"


def test_once_somewhere_far_an_open_window_is_no_news() -> None:
    at_work = example(12.0, "work")
    window = home(at_work, binary_sensor__kitchen_window="on")
    assert not needs(window)
    assert needs(home(at_work, switch__stove="on"))
    near = Position(*offset(LAT, LON, 900.0, 0.0))
    assert needs(knowing(window, Sample("phone", "location", window.time + 1, near)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cover.garage_door", "open"),
        ("lock.front_door", "unlocked"),
        ("binary_sensor.front_door", "on"),
    ],
)
def test_a_door_that_just_changed_is_somebody_coming_home(
    path: str, value: str
) -> None:
    def changed(age_s: float) -> Situation:
        situation = msgspec.structs.replace(home(LEAVING), time=LEAVING.time + 300)
        return knowing(situation, Sample("home", path, situation.time - age_s, value))

    assert not needs(changed(30.0))
    assert needs(changed(90.0))


def test_a_stove_is_told_at_once() -> None:
    on = Sample("home", "switch.stove", LEAVING.time, "on")
    assert needs(knowing(home(LEAVING), on))
