"""`trivet lease`: what a running device gives to others, and wants of them."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trivet.app.cli.option import HereOption, HouseholdOption, JsonOption
from trivet.app.cli.output import console, errors, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.leasing import (
    Arrivals,
    Arrived,
    Ask,
    Drop,
    Dropped,
    End,
    Ended,
    Leases,
    Standing,
    Wished,
)
from trivet.app.terminal import plain
from trivet.domain import Lease, Purpose, RefusedError, Sample, UsageError
from trivet.domain.lease import ZONE_M

lease_app = typer.Typer(help="What a running device gives and wants; ask, end.")
#: Seconds between two looks at what has arrived.
LOOK_S = 0.5
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TERM = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)


@lease_app.command("list")
@told
def list_leases(
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """The leases that a device granted, and those it wants of others."""
    path = control_file(household_folder(household), device)
    said = tell(path, Leases(), Standing)
    if as_json:
        print_json({"leases": said.leases, "wishes": said.wishes})
        return
    print_table(
        f"What {device} gives",
        ["lease", "to", "signals", "for", "exactness", "until", "rule"],
        [_row(lease) for lease in said.leases],
    )
    print_table(
        f"What {device} wants",
        ["of", "signals", "for", "granted"],
        [
            (w.owner, _short(w.paths), w.purpose, _granted(w.lease) or w.error)
            for w in said.wishes
        ],
    )


@lease_app.command("end")
@told
def end(
    lease: Annotated[str, typer.Argument(help="Its id; see `trivet lease list`.")],
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a lease that a device granted, now; to keep it so, change the policy."""
    path = control_file(household_folder(household), device)
    ended = tell(path, End(lease), Ended).lease
    if as_json:
        print_json({"ended": ended})
    else:
        console.print(
            f"{ended.recipient} is given {_short(ended.paths)} of {device} "
            "no more; it may ask again, and the policy answers"
        )


@lease_app.command("ask")
@told
def ask(
    owner: Annotated[str, typer.Argument(help="The device whose signals they are.")],
    signals: Annotated[
        list[str], typer.Argument(help="Which ones: location, Vehicle.Cabin.**")
    ],
    purpose: Annotated[Purpose, typer.Option("--for", help="What for.")],
    exact: Annotated[
        int, typer.Option(help="Metres that a position need be exact to.")
    ] = 0,
    every: Annotated[
        float, typer.Option(min=0.0, help="At most one sample in so many seconds.")
    ] = 0.0,
    until: Annotated[
        str, typer.Option(help="How long: 90s, 30m, 2h, 3d; else while it runs.")
    ] = "",
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask another device for a lease; exit code 6 if it refuses.

    It stays wanted, and is asked for again when that may help, until it is dropped.
    """
    word = Ask(owner, tuple(signals), purpose, exact, every, _term_s(until))
    said = tell(_control(household, device), word, Wished)
    if as_json:
        print_json(said)
    elif said.lease is not None:
        _say_granted(said.lease, exact)
    else:
        errors.print(plain(said.error), style="red", highlight=False, soft_wrap=True)
        _say(f"{device} asks again; trivet lease drop {owner} ends that")
    if said.lease is None:
        raise typer.Exit(RefusedError.exit_code)


@lease_app.command("drop")
@told
def drop(
    what: Annotated[
        str, typer.Argument(help="Id of a lease; or of an owner, for all asked of it.")
    ],
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give back what a device holds of another, and want it no more."""
    gone = tell(_control(household, device), Drop(what), Dropped).wishes
    if as_json:
        print_json({"dropped": gone})
        return
    for wish in gone:
        held = "given back" if wish.lease else "was not granted"
        _say(
            f"{device} wants {_short(wish.paths)} of {wish.owner} for {wish.purpose} "
            f"no more ({held})"
        )


@lease_app.command("watch")
@told
def watch(
    count: Annotated[
        int, typer.Option(min=0, help="End after so many samples; 0 for never.")
    ] = 0,
    device: HereOption = "home",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what arrives of what was asked for by hand; Ctrl-C ends."""
    path, last, shown = _control(household, device), 0, 0
    while True:
        said = tell(path, Arrived(last), Arrivals)
        last = said.last
        if said.missed:
            errors.print(f"{said.missed} samples came too fast", highlight=False)
        for sample in said.samples:
            print_json(sample) if as_json else _say(_line(sample))
            shown += 1
            if shown == count:
                return
        time.sleep(LOOK_S)


def _control(household: Path | None, device: str) -> Path:
    return control_file(household_folder(household), device)


def _term_s(text: str) -> float:
    """Seconds of `2h`; 0 for an empty text."""
    if not text:
        return 0.0
    match = _TERM.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise UsageError(f"{text!r} is no time", hint="write 90s, 30m, 2h or 3d")
    return float(int(match[1]) * _UNITS_S[match[2]])


def _say_granted(lease: Lease, exact_m: int) -> None:
    _say(
        f"{lease.owner} gives {_short(lease.paths)} for {lease.purpose}, until "
        f"{_moment(lease.until)}, by rule {lease.rule}"
    )
    if lease.exact_m > exact_m:
        asked, given = _exactness(exact_m), _exactness(lease.exact_m)
        _say(f"Positions coarser than asked for: {given}, not {asked}")
    if lease.withheld:
        _say(f"Not given: {_short(lease.withheld)}")
    _say(f"Lease {lease.id}")


def _line(sample: Sample) -> str:
    text = f"{_moment(sample.time)}  {sample.device}  {sample.path}  {sample.value}"
    return plain(text)


def _moment(event_time: float) -> str:
    return f"{datetime.fromtimestamp(event_time, UTC):%Y-%m-%d %H:%M:%S}Z"


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def _row(lease: Lease) -> tuple[str, ...]:
    return (
        lease.id,
        lease.recipient,
        _short(lease.paths),
        lease.purpose.value,
        _exactness(lease.exact_m),
        f"{datetime.fromtimestamp(lease.until, UTC):%Y-%m-%d %H:%M}Z",
        lease.rule,
    )


def _short(paths: tuple[str, ...]) -> str:
    first = ", ".join(paths[:3])
    return first if len(paths) <= 3 else f"{first} and {len(paths) - 3} more"


def _exactness(exact_m: int) -> str:
    return {0: "as measured", ZONE_M: "a word"}.get(exact_m, f"{exact_m} m")


def _granted(lease: Lease | None) -> str:
    return "" if lease is None else f"{_exactness(lease.exact_m)}, by {lease.rule}"
