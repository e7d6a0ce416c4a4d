"""Made-up people live the same life for the same seed, and move as people do."""

from __future__ import annotations

from itertools import islice, pairwise
from math import hypot

import numpy as np
import pytest

from trivet.domain.sample import Position
from trivet.train.population import live
from trivet.train.population.journey import CAR, METRO, WALK, Navigator
from trivet.train.population.town import Town


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(np.random.default_rng(3))


def navigator(town: Town) -> Navigator:
    return Navigator(town, np.random.default_rng(4), variety=0.0, pace=1.0)


def test_a_life_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first = list(islice(live(1, 5, 3), 400))
    assert first == list(islice(live(1, 5, 3), 400))
    assert first != list(islice(live(2, 5, 3), 400))
    assert first != list(islice(live(1, 6, 3), 400))


@pytest.mark.parametrize("number", [0, 3])
def test_time_rises_and_nobody_leaps(number: int) -> None:
    samples = list(live(1, number, 4))
    assert len(samples) > 500
    for one, other in pairwise(samples):
        assert one.time < other.time
        assert isinstance(one.value, Position)
        assert isinstance(other.value, Position)
        assert -60.0 < other.value.lat < 65.0
        assert abs(one.value.lat - other.value.lat) < 0.3


def test_ways_lead_along_streets_and_are_longer_than_the_straight_line(
    town: Town,
) -> None:
    rng, ways = np.random.default_rng(5), navigator(town)
    ratios = []
    for _ in range(20):
        a, b = town.pick(rng, (0.0, 0.0), 0.0), town.pick(rng, (0.0, 0.0), 0.0)
        line_m = hypot(a[0] - b[0], a[1] - b[1])
        if line_m < 1500.0:
            continue
        leg = ways.go(CAR, [a, b], 12.0)
        assert (leg.east[0], leg.north[0]) == a
        assert (leg.east[-1], leg.north[-1]) == b
        assert (np.diff(leg.seconds) > 0).all()
        steps = np.hypot(np.diff(leg.east), np.diff(leg.north))
        ratios.append(steps.sum() / line_m)
    assert min(ratios) > 0.99
    assert 1.1 < float(np.median(ratios)) < 1.7


def test_the_usual_way_is_mostly_the_same(town: Town) -> None:
    ways, rng = navigator(town), np.random.default_rng(6)
    a, b = town.pick(rng, (0.0, 0.0), 0.0), town.pick(rng, (0.0, 0.0), 0.0)
    legs = [ways.go(WALK, [a, b], 9.0) for _ in range(12)]
    lengths = [len(leg.east) for leg in legs]
    assert lengths.count(max(set(lengths), key=lengths.count)) >= 8


def test_under_ground_no_satellite_is_seen(town: Town) -> None:
    far = float(np.abs(town.spots).max()) * 0.6
    leg = navigator(town).go(METRO, [(-far, 0.0), (far, 0.0)], 12.0)
    begin, end = leg.hidden
    assert 0.0 < begin < end < leg.seconds[-1]


def test_near_places_draw_more_people(town: Town) -> None:
    rng = np.random.default_rng(7)
    near = [hypot(*town.pick(rng, (0.0, 0.0), 2.5)) for _ in range(200)]
    even = [hypot(*town.pick(rng, (0.0, 0.0), 0.0)) for _ in range(200)]
    assert np.median(near) < 0.7 * np.median(even)
