from __future__ import annotations

import msgspec
import pytest

from trivet.domain.sample import Sample, Value
from trivet.domain.suggestion import Need, Surface
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester
from trivet.skills.check import example, knowing
from trivet.skills.departure import Departure

LAMP, LOCK = "light.kitchen", "lock.front_door"
TARGET, PEOPLE = "climate.living_room.temperature", "binary_sensor.occupancy"
LEAVING = example(8.5, "home", "mall")
MINUTE_S = 60.0


def before(situation: Situation, *done: tuple[float, str, Value]) -> Situation:
    """Past departures, at each of which this was told so many minutes before."""
    changes = [
        Sample("home", path, stay.departure - minutes * MINUTE_S, value)
        for stay in situation.stays
        if stay.place == "home" and stay.departure < situation.time - 3600.0
        for minutes, path, value in (
            *done,
            (0.0, PEOPLE, "off"),
            (-300.0, PEOPLE, "on"),
        )
    ]
    changes.sort(key=lambda sample: sample.time)
    return msgspec.structs.replace(situation, changes=tuple(changes))


def now(situation: Situation, **states: Value) -> Situation:
    """What the home says now, last told ten minutes ago."""
    names = {"lamp": LAMP, "lock": LOCK, "target": TARGET, "people": PEOPLE}
    samples = [
        Sample("home", names.get(name, name), situation.time - 500, value)
        for name, value in states.items()
    ]
    return knowing(situation, *samples)


PUT_OUT = before(LEAVING, (60.0, LAMP, "on"), (2.0, LAMP, "off"))


def needs(situation: Situation, skill: Departure | None = None) -> list[Need]:
    return list((skill or Departure()).needs(situation))


def test_what_was_forgotten_is_said_with_its_count_and_done_on_yes() -> None:
    (need,) = needs(PUT_OUT)
    assert need.title == "Kitchen light is still on at home"
    reason = need.reasons[0]
    assert reason.text.endswith(
        "departures that left the home empty you switched off the kitchen light"
    )
    assert reason.count == reason.of
    assert reason.count is not None
    assert reason.count > 40
    assert need.reasons[1].text == "You left home at 08:25, and nobody is in"
    (action,) = need.actions
    assert (action.path, action.value, action.label) == (
        LAMP,
        "off",
        "Switch off the kitchen light",
    )


def test_what_was_done_as_always_is_not_said() -> None:
    assert not needs(now(PUT_OUT, lamp="off"))


def forgetting(share: float, done: int = 20) -> Situation:
    """A lamp on at so many departures, and left on at that share of them."""
    kept: list[Sample] = []
    number = 0
    for sample in PUT_OUT.changes:
        number += sample.value == "off" and sample.path == LAMP
        if sample.path == LAMP and number > done:
            break
        is_forgotten = sample.path == LAMP and sample.value == "off"
        if not (is_forgotten and number <= round(share * done)):
            kept.append(sample)
    return msgspec.structs.replace(PUT_OUT, changes=tuple(kept))


@pytest.mark.parametrize(
    ("share", "done", "is_said"),
    [
        (0.0, 20, True),
        (0.2, 20, True),
        (0.3, 20, False),
        (0.0, 6, True),
        (0.0, 5, False),
    ],
)
def test_a_habit_is_eight_of_ten_and_six_times_at_least(
    share: float, done: int, is_said: bool
) -> None:
    assert bool(needs(forgetting(share, done))) is is_said


def test_a_lamp_that_mostly_was_out_before_is_a_habit_by_the_days_it_was_on() -> None:
    few = forgetting(0.0, 7)
    (need,) = needs(few)
    assert (need.reasons[0].count, need.reasons[0].of) == (7, 7)


def test_a_lamp_that_nobody_ever_puts_out_on_leaving_is_never_said() -> None:
    assert not needs(before(LEAVING, (60.0, LAMP, "on"), (40.0, LAMP, "off")))


def test_the_heating_that_is_always_set_back_is_a_habit_too() -> None:
    set_back = before(LEAVING, (60.0, TARGET, 21.0), (-0.5, TARGET, 16.0))
    warm = now(set_back, target=21.0, **{"climate.living_room": "heat"})
    (need,) = needs(warm)
    assert need.title == "Living room heating is still set to 21 °C at home"
    assert need.actions[0].value == 16.0
    assert not needs(now(warm, target=15.0))
    off = Sample("home", "climate.living_room", LEAVING.time, "off")
    assert not needs(knowing(warm, off))


def test_several_things_are_one_suggestion() -> None:
    both = before(
        LEAVING,
        (60.0, LAMP, "on"),
        (2.0, LAMP, "off"),
        (60.0, "fan.bath", "on"),
        (3.0, "fan.bath", "off"),
    )
    (need,) = needs(now(both, **{"fan.bath": "on"}))
    assert need.title == "Bath fan is still on and kitchen light is still on at home"
    assert len(need.actions) == 2


def test_a_lock_is_told_here_only_where_nobody_else_does() -> None:
    locked = before(LEAVING, (60.0, LOCK, "unlocked"), (1.0, LOCK, "locked"))
    forgot = now(locked, lock="unlocked", lamp="off")
    assert not needs(forgot)
    (need,) = needs(forgot, Departure(told_elsewhere=()))
    assert need.actions[0].label == "Lock the front door"


def test_silent_while_somebody_is_in_and_less_sure_where_nobody_says() -> None:
    assert not needs(now(PUT_OUT, people="on"))
    unknown = knowing(PUT_OUT, Sample("home", PEOPLE, LEAVING.time, "unavailable"))
    assert needs(unknown)[0].probability < needs(PUT_OUT)[0].probability


def test_silent_while_somebody_else_may_still_see_to_it() -> None:
    gone = Sample("home", PEOPLE, LEAVING.time - 60.0, "off")
    just = msgspec.structs.replace(PUT_OUT, changes=(*PUT_OUT.changes, gone))
    assert not needs(just)


def test_only_some_minutes_after_leaving_and_not_for_ever() -> None:
    assert LEAVING.forecast is not None
    left = LEAVING.forecast.departure
    assert not needs(msgspec.structs.replace(PUT_OUT, time=left + 120.0))
    assert needs(msgspec.structs.replace(PUT_OUT, time=left + 200.0))
    assert not needs(msgspec.structs.replace(PUT_OUT, time=left + 1900.0))
    assert needs(PUT_OUT)[0].expires == left + 1800.0


def test_a_trip_from_elsewhere_says_nothing() -> None:
    assert not needs(example(17.5, "work", "home"))


def test_it_is_worth_saying_in_the_car() -> None:
    (said,) = Suggester("ada", [Departure()]).suggest(PUT_OUT)
    assert said.surface is Surface.CAR
