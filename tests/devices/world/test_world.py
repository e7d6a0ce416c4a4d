"""Laws of the simulated household as a whole, and of all three devices alike."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.world import Mode, World
from trivet.devices.world.phone import _stay_times
from trivet.domain.device import Adapter, DeviceKind
from trivet.domain.error import UsageError
from trivet.domain.geo import distance_m
from trivet.domain.sample import Position, Sample
from trivet.domain.wire import decode, encode

DAY_S = 86_400.0
KINDS = (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)

LIFE = """
from hashlib import sha256
from trivet.devices.world import World
from trivet.domain.device import DeviceKind
from trivet.domain.wire import encode
world = World(seed=11)
digest = sha256()
for kind in (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME):
    for sample in world.adapter(kind).samples(world.start_time + 86400.0):
        digest.update(encode(sample))
print(digest.hexdigest())
"""


def lived(adapter: Adapter, until: float) -> list[Sample]:
    return list(adapter.samples(until))


def test_the_same_seed_is_the_same_life_in_another_process() -> None:
    world = World(seed=11)
    # days looked at before do not matter
    world.plan(date(2026, 2, 20))
    digest = sha256()
    for kind in KINDS:
        for sample in world.adapter(kind).samples(world.start_time + DAY_S):
            digest.update(encode(sample))
    done = subprocess.run(
        [sys.executable, "-c", LIFE],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "99"},
    )
    assert done.stdout.strip() == digest.hexdigest()


def test_another_seed_is_another_life() -> None:
    one, two = World(seed=1), World(seed=2)
    assert one.plan(date(2026, 1, 6)) != two.plan(date(2026, 1, 6))
    assert one.roads != two.roads


@pytest.mark.parametrize("kind", KINDS)
def test_samples_come_in_order_of_event_time(world: World, kind: DeviceKind) -> None:
    start = world.start_time
    times = [s.time for s in world.adapter(kind).samples(start + 8 * DAY_S)]
    assert all(a <= b for a, b in pairwise(times))
    assert times[0] >= start
    assert times[-1] <= start + 8 * DAY_S


@pytest.mark.parametrize("kind", KINDS)
@given(steps=st.lists(st.floats(0.0, 30_000.0), min_size=1, max_size=30))
@settings(max_examples=5, deadline=None)
def test_many_small_steps_equal_one_big_step(
    world: World, kind: DeviceKind, steps: list[float]
) -> None:
    start = world.start_time + 7.3 * 3600.0
    end = start + 0.8 * DAY_S
    small = world.adapter(kind, start)
    got: list[Sample] = []
    now = start
    for step in steps:
        now = min(end, now + step)
        got += small.samples(now)
    got += small.samples(end)
    assert got == lived(world.adapter(kind, start), end)


@pytest.mark.parametrize("kind", KINDS)
def test_an_iterator_that_was_dropped_loses_nothing(
    world: World, kind: DeviceKind
) -> None:
    end = world.start_time + 9 * 3600.0
    adapter = world.adapter(kind)
    head = [next(adapter.samples(end)) for _ in range(20)]
    assert head + lived(adapter, end) == lived(world.adapter(kind), end)


@pytest.mark.parametrize("kind", KINDS)
def test_the_past_yields_nothing(world: World, kind: DeviceKind) -> None:
    adapter = world.adapter(kind)
    lived(adapter, world.start_time + DAY_S)
    assert not lived(adapter, world.start_time + DAY_S / 2)
    assert not lived(adapter, world.start_time + DAY_S)


@pytest.mark.parametrize("kind", KINDS)
def test_a_late_start_joins_the_same_life(world: World, kind: DeviceKind) -> None:
    """What happens after the start is the same, but for measured temperatures, which
    may differ by what the unseen days before leave in the last digit."""
    start = world.start_time + 10 * DAY_S + 12.4 * 3600.0
    end = start + DAY_S
    early = [s for s in lived(world.adapter(kind), end) if s.time > start]
    late = [s for s in lived(world.adapter(kind, start), end) if s.time > start]
    assert [(s.time, s.path) for s in early] == [(s.time, s.path) for s in late]
    for a, b in zip(early, late, strict=True):
        if isinstance(a.value, float) and isinstance(b.value, float):
            assert a.value == pytest.approx(b.value, abs=0.11), a.path
        else:
            assert a.value == b.value, a.path


def test_a_late_start_needs_no_days_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone and the home look back by a few days, not to the beginning."""
    world = World(days=3000)
    start = world.start_time + 2900 * DAY_S
    seen: list[date] = []
    live = world._life.day

    def spy(day: date) -> object:
        seen.append(day)
        return live(day)

    monkeypatch.setattr(world._life, "day", spy)
    for kind in (DeviceKind.PHONE, DeviceKind.HOME):
        lived(world.adapter(kind, start), start + DAY_S)
    assert len(set(seen)) <= 12


