"""Which devices run on this machine, to be asked over their sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import msgspec
import typer

from trivet.app.control import tell
from trivet.app.folder import control_file, household_folder
from trivet.domain import SetupError

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)

RunningOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--device",
        help="A running device of this machine; of imported samples, whose positions "
        "or drives. Else whichever runs, and of imports the phone.",
    ),
]
#: The order in which devices are asked where none is named.
_ORDER = ("home", "phone", "car")
#: Seconds that an answer may take: a yes does things on other devices.
LIMIT_S = 20.0


def running(household: Path | None, device: str = "") -> list[Path]:
    """Sockets of the devices that run here, the one that is likely to lead first.

    Args:
        household: the household's folder, None for the usual one.
        device: only that one, whether it runs or not; empty for all that do.
    """
    folder = household_folder(household)
    if device:
        named = control_file(folder, device)
        return [named] if named.exists() else []
    first = [control_file(folder, each) for each in _ORDER]
    others = sorted(set(folder.glob(control_file(folder, "*").name)) - set(first))
    return [path for path in (*first, *others) if path.exists()]


def ask_first(
    paths: list[Path], word: msgspec.Struct, answer: type[AnswerT]
) -> AnswerT | None:
    """What the first of them says that answers; None if none does.

    Raises:
        UsageError: it says that it cannot be done, and why.
    """
    for path in paths:
        try:
            return tell(path, word, answer, LIMIT_S)
        except SetupError:  # its process has ended and left the socket behind
            continue
    return None
