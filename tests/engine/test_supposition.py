"""What would change a forecast is what the engine says when it is asked again."""

from __future__ import annotations

import re
from math import hypot

import pytest
from tests.engine.life import (
    BERLIN,
    HOME,
    SHOP,
    WORK,
    commute,
    drive,
    learn,
    learner,
    monday,
)
from tests.engine.life import stay as stay_at

from trivet.domain import Candidate, Forecast, Position, Sample, TracePoint
from trivet.domain.geo import offset, plane_m
from trivet.engine import Anticipator
from trivet.engine.supposition import changes, departures

DAYS = 28


def life() -> list[Sample]:
    """Commutes on weekdays, and each Saturday morning to the shop and back."""
    samples = commute(DAYS)
    for day in range(5, DAYS, 7):
        samples = [s for s in samples if not monday(9, day) <= s.time < monday(13, day)]
        samples += drive(monday(9, day), HOME, SHOP)
        samples += stay_at(monday(9.5, day), SHOP, 2 * 3600, 600)
        samples += drive(monday(11.5, day), SHOP, HOME)
        samples += stay_at(monday(12, day), HOME, 3600 - 60, 600)
    return sorted(samples, key=lambda sample: sample.time)


@pytest.fixture(scope="module")
def known() -> bytes:
    return learner(life()).snapshot()


def restored(known: bytes) -> Anticipator:
    return Anticipator.restore(known, lambda lat, lon: BERLIN)


def on_the_way(anticipator: Anticipator) -> Forecast:
    learn(anticipator, stay_at(monday(0, DAYS), HOME, 8 * 3600 - 60, 600))
    way = drive(monday(8, DAYS), HOME, WORK)
    learn(anticipator, way[: len(way) // 4])
    forecast = anticipator.predict_one(way[len(way) // 4].time)
    assert forecast is not None
    assert forecast.best.label == "work"
    return forecast


def test_a_turn_changes_the_forecast_as_it_is_said_to(known: bytes) -> None:
    anticipator = restored(known)
    forecast = on_the_way(anticipator)
    lines = changes(anticipator, forecast, BERLIN)
    shop = next(
        c for c in forecast.candidates if c.place and c.label not in "work home"
    )
    (line,) = (line for line in lines if shop.label in line)
    said = re.match(
        rf"After ([\d.]+) (k?m) straight towards {shop.label} it would be likelier "
        r"\((\d+) %\) than work \((\d+) %\)\.",
        line,
    )
    assert said is not None, line
    # the life that was supposed, lived
    metres = float(said[1]) * (1000 if said[2] == "km" else 1)
    time = gone_on(anticipator, shop, metres)
    after = anticipator.predict_one(time)
    assert after is not None
    # what is said is rounded, and of the life that is lived fewer points are kept
    assert 100 * after.probability_of(shop.place) == pytest.approx(
        float(said[3]), abs=2
    )
    best = forecast.best.place
    assert 100 * after.probability_of(best) == pytest.approx(float(said[4]), abs=2)
    assert after.probability_of(shop.place) > after.probability_of(best)


def gone_on(anticipator: Anticipator, to: Candidate, metres: float) -> float:
    """They do go straight towards a place; the event time at which they have."""
    trip = anticipator.current_trip
    assert trip is not None
    assert None not in (trip.lat, trip.lon, to.lat, to.lon)
    time, lat, lon = trip.time, trip.lat or 0.0, trip.lon or 0.0
    east, north = plane_m(to.lat or 0.0, to.lon or 0.0, lat, lon)
    away_m, speed_mps = hypot(east, north), trip.driven_m / (time - trip.departure)
    for gone_m in range(100, int(metres) + 1, 100):
        share = gone_m / away_m
        point = Position(*offset(lat, lon, share * east, share * north))
        at = time + gone_m / speed_mps
        anticipator.learn_one(Sample("phone", "location", at, point))
    return time + metres / speed_mps


def test_nothing_is_learned_of_what_is_supposed(known: bytes) -> None:
    anticipator, other = restored(known), restored(known)
    forecast, same = on_the_way(anticipator), on_the_way(other)
    assert forecast == same
    changes(anticipator, forecast, BERLIN)
    assert anticipator.snapshot() == other.snapshot()
    way = drive(monday(8, DAYS), HOME, WORK)
    for sample in way[len(way) // 4 :]:
        learn(anticipator, [sample])
        learn(other, [sample])
        assert anticipator.predict_one(sample.time) == other.predict_one(sample.time)


def test_a_later_departure_is_foretold_as_it_is_said_to_be(known: bytes) -> None:
    anticipator = restored(known)
    learn(anticipator, stay_at(monday(0, DAYS + 5), HOME, 3600, 600))
    now = monday(1.5, DAYS + 5)
    departure = anticipator.predict_departure(now)
    assert departure is not None
    line = departures(anticipator, departure, BERLIN)
    said = re.match(r"Setting off at (\d\d):(\d\d), (.+) would be likeliest", line)
    assert said is not None, line
    then = monday(int(said[1]) + int(said[2]) / 60, DAYS + 5)
    later = anticipator.predict_departure(then)
    assert later is not None
    assert (later.best.label, later.best.place != departure.best.place) == (
        said[3],
        True,
    )


def test_on_no_trip_nothing_is_supposed(known: bytes) -> None:
    anticipator = restored(known)
    assert anticipator.predict_if([TracePoint(monday(0, DAYS), 49.0, 8.4)]) is None
