"""`trivet up`: one device as a process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, told
from trivet.app.folder import household_folder
from trivet.app.life import NodeSettings
from trivet.app.node import run_node
from trivet.app.terminal import plain
from trivet.app.view import TimelineEntry
from trivet.domain.clock import local

app = typer.Typer()


AddressesOption = list[str] | None
CalendarOption = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="The person's calendar, an .ics file."
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print no suggestions on a phone or a car.")
]
LateOption = Annotated[
    bool,
    typer.Option(
        help="Where devices are admitted: also listen on the port after the first "
        "--listen port, for devices whose certificates have ended."
    ),
]


@app.command("up")
@told
def up(
    device: Annotated[str, typer.Argument(help="Its id: phone, car, home.")],
    listen: Annotated[
        AddressesOption, typer.Option(help="host:port to be dialled at.")
    ] = None,
    connect: Annotated[
        AddressesOption, typer.Option(help="host:port of a device to dial.")
    ] = None,
    router: Annotated[
        AddressesOption, typer.Option(help="Id of the router dialled to go through.")
    ] = None,
    scout: Annotated[
        bool, typer.Option("--scout", help="Find the others by multicast too.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Which simulated household.")] = 7,
    speed: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Event seconds a second.")
    ] = 60.0,
    days: Annotated[float, typer.Option(min=0.01, help="Days to live.")] = 7.0,
    page: Annotated[
        int | None, typer.Option(min=0, max=65535, help="TCP port of the page.")
    ] = None,
    headless: Annotated[
        bool, typer.Option("--headless", help="Print the days, as fast as it goes.")
    ] = False,
    quiet: QuietOption = False,
    calendar: CalendarOption = None,
    late_renewal: LateOption = True,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one device of the simulated household."""
    settings = NodeSettings(
        device=device,
        folder=household_folder(household),
        listen=tuple(listen or ()),
        connect=tuple(connect or ()),
        routers=tuple(router or ()),
        is_scouting=scout,
        seed=seed,
        speed=speed,
        days=days,
        page=page,
        is_headless=headless,
        is_quiet=quiet,
        calendar=calendar,
        is_late_renewal=late_renewal,
    )
    run_node(settings, _told_as_json if as_json else _told, _on_page)


def run_words(words: Sequence[str]) -> None:
    """Run `trivet up` with these words, and end the process."""
    app(args=list(words), prog_name="trivet up")


def _told_as_json(line: TimelineEntry, clock: str) -> None:
    print_json(line)
    sys.stdout.flush()  # who reads it waits for each line


def _told(line: TimelineEntry, clock: str) -> None:
    day = f"{local(line.time, UTC):%a}"
    style = {"suggestion": "bold", "answer": "green"}.get(line.kind, "")
    text = plain(f"{day} {clock}  {line.text}")
    console.print(text, style=style, highlight=False, soft_wrap=True)
    for detail in line.details:
        text = plain(f"           {detail}")
        console.print(text, style="dim", highlight=False, soft_wrap=True)


def _on_page(url: str) -> None:
    text = f"The page is at {url}  (Ctrl-C ends)"
    console.print(text, highlight=False, soft_wrap=True)
