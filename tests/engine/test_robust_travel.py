"""Far from home: on a holiday nobody is on the way home, and a move is a new life."""

from __future__ import annotations

from functools import cache
from random import Random

import msgspec
import pytest
from tests.engine.life import BERLIN
from tests.engine.mishap import (
    ISLAND,
    OVERSEAS,
    SPOTS,
    TOWN,
    City,
    Scores,
    experienced,
    fix,
    home_of,
    learn,
    learner,
    live,
    place_at,
    score,
    stay,
    way,
    zone_of,
)

from trivet.domain import Sample
from trivet.domain.clock import local
from trivet.domain.geo import distance_m, offset
from trivet.engine import Anticipator
from trivet.engine.homecoming import HomeForecast

HOUR = 3600.0
#: They fly on Monday, stay for a week, and fly back on the Tuesday after.
OUT, BACK = 28, 36
#: 25 km from the middle of the town, and 10 km from the hotel.
AIRPORT = offset(TOWN.lat, TOWN.lon, 15_000.0, 20_000.0)
LANDING = offset(ISLAND.lat, ISLAND.lon, 9_000.0, -4_000.0)


def fly(day: int, a: City, b: City, start: str, end: str) -> list[Sample]:
    """To the airport, two hours there, four and a half with no fix, and to a bed."""
    rng = Random(day)
    first, second = (AIRPORT, LANDING) if a is TOWN else (LANDING, AIRPORT)
    samples = list(stay(a, start, a.time(day, 0), a.time(day, 8), rng))
    samples += way(a.point(start), first, a.time(day, 8), rng, 20.0)
    boards = samples[-1].time + 2 * HOUR
    while samples[-1].time < boards:
        samples.append(fix(samples[-1].time + 300.0, first, rng))
    lands = boards + 4.5 * HOUR
    samples += [fix(lands + 60.0 * n, second, rng) for n in range(30)]
    samples += way(second, b.point(end), samples[-1].time + 60.0, rng, 20.0)
    samples += stay(b, end, samples[-1].time + 20.0, b.time(day + 1, 0), rng)
    return samples


def days_at_the_beach(first: int, days: int) -> list[Sample]:
    samples: list[Sample] = []
    for day in range(first, first + days):
        rng, at = Random(day), ISLAND.time
        hotel, beach = ISLAND.point("hotel"), ISLAND.point("beach")
        samples += stay(ISLAND, "hotel", at(day, 0), at(day, 10), rng)
        samples += way(hotel, beach, at(day, 10), rng, 8.0)
        samples += stay(ISLAND, "beach", samples[-1].time + 20.0, at(day, 17), rng)
        samples += way(beach, hotel, at(day, 17), rng, 8.0)
        samples += stay(ISLAND, "hotel", samples[-1].time + 20.0, at(day + 1, 0), rng)
    return samples


THERE = fly(OUT, TOWN, ISLAND, "home", "hotel")
HOLIDAY = days_at_the_beach(OUT + 1, BACK - OUT - 1)
RETURN = fly(BACK, ISLAND, TOWN, "hotel", "home")


class Told(msgspec.Struct):
    """What was said while samples came in.

    Attributes:
        running: highest probability of a place on a running trip, by place.
        leaving: likewise of a trip that would begin at once, where they stay.
        home: forecasts of when they are home, at each full hour.
    """

    running: dict[str, float] = {}
    leaving: dict[str, float] = {}
    home: list[HomeForecast] = []


