"""A person asks a running device for the next day, and sets its places right."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec
import pytest
import typer
from tests.app.test_correction import Written, at, mind
from tests.app.test_foresight import DAYS, NIGHT, lived, past, young
from tests.engine.life import SHOP, WORK
from typer.testing import CliRunner, Result

from trivet.app.cli import outlook
from trivet.app.cli.place import place_app
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file, samples_file
from trivet.app.hub import Hub
from trivet.app.mind import Mind
from trivet.app.moment import when_text
from trivet.app.outlook_word import take_outlook_words
from trivet.app.place_view import CorrectPlace, PlaceRow
from trivet.app.placing import rows_of
from trivet.app.store import SampleStore
from trivet.domain import PlaceRole
from trivet.engine import Anticipator


class Leading(Written):
    """Of a hub what the words ask for."""

    device, time = "home", NIGHT

    def __init__(self, anticipator: Anticipator, mind: Mind | None = None) -> None:
        super().__init__(anticipator)
        self.mind = mind or self.mind

    def places(self) -> Sequence[PlaceRow]:
        return rows_of(self.mind)

    async def correct(self, word: CorrectPlace) -> str:
        return await self.say(word.place, word.doing, word.value)


@asynccontextmanager
async def running(folder: Path, hub: Leading) -> AsyncIterator[Leading]:
    control = Control()
    take_outlook_words(control, cast(Hub, hub))
    async with open_control(control_file(folder, "home"), control):
        yield hub


async def say(app: typer.Typer, folder: Path, *words: str) -> Result:
    arguments = [*words, "--household", str(folder)]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_the_next_day_is_told_by_a_running_device(tmp_path: Path) -> None:
    known = young()
    known.recall(past())
    async with running(tmp_path, Leading(mind(), known)):
        told = await say(outlook.app, tmp_path)
        assert told.exit_code == 0, told.output
        assert "Ada is home" in told.output
        bed = known.outlook(NIGHT).bed
        assert bed is not None
        assert f"Bed about {when_text(bed.median, NIGHT, known.zone)}" in told.output
        assert "nights since 6 January" in told.output
        found = json.loads((await say(outlook.app, tmp_path, "--json")).output)
        assert found == json.loads(msgspec.json.encode(known.outlook(NIGHT)))


async def test_places_are_set_right_by_what_they_are_called(tmp_path: Path) -> None:
    async with running(tmp_path, Leading(mind())) as hub:
        shop = at(hub.mind.anticipator, SHOP)
        for words, said in (
            (("name", shop, "Corner"), "is Corner"),
            (("role", "corner", "work"), "Corner is work"),
            (("role", "corner"), "as found"),
            (("name", "corner"), "as it was found"),
            (("join", shop, at(hub.mind.anticipator, WORK)), "is the same place as"),
            (("forget", at(hub.mind.anticipator, WORK)), "is forgotten"),
        ):
            done = await say(place_app, tmp_path, *words)
            assert done.exit_code == 0, done.output
            assert said in " ".join(done.output.split())
        assert [row.role for row in hub.places()] == [PlaceRole.HOME]
        told = json.loads((await say(place_app, tmp_path, "list", "--json")).output)
        assert [row["label"] for row in told["places"]] == ["home"]


async def test_attack_a_name_from_elsewhere_does_not_speak_to_the_terminal(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, Leading(mind())) as hub:
        evil = "\x1b]0;owned\x07"
        shop = at(hub.mind.anticipator, SHOP)
        hub.mind.anticipator.name_place(shop, evil)
        done = await say(place_app, tmp_path, "list")
        assert "owned" in done.output
        assert "\x1b" not in done.output


async def test_what_cannot_be_is_said_so(tmp_path: Path) -> None:
    async with running(tmp_path, Leading(mind())):
        for words, fault in (
            (("name", "nowhere", "x"), "no place"),
            (("role", "home", "castle"), "cannot be"),
            (("join", "home", "home"), "one place already"),
        ):
            done = await say(place_app, tmp_path, *words)
            assert done.exit_code == 2
            assert fault in " ".join(done.stderr.split())


async def test_where_no_device_runs_it_is_said_so(tmp_path: Path) -> None:
    for words in (("list",), ("name", "p1", "x"), ("forget", "p1")):
        assert (await say(place_app, tmp_path, *words)).exit_code == 3
    done = await say(outlook.app, tmp_path)
    assert done.exit_code == 2
    assert "nothing was imported" in " ".join(done.stderr.split())


async def test_with_no_device_running_imported_samples_tell_it(tmp_path: Path) -> None:
    with SampleStore(samples_file(tmp_path)) as store:
        store.add("made up", iter(lived()))
    words = ("--zone", "Europe/Berlin")
    told = await say(outlook.app, tmp_path, *words)
    assert told.exit_code == 0, told.output
    assert "Ada is home" in told.output
    assert "things done at home since 6 January" in told.output
    # one that was killed and left its socket behind does not answer
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(control_file(tmp_path, "home")))
    again = await say(outlook.app, tmp_path, *words)
    assert again.output == told.output
    early = await say(outlook.app, tmp_path, *words, "--at", "2025-01-06T01:00")
    assert "Nothing can be foretold yet" in early.output


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DAYS > 7
    monkeypatch.setenv("COLUMNS", "200")
