"""OwnTracks Recorder files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trivet.devices.replay import Report
from trivet.domain import Position

T = 1714557600


def line(**payload: object) -> str:
    return f"2024-05-01T10:00:05Z\t*                 \t{json.dumps(payload)}\n"


def location(**more: object) -> str:
    return line(**{"_type": "location", "lat": 48.1, "lon": 11.5, "tst": T} | more)


def test_a_location_is_a_position_in_si_units(write: Any, lived: Any) -> None:
    text = location(acc=12, alt=520, vel=36, cog=270)
    (sample,) = lived(write("2024-05.rec", text))
    assert sample.time == T
    assert sample.value == Position(48.1, 11.5, 12, 520, 10.0, 270)


def test_a_charge_is_a_sample_of_its_own(write: Any, lived: Any) -> None:
    samples = lived(write("a.rec", location(batt=83)))
    assert [(s.path, s.value) for s in samples][1:] == [("batt", 83.0)]


def test_a_transition_names_its_region(write: Any, lived: Any) -> None:
    text = line(_type="transition", event="enter", desc="Home", tst=T) + line(
        _type="transition", event="leave", desc="Home", tst=T + 9
    )
    assert [(s.path, s.time, s.value) for s in lived(write("a.rec", text))] == [
        ("transition.enter", T, "Home"),
        ("transition.leave", T + 9, "Home"),
    ]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(_type="lwt", tst=T), "no location in it"),
        (line(_type="encrypted", data="x"), "an encrypted message"),
        (location(tst=None), "no time (tst)"),
        (location(lat="x"), "no latitude or longitude"),
        (location(lat=91), "latitude is not between -90 and 90"),
        (location(tst=10**400), "no time (tst)"),
        (line(_type="transition", tst=T), "a transition with no event or region"),
        ("2024-05-01T10:00:05Z\t*\t{cut", "not a line of time, kind and JSON"),
        ('2024-05-01T10:00:05Z\t*\t{"a":NaN}', "not a line of time, kind and JSON"),
    ],
)
def test_a_wrong_line_is_skipped(
    write: Any, lived: Any, report: Report, bad: str, reason: str
) -> None:
    assert len(lived(write("a.rec", location(tst=T - 60) + bad))) == 1
    assert list(report.skipped) == [reason]


def test_a_negative_accuracy_speed_or_course_is_left_out(
    write: Any, lived: Any
) -> None:
    (sample,) = lived(write("a.rec", location(acc=-1, vel=-1, cog=-1)))
    assert sample.value == Position(48.1, 11.5)
