"""Reasons are true: their numbers are those that anybody counts in the history."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from tests.engine.life import (
    BERLIN,
    FAR,
    HOME,
    SHOP,
    WORK,
    Spot,
    commute,
    drive,
    learner,
    monday,
)
from tests.engine.life import stay as stay_at

from trivet.domain import Forecast, Reason, Sample, Trip
from trivet.domain.clock import local
from trivet.engine import Anticipator
from trivet.engine.evidence import COLUMNS
from trivet.engine.reason import About, pulls

SPOTS: tuple[Spot, ...] = (HOME, WORK, SHOP)
SAID = re.compile(
    r"(?P<count>\d+) of (?P<of>\d+) trips? (from (?P<origin>\w+) )?"
    r"(between (?P<low>\d\d:\d\d) and (?P<high>\d\d:\d\d) on (?P<day>\w+) )?"
    r"ended at (?P<end>.+)"
)


def wander(seed: int, days: int) -> list[Sample]:
    """Days with some rhythm and much chance, among three places."""
    random, samples, at = Random(seed), [], 0
    for day in range(days):
        hour = 0.0
        while hour < 19.0:
            begin = max(hour + 1.0, random.gauss(8.0 if at == 0 else 17.0, 1.5))
            if begin >= 22.0:
                break
            lasts = (begin - hour) * 3600 - 120
            samples += stay_at(monday(hour, day), SPOTS[at], lasts, 900)
            to = random.choices(range(3), (6 if at else 1, 5, 2))[0]
            if to == at:
                to = (at + 1) % 3
            way = drive(monday(begin, day), SPOTS[at], SPOTS[to], step_s=30.0)
            samples += way
            at, hour = to, (way[-1].time + 120 - monday(0, day)) / 3600
        samples += stay_at(monday(hour, day), SPOTS[at], (23.9 - hour) * 3600, 1800)
    return samples


def count(reason: Reason, anticipator: Anticipator, trips: Sequence[Trip]) -> str:
    """The reason's words as they would be if somebody counted by hand."""
    said = SAID.fullmatch(reason.text)
    assert said is not None, reason.text
    labels = {place.id: place.label for place in anticipator.places.values()}
    found = []
    for trip in trips:
        begun = local(trip.departure, BERLIN)
        clock, day = f"{begun:%H:%M}", said["day"]
        if said["origin"] and labels[trip.origin] != said["origin"]:
            continue
        if said["low"] and not said["low"] <= clock < said["high"]:
            continue
        kinds = {f"{begun:%A}s", "weekdays" if begun.weekday() < 5 else "weekends"}
        if day and day not in kinds:
            continue
        found.append(labels[trip.destination])
    return f"{found.count(said['end'])} of {len(found)}"


def forecasts(anticipator: Anticipator, after: list[Sample]) -> list[Forecast]:
    found = []
    for sample in after:
        anticipator.learn_one(sample)
        forecast = anticipator.predict_one(sample.time)
        if forecast is not None:
            found.append(forecast)
    return found


@pytest.mark.parametrize("seed", [1, 3])
def test_habits_are_counted_as_anybody_would(seed: int) -> None:
    days = 42
    anticipator, seen = learner(wander(seed, days)), set()
    moments = [monday(0.61 + 2 * n, days) for n in range(84)]
    for departure in filter(None, map(anticipator.predict_departure, moments)):
        for candidate in departure.candidates:
            for reason in candidate.reasons:
                if SAID.fullmatch(reason.text):
                    counted = count(reason, anticipator, anticipator.trips)
                    assert reason.text.startswith(f"{counted} trip"), counted
                    assert f"{reason.count} of {reason.of}" == counted
                    seen.add(reason.text)
    assert len(seen) > 10


def test_a_day_of_the_week_is_named_once_it_has_been_seen_often() -> None:
    anticipator = learner(commute(35))
    forecast = anticipator.predict_departure(monday(8.0, 35))
    assert forecast is not None
    assert [reason.text for reason in forecast.best.reasons] == [
        "5 of 5 trips from home between 07:00 and 09:00 on Mondays ended at work"
    ]


def test_reasons_are_in_the_order_of_what_they_are_worth() -> None:
    table = np.zeros((2, len(COLUMNS)))
    table[:, COLUMNS.index("recent_votes")] = 2.0, 0.0
    table[:, COLUMNS.index("prior")] = 1.0, 0.0
    table[:, COLUMNS.index("detour")] = 0.0, 0.5

    def weigh(
        changed: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        odds = np.exp(changed.sum(axis=1))
        shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = odds / odds.sum()
        return shares

    worth = {about: float(pull[0]) for about, pull in pulls(table, weigh).items()}
    assert worth[About.ROUTE] == pytest.approx(2.0)
    assert worth[About.HABIT] == pytest.approx(1.0)
    assert worth[About.HEADING] == pytest.approx(-0.5)
    assert worth[About.PACE] == pytest.approx(0.0)


def test_what_speaks_against_a_place_is_no_reason_for_it() -> None:
    # to work each morning; today they turn to the other side and drive away from it
    anticipator = learner(commute(14))
    samples = stay_at(monday(0, 14), HOME, 8 * 3600 - 60, 900)
    samples += drive(monday(8, 14), HOME, FAR)[:-4]
    found = forecasts(anticipator, samples)
    last = found[-1]
    work, elsewhere = (
        next(c for c in last.candidates if c.place == place)
        for place in (found[0].best.place, "")
    )
    assert work.label == "work"
    assert [reason.text for reason in work.reasons] == [
        "10 of 10 trips from home between 06:00 and 10:00 on weekdays ended at work"
    ]
    assert work.probability < 0.7 * found[0].best.probability
    assert elsewhere.probability > 0.4


def short_or_long(days: int) -> list[Sample]:
    """At noon from work: after a long morning home, after a short one to the shop."""
    samples: list[Sample] = []
    for day in range(days):
        hour = 8.0 if day % 2 else 11.0
        samples += stay_at(monday(0.6, day), HOME, (hour - 0.7) * 3600, 900)
        samples += drive(monday(hour, day), HOME, WORK)
        at = samples[-1].time + 60
        samples += stay_at(at, WORK, monday(12.0, day) - at - 60, 60)
        samples += drive(monday(12.0, day), WORK, HOME if day % 2 else SHOP)
        at = samples[-1].time + 60
        if day % 2 == 0:
            samples += stay_at(at, SHOP, monday(13.0, day) - at - 60, 60)
            samples += drive(monday(13.0, day), SHOP, HOME)
            at = samples[-1].time + 60
        samples += stay_at(at, HOME, monday(24.5, day) - at, 900)
    return samples


def test_how_long_they_stayed_is_a_reason_where_it_tells() -> None:
    anticipator = learner(short_or_long(14))
    today = short_or_long(15)
    noon = monday(12.0, 14)
    for sample in today[len(short_or_long(14)) :]:
        if sample.time < noon - 60:
            anticipator.learn_one(sample)
    forecast = anticipator.predict_departure(noon)
    assert forecast is not None
    (stayed,) = [r for r in forecast.best.reasons if "after about" in r.text]
    said = re.fullmatch(
        r"(\d+) of (\d+) trips from work after about (\d+) min there ended at (.+)",
        stayed.text,
    )
    assert said is not None, stayed.text
    assert said[1] == said[2] == "7"
    assert 30 <= int(said[3]) <= 60
    assert said[4] == forecast.best.label
    shop = anticipator.places[forecast.best.place]
    assert shop.visits == 7
