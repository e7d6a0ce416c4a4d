"""`trivet answer`: say yes or no to a suggestion on a device that shows it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trivet.app.board_word import UNKNOWN, Answered, GiveAnswer
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, told
from trivet.app.cli.running import LIMIT_S, running
from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.app.terminal import plain
from trivet.domain import (
    AnswerKind,
    PeerError,
    SetupError,
    TrivetError,
    UsageError,
)

app = typer.Typer()


class Said(StrEnum):
    """What a person says."""

    YES = "yes"
    NO = "no"


_KINDS = {Said.YES: AnswerKind.YES, Said.NO: AnswerKind.NOT_NOW}


@app.command("answer")
@told
def answer(
    suggestion: Annotated[
        str, typer.Argument(help="Its id, or how that begins: trivet suggestions.")
    ],
    said: Annotated[Said, typer.Argument(help="yes, or no for not now.")],
    device: Annotated[
        str, typer.Option("--device", help="Where it is shown; else any that runs.")
    ] = "",
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a suggestion, on the device that shows it."""
    done = _answered(household, device, GiveAnswer(suggestion, _KINDS[said]))
    if as_json:
        print_json(done)
    else:
        word = "Yes" if said is Said.YES else "Not now"
        console.print(f"{word}: {plain(done.title)}", highlight=False)
        for label in done.does:
            console.print(f"  {plain(label)}", highlight=False)
    if done.failed:
        raise PeerError("; ".join(done.failed))


def _answered(household: Path | None, device: str, word: GiveAnswer) -> Answered:
    """What the first device says that knows the suggestion."""
    fault: TrivetError | None = None
    for path in running(household, device):
        try:
            return tell(path, word, Answered, LIMIT_S)
        except (UsageError, SetupError) as error:  # another may know it
            if fault is None or _weight(error) > _weight(fault):
                fault = error
    if fault is not None:
        raise fault
    place = control_file(household_folder(household), device or "home")
    raise SetupError(
        f"no running device answers at {place}", hint="start it: trivet up DEVICE"
    )


def _weight(fault: TrivetError) -> int:
    """Least: nobody answers there; more: it knows no such suggestion; most: it does."""
    if isinstance(fault, SetupError):
        return 0
    return 1 if fault.message.startswith(UNKNOWN) else 2
