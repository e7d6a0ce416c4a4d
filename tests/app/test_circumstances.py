"""What a device knows of what is so now, and that it knows nothing of the rest."""

from __future__ import annotations

from datetime import UTC

import pytest
from tests.app.allies import trust_of

from trivet.app.circumstances import Observer
from trivet.domain import Device, DeviceKind, RefusedError, Sample
from trivet.domain.sample import Quality, Value
from trivet.domain.wire import Command
from trivet.fabric.access import UNKNOWN

NOON, MIDNIGHT = 1_800_014_400.0, 1_799_971_200.0


def after(*told: tuple[str, Value]) -> Observer:
    observer = Observer(UTC)
    for path, value in told:
        observer.learn(Sample("car", path, NOON, value))
    return observer


def test_a_device_that_has_heard_of_nothing_knows_nothing() -> None:
    assert Observer(UTC).now == UNKNOWN
    assert after(("location", "home"), ("batt", 50)).now == UNKNOWN


@pytest.mark.parametrize(
    ("path", "value", "name", "known"),
    [
        ("Vehicle.Speed", 50.0, "driving", True),
        ("Vehicle.Speed", 0, "driving", False),
        ("Vehicle.Speed", "fast", "driving", None),
        ("Vehicle.IsMoving", True, "driving", True),
        ("Vehicle.IsMoving", False, "driving", False),
        ("Vehicle.IsMoving", "yes", "driving", None),
        ("binary_sensor.occupancy", "on", "at_home", True),
        ("binary_sensor.occupancy", "off", "at_home", False),
        ("binary_sensor.occupancy", "unavailable", "at_home", None),
        ("binary_sensor.occupancy", 1, "at_home", None),
        ("input_boolean.guest_mode", "on", "guest_present", True),
        ("binary_sensor.guest", "off", "guest_present", False),
        ("binary_sensor.guest", "unknown", "guest_present", None),
    ],
)
def test_a_sample_tells_of_one_thing_alone(
    path: str, value: Value, name: str, known: bool | None
) -> None:
    now = after((path, value)).now
    assert getattr(now, name) is known
    others = set(UNKNOWN.__struct_fields__) - {name}
    assert {getattr(now, other) for other in others} == {None}


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.BAD])
def test_what_its_source_does_not_stand_by_is_not_known_any_more(
    quality: Quality,
) -> None:
    observer = after(("Vehicle.Speed", 0.0))
    assert observer.now.driving is False
    observer.learn(Sample("car", "Vehicle.Speed", NOON, 0.0, quality))
    assert observer.now.driving is None


def test_an_entity_that_falls_silent_is_not_known_any_more() -> None:
    told = ("binary_sensor.occupancy", "on"), ("binary_sensor.occupancy", "unavailable")
    assert after(*told).now.at_home is None


def test_the_clock_knows_whether_it_is_night() -> None:
    observer = Observer(UTC)
    observer.tick(NOON)
    assert observer.now.night is False
    observer.tick(MIDNIGHT)
    assert observer.now.night is True


async def test_attack_a_car_opens_the_garage_of_a_home_that_never_heard_of_it() -> None:
    """The car may be moving, for all that the home knows."""
    trust = trust_of(Device("home", DeviceKind.HOME))
    door = Command("cover.garage_door", "open", NOON)
    trust._observer.tick(NOON)
    trust.book.set_circumstances(trust._observer.now, NOON)
    with pytest.raises(RefusedError, match=r"moves opens .*; not known here: driving"):
        trust.gate.admits("car", "command", door)
    trust.gate.admits("car", "command", Command("cover.garage_door", "closed", NOON))
    trust._observer.learn(Sample("car", "Vehicle.IsMoving", NOON, False))
    trust.book.set_circumstances(trust._observer.now, NOON)
    trust.gate.admits("car", "command", door)
    trust.close()
