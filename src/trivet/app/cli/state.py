"""`trivet state`: what the household shares, read and changed on a running device."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.state_word import (
    ChangeList,
    Doing,
    Listed,
    SetState,
    ShowState,
    Standing,
    Written,
)
from trivet.app.terminal import plain
from trivet.domain import UsageError
from trivet.fabric.replica import Item, Value

state_app = typer.Typer(help="What the household shares: people, places, lists, ...")

#: Numbers beyond it, and what is none, are texts.
_MOST = 1 << 63


@state_app.command("show")
@told
def show(
    root: Annotated[str, typer.Argument(help="people, settings, a list, ...")] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """What stands in the state, as a device has it."""
    path = control_file(household_folder(household), device)
    said = tell(path, ShowState(root), Standing)
    if as_json:
        print_json(said)
        return
    if said.values or not said.lists:
        print_table(
            f"The state, as {said.device} has it",
            ["path", "value"],
            [(plain(path), _text(value)) for path, value in said.values.items()],
        )
    for name, items in said.lists.items():
        _print_list(name, items)
    if said.left:
        errors.print(f"{said.left} more: name a root")
    for author in said.forks:
        errors.print(f"{author} wrote two things as one: see docs/state.md")
    for other, fault in said.faults.items():
        errors.print(f"{other}: {plain(fault)}")


@state_app.command("set")
@told
def put(
    path: Annotated[str, typer.Argument(help="As settings/heating/comfort_c.")],
    value: Annotated[str, typer.Argument(help="true, false, a number, or a text.")],
    is_text: Annotated[
        bool, typer.Option("--text", help="A text, whatever it looks like.")
    ] = False,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set the value at a path, for the whole household."""
    word = SetState(path, value if is_text else read_value(value))
    said = tell(control_file(household_folder(household), device), word, Written)
    if as_json:
        print_json(said)
    else:
        console.print(f"{said.path} is {_text(said.value)}")


@state_app.command("list")
@told
def change(
    name: Annotated[str, typer.Argument(help="The list's name, as groceries.")],
    doing: Annotated[str, typer.Argument(help="add, remove or done.")] = "",
    item: Annotated[str, typer.Argument(help="What to add, remove or tick.")] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a list; put something on it, take it off, tick it off."""
    word = _word(name, doing, item)
    said = tell(control_file(household_folder(household), device), word, Listed)
    if as_json:
        print_json(said)
    else:
        _print_list(said.name, said.items)


def read_value(text: str) -> Value:
    """What a person means: `true`, `21.5` and `7` are none of them texts."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, bool | int | float) and abs(value) < _MOST:
        return value
    return text


def _word(name: str, doing: str, item: str) -> ChangeList:
    if not doing:
        return ChangeList(name)
    known = [one.value for one in Doing]
    if doing not in known or not item:
        raise UsageError(
            f"a list takes {', '.join(known)}, and an item",
            hint=f"trivet state list {name} add milk",
        )
    return ChangeList(name, Doing(doing), item)


def _print_list(name: str, items: tuple[Item, ...]) -> None:
    rows = [(plain(item.text), "done" if item.is_done else "") for item in items]
    print_table(plain(name), ["item", ""], rows)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(str(value))
