"""`trivet place`: the places that a running device knows; set them right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.outlook_word import Corrected, ListPlaces, Placed
from trivet.app.place_view import CorrectPlace, Doing, PlaceRow
from trivet.app.terminal import plain
from trivet.app.zone import named_zone
from trivet.domain.clock import local

place_app = typer.Typer(help="The places that are known; say what they are.")

PlaceArgument = Annotated[
    str, typer.Argument(help="Its id, or what it is called: see `trivet place list`.")
]


@place_app.command("list")
@told
def list_places(
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """The places that a running device knows, most visited first."""
    path = control_file(household_folder(household), device)
    said = tell(path, ListPlaces(), Placed)
    if as_json:
        print_json(said)
        return
    zone = named_zone(said.zone)

    def day(time: float) -> str:
        return f"{local(time, zone):%Y-%m-%d}" if time else ""

    print_table(
        f"The places, as {said.device} knows them",
        ["id", "place", "role", "visits", "first", "last"],
        [
            (
                plain(row.id),
                plain(row.label),
                _role(row),
                row.visits,
                day(row.first),
                day(row.last),
            )
            for row in said.places
        ],
    )


@place_app.command("name")
@told
def name(
    place: PlaceArgument,
    called: Annotated[str, typer.Argument(help="Its name; none: as found.")] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a place is called, for the whole household."""
    _say(CorrectPlace(place, Doing.NAME, called), device, household, as_json)


@place_app.command("role")
@told
def role(
    place: PlaceArgument,
    what: Annotated[
        str, typer.Argument(help="home, work, other; none: as found.")
    ] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a place is: home, work, or neither."""
    _say(CorrectPlace(place, Doing.ROLE, what), device, household, as_json)


@place_app.command("join")
@told
def join(
    place: PlaceArgument,
    kept: Annotated[str, typer.Argument(help="The place that it is one with.")],
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say that two places are one; it cannot be taken back."""
    _say(CorrectPlace(place, Doing.JOIN, kept), device, household, as_json)


@place_app.command("forget")
@told
def forget(
    place: PlaceArgument,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a place: its stays, the trips from and to it, its name.

    It is found anew if they go there again.
    """
    _say(CorrectPlace(place, Doing.FORGET), device, household, as_json)


def _say(
    word: CorrectPlace, device: str, household: Path | None, as_json: bool
) -> None:
    said = tell(control_file(household_folder(household), device), word, Corrected)
    if as_json:
        print_json(said)
    else:
        console.print(plain(said.text))


def _role(row: PlaceRow) -> str:
    return f"{row.role.value}, as you say" if row.is_chosen else row.role.value
