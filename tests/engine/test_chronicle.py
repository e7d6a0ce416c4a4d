from __future__ import annotations

from trivet.domain.sample import Quality, Sample, Value
from trivet.engine.chronicle import Chronicle


def told(*samples: tuple[float, str, Value]) -> list[tuple[float, Value]]:
    chronicle = Chronicle("home", most=3)
    for time, path, value in samples:
        chronicle.learn_one(Sample("home", path, time, value))
    return [(sample.time, sample.value) for sample in chronicle.changes]


def test_what_is_said_again_with_no_change_is_kept_once() -> None:
    lamp = "light.kitchen"
    assert told((1, lamp, "on"), (2, lamp, "on"), (3, lamp, "off")) == [
        (1, "on"),
        (3, "off"),
    ]


def test_readings_and_what_is_not_known_are_not_kept() -> None:
    assert not told(
        (1, "climate.living_room.current_temperature", 20.5),
        (2, "sensor.outdoor_temperature", 3.0),
        (3, "binary_sensor.kitchen_window", "on"),
        (4, "light.kitchen", "unavailable"),
    )


def test_a_target_and_who_is_in_are_kept() -> None:
    target, people = "climate.living_room.temperature", "binary_sensor.occupancy"
    assert len(told((1, target, 21.0), (2, people, "on"))) == 2


def test_the_oldest_go_first_and_the_late_never_come_in() -> None:
    paths = [f"light.{name}" for name in "abcd"]
    assert [time for time, _ in told(*((n, p, "on") for n, p in enumerate(paths)))] == [
        1,
        2,
        3,
    ]
    assert told((5, "light.a", "on"), (4, "light.b", "on")) == [(5, "on")]


def test_another_device_and_a_reading_called_wrong_change_nothing() -> None:
    chronicle = Chronicle("home")
    chronicle.learn_one(Sample("car", "light.a", 1.0, "on"))
    chronicle.learn_one(Sample("home", "light.a", 1.0, "on", Quality.BAD))
    assert chronicle.changes == ()
