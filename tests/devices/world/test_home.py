"""Laws of the simulated home: heat, commands, and who is in."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.world import World, entity, thermal
from trivet.domain.device import Adapter, DeviceKind
from trivet.domain.error import UsageError

HOUR_S = 3600.0


def noon(world: World, day: date) -> float:
    return datetime(day.year, day.month, day.day, 12, tzinfo=world.zone).timestamp()


@pytest.fixture(scope="module")
def empty_noon(world: World) -> float:
    """A winter's noon at which nobody will be home for hours."""
    for day in range(6, 30):
        time = noon(world, date(2026, 1, day))
        plan = world.plan(date(2026, 1, day))
        if any(s.start < time and s.end > time + 4 * HOUR_S for s in plan.empty):
            return time
    raise AssertionError("no empty noon in January")


def indoor(adapter: Adapter, until: float) -> list[float]:
    return [
        float(str(s.value)) for s in adapter.samples(until) if s.path == entity.INDOOR
    ]


def test_heating_on_warms_one_degree_in_twenty_to_twenty_five_minutes(
    world: World, empty_noon: float
) -> None:
    home = world.adapter(DeviceKind.HOME, empty_noon)
    before = indoor(home, empty_noon + 300.0)[-1]
    home.command(entity.TARGET, 23.0, empty_noon + 300.0)
    after = indoor(home, empty_noon + 300.0 + HOUR_S)[-1]
    assert 60.0 / 25.0 <= after - before <= 60.0 / 20.0


def test_an_unheated_home_cools(world: World, empty_noon: float) -> None:
    home = world.adapter(DeviceKind.HOME, empty_noon)
    home.command(entity.CLIMATE, "off", empty_noon)
    course = indoor(home, empty_noon + 4 * HOUR_S)
    assert course == sorted(course, reverse=True)
    assert course[-1] < course[0] - 0.8


def test_a_command_is_told_and_reverts_nothing_else(
    world: World, empty_noon: float
) -> None:
    home = world.adapter(DeviceKind.HOME, empty_noon)
    list(home.samples(empty_noon))
    home.command(entity.LIVING_LIGHT, "on", empty_noon + 10.0)
    told = [s for s in home.samples(empty_noon + 60.0) if s.path == entity.LIVING_LIGHT]
    assert [(s.value, s.time) for s in told] == [("on", empty_noon + 10.0)]


def test_a_command_never_acts_in_the_past(world: World, empty_noon: float) -> None:
    home = world.adapter(DeviceKind.HOME, empty_noon)
    list(home.samples(empty_noon + 100.0))
    home.command(entity.LIVING_LIGHT, "on", empty_noon - 5000.0)
    told = list(home.samples(empty_noon + 101.0))
    assert told[-1].time == empty_noon + 100.0


def test_nobody_heats_an_empty_home(world: World, empty_noon: float) -> None:
    """Preheating is not the thermostat's: it waits at its setback for people."""
    home = world.adapter(DeviceKind.HOME, empty_noon)
    day = datetime.fromtimestamp(empty_noon, world.zone).date()
    spans = world.plan(day).empty
    back = next(s.end for s in spans if s.start < empty_noon < s.end)
    targets = [s for s in home.samples(back + 600.0) if s.path == entity.TARGET]
    assert [s.value for s in targets] == [16.0, 21.0]
    assert targets[1].time > back


def test_who_comes_into_a_warm_home_leaves_the_thermostat(
    world: World, empty_noon: float
) -> None:
    home = world.adapter(DeviceKind.HOME, empty_noon)
    day = datetime.fromtimestamp(empty_noon, world.zone).date()
    back = next(s.end for s in world.plan(day).empty if s.start < empty_noon < s.end)
    list(home.samples(empty_noon))
    home.command(entity.TARGET, 22.0, empty_noon)
    targets = [s for s in home.samples(back + 600.0) if s.path == entity.TARGET]
    assert [s.value for s in targets] == [22.0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("climate.attic", "heat"),
        (entity.CLIMATE, "cool"),
        (entity.CLIMATE, 21.0),
        (entity.TARGET, 40.0),
        (entity.TARGET, float("nan")),
        (entity.TARGET, "warm"),
        (entity.TARGET, True),
        (entity.GARAGE, "ajar"),
        (entity.FRONT_DOOR, "off"),
        (entity.INDOOR, 30.0),
    ],
)
def test_a_senseless_command_is_refused(
    world: World, path: str, value: str | float
) -> None:
    with pytest.raises(UsageError):
        world.adapter(DeviceKind.HOME).command(path, value, world.start_time)


def test_a_command_at_no_time_is_refused(world: World) -> None:
    with pytest.raises(UsageError):
        world.adapter(DeviceKind.HOME).command(entity.CLIMATE, "off", float("inf"))


def test_every_value_is_one_that_its_signal_allows(world: World) -> None:
    home = world.adapter(DeviceKind.HOME, world.start_time + 60 * 86_400.0)
    signals = {signal.path: signal for signal in home.device.signals}
    for sample in home.samples(world.start_time + 67 * 86_400.0):
        signals[sample.path].check(sample.value)


@pytest.mark.parametrize(
    ("after_days", "low", "high"), [(20, 14.0, 22.5), (190, 17.0, 30.0)]
)
def test_winter_and_summer_stay_within_bounds(
    world: World, after_days: int, low: float, high: float
) -> None:
    start = world.start_time + after_days * 86_400.0
    course = indoor(world.adapter(DeviceKind.HOME, start), start + 40 * 86_400.0)
    assert len(course) == 40 * 288 + 1
    assert low < min(course)
    assert max(course) < high
    assert max(course) - min(course) > 3.0


@given(
    indoor_c=st.floats(5.0, 30.0),
    outdoor_c=st.floats(-20.0, 35.0),
    target_c=st.none() | st.floats(7.0, 25.0),
    windows=st.integers(0, 2),
    hours=st.floats(0.0, 48.0),
)
@settings(max_examples=60, deadline=None)
def test_heat_never_leaves_its_bounds(
    indoor_c: float,
    outdoor_c: float,
    target_c: float | None,
    windows: int,
    hours: float,
) -> None:
    after = thermal.advance(indoor_c, outdoor_c, target_c, windows, hours * HOUR_S)
    gained = thermal.GAIN_KW / thermal.UA_KW_PER_K
    hottest = max(indoor_c, outdoor_c + gained, (target_c or -20.0) + 0.1)
    assert min(indoor_c, outdoor_c) - 1e-6 <= after <= hottest + 1e-6


@given(st.floats(10.0, 22.0), st.floats(-10.0, 15.0), st.integers(1, 50))
@settings(max_examples=30, deadline=None)
def test_whole_minutes_of_heat_add_up(
    indoor_c: float, outdoor_c: float, minutes: int
) -> None:
    once = thermal.advance(indoor_c, outdoor_c, 20.0, 0, 60.0 * minutes)
    often = indoor_c
    for _ in range(minutes):
        often = thermal.advance(often, outdoor_c, 20.0, 0, 60.0)
    assert once == pytest.approx(often)
