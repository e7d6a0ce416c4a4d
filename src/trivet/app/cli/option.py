"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

HouseholdOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--household", help="The household's folder.", envvar="TRIVET_HOUSEHOLD"
    ),
]
HereOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="Which device of this machine.")
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="JSON on standard output.")
]
ZoneOption: TypeAlias = Annotated[
    str,
    typer.Option("--zone", help="Time zone, such as Europe/Berlin; else by position."),
]
DeviceOption: TypeAlias = Annotated[
    str, typer.Option("--device", help="Id of the device.")
]
PersonOption: TypeAlias = Annotated[str, typer.Option("--person", help="Whose life.")]
