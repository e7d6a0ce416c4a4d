"""A yes or no over the device's socket; what the terminal says; JSON for programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.app.test_board import GIVEN, NOW, SAFE, WHY, House, house, speed
from typer import Exit
from typer.testing import CliRunner, Result

from trivet.app.board_line import tell_board
from trivet.app.board_word import AskWhy, GiveAnswer, ShowBoard, Spokesman
from trivet.app.cli.answer import app as answer_app
from trivet.app.cli.now import forecast_app, suggestions_app, why_app
from trivet.app.cli.output import told
from trivet.app.cli.up import _told
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file
from trivet.app.view import TimelineEntry
from trivet.domain import Answer, AnswerKind, Forecast, PeerError, UsageError
from trivet.domain.forecast import Candidate, Interval
from trivet.domain.why import Why
from trivet.domain.wire import Ack

APPS = {
    "answer": answer_app,
    "forecast": forecast_app,
    "suggestions": suggestions_app,
    "why": why_app,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIVET_HOUSEHOLD", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def open_house(folder: Path) -> AsyncIterator[House]:
    """A household in memory whose car and phone take their owners' words."""
    async with house() as ours:
        controls = []
        for device in ("phone", "car"):
            control = Control()
            Spokesman(device, ours.parts[device].board).take_words(control)
            controls.append(open_control(control_file(folder, device), control))
        async with controls[0], controls[1]:
            yield ours


async def say(*words: str) -> Result:
    app = APPS[words[0]]
    return await asyncio.to_thread(CliRunner().invoke, app, list(words[1:]))


async def test_it_is_listed_explained_and_answered_where_it_is_shown(
    folder: Path,
) -> None:
    async with open_house(folder) as ours:
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        shown = await say("suggestions", "--device", "car")
        assert "Heat the room?" in shown.stdout
        assert "trivet answer preheat-1 yes|no" in shown.stdout
        listed = json.loads(
            (await say("suggestions", "--device", "car", "--json")).stdout
        )
        assert [each["id"] for each in listed] == [GIVEN.id]
        why = (await say("why", "pre", "--device", "car")).stdout
        assert "Often." in why
        assert "What would change it:\n    A turn." in why
        # any device of the machine that knows it takes the word
        done = await say("answer", "preheat-1", "yes")
        assert done.exit_code == 0, done.stderr
        assert "Yes: Heat the room?" in done.stdout
        assert ours.answers == [Answer(GIVEN.id, AnswerKind.YES, ours.car.board.time)]
        assert "Nothing to suggest." in (await say("suggestions")).stdout


async def test_a_yes_that_was_not_all_done_says_so(folder: Path) -> None:
    async with open_house(folder) as ours:
        ours.ack = Ack(False, "Close the garage failed: it is jammed")
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        done = await say("answer", "preheat-1", "yes")
        assert done.stdout.startswith("Yes: Heat the room?")
        assert done.exit_code == PeerError.exit_code
        assert "Close the garage failed: it is jammed" in done.stderr
        assert ours.car.board.shown == []


async def test_the_arrival_is_told_for_half_of_the_cases_too(folder: Path) -> None:
    # 13:46:40 by the clock of a device whose zone is not known
    middle, arrival = (
        Interval(NOW + 60.0 * low, NOW + 1200.0, NOW + 60.0 * high, level)
        for low, high, level in ((18, 22, 0.5), (15, 30, 0.8))
    )
    found = Forecast(
        "ada", NOW, NOW, "", (Candidate("", "new", 1.0),), arrival, 0.0, middle
    )
    async with open_house(folder) as ours:
        await ours.showing.tell(found)
        await ours.settle()
        told = await say("forecast", "--device", "phone")
        assert told.exit_code == 0, told.stderr
        assert (
            "it arrives about 14:06 (50 % 14:04-14:08, 80 % 14:01-14:16)."
            in " ".join(told.stdout.split())
        )


