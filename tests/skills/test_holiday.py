from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from trivet.domain.appointment import Appointment
from trivet.domain.place import Stay
from trivet.domain.sample import Sample, Value
from trivet.domain.suggestion import Need
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import example, example_far, knowing
from trivet.skills.holiday import Holiday

#: Friday on an island, two days after leaving home.
NOON, EVENING = example_far(12.5), example_far(20.25)
CLIMATE, LAMP = "climate.living_room", "light.living_room"
HOUR_S, DAY_S = 3600.0, 86_400.0


def home(situation: Situation, **states: Value) -> Situation:
    names = {
        "target": f"{CLIMATE}.temperature",
        "current": f"{CLIMATE}.current_temperature",
        "mode": CLIMATE,
        "lamp": LAMP,
        "people": "binary_sensor.occupancy",
    }
    samples = [
        Sample("home", names[name], situation.time + 1, value)
        for name, value in states.items()
    ]
    return knowing(situation, *samples)


def planned(situation: Situation, ends_in_s: float, **changes: object) -> Situation:
    """With days in the calendar that end in so many seconds."""
    end = situation.time + ends_in_s
    one = Appointment("1", "By the sea", end - 5 * DAY_S, end)
    one = msgspec.structs.replace(one, **changes)
    return msgspec.structs.replace(situation, appointments=(one,))


def keys(situation: Situation, skill: Holiday | None = None) -> list[str]:
    return [need.key for need in (skill or Holiday()).needs(situation)]


def only(situation: Situation, key: str) -> Need:
    (need,) = [need for need in Holiday().needs(situation) if need.key == key]
    return need


def test_away_for_days_and_far_offers_a_setback_with_why() -> None:
    need = only(home(EVENING, target=20.0), "setback")
    assert need.title == "Away: set the heating back to 13 °C"
    texts = [reason.text for reason in need.reasons]
    assert texts[0] == "You left home 60 h ago: longer than 42 of your last 42 absences"
    assert texts[1] == "You are 191 km from home since 60 h"
    assert texts[2] == "The heating is set to 20 °C for nobody"
    (action,) = need.actions
    assert (action.path, action.value) == (f"{CLIMATE}.temperature", 13.0)


def test_no_setback_where_it_is_low_already_or_off() -> None:
    assert "setback" not in keys(home(NOON, target=13.5))
    assert "setback" not in keys(home(NOON, target=20.0, mode="off"))


def test_while_somebody_is_in_it_is_nobody_s_holiday() -> None:
    assert not keys(home(EVENING, people="on", target=20.0))


def test_a_day_out_is_no_holiday_however_far() -> None:
    home_again = Stay("home", NOON.time - 20 * HOUR_S, NOON.time - 6 * HOUR_S)
    out = Stay("island", NOON.time - 3 * HOUR_S, NOON.time)
    day_out = msgspec.structs.replace(NOON, stays=(*NOON.stays[:-1], home_again, out))
    assert not keys(home(day_out, target=20.0))


def test_who_is_often_away_so_long_is_not_on_holiday_at_work() -> None:
    at_work = example(12.5, "work")
    shifts = [
        Stay(place, at_work.time - day * DAY_S, at_work.time - day * DAY_S + length)
        for day in range(90, 2, -2)
        for place, length in (("home", 10 * HOUR_S),)
    ]
    long = msgspec.structs.replace(at_work, stays=tuple(shifts))
    assert not keys(home(long, target=20.0))


def test_on_the_way_home_nothing_is_asked() -> None:
    coming = example(16.5, "mall", "home")
    back = msgspec.structs.replace(coming, stays=NOON.stays)
    assert not keys(home(back, target=20.0))


def test_days_in_the_calendar_make_it_surer_and_name_the_end() -> None:
    without = only(home(NOON, target=20.0), "setback")
    with_end = only(planned(home(NOON, target=20.0), 3 * DAY_S), "setback")
    assert with_end.title == "Away until Monday: set the heating back to 13 °C"
    assert with_end.probability > without.probability
    assert "'By the sea' until Monday" in with_end.reasons[0].text


def test_days_in_the_calendar_of_who_is_near_home_are_a_visitor() -> None:
    near = example(12.5, "work")
    assert not keys(planned(home(near, target=20.0), 3 * DAY_S))


def test_a_lamp_is_asked_when_it_would_go_on_with_the_whole_evening() -> None:
    (need,) = Holiday().needs(home(EVENING, target=13.0))
    assert need.key == f"{LAMP}=on"
    assert need.title == "Switch on the living room light, as if somebody were in"
    assert need.reasons[0].text == "So it was on Friday 9 January, with lamps on 1 time"
    assert need.details == ("living room light: on 20:07, off 00:06",)
    assert (need.actions[0].path, need.actions[0].value) == (LAMP, "on")


def test_not_before_its_time_not_long_after_and_not_when_it_is_on() -> None:
    low = home(EVENING, target=13.0)
    assert not keys(msgspec.structs.replace(low, time=low.time - HOUR_S))
    assert not keys(msgspec.structs.replace(low, time=low.time + HOUR_S))
    assert not keys(home(low, lamp="on"))


def test_a_lamp_that_would_be_out_by_now_is_switched_off() -> None:
    night = msgspec.structs.replace(EVENING, time=EVENING.time + 5 * HOUR_S)
    (need,) = Holiday().needs(home(night, target=13.0, lamp="on"))
    assert need.key == f"{LAMP}=off"
    assert need.actions[0].value == "off"
    ends = datetime.fromtimestamp(need.expires, night.zone)
    assert (ends.hour, ends.day) == (10, 17)


def test_with_no_evening_of_its_own_no_lamp_is_asked() -> None:
    assert not keys(home(msgspec.structs.replace(EVENING, changes=()), target=13.0))


def test_before_the_calendar_s_end_it_offers_to_warm_the_house() -> None:
    cold = home(NOON, target=13.0, current=13.5)
    assert not keys(planned(cold, 8 * HOUR_S))
    need = only(planned(cold, 4 * HOUR_S), "return")
    assert need.title == "Home again at about 16:30: warm the house from 13 °C?"
    assert (
        need.reasons[-1].text == "The home is at 13.5 °C and needs about 5 h to 21 °C"
    )
    assert [action.value for action in need.actions] == [21.0]


def test_a_last_day_with_no_hour_ends_in_the_afternoon() -> None:
    midnight = 11.5 * HOUR_S
    cold = planned(home(NOON, target=13.0, current=15.0), midnight, is_all_day=True)
    assert only(cold, "return").title.startswith("Home again at about 15:00")


@pytest.mark.parametrize("value", ["unavailable", True, -99.0])
def test_a_thermometer_that_is_broken_warms_nothing(value: Value) -> None:
    cold = home(NOON, target=13.0, current=value)
    assert "return" not in keys(planned(cold, 4 * HOUR_S))


def test_setback_and_lamp_are_worth_saying() -> None:
    warm = home(EVENING, target=20.0)
    said = Suggester("ada", [Holiday()]).suggest(warm)
    assert {one.need.key for one in said} == {"setback", f"{LAMP}=on"}
