"""Recordings of other people's homes are read as Home Assistant would tell them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from benchmarks.recorded_home import homes, read
from benchmarks.routine_recorded import main
from hypothesis import given, settings
from hypothesis import strategies as st

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
    [
        ("a.sensors", "1204071624\t5\n"),
        ("a.sensors", "nan\t5\t7\n"),
        ("a.sensors", "1204071624\tinf\t7\n"),
        ("a.sensors", "-9e99\t5\t7\n"),
        ("a.sensors", "\x00\xff\xfe" * 99),
        ("b_Sensors.txt", "-\n-\n2008-02-27 noon\n"),
        ("b_Sensors.txt", "-\n-\n9999-02-27 00:00:00 9999-02-27 00:00:01 door\n"),
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "latin-1")
    (tmp_path / "a.sensor_names").write_text("")
    (path,) = homes(tmp_path).values()
    with pytest.raises(UsageError, match="line"):
        read(path)


def test_names_of_another_form_or_none_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.sensors"
    path.write_text("1204071624\t5\t7\n")
    with pytest.raises(UsageError, match=r"there is no .*sensor_names"):
        read(path)
    (tmp_path / "a.sensor_names").write_text("7 Front door\n")
    with pytest.raises(UsageError, match=r"sensor_names, line 1"):
        read(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=100))
def test_hostile_bytes_are_refused_or_read(junk: bytes, names: bytes) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "a.sensors").write_bytes(junk)
        (Path(folder) / "a.sensor_names").write_bytes(names)
        (Path(folder) / "b_Sensors.txt").write_bytes(b"-\n-\n" + junk)
        for path in homes(Path(folder)).values():
            try:
                samples = read(path)
            except UsageError:
                continue
            assert samples == sorted(samples, key=lambda sample: sample.time)


def test_what_cannot_be_judged_is_said_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "houseA.sensor_names").write_text("7\tFront door\n")
    (tmp_path / "houseA.sensors").write_text("")
    with pytest.raises(SystemExit, match="tells of nothing"):
        main([str(tmp_path)])
    (tmp_path / "houseA.sensors").write_text("1204071624\t5\t7\n")
    with pytest.raises(SystemExit, match="too short"):
        main([str(tmp_path)])
    with pytest.raises(SystemExit, match="no home 'houseX'"):
        main([str(tmp_path), "houseX"])
    with pytest.raises(SystemExit, match="no home to report on"):
        main([str(tmp_path), "--dev"])


def test_a_folder_without_a_home_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recorded home"):
        homes(tmp_path)
