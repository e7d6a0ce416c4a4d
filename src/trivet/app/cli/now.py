"""`trivet forecast`, `suggestions`, `why`: what is likely at one moment, and why.

A running device is asked; with --at, or where none runs, imported samples tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from trivet.app import service
from trivet.app.board_word import (
    Account,
    Accounts,
    AskWhy,
    Foretold,
    ShowBoard,
    ShowForecast,
    Shown,
)
from trivet.app.cli.option import HouseholdOption, JsonOption, PersonOption, ZoneOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.cli.running import RunningOption, ask_first, running
from trivet.app.explanation import explain, explain_held
from trivet.app.folder import atlas_file, household_folder
from trivet.app.mind import Mind, Roles
from trivet.app.moment import span_text
from trivet.app.terminal import plain
from trivet.app.zone import named_zone
from trivet.atlas import AtlasIndex
from trivet.domain import Forecast, Suggestion, UsageError
from trivet.domain.clock import clock_text

forecast_app = typer.Typer()
suggestions_app = typer.Typer()
why_app = typer.Typer()
AtOption: TypeAlias = Annotated[
    str,
    typer.Option("--at", help="2026-02-27T18:05; needs --zone. Else the last sample."),
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
    device: RunningOption = "",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """Where the running trip is going, and when it arrives."""
    said = ask_first(asked(household, device, at), ShowForecast(), Foretold)
    if said is None:
        with known(household, at, person, device or "phone", zone) as (mind, time):
            place = mind.place(time)
            where = place.label if place else ""
            said = Foretold("", mind.zone_name, time, mind.forecast, where)
    if as_json:
        print_json(said.forecast)
    elif said.forecast is None:
        where = f"at {plain(said.at)}" if said.at else "nowhere known"
        console.print(f"No trip is running: {person} is {where}.")
    else:
        _print_forecast(said.forecast, said.time, named_zone(said.zone))


@suggestions_app.command("suggestions")
@told
def suggestions(
    at: AtOption = "",
    household: HouseholdOption = None,
    device: RunningOption = "",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """What is suggested on a running device; else what trivet would suggest."""
    said = ask_first(asked(household, device, at), ShowBoard(), Shown)
    if said is None:
        with known(household, at, person, device or "phone", zone) as (mind, _):
            said = Shown("", mind.zone_name, tuple(mind.suggester.live))
    if as_json:
        print_json(said.suggestions)
        return
    if not said.suggestions:
        console.print("Nothing to suggest.")
    for suggestion in said.suggestions:
        _print_suggestion(suggestion, said)
    if said.held:
        console.print(f"{said.held} more when the road takes less attention.")


@why_app.command("why")
@told
def why_command(
    suggestion: Annotated[
        str, typer.Argument(help="Id of a suggestion; else the forecast and all.")
    ] = "",
    at: AtOption = "",
    household: HouseholdOption = None,
    device: RunningOption = "",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """Why trivet thinks so, what would change it, and what it did not use."""
    said = ask_first(asked(household, device, at), AskWhy(suggestion), Accounts)
    if said is None:
        with known(household, at, person, device or "phone", zone) as (mind, time):
            said = _accounts(mind, time, suggestion)
    if as_json:
        print_json(said.accounts)
        return
    for account in said.accounts:
        _print_account(account)


def asked(household: Path | None, device: str, at: str) -> list[Path]:
    """Running devices to ask; none for a moment of the past."""
    return [] if at else running(household, device)


def _accounts(mind: Mind, time: float, suggestion: str) -> Accounts:
    if suggestion:
        title = mind.suggestion(suggestion).need.title
        account = Account(title, explain(mind, time, suggestion), suggestion)
        return Accounts("", (account,))
    return Accounts(
        "",
        (
            Account("forecast", explain(mind, time)),
            *(
                Account(live.need.title, explain(mind, time, live.id), live.id)
                for live in mind.suggester.live
            ),
            *(
                Account(f"Not said: {held[0]}", held[1])
                for held in explain_held(mind, time)
                if held is not None
            ),
        ),
    )


def _print_forecast(found: Forecast, time: float, zone: tzinfo) -> None:
    rows = []
    for candidate in found.candidates[:8]:
        arrival = candidate.arrival
        times = "-".join(
            clock_text(t, zone)
            for t in ((arrival.low, arrival.high) if arrival else ())
        )
        label = plain(candidate.label)
        rows.append((label, f"{candidate.probability:.0%}", times))
        rows += [
            (f"  perhaps {plain(found.label)}", f"{found.probability:.0%}", "")
            for found in candidate.prospects
        ]
    title = f"Under way at {clock_text(time, zone)}"
    print_table(title, ["destination", "chance", "arrival (80 %)"], rows)
    if found.arrival is not None:
        when = span_text(found.arrival, time, zone, found.middle)
        console.print(f"Wherever it goes, it arrives about {when}.", highlight=False)


def _print_suggestion(suggestion: Suggestion, said: Shown) -> None:
    need = suggestion.need
    console.print(plain(need.title), style="bold", highlight=False)
    for line in need.details:
        _say(f"  {line}")
    if said.device:
        until = clock_text(need.expires, named_zone(said.zone))
        _say(f"  Until {until}, on the {suggestion.surface}.")
        _say(f"  trivet answer {suggestion.id} yes|no; trivet why {suggestion.id}")


def _print_account(account: Account) -> None:
    """An account in lines; what would change it and what was not used apart."""
    why = account.why
    console.print(plain(account.title), style="bold", highlight=False)
    for heading, lines in (
        ("", (*why.reasons, *why.notes)),
        ("What would change it:", why.changes),
        ("Not used:", why.unused),
    ):
        if heading and lines:
            _say(f"  {heading}")
        for line in lines:
            _say(f"  {'  ' if heading else ''}{line}")


def _say(text: str) -> None:
    console.print(plain(text), highlight=False, soft_wrap=True)
