"""Laws of the simulated car: VSS values, the parked silence, charge and cabin."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from trivet.devices.world import DayKind, DayPlan, Mode, World
from trivet.devices.world import vehicle as vss
from trivet.domain.device import DeviceKind
from trivet.domain.error import UsageError
from trivet.domain.sample import Sample
from trivet.domain.vss import SIGNALS

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def week(world: World) -> list[Sample]:
    return list(world.adapter(DeviceKind.CAR).samples(world.start_time + 7 * DAY_S))


def numbers(samples: list[Sample], path: str) -> list[float]:
    return [float(str(s.value)) for s in samples if s.path == path]


def drives(world: World) -> list[tuple[float, float]]:
    return [
        (a.departure, b.arrival)
        for day in range(5, 12)
        for a, b in pairwise(world.plan(date(2026, 1, day)).episodes)
        if b.mode is Mode.CAR
    ]


def test_every_value_passes_its_vss_signal(week: list[Sample]) -> None:
    for sample in week:
        SIGNALS[sample.path].check(sample.value)
    speeds = numbers(week, vss.SPEED)
    assert 50.0 < max(speeds) < 90.0
    assert min(speeds) == 0.0
    assert all(0.0 < c <= 100.0 for c in numbers(week, vss.CHARGE))
    assert all(-15.0 < c < 35.0 for c in numbers(week, vss.CABIN))


def test_speed_is_told_each_two_seconds_under_way(
    world: World, week: list[Sample]
) -> None:
    speeds = [s.time for s in week if s.path == vss.SPEED]
    for departure, arrival in drives(world):
        inside = [t for t in speeds if departure - 0.01 <= t <= arrival + 0.01]
        assert max(np.diff(inside)) <= 2.01
        assert inside[0] == pytest.approx(departure, abs=0.01)
        assert inside[-1] == pytest.approx(arrival, abs=0.01)


def test_a_parked_car_is_silent_but_for_its_heartbeat(
    world: World, week: list[Sample]
) -> None:
    spans = [(a - 60.0, b + 60.0) for a, b in drives(world)]
    parked = [s for s in week if not any(a <= s.time <= b for a, b in spans)]
    # what it tells first is all that it knows
    told_later = [s for s in parked if s.time > world.start_time]
    beats = [s for s in told_later if s.path != vss.CHARGING]
    assert {s.path for s in beats} == set(vss.HEARTBEAT)
    assert all(s.time % 600.0 == 0.0 for s in beats)
    counts = Counter(s.path for s in beats)
    assert len(set(counts.values())) == 1


def test_speed_is_the_rate_of_the_odometer(world: World, week: list[Sample]) -> None:
    departure, arrival = drives(world)[0]
    points = [
        (s.time, float(str(s.value)) / 3.6)
        for s in week
        if s.path == vss.SPEED and departure <= s.time <= arrival
    ]
    time, speed = np.array(points).T
    driven = float(np.trapezoid(speed, time))
    odometer = [
        float(str(s.value))
        for s in week
        if s.path == vss.ODOMETER and departure - 1.0 <= s.time <= arrival + 0.01
    ]
    assert odometer[-1] - odometer[0] == pytest.approx(driven, rel=0.03)


def test_the_odometer_never_runs_back(week: list[Sample]) -> None:
    course = numbers(week, vss.ODOMETER)
    assert all(a <= b for a, b in pairwise(course))
    assert course[-1] - course[0] > 50_000


def test_charge_falls_on_a_drive_and_rises_at_the_plug(week: list[Sample]) -> None:
    charging, last, rose = False, None, False
    for sample in week:
        if sample.path == vss.CHARGING:
            charging = sample.value is True
        if sample.path == vss.CHARGE:
            charge = float(str(sample.value))
            if last is not None and charge > last + 0.011:
                rose = True
                assert charging or charge - last < 4.5
            last = charge
    assert rose


def test_the_car_gets_to_the_holiday_and_back(
    world: World, year: list[DayPlan]
) -> None:
    for plan in year:
        if plan.kind in (DayKind.HOLIDAY_OUT, DayKind.HOLIDAY_BACK):
            charge = world._charge.day(plan.day).percent
            assert charge.min() > 4.5, "it would have been left on the motorway"


def test_doors_are_shut_and_locked_when_parked(
    world: World, week: list[Sample]
) -> None:
    state: dict[str, object] = {}
    spans = [(a - 60.0, b + 60.0) for a, b in drives(world)]
    for sample in week:
        if sample.path == vss.SPEED and not any(
            a <= sample.time <= b for a, b in spans
        ):
            assert not any(v for p, v in state.items() if p.endswith("IsOpen"))
            assert all(v for p, v in state.items() if p.endswith("IsLocked"))
        state[sample.path] = sample.value


def test_a_cabin_warms_when_told_and_gives_up_after_half_an_hour(
    world: World,
) -> None:
    start = world.start_time + 3 * 3600.0
    car = world.adapter(DeviceKind.CAR, start)
    cold = numbers(list(car.samples(start)), vss.CABIN)[-1]
    car.command(vss.CLIMATE, True, start)
    samples = list(car.samples(start + 2700.0))
    climate = [(s.time, s.value) for s in samples if s.path == vss.CLIMATE]
    assert climate == [(start, True), (start + 1800.0, False)]
    assert max(numbers(samples, vss.CABIN)) > cold + 8.0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (vss.SPEED, 50.0),
        (vss.CHARGE, 100.0),
        (vss.CLIMATE, "on"),
        (vss.TARGET, "warm"),
        (vss.TARGET, float("inf")),
        (vss.DRIVER + "IsLocked", 1),
        ("Vehicle.Powertrain.CombustionEngine.Speed", 900.0),
    ],
)
def test_a_senseless_command_is_refused(
    world: World, path: str, value: str | float
) -> None:
    with pytest.raises(UsageError):
        world.adapter(DeviceKind.CAR).command(path, value, world.start_time)
