"""`trivet map`: the offline map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trivet.app import service
from trivet.app.cli.option import HouseholdOption, JsonOption
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import atlas_file, household_folder
from trivet.atlas import import_map

app = typer.Typer(help="The offline map: import one, look around.")


@app.command("import")
@told
def import_command(
    path: Annotated[Path, typer.Argument(help="An .osm.pbf, .osm or .csv of places.")],
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take up the places of an OpenStreetMap extract."""
    target = atlas_file(household_folder(household))
    target.parent.mkdir(parents=True, exist_ok=True)
    with console.status(f"Reading {path.name}"):
        report = import_map(path, target)
    if as_json:
        print_json({"places": report.count, "taken": dict(report.taken)})
        return
    most = sorted(report.taken.items(), key=lambda row: -row[1])[:15]
    print_table("Places", ["kind", "count"], most)
    console.print(f"{report.count:,} places")


@app.command("near", context_settings={"ignore_unknown_options": True})
@told
def near(
    lat: Annotated[float, typer.Argument(min=-90, max=90, help="Degrees.")],
    lon: Annotated[float, typer.Argument(min=-180, max=180, help="Degrees.")],
    radius: Annotated[float, typer.Option(min=0, help="Metres.")] = 500.0,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only these kinds: restaurant, cafe.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    household: HouseholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is around a point, nearest first."""
    with service.open_atlas(household_folder(household)) as atlas:
        points = atlas.near(lat, lon, radius, kind or (), limit)
        attribution = atlas.attribution
    if as_json:
        print_json({"attribution": attribution, "points": points})
        return
    rows = [(p.name, p.kind, f"{p.distance_m:.0f} m", p.opening_hours) for p in points]
    print_table("", ["name", "kind", "away", "open"], rows)
    console.print(attribution, style="dim")