def test_history_is_what_the_phone_said(world: World) -> None:
    start, end = world.start_time + 1.3 * DAY_S, world.start_time + 5.6 * DAY_S
    said = [
        s
        for s in world.adapter(DeviceKind.PHONE).samples(end)
        if s.path == "location" and start <= s.time < end
    ]
    assert list(world.history(start, end)) == said


def test_phone_and_car_are_together_on_a_drive() -> None:
    """Three worlds of one seed, as three processes would have them: one story."""
    truth, one, two = (World(seed=3) for _ in range(3))
    end = truth.start_time + 6 * DAY_S
    phone = [
        s for s in one.adapter(DeviceKind.PHONE).samples(end) if s.path == "location"
    ]
    columns: dict[str, list[tuple[float, float]]] = {}
    for sample in two.adapter(DeviceKind.CAR).samples(end):
        if sample.path.startswith("Vehicle.CurrentLocation.L"):
            assert isinstance(sample.value, float)
            columns.setdefault(sample.path[-5:], []).append((sample.time, sample.value))
    lat, lon = np.array(columns["itude"][::2]), np.array(columns["itude"][1::2])
    apart = []
    for day in range(6):
        plan = truth.plan(date(2026, 1, 5 + day))
        for a, b in pairwise(plan.episodes):
            if b.mode is not Mode.CAR:
                continue
            for fix in phone:
                if a.departure < fix.time < b.arrival:
                    assert isinstance(fix.value, Position)
                    here = np.interp(fix.time, *lat.T), np.interp(fix.time, *lon.T)
                    apart.append(distance_m(fix.value.lat, fix.value.lon, *here))
    assert len(apart) > 300
    assert float(np.median(apart)) < 10.0
    assert float(np.quantile(apart, 0.98)) < 30.0


def test_the_phone_is_where_the_plan_says(world: World) -> None:
    for day in range(5, 12):
        for episode in world.plan(date(2026, 1, day)).episodes:
            place = world.places[episode.place]
            assert place.lat is not None
            assert place.lon is not None
            off = [
                distance_m(s.value.lat, s.value.lon, place.lat, place.lon)
                for s in world.history(episode.arrival, episode.departure)
                if isinstance(s.value, Position)
            ]
            if off:
                assert float(np.median(off)) < 45.0, episode


def test_gps_is_not_perfect(world: World) -> None:
    """Jumps, gaps and lies occur, so that who reads the phone must stand them."""
    fixes = list(world.history(world.start_time, world.start_time + 90 * DAY_S))
    positions = [s.value for s in fixes if isinstance(s.value, Position)]
    assert sum((p.accuracy_m or 0.0) > 100.0 for p in positions) > 10
    gaps = np.diff([s.time for s in fixes])
    assert gaps.max() > 3600.0
    moving = [p for p in positions if p.speed_mps is not None]
    assert len(moving) > 3000
    assert max(p.speed_mps or 0.0 for p in moving) < 40.0


def test_every_sample_can_travel(world: World) -> None:
    for kind in KINDS:
        adapter = world.adapter(kind)
        offered = {signal.path: signal for signal in adapter.device.signals}
        assert decode(encode(adapter.device)) == adapter.device
        for number, sample in enumerate(adapter.samples(world.start_time + DAY_S)):
            assert sample.path in offered
            assert sample.device == adapter.device.id
            if sample.path != "location":
                offered[sample.path].check(sample.value)
            if number % 50 == 0:
                assert decode(encode(sample)) == sample


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["no.such.signal", "", "Vehicle.Speed", "location"])
def test_only_actuators_take_commands(
    world: World, kind: DeviceKind, path: str
) -> None:
    with pytest.raises(UsageError):
        world.adapter(kind).command(path, 1.0, world.start_time)


def test_a_device_ends_with_its_world() -> None:
    world = World(days=2)
    samples = lived(world.adapter(DeviceKind.HOME), world.end_time + DAY_S)
    assert samples[-1].time <= world.end_time


def test_a_world_says_what_it_is() -> None:
    assert World(seed=5).notice == (
        "Simulated household (seed 5): no real person, place or car"
    )


@pytest.mark.parametrize(("seed", "days"), [(-1, 84), (7, 0), (7, 10_001)])
def test_an_impossible_world_is_refused(seed: int, days: int) -> None:
    with pytest.raises(UsageError):
        World(seed=seed, days=days)


def test_a_device_starts_within_its_world() -> None:
    world = World(days=1)
    for start in (world.start_time - 1.0, world.end_time, float("nan")):
        with pytest.raises(UsageError):
            world.adapter(DeviceKind.PHONE, start)
    with pytest.raises(UsageError):
        world.adapter(DeviceKind.OTHER)


def test_a_stay_that_is_over_before_it_begins_gives_no_fix() -> None:
    times = _stay_times(1000.0, 400.0, np.random.default_rng(1))
    assert len(times) == 0
