"""`trivet device pair` and `trivet join`: a new device by a short code."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, told
from trivet.app.folder import household_folder, identity_folder
from trivet.app.pairing import Ask, join_household, pair_device
from trivet.domain import DeviceKind
from trivet.fabric.household import load_household
from trivet.fabric.pairing import CODE_S
from trivet.fabric.pairing_code import Ticket, draw_text

pairing_app = typer.Typer(help="Admit a new device by a short code.")
join_app = typer.Typer(help="Make this machine a device of a household.")

YesOption = Annotated[
    bool, typer.Option("--yes", help="Accept without asking: for scripts.")
]
ScoutOption = Annotated[
    bool, typer.Option("--scout/--no-scout", help="Find each other by multicast.")
]


@pairing_app.command("pair")
@told
def pair(
    listen: Annotated[
        list[str] | None, typer.Option(help="host:port to be dialled at.")
    ] = None,
    scout: ScoutOption = True,
    guest: Annotated[
        bool, typer.Option("--guest", help="The device is not of the household.")
    ] = False,
    yes: YesOption = False,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a code; admit the device that comes with it."""
    founded = load_household(identity_folder(household_folder(household)))
    paired = asyncio.run(
        pair_device(
            founded,
            ask=_ask(yes),
            show=_show,
            show_ticket=_ticket_as_json if as_json else _ticket_on_screen,
            listen=tuple(listen or ("0.0.0.0:0",)),
            is_scouting=scout,
            is_guest=guest,
        )
    )
    if as_json:
        print_json(
            {
                "household": founded.name,
                "device": paired.device,
                "kind": paired.kind.value,
                "fingerprint": paired.fingerprint,
            }
        )
        return
    console.print(f"{paired.device} belongs to {founded.name} now")


@join_app.command("join")
@told
def join(
    device: Annotated[str, typer.Option(help="The id it is to have: phone, car.")],
    kind: Annotated[DeviceKind, typer.Option(help="What it is.")],
    code: Annotated[
        str | None, typer.Argument(help="The code, or the text of the QR code.")
    ] = None,
    connect: Annotated[
        list[str] | None, typer.Option(help="host:port of the machine with the code.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Names or addresses it listens on.")
    ] = None,
    scout: ScoutOption = True,
    yes: YesOption = False,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Join the household whose code is shown on another machine."""
    # an argument is seen in the list of processes, so without one it is asked for
    text = typer.prompt("Code", err=True) if code is None else code
    identity = asyncio.run(
        join_household(
            text,
            identity_folder(household_folder(household)),
            device,
            kind,
            ask=_ask(yes),
            show=_show,
            hosts=host or (),
            connect=tuple(connect or ()),
            is_scouting=scout,
        )
    )
    if as_json:
        print_json(
            {
                "household": identity.household,
                "device": identity.device,
                "kind": identity.kind.value,
                "expires": identity.expires,
            }
        )
        return
    console.print(
        f"This machine is {identity.device} of {identity.household} "
        f"until {identity.expires:%Y-%m-%d}"
    )


def _ask(is_yes: bool) -> Ask:
    """Questions go to standard error, so that standard output is the result alone."""

    def ask(question: str) -> bool:
        if is_yes:
            _show(question + " yes")
            return True
        return typer.confirm(question, err=True)

    return ask


def _show(text: str) -> None:
    errors.print(text, highlight=False, soft_wrap=True)


def _ticket_on_screen(ticket: Ticket) -> None:
    console.print(draw_text(ticket), highlight=False, soft_wrap=True)
    console.print(f"Code  {ticket.code.shown}", style="bold", highlight=False)
    console.print(
        f"Session {ticket.host} at {', '.join(ticket.addresses)}, for {CODE_S:.0f} s",
        highlight=False,
        soft_wrap=True,
    )
    console.print("On the new device: trivet join --device ID --kind KIND")


def _ticket_as_json(ticket: Ticket) -> None:
    print_json(
        {"code": ticket.code.shown, "ticket": ticket.url, "session": ticket.host}
    )
    sys.stdout.flush()  # whoever reads it waits for this line, and we for them
