"""`trivet household` and `trivet device`: who belongs to it."""

from __future__ import annotations

from typing import Annotated

import typer

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import household_folder, identity_folder
from trivet.domain import DeviceKind
from trivet.fabric.identity import (
    create_household,
    issue,
    load_household,
    load_identity,
)

household_app = typer.Typer(help="Found a household, look at it.")
device_app = typer.Typer(help="Admit devices, list them.")


@household_app.command("create")
@told
def create(
    name: Annotated[str, typer.Argument(help="Lower case letters, digits, hyphens.")],
    household: HouseholdOption = None,
) -> None:
    """Found a household: make the authority that vouches for its devices."""
    folder = identity_folder(household_folder(household))
    made = create_household(folder, name)
    console.print(f"Household {made.name} founded in {folder}")
    console.print("Next: trivet device add home --kind home")


@household_app.command("show")
@told
def show(household: HouseholdOption = None, as_json: JsonOption = False) -> None:
    """The household and its devices."""
    _list(household, as_json)


@device_app.command("add")
@told
def add(
    device: Annotated[str, typer.Argument(help="Its id: phone, car, home.")],
    kind: Annotated[DeviceKind, typer.Option(help="What it is.")],
    host: Annotated[
        list[str] | None, typer.Option(help="Names or addresses it listens on.")
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Admit a device: make its key and certificate on this machine."""
    founded = load_household(identity_folder(household_folder(household)))
    identity = issue(founded, device, kind, hosts=host or ())
    console.print(f"{device} admitted until {identity.expires:%Y-%m-%d}")


@device_app.command("list")
@told
def list_devices(
    household: HouseholdOption = None, as_json: JsonOption = False
) -> None:
    """The devices whose keys are on this machine."""
    _list(household, as_json)


def _list(household: HouseholdOption, as_json: bool) -> None:
    founded = load_household(identity_folder(household_folder(household)))
    devices = sorted(p.name for p in (founded.folder / "devices").glob("*"))
    found = [load_identity(founded, device) for device in devices]
    if as_json:
        rows = [
            {"device": i.device, "kind": i.kind.value, "expires": i.expires}
            for i in found
        ]
        print_json({"household": founded.name, "devices": rows})
        return
    table = [(i.device, i.kind.value, f"{i.expires:%Y-%m-%d}") for i in found]
    print_table(f"Household {founded.name}", ["device", "kind", "until"], table)
