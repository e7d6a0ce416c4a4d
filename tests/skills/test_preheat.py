from __future__ import annotations

from math import exp

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.forecast import Interval
from trivet.domain.place import Stay
from trivet.domain.sample import Sample, Value
from trivet.domain.suggestion import Need
from trivet.engine.situation import Situation
from trivet.skills.check import example, knowing
from trivet.skills.preheat import (
    ASK_EARLY_S,
    CLIMATE,
    CURRENT,
    LOSS_PER_H,
    OUTDOOR,
    START,
    TARGET,
    Preheat,
    measure_gain,
)

RETURNING = example(17.5, "work", "home")
HOUR_S = 3600.0


def home(situation: Situation, **states: Value) -> Situation:
    names = {
        "mode": CLIMATE,
        "target": TARGET,
        "current": CURRENT,
        "outdoor": OUTDOOR,
        "occupancy": "binary_sensor.occupancy",
        "window": "binary_sensor.kitchen_window",
    }
    samples = [
        Sample("home", names[name], situation.time, value)
        for name, value in states.items()
    ]
    return knowing(situation, *samples)


def arriving(in_s: float, spread_s: float = 0.0, probability: float = 0.8) -> Situation:
    """On the way home, there in so many seconds."""
    assert RETURNING.forecast is not None
    median = RETURNING.time + in_s
    arrival = Interval(median - spread_s, median, median + spread_s)
    best, new = RETURNING.forecast.candidates
    replace = msgspec.structs.replace
    candidates = (
        replace(best, probability=probability, arrival=arrival),
        replace(new, probability=1 - probability),
    )
    forecast = replace(RETURNING.forecast, candidates=candidates)
    return replace(RETURNING, forecast=forecast)


def needs(situation: Situation, skill: Preheat | None = None) -> list[Need]:
    return list((skill or Preheat()).needs(situation))


def test_heading_home_to_a_cold_room_asks_for_heat_with_numbers() -> None:
    (need,) = needs(RETURNING)
    travel, room = need.reasons
    assert travel.text == "80 % you are heading home, arriving 17:45 to 18:00"
    assert room.text.startswith(
        "The living room is at 16.5 °C and needs about 115 min to 21 °C"
    )
    assert "(2 °C outside)" in room.text
    assert need.probability == pytest.approx(0.8)


def test_yes_sets_the_mode_and_then_the_target() -> None:
    (need,) = needs(RETURNING)
    assert [(a.path, a.value) for a in need.actions] == [
        (CLIMATE, "heat"),
        (TARGET, 21.0),
    ]
    (need,) = needs(home(RETURNING, mode="heat"))
    assert [(a.path, a.value) for a in need.actions] == [(TARGET, 21.0)]


def test_a_setback_is_not_a_wish_but_a_set_point_near_comfort_is() -> None:
    (need,) = needs(home(RETURNING, target=17.0))
    assert need.actions[-1].value == 21.0
    (need,) = needs(home(RETURNING, target=22.5))
    assert need.actions[-1].value == 22.5


@pytest.mark.parametrize("current", [20.1, 21.0, 24.0])
def test_a_warm_home_needs_nothing(current: float) -> None:
    assert not needs(home(RETURNING, current=current))


def test_a_home_that_is_heating_already_needs_nothing() -> None:
    assert not needs(home(RETURNING, mode="heat", target=21.0))


def test_whoever_is_in_sees_to_the_heating() -> None:
    assert not needs(home(RETURNING, occupancy="on"))


def test_an_unlikely_return_heats_nothing() -> None:
    assert needs(arriving(1200, probability=0.5))
    assert not needs(arriving(1200, probability=0.3))


@pytest.mark.parametrize("current", [-1e9, 85.0])
def test_a_broken_sensor_heats_nothing(current: float) -> None:
    assert not needs(home(RETURNING, current=current))


