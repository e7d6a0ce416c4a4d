"""When a person is home: from home, from work, on the way, and on a journey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.engine.life import (
    BERLIN,
    FAR,
    HOME,
    SHOP,
    WORK,
    commute,
    drive,
    here,
    learn,
    learner,
    monday,
    stay,
)

from trivet.domain import Interval, Stay
from trivet.engine import Anticipator
from trivet.engine.homecoming import HomeForecast, first, home_now, is_looked_at
from trivet.engine.times import Times
from trivet.engine.way_home import Homecomings

KNOWN = learner(commute(21)).snapshot()
MORNING = [
    *stay(monday(0, 21), HOME, 8 * 3600, 600),
    *drive(monday(8, 21), HOME, WORK),
    *stay(monday(8.5, 21), WORK, 3 * 3600, 600),
]
ASKED = Anticipator.restore(KNOWN, here())
learn(ASKED, MORNING)
ARRIVAL = monday(17, 21) + 440  # a drive of 5.4 km at 12 m/s


def mind() -> Anticipator:
    return Anticipator.restore(KNOWN, here())


def home_at(anticipator: Anticipator, time: float) -> HomeForecast:
    found = anticipator.predict_home(time)
    assert found is not None
    return found


def test_who_is_home_is_home_now() -> None:
    found = home_at(mind(), monday(3, 21))
    assert found.is_home
    assert found.arrival.low == found.arrival.high == monday(3, 21)
    assert found.chance_by(monday(3, 21)) == 1.0


def test_at_work_in_the_morning_it_is_the_evening() -> None:
    anticipator = mind()
    learn(anticipator, MORNING)
    found = home_at(anticipator, monday(11, 21))
    assert not found.is_home
    assert abs(found.arrival.median - ARRIVAL) < 900
    assert found.arrival.low <= ARRIVAL <= found.arrival.high
    assert found.chance_by(monday(14, 21)) < 0.2
    assert found.chance_by(monday(20, 21)) > 0.8


def test_on_the_way_home_it_is_when_the_trip_arrives() -> None:
    anticipator = mind()
    way = drive(monday(17, 21), WORK, HOME)
    learn(anticipator, [*MORNING, *stay(monday(11.5, 21), WORK, 5.5 * 3600, 600)])
    learn(anticipator, way[:25])
    found = home_at(anticipator, way[24].time)
    assert abs(found.middle.median - way[-1].time) < 120


def test_without_reasons_a_forecast_is_the_same() -> None:
    anticipator = mind()
    learn(anticipator, MORNING[:75])
    told = anticipator.predict_one(MORNING[74].time)
    plain = anticipator.predict_one(MORNING[74].time, explains=False)
    assert told is not None
    assert any(candidate.reasons for candidate in told.candidates)
    bare = tuple(replace(candidate, reasons=()) for candidate in told.candidates)
    assert plain == replace(told, candidates=bare)


def test_on_the_way_to_work_it_is_the_evening_still() -> None:
    anticipator = mind()
    learn(anticipator, MORNING[:75])
    assert anticipator.current_trip is not None
    found = home_at(anticipator, MORNING[74].time)
    assert abs(found.arrival.median - ARRIVAL) < 2700


def test_who_stays_longer_than_ever_is_still_expected() -> None:
    anticipator = mind()
    late = stay(monday(11.5, 21), WORK, 11 * 3600, 600)
    learn(anticipator, [*MORNING, *late])
    found = home_at(anticipator, late[-1].time)
    assert found.arrival.low >= late[-1].time
    assert found.arrival.high > found.arrival.median > late[-1].time


def test_a_journey_is_not_taken_for_an_errand() -> None:
    anticipator = mind()
    beach = (200_000.0, 0.0)
    learn(anticipator, stay(monday(0, 21), HOME, 8 * 3600, 600))
    learn(anticipator, drive(monday(8, 21), HOME, beach, speed_mps=30.0, step_s=60))
    learn(anticipator, stay(monday(10.5, 21), beach, 3 * 86_400, 1800))
    found = home_at(anticipator, monday(9, 24))
    assert found.arrival.high - found.arrival.low > 12 * 3600


def test_intervals_are_in_order_and_one_in_the_other() -> None:
    anticipator = mind()
    for sample in [*MORNING, *drive(monday(11.6, 21), WORK, SHOP)]:
        anticipator.learn_one(sample)
        found = home_at(anticipator, sample.time)
        for interval in (found.middle, found.arrival):
            assert sample.time <= interval.low <= interval.median <= interval.high
        assert list(found.quantiles) == sorted(found.quantiles)


def test_with_no_home_nothing_is_claimed() -> None:
    assert learner().predict_home(monday()) is None
    assert learner(stay(monday(9), WORK, 3600)).predict_home(monday(10)) is None
    assert mind().predict_home(math.nan) is None


def test_predicting_a_way_home_changes_nothing() -> None:
    asked, unasked = mind(), mind()
    for sample in MORNING:
        asked.learn_one(sample)
        unasked.learn_one(sample)
        asked.predict_home(sample.time + 100)
    assert asked.snapshot() == unasked.snapshot()


def test_a_restart_changes_no_homecoming() -> None:
    going, again = mind(), mind()
    for number, sample in enumerate(MORNING):
        going.learn_one(sample)
        again.learn_one(sample)
        if number % 20 == 0:
            again = Anticipator.restore(again.snapshot(), here())
            assert going.predict_home(sample.time) == again.predict_home(sample.time)
    assert going.snapshot() == again.snapshot()


def test_somebody_is_home_before_each() -> None:
    anticipator = mind()
    learn(anticipator, MORNING)
    ada = home_at(anticipator, monday(11, 21))
    ben = HomeForecast(
        "ben",
        ada.time,
        False,
        ada.middle,
        ada.arrival,
        tuple(time + 1800 for time in ada.quantiles),
    )
    both = first([ada, ben])
    assert both is not None
    assert both.arrival.median <= ada.arrival.median
    for time in ada.quantiles:
        assert both.chance_by(time) >= ada.chance_by(time) - 0.03
    at_home = home_now("ben", ada.time)
    assert first([ada, at_home]) == at_home
    assert first([]) is None
    assert first([ada]) == ada


def test_a_phone_that_says_nothing_for_hours_is_where_it_was() -> None:
    at_home, at_work = mind(), mind()
    learn(at_home, MORNING[:40])
    learn(at_work, MORNING)
    assert home_at(at_home, MORNING[39].time + 10 * 3600).is_home
    late = home_at(at_work, ARRIVAL + 3600)
    assert not late.is_home
    assert late.arrival.low >= ARRIVAL + 3600
    on_the_way = mind()
    learn(on_the_way, MORNING[:75])
    lost = home_at(on_the_way, MORNING[74].time + 3 * 3600)
    assert not lost.is_home
    assert lost.arrival.low >= lost.time


@settings(deadline=None, max_examples=30)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_at_any_time_an_answer_or_none(time: float) -> None:
    found = ASKED.predict_home(time)
    if not 0.0 <= time <= 7_258_118_400.0:
        assert found is None
    else:
        assert found is not None
        assert time <= found.arrival.low <= found.arrival.high < math.inf
    foretold = ASKED.predict_departure(time)
    assert foretold is None or foretold.time == time


TIMES = st.lists(st.floats(1000.0, 1e5), min_size=40, max_size=40).map(sorted)


def foretold(person: str, times: list[float], now: float = 900.0) -> HomeForecast:
    low, high = times[4], times[35]
    arrival = Interval(low, times[19], high, 0.8)
    return HomeForecast(person, now, False, arrival, arrival, tuple(times))


@settings(deadline=None)
@given(TIMES, TIMES, st.floats(900.0, 1.2e5))
def test_the_first_is_never_later_than_any_and_never_before_now(
    one: list[float], other: list[float], now: float
) -> None:
    ada, ben = foretold("ada", one), foretold("ben", other, now)
    both = first([ada, ben])
    assert both is not None
    assert both.time == now
    for mine, a, b in zip(both.quantiles, one, other, strict=True):
        assert now <= mine <= max(now, min(a, b))
    for interval in (both.middle, both.arrival):
        assert now <= interval.low <= interval.median <= interval.high


@pytest.mark.parametrize("hour", [9.0, 12.0, 16.0])
def test_the_routine_counts_only_days_on_which_they_were_out(hour: float) -> None:
    stays = [
        part
        for day in range(21)
        for part in (
            Stay("h", monday(0, day), monday(8, day)),
            Stay("w", monday(8.5, day), monday(17, day)),
            Stay("h", monday(17.5, day), monday(24, day)),
        )
    ]
    stays = [*stays[:-2], Stay("w", monday(8.5, 20), monday(hour, 20))]
    past = Homecomings(stays, {"h"}, BERLIN)
    out = past.from_routine("w", monday(hour, 20))
    median = out.quantiles((0.5,))[0]
    assert abs(median - monday(17.5, 20)) < 300
    night = past.from_routine("", monday(3, 20))
    assert night.total < 0.1  # they were never out at three


def test_an_unknown_place_is_told_by_the_hour() -> None:
    anticipator = mind()
    learn(anticipator, stay(monday(0, 21), HOME, 8 * 3600, 600))
    learn(anticipator, drive(monday(8, 21), HOME, FAR))
    learn(anticipator, stay(monday(8.5, 21), FAR, 3 * 3600, 600))
    found = home_at(anticipator, monday(11.4, 21))
    assert abs(found.arrival.median - ARRIVAL) < 3 * 3600


def _same(one: Times, other: Times) -> bool:
    return np.array_equal(one.times, other.times) and np.array_equal(
        one.weights, other.weights
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["h", "w", "s", "elsewhere", ""]),
            st.integers(0, 40),
            st.floats(0.0, 30.0),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([0.0, 500_000.0]),
)
def test_several_stays_at_once_are_told_as_each_by_itself(
    asked: list[tuple[str, int, float]], away_m: float
) -> None:
    stays = []
    for day in range(30):
        noon = monday(12, day)
        stays += [
            Stay("h", noon - 43_200, noon - 14_400),
            Stay("w", noon - 12_600, noon + 14_400 + 60 * day),
            Stay("s", noon + 16_000, noon + 19_000),
            Stay("h", noon + 20_000 + 90 * day, noon + 43_200),
        ]
    past = Homecomings(stays, {"h"}, BERLIN)
    came = [(place, monday(12, day), 3600.0 * later) for place, day, later in asked]
    every = [(place, time, time + later) for place, time, later in came]
    together = past.from_stays(every, away_m)
    for one, found in zip(every, together, strict=True):
        alone = past.from_stay(*one, away_m)
        assert all(map(_same, found, alone))


def test_times_in_order_tell_the_same() -> None:
    rng = np.random.default_rng(3)
    times = Times(rng.integers(0, 50, 300).astype(float), rng.random(300))
    ordered = times.in_order()
    levels = [0.1, 0.5, 0.9]
    assert ordered.quantiles(levels) == times.quantiles(levels)
    assert ordered.scaled(0.3).weights.sum() == pytest.approx(0.3)
    assert ordered.total == times.total
    assert list(ordered.times) == sorted(times.times)


def test_of_few_stays_each_trip_is_looked_at_and_of_many_one_in_eight() -> None:
    for hour in (8.0, 17.0, 18.37):
        left = [monday(hour, day) for day in range(365)]
        assert all(is_looked_at(time, 0) for time in left)
        share = sum(is_looked_at(time, 10_000) for time in left) / len(left)
        assert 0.08 < share < 0.17


def test_a_trip_that_is_not_looked_at_is_foretold_and_teaches_nothing() -> None:
    asked, morning = mind(), MORNING[:75]
    state = asked._state.home
    learn(asked, morning)
    assert asked.current_trip is not None
    assert state.checks
    told = home_at(asked, morning[-1].time)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trivet.engine.anticipator.is_looked_at", lambda *_: False)
        blind = mind()
        learn(blind, morning)
        assert not blind._state.home.checks
        assert home_at(blind, morning[-1].time) == told
        learn(blind, MORNING[75:])
        # at the place that it led to they are looked at again
        assert blind._state.home.checks


def test_the_way_home_follows_the_first_of_a_forecast() -> None:
    asked = mind()
    learn(asked, MORNING[:75])
    time = MORNING[74].time
    told, trip = asked.predict_one(time, explains=False), asked.current_trip
    assert told is not None
    assert trip is not None
    for most in (1, 2, 6):
        ahead = asked._diary.forecaster.ahead(trip, time, most)
        assert ahead == told.candidates[:most]
