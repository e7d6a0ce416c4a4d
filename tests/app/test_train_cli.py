"""`trivet train` writes a student that is read back, and says what is missing."""

from __future__ import annotations

import json
import os
import sys
from errno import ENOSPC
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.engine.life import commute, here
from tests.train.made import cases
from typer.testing import CliRunner, Result

from trivet.app import service
from trivet.app.cli.train import app
from trivet.engine.student import Student
from trivet.train.case import Cases, gather_cases


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What was gathered of seven people before."""
    folder = tmp_path / "cases"
    folder.mkdir()
    for number in range(7):
        (folder / f"p{number}.npz").write_bytes(cases(120, number).dump())
        (tmp_path / "people" / f"p{number}").mkdir(parents=True)
    return folder


def test_a_student_is_trained_and_judged_on_those_held_out(
    kept: Path, tmp_path: Path
) -> None:
    out, people = tmp_path / "out.json", tmp_path / "people"
    given = ["--cases", str(kept), "--zone", "UTC", "--made", "2026-01-02", "--linear"]
    done = call(str(people), "--out", str(out), *given, "--json")
    assert done.exit_code == 0, done.output
    student = Student.load(out)
    assert student.trained_on == "7 people of people"
    assert student.trained_at == "2026-01-02"
    assert student.cases == 6 * 120
    rows = json.loads(done.stdout)["judged"]
    assert [row["name"] for row in rows] == ["linear", "calibrated"]
    again = call(str(people), "--out", str(tmp_path / "again.json"), *given)
    assert again.exit_code == 0, again.output
    assert "held out" in again.output
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()


def test_people_are_chosen_by_name(kept: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    given = ["--cases", str(kept), "--zone", "UTC", "--linear", "--out", str(out)]
    assert call(str(tmp_path / "people"), *given, "--without", "p3").exit_code == 0
    assert Student.load(out).trained_on == "6 people of people"
    assert call(str(tmp_path / "people"), *given, "--people", "p3").exit_code == 0
    assert Student.load(out).cases == 120


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        ([], "name a folder of people", 2),
        (["x", "--simulated", "3"], "name a folder of people", 2),
        (["--simulated", "3", "--made", "yesterday"], "is no day", 2),
        (["nowhere"], "no such folder", 4),
        (["people", "--people", "q"], "there is no 'q'", 2),
        (["people", "--out", "no/such/a.json"], "no student can be written", 4),
        (["people", "--out", "people"], "no student can be written", 4),
        (["people", "--cases", "file"], "no cases can be kept", 4),
    ],
)
def test_a_mistake_is_said_at_once(
    arguments: list[str],
    words: str,
    code: int,
    kept: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    done = call(*arguments)
    assert done.exit_code == code
    assert words in " ".join(done.output.split())


def test_without_torch_it_is_said_what_to_install(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = call(str(tmp_path / "people"), "--cases", str(kept), "--zone", "UTC")
    assert done.exit_code == 3
    assert "trivet[train]" in " ".join(done.output.split())


def test_on_a_full_disk_the_student_that_was_there_is_kept(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    out.write_bytes(b"before")

    def full(handle: int) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    given = ["--cases", str(kept), "--zone", "UTC", "--linear", "--out", str(out)]
    done = call(str(tmp_path / "people"), *given)
    assert done.exit_code == 3
    assert "No space left" in " ".join(done.output.split())
    assert out.read_bytes() == b"before"
    assert not list(tmp_path.glob(".*"))


def test_a_car_s_positions_are_no_part_of_a_person_s_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "people" / "ada").mkdir(parents=True)
    life = commute(10)
    car = [replace(sample, device="car", time=sample.time + 1.0) for sample in life]
    both = sorted([*life, *car], key=lambda sample: sample.time)
    monkeypatch.setattr(service, "recorded", lambda *given: iter(both))
    given = ["--zone", "Europe/Berlin", "--linear", "--cases", str(tmp_path)]
    call(str(tmp_path / "people"), *given, "--out", str(tmp_path / "out.json"))
    alone = Cases.of(gather_cases(life, here()))
    assert len(alone)
    assert Cases.load(tmp_path / "ada.npz").dump() == alone.dump()
