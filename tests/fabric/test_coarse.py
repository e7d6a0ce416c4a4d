"""Coarse positions: never nearer the truth than the lease says."""

from __future__ import annotations

from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import Position, Sample
from trivet.domain.geo import distance_m, offset
from trivet.domain.lease import ZONE_M
from trivet.fabric.coarse import coarsen

LATS, LONS = st.floats(-85.0, 85.0), st.floats(-179.0, 179.0)
STEPS = st.sampled_from([10, 500])
HOME = (52.6, 8.0)


def at(lat: float, lon: float) -> Sample:
    exact = Position(lat, lon, 4.0, 30.0, 12.0, 80.0)
    return Sample("phone", "location", 1e9, exact)


@given(LATS, LONS, STEPS)
def test_a_coarse_position_is_near_and_says_how_near(
    lat: float, lon: float, exact_m: int
) -> None:
    coarse = coarsen(at(lat, lon), exact_m, None)
    assert coarse is not None
    assert isinstance(coarse.value, Position)
    assert distance_m(lat, lon, coarse.value.lat, coarse.value.lon) <= exact_m
    assert coarse.value == Position(
        coarse.value.lat, coarse.value.lon, float(exact_m)
    ), "speed, course and altitude would betray the rest"


@given(LATS, LONS, STEPS, st.floats(-0.49, 0.49), st.floats(-0.49, 0.49))
def test_attack_averaging_a_cell_gives_its_middle_and_no_more(
    lat: float, lon: float, exact_m: int, north: float, east: float
) -> None:
    middle = coarsen(at(lat, lon), exact_m, None)
    assert middle is not None
    assert isinstance(middle.value, Position)
    step = exact_m / 111_320.0
    elsewhere = at(
        middle.value.lat + north * step,
        middle.value.lon + east * step / max(0.01, cos(radians(middle.value.lat))),
    )
    again = coarsen(elsewhere, exact_m, None)
    assert again is not None
    assert isinstance(again.value, Position)
    assert again.value.lat == pytest.approx(middle.value.lat, abs=1e-9)
    assert again.value.lon == pytest.approx(middle.value.lon, abs=1e-9)


@pytest.mark.parametrize(
    ("away_m", "word"), [(0, "home"), (1_000, "near home"), (5_000, "away")]
)
def test_a_zone_is_a_word(away_m: float, word: str) -> None:
    lat, lon = offset(*HOME, away_m, 0.0)
    coarse = coarsen(at(lat, lon), ZONE_M, HOME)
    assert coarse is not None
    assert coarse.value == word
    nowhere = coarsen(at(lat, lon), ZONE_M, None)
    assert nowhere is not None
    assert nowhere.value == "away"


@given(LATS.filter(lambda lat: abs(lat) < 70), LONS, STEPS)
def test_a_cars_coordinates_are_coarse_one_by_one(
    lat: float, lon: float, exact_m: int
) -> None:
    parts = []
    for part, value in (("Latitude", lat), ("Longitude", lon)):
        path = f"Vehicle.CurrentLocation.{part}"
        coarse = coarsen(Sample("car", path, 1e9, value), exact_m, None)
        assert coarse is not None
        assert isinstance(coarse.value, float)
        parts.append(coarse.value)
        assert coarsen(Sample("car", path, 1e9, value), ZONE_M, HOME) is None
    heading = Sample("car", "Vehicle.CurrentLocation.Heading", 1e9, 80.0)
    assert coarsen(heading, exact_m, None) is None
    # cells are at least as wide as asked for, also far north
    assert abs(parts[0] - lat) <= exact_m / 111_320.0


def test_what_is_no_position_is_left_alone() -> None:
    speed = Sample("car", "Vehicle.Speed", 1e9, 51.0)
    for exact_m in (0, 500, ZONE_M):
        assert coarsen(speed, exact_m, HOME) is speed
    assert coarsen(at(1, 2), 0, HOME) == at(1, 2)
