"""The log of choices on the disk, and what is told of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest
from typer.testing import CliRunner

from trivet.app.choosing import Choosing, read_choices
from trivet.app.cli.choices import choices_app
from trivet.app.folder import choices_file
from trivet.app.hub import Hub
from trivet.domain.error import InputError
from trivet.domain.suggestion import AnswerKind
from trivet.engine import choice as module
from trivet.engine.choice import Choice, ChoiceLog, to_lines
from trivet.fabric.history import Forget

ONE = Choice("ada", "dinner", "x", "d", 0.0, 12.0, 0.8, 0.6, 0.05, 0.2, 2.0, 1.0, 0.5)


def choices(count: int, begin: int = 0) -> list[Choice]:
    """Every other one said, and of those every other one taken."""
    return [
        msgspec.structs.replace(
            ONE,
            key=f"k{n}",
            day=f"d{n // 3}",
            time=float(n),
            chance=0.4 + 0.1 * (n % 5),
            is_said=n % 2 == 0,
            suggestion=f"s-{n}" if n % 2 == 0 else "",
            answer=(AnswerKind.YES if n % 4 else AnswerKind.NOT_NOW)
            if n % 2 == 0
            else None,
        )
        for n in range(begin, begin + count)
    ]


class Stage:
    """A log, its file, and what keeps one in the other."""

    def __init__(self, folder: Path) -> None:
        self.log = ChoiceLog()
        self.file = choices_file(folder, "home")
        suggester = SimpleNamespace(choices=self.log)
        hub = SimpleNamespace(device="home", mind=SimpleNamespace(suggester=suggester))
        self.choosing = Choosing(self.file, cast(Hub, hub))


def test_what_is_settled_is_kept_once_across_restarts(tmp_path: Path) -> None:
    for begin in (0, 10):
        stage = Stage(tmp_path)
        stage.log.settled.extend(choices(10, begin))
        stage.choosing.keep()
        stage.choosing.keep()
    assert read_choices(stage.file) == choices(20)
    assert stage.file.stat().st_mode & 0o777 == 0o600


def test_a_yes_that_is_undone_after_it_was_kept_is_undone_in_the_file(
    tmp_path: Path,
) -> None:
    """A look is each half minute; what was done is watched for ten minutes."""
    stage = Stage(tmp_path)
    stage.log.say(ONE, "s-1")
    stage.log.settle("s-1", AnswerKind.YES)
    stage.choosing.keep()
    stage.log.undo("s-1")
    stage.choosing.keep()
    assert [one.answer for one in read_choices(stage.file)] == [AnswerKind.UNDONE]


def test_what_is_no_news_is_not_written_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.log.settled.extend(choices(3))
    stage.choosing.keep()
    stage.file.unlink()
    stage.choosing.keep()
    assert not stage.file.exists()


def test_the_file_is_bounded_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CHOICES", 5)
    for begin in (0, 4):
        stage = Stage(tmp_path)
        stage.log.settled.extend(choices(4, begin))
        stage.choosing.keep()
    assert read_choices(stage.file) == choices(8)[-5:]


async def test_it_is_kept_when_the_device_ends(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    running = asyncio.ensure_future(stage.choosing.run())
    await asyncio.sleep(0)
    stage.log.settled.extend(choices(3))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert read_choices(stage.file) == choices(3)


async def test_what_is_forgotten_goes_from_the_log_and_the_file(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.log.settled.extend(choices(10))
    stage.choosing.keep()
    stage.log.settled.extend(choices(4, 10))
    stage.log.weigh(msgspec.structs.replace(ONE, time=6.0))
    stage.log.say(msgspec.structs.replace(ONE, time=7.0), "s-1")
    await stage.choosing.forget("phone", Forget("wish", 5.0, 12.0, ("**",)))
    left = choices(5) + choices(2, 12)
    assert read_choices(stage.file) == list(stage.log.settled) == left
    assert stage.log.state().weighed == stage.log.state().said == []


def test_a_damaged_file_is_put_aside(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.file.write_text("{}")
    with pytest.raises(InputError, match="line 1"):
        read_choices(stage.file)
    stage.log.settled.extend(choices(2))
    stage.choosing.keep()
    assert read_choices(stage.file) == choices(2)
    assert stage.file.with_suffix(".damaged").read_text() == "{}"


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "not there")
    stage.log.settled.extend(choices(2))
    stage.choosing.keep()
    assert len(stage.log.settled) == 2
    stage.file.parent.mkdir()
    stage.choosing.keep()
    assert read_choices(stage.file) == choices(2)


def told(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(choices_app, [*words, "--household", str(folder)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_is_shown_exported_and_compared(tmp_path: Path) -> None:
    assert "Nothing was weighed" in told(tmp_path, "show")
    choices_file(tmp_path, "home").write_bytes(to_lines(choices(30)))
    (row,) = json.loads(told(tmp_path, "show", "--json"))
    assert row == {
        "skill": "dinner",
        "weighed": 30,
        "said": 15,
        "yes": 7,
        "refused": 8,
        "ignored": 0,
    }
    assert told(tmp_path, "export").encode() == to_lines(choices(30))
    assert "doubly robust" in told(tmp_path, "compare", "--least", "0.5")
    found = json.loads(told(tmp_path, "compare", "--least", "0.0", "--json"))
    assert found["choices"] == 30
    assert found["robust"]["low"] < found["robust"]["high"]


def test_a_share_that_is_none_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        choices_app, ["compare", "--least", "2", "--household", str(tmp_path)]
    )
    assert done.exit_code != 0
