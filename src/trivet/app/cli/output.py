"""How the command line speaks: tables for a person, JSON for a program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from trivet.app.terminal import plain
from trivet.domain import TrivetError

# no markup: a place on a map may be named [red]
console = Console(markup=False)
errors = Console(stderr=True, markup=False)
P = ParamSpec("P")
T = TypeVar("T")


def print_json(value: Any) -> None:
    """Write the value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Write a table; the first column is text, numbers in others align right."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def told(command: Callable[P, T]) -> Callable[P, T]:
    """End a command with the error's own exit code and one clear line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except TrivetError as error:
            # what another device said may be in it
            text = "\n".join(map(plain, f"trivet: {error}".split("\n")))
            errors.print(text, style="red", highlight=False)
            raise typer.Exit(error.exit_code) from error
        except BrokenPipeError as error:
            raise typer.Exit(0) from error

    return run
