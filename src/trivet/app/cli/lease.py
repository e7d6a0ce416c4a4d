"""`trivet lease`: what a running device gives to others, and wants of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.leasing import End, Ended, Leases, Standing
from trivet.domain import Lease
from trivet.domain.lease import ZONE_M

lease_app = typer.Typer(help="What a running device gives to others; end it.")

DeviceOption = Annotated[str, typer.Option(help="Which device of this machine.")]


@lease_app.command("list")
@told
def list_leases(
    device: DeviceOption = "home",
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
    device: DeviceOption = "home",
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