def told(anticipator: Anticipator, samples: list[Sample]) -> Told:
    said, hour = Told(), -1
    for sample in samples:
        anticipator.learn_one(sample)
        running = anticipator.predict_one(sample.time, explains=False)
        _highest(said.running, running)
        if int(sample.time // HOUR) == hour:
            continue
        hour = int(sample.time // HOUR)
        if anticipator.at(sample.time):
            _highest(said.leaving, anticipator.predict_departure(sample.time))
        home = anticipator.predict_home(sample.time)
        said.home += [] if home is None else [home]
    return said


def _highest(highest: dict[str, float], found) -> None:  # type: ignore[no-untyped-def]
    for candidate in () if found is None else found.candidates:
        share = max(candidate.probability, highest.get(candidate.place, 0.0))
        highest[candidate.place] = share


@cache
def on_holiday() -> tuple[Anticipator, Told]:
    """Who has been at the beach for a week, and what was said there."""
    anticipator = experienced()
    learn(anticipator, THERE)
    return anticipator, told(anticipator, HOLIDAY)


def test_3000_km_away_no_way_leads_home() -> None:
    """Neither on a trip nor before one are it and the office among the candidates."""
    _, said = on_holiday()
    town = set(experienced().places)
    assert said.running
    assert said.leaving
    assert not town & said.running.keys()
    assert not town & said.leaving.keys()


def test_3000_km_away_nobody_is_home_before_a_flight() -> None:
    """Not even on the first evening."""
    anticipator = experienced()
    learn(anticipator, THERE)
    time = THERE[-1].time
    first = anticipator.predict_home(time)
    assert first is not None
    forecasts = [first, *on_holiday()[1].home]
    assert len(forecasts) > 100
    for found in forecasts:
        assert not found.is_home
        hours = (found.arrival.median - found.time) / HOUR
        assert hours > 24.0
        assert found.chance_by(found.time + 3 * HOUR) < 0.1


def test_a_flight_is_neither_a_trip_nor_a_place() -> None:
    anticipator, _ = on_holiday()
    longest = max(trip.distance_m for trip in anticipator.trips)
    assert longest < 40_000.0
    far = [p for p in anticipator.places.values() if p.lat is not None and p.lat < 45.0]
    assert len(far) <= 3  # hotel, beach, airport
    assert place_at(anticipator, ISLAND.point("hotel"))
    assert anticipator.at(HOLIDAY[-1].time) == place_at(
        anticipator, ISLAND.point("hotel")
    )


def test_days_there_go_by_the_hours_there() -> None:
    anticipator, _ = on_holiday()
    assert str(anticipator.zone) == "Atlantic/Canary"
    beach = place_at(anticipator, ISLAND.point("beach"))
    came = [s.arrival for s in anticipator.stays if s.place == beach]
    assert {local(time, ISLAND.zone).hour for time in came} == {10}
    assert home_of(anticipator) == "p1"


def test_there_the_beach_is_foretold_within_days() -> None:
    anticipator = experienced()
    learn(anticipator, THERE)
    learn(anticipator, days_at_the_beach(OUT + 1, 3))
    scores = score(anticipator, days_at_the_beach(OUT + 4, 3))
    assert len(scores.share) == 6
    assert scores.top1 == 1.0


def test_from_the_airport_home_is_on_the_way_again() -> None:
    """And once there, the days are foretold as before the holiday."""
    anticipator = Anticipator.restore(on_holiday()[0].snapshot(), zone_of, zone=BERLIN)
    landed = next(n for n, s in enumerate(RETURN) if s.value == s.value and near(s))
    abroad = told(anticipator, RETURN[: landed - 300])
    assert abroad.running.get("p1", 0.0) < 1e-3
    back = told(anticipator, RETURN[landed - 300 :])
    assert back.running["p1"] > 0.9
    assert anticipator.at(RETURN[-1].time) == "p1"
    assert str(anticipator.zone) == "Europe/Berlin"
    assert home_of(anticipator) == "p1"
    scores = score(anticipator, live(5, BACK + 1))
    plain = score(experienced(), live(5, 29))
    assert scores.top1 == 1.0
    assert scores.mean > plain.mean - 0.03


def near(sample: Sample) -> bool:
    """Whether a fix is around the airport of the town."""
    value = sample.value
    return distance_m(value.lat, value.lon, *AIRPORT) < 2000.0  # type: ignore[union-attr]


# --- a move -----------------------------------------------------------------------


@cache
def first_fortnight() -> Scores:
    return score(learner(), live(14))


@cache
def moved() -> tuple[Anticipator, Scores, Scores]:
    """Who has moved overseas: after a fortnight there, and how it was foretold."""
    anticipator = experienced()
    first = score(anticipator, live(7, 28, OVERSEAS, seed=9))
    second = score(anticipator, live(7, 35, OVERSEAS, seed=9))
    return anticipator, first, second


def test_after_a_move_forecasts_are_as_good_as_those_of_a_new_learner() -> None:
    """Within two weeks, in a town where no place is known at first."""
    _, first, second = moved()
    shares, new = first.share + second.share, first_fortnight()
    assert len(shares) == len(new.share)
    assert sum(shares) / len(shares) > new.mean - 0.06
    assert second.top1 == 1.0
    assert second.mean > sum(new.share[18:]) / 18 - 0.05


def test_after_a_move_no_way_leads_to_the_old_town() -> None:
    anticipator = experienced()
    old = set(anticipator.places)
    said = told(anticipator, live(4, 28, OVERSEAS, seed=9))
    # for the first night nobody knows that this is no way from home to work
    assert max(said.running.get(place, 0.0) for place in old) < 1e-3


def test_after_a_move_the_new_home_is_home_and_its_hours_hold() -> None:
    anticipator, _, _ = moved()
    assert str(anticipator.zone) == "America/New_York"
    learn(anticipator, live(14, 42, OVERSEAS, seed=9))
    new = {name: place_at(anticipator, OVERSEAS.point(name)) for name in SPOTS}
    assert home_of(anticipator) == new["home"]
    where = anticipator.predict_home(OVERSEAS.time(56, 0.0))
    assert where is not None
    assert where.is_home
    usual = anticipator.predict_departure(OVERSEAS.time(56, 8.0))  # a Monday
    assert usual is not None
    assert usual.best.place == new["work"]


@pytest.mark.parametrize("days", [1, 3])
def test_a_trip_to_another_town_and_back_moves_nobody(days: int) -> None:
    anticipator = experienced()
    learn(anticipator, live(days, 28, OVERSEAS, seed=9))
    scores = score(anticipator, live(4, 28 + days))
    assert home_of(anticipator) == "p1"
    assert scores.top1 == 1.0
