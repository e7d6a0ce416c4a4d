"""Samples and positions: bounds are kept wherever one is read."""

from __future__ import annotations

from math import nan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.sample import (
    BATTERY,
    LOCATION,
    TRANSITION_ENTER,
    TRANSITION_LEAVE,
    DeviceId,
    Position,
    Quality,
    Sample,
    SignalPath,
    Value,
)


def read(fields: Any, type: Any) -> Any:
    """As a reader of JSON, MessagePack or a database row does."""
    return msgspec.convert(fields, type)


@pytest.mark.parametrize(
    ("lat", "lon"), [(-90, -180), (90, 180), (0, 0), (-0.0, 179.999), (60.17, 24.94)]
)
def test_every_place_on_earth_is_a_position(lat: float, lon: float) -> None:
    assert read({"lat": lat, "lon": lon}, Position) == Position(lat, lon)


@pytest.mark.parametrize(
    "fields",
    [
        {"lat": 90.01, "lon": 0.0},
        {"lat": -90.01, "lon": 0.0},
        {"lat": 0.0, "lon": 180.01},
        {"lat": 0.0, "lon": -180.01},
        {"lat": nan, "lon": 0.0},
        {"lat": 0.0, "lon": nan},
        {"lat": 0.0},
        {"lon": 0.0},
        {"lat": "0", "lon": 0.0},
        {"lat": None, "lon": 0.0},
        {"lat": 0.0, "lon": 0.0, "accuracy_m": -0.1},
        {"lat": 0.0, "lon": 0.0, "speed_mps": -0.1},
        {"lat": 0.0, "lon": 0.0, "course_deg": -0.1},
        {"lat": 0.0, "lon": 0.0, "course_deg": 360.1},
        {"lat": 0.0, "lon": 0.0, "course_deg": nan},
    ],
)
def test_what_is_no_position_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(fields, Position)


def test_what_is_not_known_is_not_written() -> None:
    assert msgspec.to_builtins(Position(1.0, 2.0)) == {"lat": 1.0, "lon": 2.0}


def test_samples_and_positions_do_not_change() -> None:
    sample = Sample("car", "a", 1.0, Position(1.0, 2.0))
    with pytest.raises(AttributeError):
        sample.time = 2.0  # type: ignore[misc]
    assert hash(sample) == hash(Sample("car", "a", 1.0, Position(1.0, 2.0)))


def test_quality_falls_from_good_to_bad() -> None:
    assert Sample("car", "a", 1.0, 1).quality is Quality.GOOD
    assert list(Quality) == sorted(Quality)
    assert Quality.GOOD < Quality.ESTIMATED < Quality.STALE < Quality.BAD


@given(st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z"))
@settings(max_examples=30, deadline=None)
def test_a_device_id_is_lower_case_letters_digits_and_hyphens(id: str) -> None:
    assert read(id, DeviceId) == id


@pytest.mark.parametrize(
    "id", ["", "-a", "A", "a_b", "a.b", "a/b", "a b", "ä", "\na", "a\nb", "x" * 64]
)
def test_any_other_device_id_is_refused(id: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(id, DeviceId)


@pytest.mark.parametrize(
    "path",
    [
        LOCATION,
        BATTERY,
        TRANSITION_ENTER,
        TRANSITION_LEAVE,
        "Vehicle.Speed",
        "lock.front_door",
        "climate.living_room.current_temperature",
        "x" * 200,
    ],
)
def test_paths_of_car_home_and_phone_are_paths(path: str) -> None:
    assert read(path, SignalPath) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "a/b",
        "a*",
        "a$",
        "a?",
        "ä",
        "\na",
        "x" * 201,
    ],
)
def test_a_path_is_words_with_dots_between(path: str) -> None:
    """None of Zenoh's own signs (/ * $ ?) can come in by a path."""
    with pytest.raises(msgspec.ValidationError):
        read(path, SignalPath)


@pytest.mark.parametrize("type", [DeviceId, SignalPath])
def test_a_name_does_not_end_in_a_newline(type: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        read("car\n", type)


@pytest.mark.parametrize(
    "value", [True, 0, -1, 2**40, 1.5, "", "x" * 1024, Position(1.0, 2.0)]
)
def test_a_value_is_kept_as_it_is(value: Any) -> None:
    kept = read(msgspec.to_builtins(value), Value)
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize("value", [None, [], [1], {"a": 1}, "x" * 1025, b"x"])
def test_anything_else_is_no_value(value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(value, Value)
