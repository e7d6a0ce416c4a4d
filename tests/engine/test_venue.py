"""Where an appointment is: what the person calls so, the calendar's point, the map."""

from __future__ import annotations

import msgspec
import pytest

from trivet.domain.appointment import Appointment
from trivet.domain.geo import offset
from trivet.domain.place import PointOfInterest
from trivet.engine.situation import Situation
from trivet.engine.venue import venue_of
from trivet.skills.check import LAT, LON, FixedAtlas, example

AT_WORK = example(12.5, "work")


def at(location: str = "", east_m: float | None = None) -> Appointment:
    lat, lon = (None, None) if east_m is None else offset(LAT, LON, east_m, 0.0)
    return Appointment("1", "Fitting", AT_WORK.time, AT_WORK.time, location, lat, lon)


def on_map(*points: tuple[str, float]) -> Situation:
    found = [
        PointOfInterest(f"node/{n}", name, "dentist", *offset(LAT, LON, east, 0.0))
        for n, (name, east) in enumerate(points)
    ]
    return msgspec.structs.replace(AT_WORK, atlas=FixedAtlas(found))


@pytest.mark.parametrize(
    "location",
    [
        "Harbour Mall",
        "harbour  mall",
        "Harbour Mall, Quay 5",
        "1st floor; Harbour Mall",
    ],
)
def test_a_learned_place_is_known_by_its_name(location: str) -> None:
    venue = venue_of(AT_WORK, at(location))
    assert venue is not None
    assert venue.place == "mall"


def test_home_and_work_are_places_too() -> None:
    venue = venue_of(AT_WORK, at("Home"))
    assert venue is not None
    assert venue.place == "home"


def test_the_calendar_s_point_is_the_place_that_it_lies_in() -> None:
    near, far = venue_of(AT_WORK, at("Desk 4", 9050.0)), venue_of(AT_WORK, at("X", 5e3))
    assert near is not None
    assert far is not None
    assert (near.place, far.place) == ("work", "")
    assert near.label == "Desk 4"


def test_the_map_knows_the_one_of_that_name() -> None:
    venue = venue_of(on_map(("Dr. Weiß", 2000.0)), at("Dr. Weiß, Am Wehr 5"))
    assert venue is not None
    assert venue.label == "Dr. Weiß"
    assert venue.place == ""


def test_of_two_branches_nobody_knows_which() -> None:
    assert venue_of(on_map(("Optik", 2000.0), ("Optik", 6000.0)), at("Optik")) is None
    assert venue_of(on_map(("Optik", 2000.0), ("Optik", 2050.0)), at("Optik"))


def test_a_namesake_far_away_is_another() -> None:
    assert venue_of(on_map(("Optik", 90_000.0)), at("Optik")) is None


@pytest.mark.parametrize(
    "location",
    ["", "https://meet.example/Harbour Mall", "+49 30 1234567", "12", "a@b.example"],
)
def test_a_call_is_nowhere(location: str) -> None:
    assert venue_of(AT_WORK, at(location)) is None
