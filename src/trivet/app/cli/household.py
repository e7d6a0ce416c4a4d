"""`trivet household` and `trivet device`: who belongs to it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.cli.pairing import pairing_app
from trivet.app.folder import household_folder, identity_folder
from trivet.domain import DeviceKind, SetupError, UsageError
from trivet.domain.clock import local
from trivet.fabric import disk, secret, succession, vault
from trivet.fabric.charter import Member, own_charter
from trivet.fabric.household import clock, read_certificate
from trivet.fabric.identity import (
    Household,
    create_household,
    issue,
    load_household,
    renew,
)
from trivet.fabric.refounding import refound
from trivet.fabric.revocation import revoke

household_app = typer.Typer(help="Found a household, look at it, keep it safe.")
device_app = typer.Typer(help="Admit devices, list them, shut them out.")
device_app.add_typer(pairing_app)
IdArgument = Annotated[str, typer.Argument(help="Its id: phone, car, home.")]


@household_app.command("create")
@told
def create(
    name: Annotated[str, typer.Argument(help="Lower case letters, digits, hyphens.")],
    household: HouseholdOption = None,
) -> None:
    """Found a household: make the authority that vouches for its devices.

    With $TRIVET_PASSPHRASE or $TRIVET_PASSPHRASE_FILE set, its keys are locked.
    """
    folder = identity_folder(household_folder(household))
    made = create_household(folder, name)
    console.print(f"Household {made.name} founded in {folder}")
    console.print("Next: trivet device add home --kind home")


@household_app.command("show")
@told
def show(household: HouseholdOption = None, as_json: JsonOption = False) -> None:
    """The household, its devices and who was shut out."""
    founded = _founded(household)
    charter = own_charter(founded.folder)
    is_issuer = founded.ca_key_path.exists()
    rows = [_row(founded, member) for member in charter.members]
    if as_json:
        gone = [
            {"device": r.device, "time": r.time, "reason": r.reason}
            for r in charter.revoked
        ]
        print_json(
            {
                "household": founded.name,
                "version": charter.version,
                "issuer": is_issuer,
                "devices": rows,
                "revoked": gone,
            }
        )
        return
    _print_devices(founded.name, rows)
    if charter.revoked:
        shut_out = [(r.device, _day(r.time), r.reason) for r in charter.revoked]
        print_table("Shut out", ["device", "since", "why"], shut_out)
    where = "can" if is_issuer else "cannot"
    console.print(f"Charter {charter.version}; devices {where} be admitted here")


@household_app.command("lock")
@told
def lock(household: HouseholdOption = None) -> None:
    """Lock the private keys in the folder with a passphrase."""
    phrase = _passphrase("Passphrase for the keys", is_new=True)
    count = vault.lock_household(_founded(household), secret.Secret(phrase.encode()))
    console.print(f"{count} keys locked; from now on set ${secret.VARIABLE}")


@household_app.command("refound")
@told
def refound_command(
    restore: Annotated[
        list[str] | None,
        typer.Option(help="A device of this machine that others shut out."),
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Put a new authority in place: no other device can admit others any more.

    First shut out what was lost: trivet device revoke. Only where the household was
    founded. Each device that dials this one takes the new authority up by itself.
    """
    founded = _founded(household)
    lost = refound(founded, restored=restore or ())
    members = own_charter(founded.folder).members
    others = [m.device for m in members if m.device not in founded.devices]
    console.print(f"{founded.name} has a new authority; what the old one signs is void")
    if others:
        console.print(f"To follow, when they dial this machine: {', '.join(others)}")
    if lost:
        console.print(f"To be paired anew, under a new id: {', '.join(lost)}")


@household_app.command("export")
@told
def export(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    household: HouseholdOption = None,
) -> None:
    """Back up the authority and this machine's devices into one sealed file."""
    phrase = _passphrase("Passphrase for the backup", is_new=True)
    vault.export_household(_founded(household), out, phrase)
    console.print(f"Written: {out}. It is lost without its passphrase")


@household_app.command("import")
@told
def import_command(
    file: Annotated[Path, typer.Argument(help="What `export` wrote.")],
    household: HouseholdOption = None,
) -> None:
    """Bring a household back from its backup, onto one machine alone."""
    folder = identity_folder(household_folder(household))
    phrase = _passphrase("Passphrase of the backup", is_new=False)
    made = vault.import_household(file, folder, phrase)
    console.print(f"Household {made.name} is back in {folder}")