async def test_of_two_devices_the_one_that_knows_it_says_what_is_wrong(
    folder: Path,
) -> None:
    async with open_house(folder) as ours:
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        await ours.home.close()
        done = await say("answer", "preheat-1", "yes")  # the phone is asked first
        assert "home is not there" in done.stderr
        assert ours.car.board.shown


async def test_a_no_is_not_now(folder: Path) -> None:
    async with open_house(folder) as ours:
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        done = await say("answer", "preheat", "no", "--device", "car", "--json")
        assert json.loads(done.stdout)["kind"] == "not_now"
        assert ours.answers[0].kind is AnswerKind.NOT_NOW


async def test_what_is_held_back_is_counted_and_cannot_be_answered(
    folder: Path,
) -> None:
    async with open_house(folder) as ours:
        ours.car.board.learn(speed(130.0))
        await ours.showing.suggest(GIVEN)
        await ours.showing.suggest(SAFE)
        await ours.settle()
        shown = (await say("suggestions", "--device", "car")).stdout
        assert "Stove!" in shown
        assert "Heat the room?" not in shown
        assert "1 more when the road takes less attention." in shown
        done = await say("answer", GIVEN.id, "yes", "--device", "car")
        assert done.exit_code == 2
        assert ours.answers == []


@pytest.mark.parametrize("words", [("answer", "tea", "yes"), ("why", "tea")])
async def test_what_is_not_there_is_the_callers_mistake(
    folder: Path, words: tuple[str, ...]
) -> None:
    async with open_house(folder):
        done = await say(*words)
        assert (done.exit_code, "'tea'" in done.stderr) == (2, True)


async def test_with_no_device_up_it_is_said_how_to_start_one(folder: Path) -> None:
    done = await say("answer", "tea", "yes")
    assert (done.exit_code, "trivet up" in done.stderr) == (3, True)


async def test_a_beginning_that_names_two_names_none() -> None:
    async with house() as ours:
        board, spokesman = ours.car.board, Spokesman("car", ours.car.board)
        for number in (1, 2):
            board.put(replace(GIVEN, id=f"preheat-{number}"), "home")
        with pytest.raises(UsageError, match="begins several: preheat-1, preheat-2"):
            await spokesman._answer(GiveAnswer("preheat", AnswerKind.YES))
        with pytest.raises(UsageError, match="comes by itself"):
            await spokesman._answer(GiveAnswer("preheat-1", AnswerKind.IGNORED))
        assert len((await spokesman._show(ShowBoard())).suggestions) == 2
        titles = [a.title for a in (await spokesman._tell_why(AskWhy())).accounts]
        assert titles == ["forecast", GIVEN.need.title, GIVEN.need.title]


async def test_the_terminal_says_why_and_how_to_answer() -> None:
    async with house() as ours:
        told: list[TimelineEntry] = []
        tell_board(ours.car.board, "car", lambda line, clock: told.append(line))
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        await ours.showing.settle([], ours.car.board.time)
        await ours.settle()
        (line, over) = told
        assert (line.kind, line.text) == ("suggestion", GIVEN.need.title)
        assert line.details == (
            "You come home at this hour (9 of 11).",
            "trivet answer preheat-1 yes|no --device car",
        )
        assert over.text == f"No longer: {GIVEN.need.title}"


def test_no_terminal_obeys_what_another_device_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @told
    def refused() -> None:
        raise UsageError("car said \x1b[2Jno\nand why", hint="ask \x9b2Jit")

    _told(TimelineEntry(0.0, "home", "car: \x1b[2J", ("\x1b]0;gone\x07",)), "18:05")
    with pytest.raises(Exit):
        refused()
    said = capsys.readouterr()
    assert "car: ?[2J" in said.out
    assert "?]0;gone?" in said.out
    assert said.err == "trivet: car said ?[2Jno\nand why (ask ?2Jit)\n"


async def test_an_account_travels_with_its_suggestion_over_the_wire() -> None:
    async with house() as ours:
        full = Why(("r",) * 3, ("c",) * 3, ("u",) * 8, ("n",) * 3)
        ours.showing._why = lambda _: full
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        (shown,) = ours.car.board.shown
        assert shown.why == full
        assert shown.why != WHY
