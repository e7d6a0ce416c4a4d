"""Laws of the measured heating: full power counts, a thermostat's holding does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trivet.app.heating import Heating
from trivet.app.mind import Mind, Roles
from trivet.app.zone import fixed_zone
from trivet.devices.world import World
from trivet.devices.world.thermal import CAPACITY_KWH_PER_K, POWER_KW
from trivet.domain import DeviceKind, Sample, Value
from trivet.skills.left_open import LeftOpen
from trivet.skills.preheat import CLIMATE, CURRENT, TARGET, Preheat


def gain(heating: Heating) -> float:
    (skill,) = heating.fit([Preheat()])
    assert isinstance(skill, Preheat)
    return skill.gain_kph


def evening(device: str = "home") -> Iterator[Sample]:
    """A room warmed from 17 to 20 °C in an hour, then held and slowly drifting up."""
    values: list[tuple[str, float, Value]] = [
        (CLIMATE, 0.0, "heat"),
        (TARGET, 0.0, 20.4),
    ]
    values += [(CURRENT, 60.0 * m, 17.0 + m / 20) for m in range(61)]
    values += [(CURRENT, 60.0 * m, 20.0 + (m - 60) / 200) for m in range(61, 300)]
    return (Sample(device, path, time, value) for path, time, value in values)


def test_holding_the_temperature_says_nothing_of_the_heating() -> None:
    heating, hasty = Heating("home"), Heating("home")
    for sample in evening():
        heating.learn_one(sample)
        if sample.time <= 3600.0:
            hasty.learn_one(sample)
    assert gain(heating) == pytest.approx(gain(hasty), rel=0.02)
    assert gain(heating) > 3.0


def test_nothing_measured_changes_nothing() -> None:
    heating = Heating("home")
    for sample in evening("shed"):
        heating.learn_one(sample)
    assert not heating.is_news
    skills = (Preheat(), LeftOpen())
    assert heating.fit(skills) == skills


def test_the_simulated_home_is_measured_as_it_is_built() -> None:
    world = World(seed=7)
    home = world.adapter(DeviceKind.HOME)
    mind = Mind(Roles(), fixed_zone(world.zone), [Preheat(gain_kph=1.0)])
    end = world.start_time + 3 * 86_400.0
    for sample in home.samples(end):
        mind.learn(sample)
    mind.step(end)
    (skill,) = mind.suggester.skills
    assert isinstance(skill, Preheat)
    assert skill.gain_kph == pytest.approx(POWER_KW / CAPACITY_KWH_PER_K, rel=0.1)
