"""`trivet train`: make a student from recorded lives, or from made-up ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from trivet.app import service
from trivet.app.cli.option import DeviceOption, JsonOption, ZoneOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.zone import fixed_zone
from trivet.devices.replay import Report
from trivet.domain import InputError, UsageError
from trivet.fabric import disk
from trivet.train.case import SHARES, Cases, gather_cases
from trivet.train.population import live
from trivet.train.training import HELD_OUT, Judged, Trained, train

app = typer.Typer()
_NamesOption = Annotated[
    list[str] | None, typer.Option(help="Folders of people; may be repeated.")
]


@app.command("train")
@told
def train_student(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of recordings for each person.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the student.")] = Path(
        "student.json"
    ),
    people: _NamesOption = None,
    without: _NamesOption = None,
    simulated: Annotated[
        int, typer.Option(min=0, help="Make up so many people instead.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 1,
    linear: Annotated[
        bool, typer.Option("--linear", help="No network; needs no torch.")
    ] = False,
    made: Annotated[
        str, typer.Option(help="The day to write into it, such as 2026-11-28; today.")
    ] = "",
    cases: Annotated[
        Path | None, typer.Option(help="A folder to keep what was gathered in.")
    ] = None,
    zone: ZoneOption = "",
    device: DeviceOption = "phone",
    as_json: JsonOption = False,
) -> None:
    """Train the student that weighs what speaks for each destination.

    It learns from many people what holds for people it does not know: name a folder
    that holds a folder for each person, or make people up with --simulated. Every
    sixth person is held out, to calibrate it and to judge it.
    """
    day = _day(made)
    if (folder is None) == (simulated == 0):
        raise UsageError(
            "name a folder of people, or how many to make up",
            hint="trivet train FOLDER, or trivet train --simulated 40",
        )
    _prepare(out, cases)
    if folder is None:
        words = f"{simulated} simulated people, seed {seed}"
        found = _simulated(simulated, seed, cases)
    else:
        names = _names(folder, people or [], without or [])
        words = f"{len(names)} people of {folder.resolve().name}"
        found = _recorded(folder, names, zone, device, cases)
    trained = train(list(found), words, day, seed=seed, linear=linear)
    disk.replace(out, trained.student.dump())
    _tell(out, trained, as_json=as_json)


def _prepare(out: Path, kept: Path | None) -> None:
    """Say before minutes of work that what it makes has no place to go to."""
    if not out.parent.is_dir() or out.is_dir():
        raise InputError("no student can be written here", path=str(out))
    try:
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"no cases can be kept here: {error.strerror}", path=str(kept)
        ) from error


def _tell(out: Path, trained: Trained, *, as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out), "judged": trained.judged})
        return
    student = trained.student
    console.print(
        f"{out}: a student of {student.trained_on}, {student.cases:,} moments"
    )
    if trained.judged:
        columns = ["student", "moments", "loss", *(f"{s:.0%}" for s in SHARES)]
        title = f"On every {HELD_OUT}th person, held out: top-1 by share of the trip"
        print_table(title, columns, [_cells(row) for row in trained.judged])


def _day(made: str) -> str:
    if not made:
        return datetime.now(UTC).date().isoformat()
    try:
        return date.fromisoformat(made).isoformat()
    except ValueError as error:
        raise UsageError(f"{made!r} is no day", hint="such as 2026-11-28") from error


def _names(folder: Path, people: list[str], without: list[str]) -> list[str]:
    """The people to learn from."""
    if not folder.is_dir():
        raise InputError("no such folder", path=str(folder))
    there = sorted(path.name for path in folder.iterdir() if path.is_dir())
    odd = sorted({*people, *without} - set(there))
    if odd:
        raise UsageError(f"there is no {odd[0]!r} in {str(folder)!r}")
    names = [n for n in there if (not people or n in people) and n not in without]
    if not names:
        raise InputError("no folder of a person is left in it", path=str(folder))
    return names


def _recorded(
    folder: Path, names: list[str], zone: str, device: str, kept: Path | None
) -> Iterator[Cases]:
    zone_of, given = service.zone_of(zone), service.options(zone)
    for name in names:
        found = _known(kept, name)
        if found is None:
            with console.status(f"Living through {name}"):
                samples = service.recorded(folder / name, Report(), given)
                own = (sample for sample in samples if sample.device == device)
                found = Cases.of(gather_cases(own, zone_of))
            _keep(kept, name, found)
        yield found


def _simulated(count: int, seed: int, kept: Path | None) -> Iterator[Cases]:
    for number in range(count):
        name = f"simulated-{seed}-{number:03d}"
        found = _known(kept, name)
        if found is None:
            with console.status(f"Living through {number + 1} of {count} lives"):
                lived = live(seed, number)
                found = Cases.of(gather_cases(lived, fixed_zone(UTC)))
            _keep(kept, name, found)
        yield found


def _known(kept: Path | None, name: str) -> Cases | None:
    path = None if kept is None else kept / f"{name}.npz"
    return Cases.load(path) if path is not None and path.exists() else None


def _keep(kept: Path | None, name: str, found: Cases) -> None:
    if kept is not None:
        disk.replace(kept / f"{name}.npz", found.dump())


def _cells(row: Judged) -> list[str]:
    shares = ["" if isnan(x) else f"{x:.1%}" for x in row.top1]
    return [row.name, f"{row.cases:,}", f"{row.loss:.4f}", *shares]
