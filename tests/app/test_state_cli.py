"""A person reads and changes the state on a running device, or is told of none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fabric.replica.household import House
from typer.testing import CliRunner, Result

from trivet.app.cli.state import read_value, state_app
from trivet.app.control import Control, open_control
from trivet.app.folder import control_file
from trivet.app.replicating import Replicating
from trivet.app.state_word import take_state_words
from trivet.fabric import MemoryFabric
from trivet.fabric.replica import Add, Item, Put, Value


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Replicating]:
    house, control = House(folder), Control()
    with house.open("home") as replica:
        async with (
            MemoryFabric().open_session("home") as link,
            open_control(control_file(folder, "home"), control),
        ):
            replicating = Replicating(link, replica, lambda: house.roll)
            take_state_words(control, "home", replicating)
            yield replicating


async def say(folder: Path, *words: str) -> Result:
    arguments = [*words, "--household", str(folder)]
    return await asyncio.to_thread(CliRunner().invoke, state_app, arguments)


async def test_what_is_set_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as home:
        for path, text in (("settings/comfort_c", "21.5"), ("people/ada/name", "Ada")):
            done = await say(tmp_path, "set", path, text)
            assert done.exit_code == 0, done.output
        assert home.state.settings == {"comfort_c": 21.5}
        shown = await say(tmp_path, "show")
        assert "people/ada/name" in shown.output
        assert "21.5" in shown.output
        only = json.loads((await say(tmp_path, "show", "people", "--json")).output)
        assert only["values"] == {"people/ada/name": "Ada"}


async def test_a_list_is_changed_and_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as home:
        for item in ("milk", "bread", "tea"):
            await say(tmp_path, "list", "groceries", "add", item)
        await say(tmp_path, "list", "groceries", "remove", "bread")
        await say(tmp_path, "list", "groceries", "done", "tea")
        assert home.state.lists["groceries"] == (Item("milk"), Item("tea", True))
        shown = await say(tmp_path, "list", "groceries", "--json")
        assert [one["text"] for one in json.loads(shown.output)["items"]] == [
            "milk",
            "tea",
        ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "nothing/of/ours", "1"), "no root"),
        (("set", "settings", "1"), "no path"),
        (("list", "groceries", "remove", "milk"), "not on the list"),
        (("list", "groceries", "eat", "milk"), "add, remove, done"),
        (("list", "groceries", "add"), "and an item"),
        (("show", "nothing"), "nothing stands"),
    ],
)
async def test_what_cannot_be_is_said_so(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    async with running(tmp_path) as home:
        done = await say(tmp_path, *words)
        assert done.exit_code == 2
        assert said in " ".join(done.stderr.split())
        assert home.state.is_empty


async def test_attack_a_text_that_speaks_to_the_terminal_is_shown_and_not_obeyed(
    tmp_path: Path,
) -> None:
    """What another device wrote, and what was wrong with it, are another's words."""
    evil = "\x1b]0;owned\x07\x9b2J"
    async with running(tmp_path) as home:
        await home.write(
            Put("people/ada/name", evil),
            Put("people/\x9b2J/name", "Eve"),
            Add("groceries", evil),
            Add("\x9b2J", "tea"),
        )
        home._exchange.faults["phone"] = evil
        for words in (("show",), ("list", "groceries")):
            done = await say(tmp_path, *words)
            assert done.exit_code == 0, done.output
            assert "?]0;owned??2J" in done.output
            told = (done.output + done.stderr).replace("\n", "")
            assert told.isprintable()


async def test_where_no_device_runs_it_is_said_so(tmp_path: Path) -> None:
    for words in (("show",), ("set", "settings/a", "1"), ("list", "groceries")):
        done = await say(tmp_path, *words)
        assert done.exit_code == 3
        assert "no running device" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("7", 7),
        ("21.5", 21.5),
        ("007", "007"),
        ("null", "null"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("9" * 30, "9" * 30),
        ("[1]", "[1]"),
        ("Ada", "Ada"),
        ("", ""),
    ],
)
def test_a_value_is_read_as_meant(text: str, value: Value) -> None:
    read = read_value(text)
    assert (read, type(read)) == (value, type(value))
