"""A household's own student is weighed with, and a bad one is said to be none."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.engine.life import commute
from typer.testing import CliRunner

from trivet.app import service
from trivet.app.cli.replay import app as replay_app
from trivet.app.folder import samples_file, student_file
from trivet.app.store import SampleStore
from trivet.app.student import student_of
from trivet.domain.error import InputError
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.snapshot import load
from trivet.engine.student import Student, Weights, default


def even() -> Student:
    flat = Weights((0.0,) * len(COLUMNS), (0.0,) * len(NEW_COLUMNS))
    return msgspec.structs.replace(default(), way=flat, blind=flat, network=None)


def test_the_one_in_the_households_folder_goes_before_ours(tmp_path: Path) -> None:
    assert student_of(tmp_path) == default()
    student_file(tmp_path).write_bytes(even().dump())
    assert student_of(tmp_path) == even()
    with SampleStore(samples_file(tmp_path)) as store:
        store.add("made", iter(commute(3)))
    learned = service.learned(tmp_path, "phone", "ada", "Europe/Berlin")
    assert load(learned.snapshot()).student == even().fingerprint
    student_file(tmp_path).write_text("{}")
    with pytest.raises(InputError, match="no student"):
        service.learned(tmp_path, "phone", "ada", "Europe/Berlin")


def test_a_replay_with_a_file_that_is_no_student_says_so(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    done = CliRunner().invoke(replay_app, [str(tmp_path), "--student", str(bad)])
    assert done.exit_code == 4
    assert "no student" in " ".join(done.output.split())
