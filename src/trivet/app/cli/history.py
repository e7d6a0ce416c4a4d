"""`trivet places` and `trivet trips`: what was learned from imported samples."""

from __future__ import annotations

from typing import Annotated

import typer

from trivet.app import service
from trivet.app.cli.option import (
    DeviceOption,
    HouseholdOption,
    JsonOption,
    PersonOption,
    ZoneOption,
)
from trivet.app.cli.output import console, print_json, print_table, told
from trivet.app.folder import household_folder
from trivet.domain.clock import local

places_app = typer.Typer()
trips_app = typer.Typer()


@places_app.command("places")
@told
def places(
    household: HouseholdOption = None,
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    as_json: JsonOption = False,
) -> None:
    """The places that were learned, most visited first."""
    folder = household_folder(household)
    with console.status("Learning"):
        mind = service.learned(folder, device, person, zone)
    with service.naming(folder, mind, zone) as namer:
        named = namer.places(mind.places)
    found = sorted(named.values(), key=lambda place: -place.visits)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            p.label,
            p.role.value,
            p.visits,
            "" if p.lat is None else f"{p.lat:.5f}",
            "" if p.lon is None else f"{p.lon:.5f}",
        )
        for p in found
    ]
    print_table("Places", ["place", "role", "visits", "lat", "lon"], rows)


@trips_app.command("trips")
@told
def trips(
    household: HouseholdOption = None,
    device: DeviceOption = "phone",
    person: PersonOption = "ada",
    zone: ZoneOption = "",
    limit: Annotated[int, typer.Option(min=1, help="Only the last ones.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The trips that were learned, oldest first."""
    folder = household_folder(household)
    with console.status("Learning"):
        mind = service.learned(folder, device, person, zone)
    found = list(mind.trips)[-limit:]
    if as_json:
        print_json(found)
        return
    zone_of = service.zone_of(zone)
    with service.naming(folder, mind, zone) as namer:
        named = namer.places(mind.places)
    rows = []
    for trip in found:
        end = named.get(trip.destination)
        begin = named.get(trip.origin)
        where = (end.lat or 0.0, end.lon or 0.0) if end else (0.0, 0.0)
        there = zone_of(*where)
        rows.append(
            (
                f"{local(trip.departure, there):%a %Y-%m-%d %H:%M}",
                f"{local(trip.arrival, there):%H:%M}",
                begin.label if begin else "?",
                end.label if end else "?",
                f"{trip.distance_m / 1000:.1f} km",
            )
        )
    print_table("Trips", ["departure", "arrival", "from", "to", "length"], rows)
