"""`trivet replay`: live recorded lives through, judge each forecast made."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from trivet.app import service
from trivet.app.cli.option import DeviceOption, JsonOption, PersonOption, ZoneOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.devices.replay import Report
from trivet.engine.evaluate import Row
from trivet.engine.student import Student

app = typer.Typer()
_COLUMNS = [
    "to",
    "at",
    "trips",
    "top-1",
    "top-3",
    "frequent",
    "Markov",
    "off",
    "late",
    "80 %",
]

_LEGEND = (
    "frequent, Markov: top-1 of two baselines; off: best guess from true end, median m;"
    "\nlate: arrival's median from the true, min; 80 %: how often its interval holds"
)


@app.command("replay")
@told
def replay(
    path: Annotated[Path, typer.Argument(help="A file or a folder of recordings.")],
    zone: ZoneOption = "",
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    warm_up_days: Annotated[
        float, typer.Option(min=0, help="Days to learn from before judging.")
    ] = 14.0,
    student: Annotated[
        Path | None, typer.Option(help="Weights to weigh with, of `trivet train`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recordings: predict first, then learn; print how good it was.

    A destination is right within 500 m of where the trip ended, or by its name.
    """
    weights = None if student is None else Student.load(student)
    report = Report()
    with console.status(f"Replaying {path.name}"):
        judged = service.replay(
            path,
            report,
            service.options(zone),
            device,
            person,
            zone,
            warm_up_days,
            weights,
        )
    if as_json:
        print_json({"report": report.to_dict(), "rows": judged})
        return
    console.print(f"{report.understood:,} samples, {len(report.skipped)} kinds skipped")
    for reason, skip in report.skipped.items():
        console.print(f"  skipped {skip.times:,}: {reason} ({skip.first})", style="dim")
    print_table("Forecasts by share of the trip's time", _COLUMNS, _cells(judged))
    console.print(_LEGEND, style="dim")


def _cells(rows: list[Row]) -> list[list[str]]:
    return [
        [
            row.kind,
            f"{row.fraction:.0%}",
            str(row.trips),
            _share(row.top1),
            _share(row.top3),
            _share(row.top1_frequent),
            _share(row.top1_markov),
            _number(row.error_m),
            _number(row.arrival_error_s / 60),
            _share(row.coverage),
        ]
        for row in rows
    ]


def _share(value: float) -> str:
    return "" if isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:,.1f}"
