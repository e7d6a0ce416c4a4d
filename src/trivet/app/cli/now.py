"""`trivet forecast`, `suggestions`, `why`: what is likely at one moment, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from trivet.app import service
from trivet.app.cli.option import HouseholdOption, JsonOption, PersonOption, ZoneOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.explanation import explain
from trivet.app.folder import atlas_file, household_folder
from trivet.app.mind import Mind, Roles
from trivet.app.zone import named_zone
from trivet.atlas import AtlasIndex
from trivet.domain import UsageError
from trivet.domain.clock import clock_text
from trivet.domain.why import Why

forecast_app = typer.Typer()
suggestions_app = typer.Typer()
why_app = typer.Typer()
AtOption: TypeAlias = Annotated[
    str,
    typer.Option("--at", help="2026-02-27T18:05; needs --zone. Else the last sample."),
]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="Whose positions or drives: phone, car.")
]


@contextmanager
def known(
    household: Path | None, at: str, person: str, device: str, zone: str
) -> Iterator[tuple[Mind, float]]:
    """A mind that learned the imported samples up to a time, and that time."""
    folder = household_folder(household)
    roles = Roles(person=person, phone=device)
    has_atlas = atlas_file(folder).exists()
    atlas = AtlasIndex(atlas_file(folder)) if has_atlas else None
    try:
        with console.status("Learning"):
            known = service.mind_at(folder, _event_time(at, zone), roles, zone, atlas)
        yield known
    finally:
        if atlas is not None:
            atlas.close()


def _event_time(at: str, zone: str) -> float | None:
    if not at:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise UsageError(
            f"{at!r} is no time", hint="write it as 2026-02-27T18:05"
        ) from error
    if moment.tzinfo is None:
        if not zone:
            raise UsageError(f"{at!r} is a local time", hint="name its --zone")
        moment = moment.replace(tzinfo=named_zone(zone))
    return moment.timestamp()


@forecast_app.command("forecast")
@told
def forecast(
    at: AtOption = "",
    household: HouseholdOption = None,
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """Where the running trip is going, and when it arrives."""
    with known(household, at, person, device, zone) as (mind, time):
        found = mind.forecast
        if as_json:
            print_json(found)
            return
        if found is None:
            place = mind.place(time)
            where = f"at {place.label}" if place else "nowhere known"
            console.print(f"No trip is running: {person} is {where}.")
            return
        rows = []
        for candidate in found.candidates[:8]:
            arrival = candidate.arrival
            times = "-".join(
                clock_text(t, mind.zone)
                for t in ((arrival.low, arrival.high) if arrival else ())
            )
            rows.append((candidate.label, f"{candidate.probability:.0%}", times))
        title = f"Under way at {mind.clock(time)}"
        print_table(title, ["destination", "chance", "arrival (80 %)"], rows)


@suggestions_app.command("suggestions")
@told
def suggestions(
    at: AtOption = "",
    household: HouseholdOption = None,
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """What trivet would suggest at that moment."""
    with known(household, at, person, device, zone) as (mind, _):
        live = mind.suggester.live
        if as_json:
            print_json(live)
            return
        if not live:
            console.print("Nothing to suggest.")
        for suggestion in live:
            console.print(suggestion.need.title, style="bold")
            for line in suggestion.need.details:
                console.print(f"  {line}")


@why_app.command("why")
@told
def why_command(
    at: AtOption = "",
    household: HouseholdOption = None,
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """Why trivet thinks so: the reasons of the forecast and of each suggestion."""
    with known(household, at, person, device, zone) as (mind, time):
        found = {"forecast": explain(mind, time)}
        for suggestion in mind.suggester.live:
            found[suggestion.need.title] = explain(mind, time, suggestion.id)
        if as_json:
            print_json(found)
            return
        for title, why in found.items():
            print_why(title, why)


def print_why(title: str, why: Why) -> None:
    """An account in lines, what would change it and what was not used by themselves."""
    console.print(title, style="bold", highlight=False)
    for heading, lines in (
        ("", (*why.reasons, *why.notes)),
        ("What would change it:", why.changes),
        ("Not used:", why.unused),
    ):
        if heading and lines:
            console.print(f"  {heading}", highlight=False)
        for line in lines:
            console.print(f"  {'  ' if heading else ''}{line}", highlight=False)
