"""`trivet ledger`: who knew what, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.app.account import happened, known, other, plain, sentence
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, told
from trivet.app.folder import household_folder, identity_folder, ledger_file
from trivet.app.zone import named_zone
from trivet.domain import SetupError, UsageError
from trivet.fabric import certificate
from trivet.fabric.household import (
    authority_certificate,
    load_household,
    read_certificate,
)
from trivet.fabric.key import check_id
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import parse_head

ledger_app = typer.Typer(help="Who knew what, and whether the record is whole.")
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="Whose ledger; else the only one there is.")
]
ZoneOption: TypeAlias = Annotated[
    str, typer.Option("--zone", help="Such as Europe/Berlin; else this machine's.")
]


@ledger_app.callback(invoke_without_command=True)
@told
def show(
    context: typer.Context,
    peer: Annotated[str, typer.Option(help="Only what this device was told.")] = "",
    path: Annotated[
        str, typer.Option(help="Only of these signals: location, Vehicle.**.")
    ] = "",
    since: Annotated[str, typer.Option(help="Only since: 2026-02-27T18:05.")] = "",
    until: Annotated[str, typer.Option(help="Only before: 2026-02-28.")] = "",
    device: DeviceOption = "",
    zone: ZoneOption = "",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who knew what of a device, when, for what and how exactly."""
    if context.invoked_subcommand is not None:
        return
    where = named_zone(zone) if zone else None
    first = _event_time(since, zone) if since else 0.0
    last = _event_time(until, zone) if until else inf
    with _opened(household, device) as (ledger, _):
        found = list(ledger.entries(peer=peer, path=path, since=first, until=last))
        spans, rest = known(found), other(found)
        if as_json:
            print_json({"device": ledger.device, "known": spans, "events": rest})
            return
        for span in spans:
            _say(sentence(span, ledger.device, where))
        for entry in rest:
            _say(happened(entry.event, ledger.device, where))
        if not found:
            _say(f"Nothing of that is in the ledger of {ledger.device}.")
        if ledger.fault:
            errors.print(f"Do not rely on it: {plain(ledger.fault)}", style="red")


@ledger_app.command("verify")
@told
def verify(
    witness: Annotated[
        str, typer.Option(help="A head that another device holds: SEQ:HASH.")
    ] = "",
    device: DeviceOption = "",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Whether anything was changed, removed or put in; exit code 1 if so."""
    seen = parse_head(witness) if witness else None
    with _opened(household, device) as (ledger, unchecked):
        verdict = ledger.verify(seen)
        if as_json:
            print_json({"device": ledger.device, "verdict": verdict, "not": unchecked})
        elif verdict.is_sound:
            _say(f"Sound: {verdict.entries} entries, head {ledger.head}")
        else:
            _say(f"Unsound: {plain(verdict.fault)}")
            _say(f"{verdict.entries} entries before that hold.")
    if unchecked and not as_json:
        errors.print(f"Its signature was not checked: {unchecked}", highlight=False)
    if not verdict.is_sound:
        raise typer.Exit(1)


@ledger_app.command("head")
@told
def head(
    device: DeviceOption = "",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where the ledger ends, for another device to keep as a witness."""
    with _opened(household, device) as (ledger, _):
        if as_json:
            print_json({"device": ledger.device, "head": ledger.head})
        else:
            _say(str(ledger.head))


@contextmanager
def _opened(household: Path | None, device: str) -> Iterator[tuple[Ledger, str]]:
    """The ledger, and why its signature cannot be checked; empty if it can."""
    folder = household_folder(household)
    device = check_id(device) if device else _only_one(folder)
    path = ledger_file(folder, device)
    if not path.exists():
        raise SetupError(
            f"there is no ledger of {device} in {folder}",
            hint="it begins when the device first takes part in its household",
        )
    key, unchecked = _public_key(folder, device)
    with Ledger(path, device, key=key) as ledger:
        yield ledger, unchecked


def _only_one(folder: Path) -> str:
    found = sorted(p.stem.removeprefix("ledger-") for p in folder.glob("ledger-*.db"))
    if not found:
        raise SetupError(
            f"there is no ledger in {folder}",
            hint="it begins when a device first takes part in its household",
        )
    if len(found) > 1:
        raise UsageError(
            f"there are the ledgers of {', '.join(found)}",
            hint="name one with --device",
        )
    return found[0]


def _public_key(
    folder: Path, device: str
) -> tuple[ec.EllipticCurvePublicKey | None, str]:
    try:
        home = load_household(identity_folder(folder))
        path = home.folder / "devices" / device / "cert.pem"
        cert = read_certificate(path, f"copy it from {device}")
        authority = authority_certificate(home)
    except SetupError as error:
        return None, str(error)
    public = cert.public_key()
    is_own = certificate.device_of(cert) == device
    if not is_own or not certificate.is_issued_by(cert, authority):
        return None, f"{path} is not the certificate of {device} in this household"
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return None, f"the key in {path} is not of an elliptic curve"
    return public, ""


def _event_time(text: str, zone: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no time", hint="write it as 2026-02-27T18:05"
        ) from error
    if moment.tzinfo is None and zone:
        moment = moment.replace(tzinfo=named_zone(zone))
    return moment.timestamp()


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
