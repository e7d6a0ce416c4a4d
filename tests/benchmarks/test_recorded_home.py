"""Recordings of other people's homes are read as Home Assistant would tell them."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.recorded_home import homes, read

from trivet.domain import UsageError


def test_both_forms_tell_the_same_home(tmp_path: Path) -> None:
    (tmp_path / "a.sensors").write_text("1204071624\t5\t7\n1204071630\t60\t9\n")
    (tmp_path / "a.sensor_names").write_text("7\tFront door\n9\tFridge\n")
    (tmp_path / "b_Sensors.txt").write_text(
        "Start time\tEnd time\tLocation\n----\t----\t----\n"
        "2008-02-27 00:20:24\t2008-02-27 00:20:29\tFront\tdoor\n"
        "2008-02-27 00:20:30\t2008-02-27 00:21:30\tFridge\n"
    )
    found = homes(tmp_path)
    assert list(found) == ["a", "b"]
    told = [(s.time, s.path, s.value) for s in read(found["a"])]
    assert told == [(s.time, s.path, s.value) for s in read(found["b"])]
    assert told[2:] == [
        (1204071624.0, "binary_sensor.front_door", "on"),
        (1204071629.0, "binary_sensor.front_door", "off"),
        (1204071630.0, "binary_sensor.fridge", "on"),
        (1204071690.0, "binary_sensor.fridge", "off"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.sensors", "1204071624\t5\n"), ("b_Sensors.txt", "-\n-\n2008-02-27 noon\n")],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "a.sensor_names").write_text("")
    (path,) = homes(tmp_path).values()
    with pytest.raises(UsageError, match="line"):
        read(path)


def test_a_folder_without_a_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recorded home"):
        homes(tmp_path)