@given(st.floats(10.0, 19.9), st.floats(-10.0, 15.0), st.floats(0.0, 600.0))
@settings(max_examples=50, deadline=None)
def test_it_starts_in_time_for_the_early_to_median_arrival_and_not_before(
    current: float, outdoor: float, spread_s: float
) -> None:
    skill = Preheat()
    room = {"current": current, "outdoor": outdoor}
    lead_s = skill.lead_s(home(RETURNING, **room), current, 21.0)
    # the target is reached midway between the early and the median arrival
    due_s = lead_s + spread_s / 2 + ASK_EARLY_S
    if due_s < 6 * HOUR_S:
        assert not needs(home(arriving(due_s + 60, spread_s), **room))
        assert needs(home(arriving(due_s - 60, spread_s), **room))


def test_the_lead_follows_the_model_of_the_room() -> None:
    lead_h = Preheat().lead_s(home(RETURNING, outdoor=2.0), 16.5, 21.0) / HOUR_S
    final = 2.0 + Preheat().gain_kph / LOSS_PER_H
    assert final - (final - 16.5) * exp(-LOSS_PER_H * lead_h) == pytest.approx(21.0)


@given(st.floats(5.0, 20.0), st.floats(-15.0, 15.0), st.floats(2.0, 8.0))
@settings(max_examples=50, deadline=None)
def test_colder_takes_longer_and_more_power_shorter(
    current: float, outdoor: float, gain: float
) -> None:
    def lead_s(current: float, outdoor: float, gain: float) -> float:
        return Preheat(gain_kph=gain).lead_s(
            home(RETURNING, outdoor=outdoor), current, 21.0
        )

    usual = lead_s(current, outdoor, gain)
    assert lead_s(current - 1, outdoor, gain) >= usual
    assert lead_s(current, outdoor - 1, gain) >= usual
    assert lead_s(current, outdoor, gain + 1) <= usual


def test_too_late_for_the_target_it_says_what_will_be_reached() -> None:
    (need,) = needs(RETURNING)
    assert "started now it will be at 17.3 °C when you arrive" in need.reasons[1].text


def test_nobody_is_asked_in_the_last_minutes() -> None:
    assert not needs(arriving(200.0))


def test_an_open_window_is_told_along() -> None:
    assert needs(home(RETURNING, window="on"))[0].details == (
        "The kitchen window is open",
    )
    assert not needs(home(RETURNING, window="off"))[0].details


def at_work(hour: float = 16.75) -> Situation:
    return example(hour, "work")


def weekly_returns(situation: Situation, *minutes_later: float) -> Situation:
    """Past weeks, newest last, each with a return so long after this hour."""
    first = situation.time - (len(minutes_later) * 7 + 1) * 86400
    stays = [Stay("home", first, first + 6 * HOUR_S)]
    for back, minutes in zip(
        range(len(minutes_later), 0, -1), minutes_later, strict=True
    ):
        then = situation.time - back * 7 * 86400
        stays.append(Stay("work", then - 6 * HOUR_S, then + 600))
        stays.append(Stay("home", then + minutes * 60, then + 12 * HOUR_S))
    return msgspec.structs.replace(situation, stays=tuple(stays))


def test_a_usual_return_is_enough_with_its_evidence() -> None:
    (need,) = needs(weekly_returns(at_work(), 70, 75, 75, 80, 72, 75))
    reason = need.reasons[0]
    assert (reason.count, reason.of) == (6, 6)
    assert reason.text == (
        "On 6 of the last 6 Fridays that you were at work at 16:45 you came home, "
        "usually 17:55 to 18:05"
    )


def test_an_early_hour_of_a_usual_day_waits() -> None:
    assert not needs(weekly_returns(at_work(10.0), 475, 480, 480, 480, 485, 480))


def test_returns_at_all_hours_are_not_usual() -> None:
    assert not needs(weekly_returns(at_work(), 20, 75, 190, 300, 400, 500))


