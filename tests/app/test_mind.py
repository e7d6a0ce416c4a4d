"""Laws of the mind: what it foretells of a running trip, by history and by the map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from trivet.app.mind import Mind, Roles
from trivet.app.zone import fixed_zone
from trivet.atlas import MemoryAtlas
from trivet.devices.world import World
from trivet.domain import Forecast
from trivet.domain.geo import distance_m
from trivet.engine.surroundings import KNOWN_M

WORLD = World(7, date(2026, 1, 5), 4)


def lived(mind: Mind) -> Iterator[Forecast]:
    """The forecasts of all trips of four days, with every new fix."""
    for sample in WORLD.history(WORLD.start_time, WORLD.end_time):
        mind.learn(sample)
        if mind.anticipator.current_trip is not None or mind.forecast is not None:
            mind.step(sample.time)
            if mind.forecast is not None:
                yield mind.forecast


def make_mind(atlas: MemoryAtlas | None) -> Mind:
    return Mind(Roles(), fixed_zone(WORLD.zone), (), atlas)


def test_with_a_map_it_says_what_somewhere_new_may_be() -> None:
    mind = make_mind(MemoryAtlas(WORLD.points_of_interest, WORLD.notice))
    count = 0
    for forecast in lived(mind):
        share = forecast.probability_of("")
        count += bool(forecast.prospects)
        assert sum(p.probability for p in forecast.prospects) <= share + 1e-9
        for found in forecast.prospects:
            for place in mind.anticipator.places.values():
                assert place.lat is not None
                assert place.lon is not None
                away_m = distance_m(found.lat, found.lon, place.lat, place.lon)
                assert away_m > 0.99 * KNOWN_M
    assert count


def test_without_a_map_it_says_nothing_of_it() -> None:
    assert not any(forecast.prospects for forecast in lived(make_mind(None)))


def test_an_arrival_at_somewhere_new_says_what_was_given_to_that() -> None:
    mind = make_mind(MemoryAtlas(WORLD.points_of_interest, WORLD.notice))
    for _ in lived(mind):
        pass
    told = [line.details[0] for line in mind.lines if line.kind == "arrival"]
    of_new = [each for each in told if "gave somewhere new" in each]
    of_known = [each for each in told if "gave it" in each]
    assert of_new
    assert of_known
    assert any(re.search(r"new \d+%, of that .+ \d+%$", each) for each in of_new)
    assert not any(each.endswith("gave it 0%") for each in of_known), of_known


def test_of_forgotten_days_no_name_and_no_first_day_is_left() -> None:
    mind = make_mind(MemoryAtlas(WORLD.points_of_interest, WORLD.notice))
    for _ in lived(mind):
        pass
    mind.namer.places(mind.anticipator.places)
    place = next(p.id for p in mind.anticipator.places.values() if p.visits == 1)
    (stay,) = [each for each in mind.anticipator.stays if each.place == place]
    assert mind.namer.first_seen(place)
    assert mind.namer._known
    mind.forget(stay.arrival - 1.0, stay.departure + 1.0)
    assert not mind.namer.first_seen(place)
    assert not mind.namer._known
    assert not mind.namer._ways
