from __future__ import annotations

import msgspec
import pytest

from trivet.domain.forecast import Candidate, Interval, Prospect
from trivet.domain.geo import offset
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay
from trivet.engine.goal import Goal, find_goal
from trivet.engine.situation import Situation
from trivet.skills.check import LAT, LON, FixedAtlas, example

TRIP = example(18.5, "work", "home")
ARRIVAL = Interval(TRIP.time + 600, TRIP.time + 900, TRIP.time + 1200)
NAMES = ("Anchor", "Bella", "Crumb", "Depot", "Gym")
PLACES = {
    name: Place(name.lower(), *offset(LAT, LON, 2000.0 * (i + 1), 0.0), name=name)
    for i, name in enumerate(NAMES)
}


def position(place: Place) -> tuple[float, float]:
    assert place.lat is not None
    assert place.lon is not None
    return place.lat, place.lon


MAP = FixedAtlas(
    PointOfInterest(
        name, name, "gym" if name == "Gym" else "cafe", *position(PLACES[name])
    )
    for name in NAMES
)


def heading(**probabilities: float) -> Situation:
    """On a trip that ends at these places with these probabilities."""
    candidates = tuple(
        Candidate(
            PLACES[name].id,
            name,
            probability,
            lat=PLACES[name].lat,
            lon=PLACES[name].lon,
            arrival=ARRIVAL,
        )
        for name, probability in probabilities.items()
    )
    assert TRIP.forecast is not None
    forecast = msgspec.structs.replace(TRIP.forecast, candidates=candidates)
    places = {place.id: place for place in PLACES.values()}
    return msgspec.structs.replace(TRIP, forecast=forecast, places=places, atlas=MAP)


def goal(situation: Situation) -> Goal:
    found = find_goal(situation, ["cafe"], 100.0, 1800.0)
    assert found is not None
    return found


def test_the_likeliest_candidate_is_the_goal() -> None:
    found = goal(heading(Gym=0.7, Anchor=0.3))
    assert (found.label, found.probability) == ("Gym", 0.7)
    assert found.arrival == ARRIVAL.median
    assert found.reason.text == "70 % you are heading to Gym, arriving 18:40 to 18:50"


def test_places_that_are_alike_count_together() -> None:
    found = goal(heading(Gym=0.4, Anchor=0.2, Bella=0.35))
    assert found.label == "Bella"
    assert found.probability == pytest.approx(0.55)
    assert "heading to Bella or Anchor, arriving" in found.reason.text


def test_of_many_alike_only_a_few_are_named() -> None:
    found = goal(heading(Anchor=0.3, Bella=0.25, Crumb=0.2, Depot=0.15))
    assert "Anchor or Bella or Crumb or the like" in found.reason.text


def test_home_over_a_cafe_stands_for_itself() -> None:
    situation = heading(Anchor=0.4, Bella=0.3, Gym=0.3)
    home = msgspec.structs.replace(PLACES["Anchor"], role=PlaceRole.HOME)
    places = {**situation.places, home.id: home}
    found = goal(msgspec.structs.replace(situation, places=places))
    assert (found.role, found.probability) == (PlaceRole.HOME, 0.4)


def test_without_a_map_nothing_is_alike() -> None:
    blind = msgspec.structs.replace(heading(Anchor=0.3, Bella=0.3, Gym=0.4), atlas=None)
    assert goal(blind).label == "Gym"


def test_nobody_knows_a_place_by_its_id() -> None:
    situation = heading(Gym=1.0)
    assert situation.forecast is not None
    bare = msgspec.structs.replace(situation.forecast.best, label="gym")
    forecast = msgspec.structs.replace(situation.forecast, candidates=(bare,))
    found = goal(msgspec.structs.replace(situation, forecast=forecast))
    assert found.label == "a place you go to"


def to_new(*shares: float) -> Situation:
    """To somewhere new, by the map to these of its cafes with these shares."""
    names = [name for name in NAMES if name != "Gym"]
    found = tuple(
        Prospect(name, name, "cafe", *position(PLACES[name]), share)
        for name, share in zip(names, shares, strict=False)
    )
    new = Candidate("", "somewhere new", 0.7, arrival=ARRIVAL, prospects=found)
    situation = heading(Gym=0.3)
    assert situation.forecast is not None
    candidates = (new, *situation.forecast.candidates)
    forecast = msgspec.structs.replace(situation.forecast, candidates=candidates)
    return msgspec.structs.replace(situation, forecast=forecast)


def test_what_is_new_to_them_counts_where_it_is_likely() -> None:
    found = goal(to_new(0.4))
    assert (found.label, found.probability) == ("Anchor", 0.4)
    assert (found.lat, found.lon) == position(PLACES["Anchor"])
    assert found.arrival == ARRIVAL.median
    assert found.role is PlaceRole.OTHER


def test_what_is_new_to_them_and_alike_counts_together() -> None:
    found = goal(to_new(0.25, 0.2))
    assert found.probability == pytest.approx(0.45)
    assert "heading to Anchor or Bella, arriving" in found.reason.text


def test_a_guess_at_something_new_is_no_goal() -> None:
    assert goal(to_new(0.09, 0.09, 0.09, 0.09)).label == "Gym"


def test_a_trip_to_nowhere_known_has_no_goal() -> None:
    assert find_goal(heading(), ["cafe"], 100.0, 1800.0) is None


def staying(since_s: float) -> Situation:
    arrival = TRIP.time - since_s
    return msgspec.structs.replace(
        heading(Gym=1.0),
        forecast=None,
        at="gym",
        stays=(Stay("gym", arrival, TRIP.time),),
    )


def test_who_just_came_is_there_and_arrived_when_they_came() -> None:
    found = goal(staying(600.0))
    assert (found.label, found.probability) == ("Gym", 1.0)
    assert found.arrival == TRIP.time - 600.0
    assert found.reason.text == "You came to Gym at 18:20"


def test_who_has_been_there_for_long_is_not_arriving() -> None:
    assert find_goal(staying(1900.0), ["cafe"], 100.0, 1800.0) is None
