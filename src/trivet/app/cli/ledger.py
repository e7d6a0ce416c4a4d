"""`trivet ledger`: who knew what, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.app.account import happened, known, other, sentence
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import (
    control_file,
    household_folder,
    identity_folder,
    ledger_file,
    witness_file,
)
from trivet.app.terminal import plain
from trivet.app.witnessing import Told, Witnesses
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
from trivet.fabric.ledger_chain import Head, parse_head
from trivet.fabric.witness_file import Kept, WitnessFile

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
    """Whether anything was changed, removed or put in; exit code 1 if so.

    What this machine's devices keep of it counts as a witness; so does, while the
    device runs, what the devices that it reaches keep.
    """
    named = [("--witness", parse_head(witness))] if witness else []
    with _opened(household, device) as (ledger, unchecked):
        folder = household_folder(household)
        found, silent = _witnesses(folder, ledger.device)
        seen = [*named, *found]
        verdict = ledger.verify(*(head for _, head in seen))
        if as_json:
            heads = [{"by": by, "head": str(head)} for by, head in seen]
            print_json(
                {
                    "device": ledger.device,
                    "verdict": verdict,
                    "not": unchecked,
                    "witnesses": heads,
                }
            )
        elif verdict.is_sound:
            _say(f"Sound: {verdict.entries} entries, head {ledger.head}")
        else:
            _say(f"Unsound: {plain(verdict.fault)}")
            _say(f"{verdict.entries} entries before that hold.")
    if not as_json:
        _say_who_saw(seen, silent)
        if unchecked:
            errors.print(f"Its signature was not checked: {unchecked}", highlight=False)
    if not verdict.is_sound:
        raise typer.Exit(1)


@ledger_app.command("witnesses")
@told
def witnesses(
    device: DeviceOption = "",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a device keeps of where others' ledgers end, and what it found wrong."""
    folder = household_folder(household)
    rows = WitnessFile(_witness_path(folder, device)).all()
    if as_json:
        print_json([_as_row(row) for row in rows])
        return
    print_table(
        "Ends of ledgers",
        ["ledger of", "entry", "seen", "fault"],
        [
            (
                row.device,
                row.head.seq,
                f"{datetime.fromtimestamp(row.time, UTC):%Y-%m-%d %H:%M}Z",
                plain(row.fault),
            )
            for row in rows
        ],
    )


@ledger_app.command("accept")
@told
def accept(
    other: Annotated[str, typer.Argument(help="Whose ledger is to be accepted.")],
    device: DeviceOption = "",
    household: HouseholdOption = None,
) -> None:
    """Take a device's ledger as it is from now on: it was begun anew, or restored."""
    folder = household_folder(household)
    gone = WitnessFile(_witness_path(folder, device)).accept(check_id(other))
    _say(f"What was kept of {other} is forgotten: entry {gone.head.head}")
    if gone.fault:
        _say(f"It was: {plain(gone.fault)}")


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


def _witnesses(folder: Path, device: str) -> tuple[list[tuple[str, Head]], str]:
    """Who saw which head of a ledger, and why those in reach were not asked."""
    found = []
    for path in sorted(folder.glob("witness-*.bin")):
        kept = WitnessFile(path).kept(device)
        if kept is not None:
            found.append((path.stem.removeprefix("witness-"), kept.head.head))
    try:
        answer = tell(control_file(folder, device), Witnesses(), Told)
    except (SetupError, UsageError) as error:
        return found, error.message
    asked = [(seen.peer, parse_head(seen.head)) for seen in answer.seen if seen.head]
    return [*found, *(one for one in asked if one not in found)], ""


def _say_who_saw(seen: list[tuple[str, Head]], silent: str) -> None:
    if seen:
        said = ", ".join(f"{by} saw entry {head.seq}" for by, head in seen)
        _say(f"Witnesses: {said}")
    else:
        _say("No witness: an older copy in its place would not be seen.")
    if silent:
        errors.print(f"No device in reach was asked: {silent}", highlight=False)


def _as_row(row: Kept) -> dict[str, object]:
    against = None if row.against is None else str(row.against.head)
    return {
        "device": row.device,
        "head": str(row.head.head),
        "time": row.time,
        "fault": row.fault,
        "against": against,
    }


def _witness_path(folder: Path, device: str) -> Path:
    path = witness_file(folder, check_id(device) if device else _only_one(folder))
    if not path.exists():
        raise SetupError(
            f"there is no {path}",
            hint="it begins when the device first meets another",
        )
    return path


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
