"""A made-up home with a plain routine, by entities as Home Assistant names them."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from tests.engine.life import BERLIN

from trivet.domain import Sample
from trivet.engine.routine import Resident, Routine

RESIDENTS = (Resident("ada", "person.ada"), Resident("ben", "person.ben"))


def at(day: int, hour: float) -> float:
    """Event time of a local hour, days after Monday 6 January 2025."""
    date = datetime(2025, 1, 6, tzinfo=BERLIN) + timedelta(days=day)
    return date.timestamp() + hour * 3600


def home(time: float, path: str, state: str | float) -> Sample:
    return Sample("home", path, time, state)


def day(number: int, rng: Random, shift_h: float = 0.0) -> list[Sample]:
    """Up at half past six, out from eight to five, to bed at half past ten."""
    weekend = number % 7 >= 5
    wake = 6.5 + shift_h + (2.0 if weekend else 0.0) + rng.gauss(0, 0.1)
    bed = 22.5 + shift_h + rng.gauss(0, 0.15)
    acts = [
        (wake, "light.bedroom", "on"),
        (wake + 0.1, "light.bedroom", "off"),
        (wake + 0.2, "switch.coffee", "on"),
        (wake + 0.3, "switch.coffee", "off"),
    ]
    if not weekend:
        leave, back = 8.0 + rng.gauss(0, 0.1), 17.0 + rng.gauss(0, 0.3)
        for person, late in (("ada", 0.0), ("ben", 0.5)):
            acts.append((leave + late, f"person.{person}", "not_home"))
            acts.append((back + late, f"person.{person}", "home"))
            acts.append((leave + late - 0.01, "binary_sensor.front_door", "on"))
            acts.append((leave + late - 0.005, "binary_sensor.front_door", "off"))
    acts += [
        (19.0 + rng.gauss(0, 0.3), "light.living_room", "on"),
        (bed - 0.2, "light.living_room", "off"),
        (bed - 0.1, "light.bedroom", "on"),
        (bed, "light.bedroom", "off"),
    ]
    return [home(at(number, hour), path, state) for hour, path, state in sorted(acts)]


def weeks(days: int, first: int = 0, shift_h: float = 0.0) -> list[Sample]:
    rng = Random(first)
    start = [
        home(at(first, 0), path, "home" if path.startswith("person") else "off")
        for path in (
            "person.ada",
            "person.ben",
            "light.bedroom",
            "light.living_room",
            "switch.coffee",
            "binary_sensor.front_door",
        )
    ]
    lived = [s for n in range(first, first + days) for s in day(n, rng, shift_h)]
    return [*start, *lived]


def routine(samples: list[Sample]) -> Routine:
    found = Routine("home", BERLIN, RESIDENTS)
    for sample in samples:
        found.learn_one(sample)
    return found
