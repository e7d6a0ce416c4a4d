"""`trivet doctor`: whether this machine has what trivet needs."""

from __future__ import annotations

import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path

import typer

from trivet import __version__
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import print_json, print_table, told
from trivet.app.folder import household_folder, identity_folder
from trivet.domain import TrivetError
from trivet.fabric.charter import FILE, own_charter
from trivet.fabric.household import load_household
from trivet.fabric.notice import check_standing

app = typer.Typer()
_EXTRAS = {"osmium": "map", "ijson": "replay", "tzfpy": "replay", "nicegui": "web"}


@app.command("doctor")
@told
def doctor(household: HouseholdOption = None, as_json: JsonOption = False) -> None:
    """Whether this machine has what trivet needs."""
    folder = household_folder(household)
    rows = [
        ("trivet", __version__, ""),
        ("Python", sys.version.split()[0], ""),
        ("SQLite", sqlite3.sqlite_version, ""),
        ("household", str(folder), "" if folder.exists() else "not there yet"),
    ]
    rows += _standings(identity_folder(folder))
    for module, extra in _EXTRAS.items():
        there = find_spec(module) is not None
        hint = "" if there else f"pip install 'trivet[{extra}]'"
        rows.append((module, "installed" if there else "absent", hint))
    if as_json:
        print_json({name: value for name, value, _ in rows})
        return
    print_table("", ["what", "is", "to do"], rows)


def _standings(folder: Path) -> list[tuple[str, str, str]]:
    """Of each device of this machine, whether it still belongs to its household."""
    rows = []
    if not (folder / FILE).exists():
        return []
    for device in load_household(folder).devices:
        try:
            check_standing(own_charter(folder), device)
            rows.append((device, "of the household", ""))
        except TrivetError as error:
            rows.append((device, error.message, error.hint))
    return rows
