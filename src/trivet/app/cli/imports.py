"""`trivet import`: recordings into the household, whole or not at all."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from trivet.app import service
from trivet.app.cli.option import (
    DeviceOption,
    HouseholdOption,
    JsonOption,
    PersonOption,
    ZoneOption,
)
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import household_folder
from trivet.domain.clock import local

app = typer.Typer()


@app.command("import")
@told
def import_command(
    path: Annotated[Path, typer.Argument(help="A file or a folder of recordings.")],
    household: HouseholdOption = None,
    zone: ZoneOption = "",
    device: DeviceOption = "",
    person: PersonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take up recordings of a phone, a car or a home.

    GeoLife, GPX, OwnTracks, Google Timeline, OBD-II logs, CASAS, Home Assistant.
    """
    given = service.options(zone, device, person)
    with console.status(f"Reading {path.name}"):
        done = service.import_recordings(household_folder(household), path, given)
    if as_json:
        print_json(done)
        return
    show(done)


def show(done: service.Imported) -> None:
    """What was understood, what was skipped and why."""
    report = done.report
    counts: dict[str, dict[str, int]] = report["counts"]  # type: ignore[assignment]
    rows = [
        (owner, signal, f"{count:,}")
        for owner, signals in counts.items()
        for signal, count in signals.items()
    ]
    print_table("Understood", ["device", "signal", "samples"], rows)
    skipped: dict[str, dict[str, object]] = report["skipped"]  # type: ignore[assignment]
    if skipped:
        reasons = [(why, row["count"], row["first"]) for why, row in skipped.items()]
        print_table("Skipped", ["why", "records", "first"], reasons)
    first, last = report["first_time"], report["last_time"]
    if isinstance(first, float) and isinstance(last, float):
        days = [f"{local(time, UTC):%Y-%m-%d}" for time in (first, last)]
        console.print(f"{done.added:,} new samples, {days[0]} to {days[1]}")
