"""`trivet seat`: who does what for the household, and give it away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.seat_word import Seated, Seats, Yield, Yielded

seat_app = typer.Typer(help="Who does what for the household; give it away.")


@seat_app.command("show")
@told
def show(
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who holds which seat, since when, with which token and why."""
    said = tell(control_file(household_folder(household), device), Seats(), Seated)
    if as_json:
        print_json(said)
        return
    print_table(
        f"The seats, as {said.device} sees them",
        ["seat", "holder", f"{said.device} is", "token", "since", "why"],
        [
            (
                row.seat,
                row.holder or "nobody",
                row.standing.value,
                row.token or "",
                f"{datetime.fromtimestamp(row.since):%Y-%m-%d %H:%M:%S}",
                row.why,
            )
            for row in said.seats
        ],
    )


@seat_app.command("yield")
@told
def give_away(
    seat: Annotated[str, typer.Argument(help="Its name; see `trivet seat show`.")],
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have a seat that the device holds taken by the next one, for an hour."""
    word, path = Yield(seat), control_file(household_folder(household), device)
    said = tell(path, word, Yielded)
    if as_json:
        print_json(said)
    else:
        console.print(
            f"{said.heir} takes {said.seat}; {device} does not claim it back for an "
            "hour, unless nobody has it"
        )
