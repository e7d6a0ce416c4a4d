"""Home Assistant's history, as CSV and as JSON."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from trivet.devices.replay import Report
from trivet.domain import Position

T = 1714557600.0
CSV = """entity_id,state,last_changed
light.kitchen,on,2024-05-01T10:00:00.000Z
sensor.outdoor_temperature,12.5,2024-05-01T10:00:01.500Z
light.kitchen,unavailable,2024-05-01T10:00:02.000Z
sensor.outdoor_temperature,unknown,2024-05-01T10:00:02.000Z
lock.front_door,locked,2024-05-01T12:00:03+02:00
Not an entity,on,2024-05-01T10:00:04.000Z
light.kitchen,off,some day
light.kitchen
"""


def test_states_are_texts_and_sensors_numbers(
    write: Any, lived: Any, report: Report
) -> None:
    samples = lived(write("history.csv", CSV))
    assert [(s.device, s.path, s.time - T, s.value) for s in samples] == [
        ("home", "light.kitchen", 0.0, "on"),
        ("home", "sensor.outdoor_temperature", 1.5, 12.5),
        ("home", "lock.front_door", 3.0, "locked"),
    ]
    assert {r: (s.times, s.first) for r, s in report.skipped.items()} == {
        "state is unavailable": (1, "history.csv:4 light.kitchen"),
        "state is unknown": (1, "history.csv:5 sensor.outdoor_temperature"),
        "not an entity id": (1, "history.csv:7 Not an entity"),
        "not a time with its offset": (1, "history.csv:8 some day"),
        "fewer than three columns": (1, "history.csv:9 light.kitchen"),
    }


def test_a_long_outage_is_no_fault_of_the_file(write: Any, lived: Any) -> None:
    outage = "light.a,unavailable,2024-05-01T10:00:00Z\n" * 1500
    text = "entity_id,state,last_changed\n" + outage
    samples = lived(write("a.csv", text + "light.a,on,2024-05-01T11:00:00Z\n"))
    assert [s.value for s in samples] == ["on"]


def test_local_times_are_read_at_the_given_zone(write: Any, lived: Any) -> None:
    text = "entity_id,state,last_changed\nlight.a,on,2024-05-01 12:00:00\n"
    (sample,) = lived(write("a.csv", text), zone=ZoneInfo("Europe/Berlin"))
    assert sample.time == T


def full(
    entity: str, state: object, at: str, **attributes: object
) -> dict[str, object]:
    return {
        "entity_id": entity,
        "state": state,
        "attributes": attributes,
        "last_changed": f"2024-05-01T{at}+00:00",
        "last_updated": f"2024-05-01T{at}+00:00",
    }


def test_minimal_records_belong_to_the_entity_before_them(
    write: Any, lived: Any
) -> None:
    history = [
        [
            full("light.kitchen", "on", "10:00:00"),
            {"state": "off", "last_changed": "2024-05-01T10:00:05+00:00"},
            full("light.kitchen", "on", "10:00:09"),
        ],
        [full("cover.garage_door", "open", "10:00:01")],
    ]
    samples = lived(write("history.json", json.dumps(history)))
    assert [(s.path, s.time - T, s.value) for s in samples] == [
        ("light.kitchen", 0.0, "on"),
        ("light.kitchen", 5.0, "off"),
        ("light.kitchen", 9.0, "on"),
        ("cover.garage_door", 1.0, "open"),
    ]


def test_a_thermostat_gives_its_temperatures(write: Any, lived: Any) -> None:
    record = full(
        "climate.living_room",
        "heat",
        "10:00:00",
        temperature=21,
        current_temperature=19.5,
    )
    samples = lived(write("history.json", json.dumps([[record]])))
    assert {s.path: s.value for s in samples} == {
        "climate.living_room": "heat",
        "climate.living_room.temperature": 21.0,
        "climate.living_room.current_temperature": 19.5,
    }


def test_the_person_is_the_phone_only_if_asked_for(write: Any, lived: Any) -> None:
    record = full(
        "person.ada",
        "not_home",
        "10:00:00",
        latitude=48.1,
        longitude=11.5,
        gps_accuracy=9,
    )
    path = write("history.json", json.dumps([[record]]))
    assert [s.path for s in lived(path)] == ["person.ada"]
    _, place = lived(path, person="ada")
    assert (place.device, place.path, place.value) == (
        "phone",
        "location",
        Position(48.1, 11.5, accuracy_m=9),
    )


def test_wrong_states_are_skipped(write: Any, lived: Any, report: Report) -> None:
    history = [
        [
            full("light.a", "on", "10:00:00"),
            full("light.a", {"a": 1}, "10:00:00"),
            full("light.a", "x" * 300, "10:00:00"),
            full("light.a", "unknown", "10:00:00"),
            7,
            full("no entity", "on", "10:00:00"),
            {"state": "on", "last_changed": "2024-05-01T10:00:05+00:00"},
        ]
    ]
    assert len(lived(write("history.json", json.dumps(history)))) == 1
    assert {r: s.times for r, s in report.skipped.items()} == {
        "no state": 1,
        "a state of more than 255 characters": 1,
        "state is unknown": 1,
        "not a state": 1,
        "not an entity id": 2,
    }
