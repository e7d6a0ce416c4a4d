"""A calendar is read anew when it changes; one that is damaged is told of once."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from trivet.app.agenda import AHEAD_S, LOOK_S, Agenda

ZONE = ZoneInfo("Europe/Berlin")
#: 2026-03-02 08:00 in Berlin.
NOW = 1_772_434_800.0


def write(path: Path, *entries: tuple[str, str, str]) -> None:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
    for uid, start, end in entries:
        lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z"]
        lines += [f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{uid}", "END:VEVENT"]
    path.write_text("\r\n".join([*lines, "END:VCALENDAR", ""]))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ada.ics"
    write(path, ("dentist", "20260302T090000Z", "20260302T100000Z"))
    return path


def titles(agenda: Agenda, time: float) -> list[str]:
    return [one.title for one in agenda.around(time, ZONE)]


def test_what_is_near_is_there_and_what_is_far_is_not(
    path: Path, told: list[str]
) -> None:
    agenda = Agenda(path, told.append)
    assert titles(agenda, NOW) == ["dentist"]
    assert titles(agenda, NOW + AHEAD_S) == []
    assert titles(agenda, NOW - 2 * AHEAD_S) == []
    assert told == []


def test_a_calendar_that_changes_is_read_anew(path: Path, told: list[str]) -> None:
    agenda = Agenda(path, told.append)
    assert titles(agenda, NOW) == ["dentist"]
    write(
        path,
        ("dentist", "20260302T090000Z", "20260302T100000Z"),
        ("school", "20260302T110000Z", "20260302T120000Z"),
    )
    os.utime(path, ns=(1, 1))
    assert titles(agenda, NOW + LOOK_S) == ["dentist", "school"]


def test_a_damaged_calendar_is_told_of_once_and_what_was_read_stands(
    path: Path, told: list[str]
) -> None:
    agenda = Agenda(path, told.append)
    assert titles(agenda, NOW) == ["dentist"]
    path.write_bytes(b"\xff\x00 nothing")
    assert titles(agenda, NOW + LOOK_S) == ["dentist"]
    assert titles(agenda, NOW + 2 * LOOK_S) == ["dentist"]
    path.unlink()
    assert titles(agenda, NOW + 3 * LOOK_S) == ["dentist"]
    assert len(told) == 2
    assert str(path) in told[0]
    assert titles(agenda, NOW + AHEAD_S) == []  # what is over is over, file or no file
