"""Laws of names: where people stay goes before what they pass, and near before far."""

from __future__ import annotations

import msgspec
import pytest

from trivet.app.naming import (
    LARGE_M,
    NEAR_M,
    ONE_VISIT_M,
    SMALL_M,
    Namer,
    home_position,
)
from trivet.domain import (
    Candidate,
    Forecast,
    Place,
    PlaceRole,
    PointOfInterest,
    Reason,
)
from trivet.domain.geo import offset
from trivet.skills.check import LAT, LON, FixedAtlas

FAR = "a place near Bella"


def point(name: str, kind: str, away_m: float) -> PointOfInterest:
    return PointOfInterest(name, name, kind, *offset(LAT, LON, away_m, 0.0))


def named(*points: PointOfInterest, visits: int = 16) -> str:
    place = Place("p1", LAT, LON, visits=visits)
    return Namer(FixedAtlas(points)).place(place).name


def test_who_parks_at_a_charger_was_at_the_shops_behind_it() -> None:
    charger = point("Volt", "charging_station", 8.0)
    assert named(charger, point("Harbour Mall", "mall", 70.0)) == "Harbour Mall"
    assert named(charger, point("Bella", "restaurant", 30.0)) == "Bella"
    assert named(charger) == "Volt"


def test_the_restaurant_within_the_mall_is_the_nearer() -> None:
    mall, bella = point("Harbour Mall", "mall", 40.0), point("Bella", "restaurant", 5.0)
    assert named(mall, bella) == "Bella"


def test_what_is_farther_than_the_place_is_exact_names_nothing() -> None:
    exact, once = 16, 1
    reach_m = SMALL_M + ONE_VISIT_M / 4
    assert named(point("Bella", "restaurant", reach_m - 1), visits=exact) == "Bella"
    assert named(point("Bella", "restaurant", reach_m + 1), visits=exact) == FAR
    assert named(point("Bella", "restaurant", reach_m + 1), visits=once) == "Bella"
    assert named(point("Zoo", "zoo", LARGE_M), visits=exact) == "Zoo"


def test_home_and_named_places_keep_what_they_are_called() -> None:
    namer = Namer(FixedAtlas([point("Bella", "restaurant", 5.0)]))
    home = Place("p1", LAT, LON, role=PlaceRole.HOME)
    ours = Place("p2", LAT, LON, name="Ours")
    assert namer.places({"p1": home, "p2": ours}) == {"p1": home, "p2": ours}


def test_without_a_map_or_a_position_there_is_no_name() -> None:
    place = Place("p1", LAT, LON)
    assert Namer(None).place(place) == place
    region = Place("p2")
    assert Namer(FixedAtlas([point("B", "cafe", 1.0)])).place(region) == region


def test_a_place_without_a_name_is_told_by_what_is_near_or_by_its_first_day() -> None:
    place = Place("p7", LAT, LON, visits=16)
    market = point("Corner Market", "supermarket", 300.0)
    pump = point("Pump", "fuel", 250.0)
    namer = Namer(FixedAtlas([market, pump]))
    assert namer.place(place).label == "a place near Corner Market"
    namer = Namer(FixedAtlas([point("Zoo", "zoo", NEAR_M + 1.0)]))
    assert namer.place(place).label == "p7"  # nothing at all is known of it
    namer.first_seen = lambda place: "3 Feb"
    assert namer.place(place).label == "an unnamed place (3 Feb)"


@pytest.mark.parametrize(
    ("north_m", "east_m", "told"),
    [
        (640.0, 0.0, "a place 640 m north of home"),
        (-1000.0, 1000.0, "a place 1.4 km south-east of home"),
        (10.0, -60_000.0, "a place 60.0 km west of home"),
    ],
)
def test_without_a_map_a_place_is_told_by_its_way_from_home(
    north_m: float, east_m: float, told: str
) -> None:
    home = Place("p1", LAT, LON, role=PlaceRole.HOME, visits=9)
    left = Place("p2", LAT + 1.0, LON, role=PlaceRole.HOME, visits=3)
    place = Place("p7", *offset(LAT, LON, east_m, north_m), visits=16)
    places = {each.id: each for each in (home, left, place)}
    namer = Namer(None)
    namer.home = lambda: home_position(places)
    namer.first_seen = lambda place: "3 Feb"
    assert namer.place(place).label == namer.places(places)["p7"].label == told
    moved = msgspec.structs.replace(left, visits=20)
    places["p2"] = moved
    assert "km south" in namer.place(place).label


def test_nobody_reads_an_id_in_a_reason() -> None:
    places = {"p7": Place("p7", LAT, LON, name="Bella"), "p8": Place("p8", LAT, LON)}
    namer = Namer(None)
    text = "3 of 4 trips from p7 ended at p8, none at p71 or xp7"
    named = "3 of 4 trips from Bella ended at p8, none at p71 or xp7"
    assert namer.text(text, places) == named
    reasons = (Reason("you went there from p7", 3, 4),)
    forecast = Forecast(
        "ada", 0.0, 0.0, "", (Candidate("p8", "p8", 1.0, None, None, None, reasons),)
    )
    (candidate,) = namer.forecast(forecast, places).candidates
    assert candidate.reasons == (Reason("you went there from Bella", 3, 4),)
