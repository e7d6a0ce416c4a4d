"""When a trip arrives: two intervals, one in the other, at each moment of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.life import (
    HOME,
    WORK,
    commute,
    drive,
    here,
    learn,
    learner,
    monday,
    stay,
)

from trivet.engine import Anticipator
from trivet.engine.arrival import Remaining, interval, interval_new, mix
from trivet.engine.misjudgement import Calibration, Errors, parts_of
from trivet.engine.snapshot import load
from trivet.engine.trip import Judgement

KNOWN = learner(commute(14)).snapshot()
SECONDS = st.floats(0.0, 1e6)


def remaining(seconds: list[float], new: float = 900.0) -> Remaining:
    bucket = np.arange(len(seconds), dtype=np.int64) * 5
    return Remaining(1000.0, np.array(seconds), bucket, new, 12)


@settings(deadline=None)
@given(st.lists(SECONDS | st.just(float("nan")), max_size=12), SECONDS, st.data())
def test_an_arrival_is_not_before_now_and_in_order(
    seconds: list[float], new: float, data: st.DataObject
) -> None:
    shares = [data.draw(st.floats(0.0, 1.0)) for _ in seconds]
    chance = data.draw(st.floats(1e-6, 1.0))
    errors, numbers = Errors(Calibration()), np.arange(len(seconds), dtype=np.int64)
    for _ in range(data.draw(st.integers(0, 30))):
        errors.learn(Judgement(False, 0, data.draw(st.floats(-5, 5)), 2, False))
    found = mix(errors, remaining(seconds, new), numbers, np.array(shares), chance)
    assert found is not None
    middle, arrival = found
    assert 1000.0 <= arrival.low <= middle.low <= middle.median
    assert middle.median == arrival.median
    assert middle.median <= middle.high <= arrival.high < np.inf
    assert (middle.level, arrival.level) == (0.5, 0.8)


def test_of_a_place_of_which_nothing_is_known_nothing_is_said() -> None:
    errors, left = Errors(Calibration()), remaining([float("nan"), 60.0])
    assert interval(errors, left, 0, 0) is None
    assert interval(errors, left, 1, 0) is not None
    nobody = mix(errors, left, np.array([0]), np.array([1.0]), 0.0)
    assert nobody is None


def test_of_two_places_the_likelier_one_draws_the_arrival() -> None:
    errors, left, both = Errors(Calibration()), remaining([300.0, 3000.0]), np.arange(2)
    medians = []
    for share in (0.05, 0.5, 0.95):
        found = mix(errors, left, both, np.array([1 - share, share]), 1e-9)
        assert found is not None
        medians.append(found[0].median)
    assert medians == sorted(medians)
    near, far = interval(errors, left, 0, 0), interval(errors, left, 1, 0)
    assert near is not None
    assert far is not None
    assert medians[0] == pytest.approx(near.median, rel=0.1)
    assert medians[2] == pytest.approx(far.median, rel=0.1)
    assert interval_new(errors, left, 2).high > interval_new(errors, left, 2).low


def test_both_intervals_hold_on_the_way_to_work() -> None:
    anticipator = Anticipator.restore(KNOWN, here())
    way = drive(monday(8, 14), HOME, WORK)
    learn(anticipator, way[: len(way) // 2])
    found = anticipator.predict_one(way[len(way) // 2 - 1].time)
    assert found is not None
    assert found.middle is not None
    assert found.arrival is not None
    assert found.arrival.low <= found.middle.low <= found.middle.high
    assert found.middle.high <= found.arrival.high
    assert abs(found.middle.median - way[-1].time) < 60


def test_what_a_departure_foretold_is_learned_from_too() -> None:
    anticipator = Anticipator.restore(KNOWN, here())
    way = drive(monday(8, 14), HOME, WORK)
    learn(anticipator, way[: len(way) // 2])
    trip, checks = anticipator.current_trip, load(anticipator.snapshot()).checks
    assert trip is not None
    assert checks[0].time == trip.departure
    learn(anticipator, [*way[len(way) // 2 :], *stay(way[-1].time + 10, WORK, 900)])
    banks = load(anticipator.snapshot()).calibration.residuals
    assert any(parts_of(bucket)[2] == 0 and bank for bucket, bank in banks.items())
