"""`trivet train` writes a student that is read back, and says what is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.train.made import cases
from typer.testing import CliRunner, Result

from trivet.app.cli.train import app
from trivet.engine.student import Student


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What was gathered of seven people before."""
    folder = tmp_path / "cases"
    folder.mkdir()
    for number in range(7):
        cases(120, number).save(folder / f"p{number}.npz")
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
