"""`trivet bench`: the figures that the documents quote, measured here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import trivet
from trivet.app.cli.option import JsonOption
from trivet.app.cli.output import told
from trivet.domain import SetupError

app = typer.Typer()


@app.command("bench")
@told
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Such as demo, screen."),
    ] = None,
    is_all: Annotated[
        bool, typer.Option("--all", help="Those that take long too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure this machine, and print figures that the documents quote.

    Without names those that take minutes: most of them for `demo`, `link`, `seat`,
    `state`, `history` and `offload`. By name, or with --all: `browser`, the page drawn
    by Chromium; `million`, a map of a million points; `fleet`, a thousand devices;
    `years`, `homecoming`, `routine`, `comfort`, `open_world`, `open_world_dinner`,
    `skills` and `skills_each`, which live simulated households for long; `homes` and
    `lives`, which read recordings from the folders that TRIVET_HOMES and TRIVET_LIVES
    name.
    """
    flags = [name for name, on in (("--all", is_all), ("--json", as_json)) if on]
    words = [*flags, *(names or [])]
    command = [sys.executable, "-m", "benchmarks", *words]
    raise typer.Exit(subprocess.run(command, cwd=checkout()).returncode)


def checkout(package: Path = Path(trivet.__file__).parent) -> Path:
    """The source checkout that this package is part of.

    Raises:
        SetupError: it is installed from a wheel, which carries no benchmarks.
    """
    root = package.parent.parent
    if not (root / "benchmarks" / "__main__.py").is_file():
        raise SetupError(
            "the benchmarks are not part of an installed trivet",
            hint="clone its repository, and run `make bench` there",
        )
    return root