@device_app.command("add")
@told
def add(
    device: IdArgument,
    kind: Annotated[DeviceKind, typer.Option(help="What it is.")],
    host: Annotated[
        list[str] | None, typer.Option(help="Names or addresses it listens on.")
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Admit a device: make its key and certificate on this machine."""
    identity = issue(_founded(household), device, kind, hosts=host or ())
    console.print(f"{device} admitted until {identity.expires:%Y-%m-%d}")


@device_app.command("renew")
@told
def renew_device(device: IdArgument, household: HouseholdOption = None) -> None:
    """Give a device of this machine a new certificate, where devices are admitted."""
    identity = renew(_founded(household), device)
    console.print(f"{device} renewed until {identity.expires:%Y-%m-%d}")


@device_app.command("list")
@told
def list_devices(
    household: HouseholdOption = None, as_json: JsonOption = False
) -> None:
    """The devices that belong to the household."""
    founded = _founded(household)
    rows = [_row(founded, m) for m in own_charter(founded.folder).members]
    if as_json:
        print_json({"household": founded.name, "devices": rows})
        return
    _print_devices(founded.name, rows)


@device_app.command("show")
@told
def show_device(
    device: IdArgument,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """One device of the household: its key, and how long its certificate holds."""
    founded = _founded(household)
    member = own_charter(founded.folder).member(device)
    if member is None:
        raise UsageError(
            f"{device} is not a member of {founded.name}", hint="trivet device list"
        )
    row = _row(founded, member) | {"fingerprint": member.fingerprint}
    if as_json:
        print_json(row)
        return
    print_table(device, ["what", "is"], [(k, _text(v)) for k, v in row.items()])


@device_app.command("revoke")
@told
def revoke_device(
    device: IdArgument,
    reason: Annotated[str, typer.Option(help="One line that says why.")] = "lost",
    household: HouseholdOption = None,
) -> None:
    """Shut a device out for good; its id is never used again."""
    made = revoke(_founded(household), device, reason=reason)
    console.print(f"{device} is shut out: {made.reason}")
    console.print("Other devices learn of it as soon as they meet this one")


@device_app.command("issuer")
@told
def issuer(
    device: IdArgument,
    send: Annotated[
        bool, typer.Option("--send", help="Hand it over as soon as the two meet.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="Write the sealed authority into this file.")
    ] = None,
    take: Annotated[
        Path | None, typer.Option("--from", help="Take it up, on the device itself.")
    ] = None,
    household: HouseholdOption = None,
) -> None:
    """Let a second device admit and renew, so that losing one loses nothing."""
    founded = _founded(household)
    if send + (to is not None) + (take is not None) != 1:
        raise UsageError(
            "say either --to or --from, or --send",
            hint="--send or --to FILE where devices are admitted, --from FILE on the "
            "device",
        )
    if send:
        bearers = " or ".join(succession.make_offer(founded, device))
        console.print(f"{device} can admit devices as soon as it meets {bearers}")
    if to is not None:
        disk.replace(to, vault.make_issuer(founded, device), disk.SECRET)
        console.print(f"Written: {to}. Only {device} opens it")
        console.print(f"Next, on {device}: trivet device issuer {device} --from {to}")
    if take is not None:
        vault.become_issuer(founded, device, disk.read(take, "see --to"))
        console.print(f"{device} can admit devices to {founded.name} now")


def _founded(household: Path | None) -> Household:
    return load_household(identity_folder(household_folder(household)))


def _row(founded: Household, member: Member) -> dict[str, Any]:
    path = founded.folder / "devices" / member.device / "cert.pem"
    expires = None
    if path.exists():
        expires = read_certificate(path, "admit it anew").not_valid_after_utc
    return {
        "device": member.device,
        "kind": member.kind.value,
        "guest": member.is_guest,
        "since": member.since,
        "here": path.exists(),
        "expires": expires,
        "expired": expires is not None and expires < clock(),
    }


def _print_devices(name: str, rows: list[dict[str, Any]]) -> None:
    table = [
        (
            row["device"],
            row["kind"] + (", a guest's" if row["guest"] else ""),
            _day(row["since"]),
            _until(row),
        )
        for row in rows
    ]
    print_table(f"Household {name}", ["device", "kind", "since", "until"], table)


def _until(row: dict[str, Any]) -> str:
    if not row["here"]:
        return "on its own machine"
    return f"{row['expires']:%Y-%m-%d}" + (", over" if row["expired"] else "")


def _day(time: float) -> str:
    return f"{local(time, UTC):%Y-%m-%d}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _day(value)
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value or "")


def _passphrase(what: str, *, is_new: bool) -> str:
    """The environment's passphrase, else one that is asked for at the terminal."""
    found = secret.find_passphrase()
    if found is None and sys.stdin.isatty():
        found = str(typer.prompt(what, hide_input=True, confirmation_prompt=is_new))
    if not found:
        raise SetupError(
            "there is no passphrase, and no terminal to ask at",
            hint=f"set ${secret.VARIABLE} or ${secret.FILE_VARIABLE}",
        )
    return secret.check_passphrase(found) if is_new else found