def test_a_holiday_has_no_usual_return() -> None:
    situation = weekly_returns(at_work(), 70, 75, 75, 80, 72, 75)
    assert needs(situation)
    assert not needs(msgspec.structs.replace(situation, at="mall"))


def test_three_returns_are_not_yet_a_habit() -> None:
    assert not needs(weekly_returns(at_work(), 75, 75, 75))


def foretold(in_h: float, chance: float) -> Situation:
    """At work, with nobody in for hours, and then somebody by that chance."""
    empty = round(in_h * 4)
    soon = (0.02,) * empty + (chance,) * (96 - empty)
    return msgspec.structs.replace(at_work(), soon=soon)


def test_the_routine_tells_when_somebody_may_well_be_in() -> None:
    (need,) = needs(foretold(2.0, 0.6))
    assert need.title == "Heat the living room to 21 °C before somebody is home"
    assert need.reasons[0].text == (
        "60 % somebody is in at 18:45, as days like this go"
    )
    assert need.probability == pytest.approx(0.6)


def test_by_the_routine_it_starts_when_the_room_needs_it_and_not_before() -> None:
    # from 16.5 to 21 °C it takes about 115 minutes
    assert needs(foretold(2.0, 0.6))
    assert not needs(foretold(2.5, 0.6))
    assert needs(home(foretold(2.5, 0.6), current=14.5))
    assert not needs(home(foretold(2.0, 0.6), current=20.5))


def test_a_small_chance_is_worth_no_heating() -> None:
    assert needs(foretold(2.0, START + 0.01))
    assert not needs(foretold(2.0, START - 0.01))


def test_who_should_be_in_by_now_is_waited_for_and_asked_about_by_the_hour() -> None:
    late = foretold(0.0, 0.9)
    (need,) = needs(late)
    assert need.expires >= late.time + HOUR_S


def test_a_routine_without_a_return_says_nothing_though_weeks_did() -> None:
    usual = weekly_returns(at_work(), 70, 75, 75, 80, 72, 75)
    assert needs(usual)
    assert not needs(msgspec.structs.replace(usual, soon=(0.02,) * 96))


def test_on_the_way_the_trip_is_believed() -> None:
    on_trip = msgspec.structs.replace(RETURNING, soon=(0.02,) * 96)
    assert needs(on_trip)[0].title.endswith("before you are home")


def test_no_trip_and_no_known_place_say_nothing() -> None:
    nowhere = msgspec.structs.replace(at_work(), at="")
    assert not needs(weekly_returns(nowhere, 70, 75, 75, 80, 72, 75))


def heated(gain: float, hours: float = 2.0, mode: str = "heat") -> list[Sample]:
    """A room recorded each five minutes while heated from 16 °C with 4 °C outside."""
    final = 4.0 + gain / LOSS_PER_H
    samples = [
        Sample("home", OUTDOOR, 0.0, 4.0),
        Sample("home", CLIMATE, 1.0, mode),
    ]
    for step in range(int(hours * 12)):
        warm = final - (final - 16.0) * exp(-LOSS_PER_H * step / 12)
        samples.append(Sample("home", CURRENT, 2.0 + step * 300, warm))
    return samples


@given(st.floats(2.5, 8.0))
@settings(max_examples=30, deadline=None)
def test_the_gain_of_a_room_is_found_in_its_past(gain: float) -> None:
    measured = measure_gain(heated(gain))
    assert measured == pytest.approx(gain, rel=0.02)


def test_holding_a_warm_room_does_not_count_as_slow_heating() -> None:
    samples = heated(4.0)
    last = samples[-1]
    held = [
        msgspec.structs.replace(last, time=last.time + step * 300)
        for step in range(1, 40)
    ]
    assert measure_gain([*samples, *held]) == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize(
    "samples", [[], heated(4.0, mode="off"), heated(4.0, hours=0.2)]
)
def test_a_past_without_heating_measures_nothing(samples: list[Sample]) -> None:
    assert measure_gain(samples) is None
