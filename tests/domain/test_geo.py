"""Geometry on the sphere: a metric, known distances, steps that come back."""

from __future__ import annotations

from math import cos, pi, radians

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.geo import (
    DEGREE_M,
    EARTH_RADIUS_M,
    bearing_deg,
    distance_m,
    offset,
    plane_m,
)

LATS, LONS = st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)
POINTS = st.tuples(LATS, LONS)
#: Where people drive.
INHABITED = st.tuples(st.floats(-75.0, 75.0), st.floats(-179.0, 179.0))
STEPS_M = st.floats(-5_000.0, 5_000.0)


@given(POINTS, POINTS)
@settings(max_examples=200, deadline=None)
def test_distance_is_the_same_both_ways(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    assert distance_m(*a, *b) == pytest.approx(distance_m(*b, *a), abs=1e-6)


@given(POINTS)
def test_distance_to_itself_is_zero(a: tuple[float, float]) -> None:
    assert distance_m(*a, *a) == 0.0


@given(POINTS, POINTS, POINTS)
@settings(max_examples=200, deadline=None)
def test_a_detour_is_never_shorter(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> None:
    # near antipodes half the digits go: some centimetres
    assert distance_m(*a, *c) <= distance_m(*a, *b) + distance_m(*b, *c) + 0.2


@given(POINTS, POINTS)
@settings(max_examples=100, deadline=None)
def test_nothing_is_further_than_half_around(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    assert 0.0 <= distance_m(*a, *b) <= pi * EARTH_RADIUS_M + 1e-6


@given(POINTS, POINTS)
@settings(max_examples=100, deadline=None)
def test_a_turn_of_the_earth_changes_nothing(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    turned = distance_m(a[0], a[1] + 360.0, *b)
    assert turned == pytest.approx(distance_m(*a, *b), abs=0.2)


@pytest.mark.parametrize(
    ("a", "b", "ellipsoid_m"),
    [
        # geodesics on the WGS 84 ellipsoid
        ((0.0, 0.0), (0.0, 1.0), 111_319.49),
        ((0.0, 0.0), (1.0, 0.0), 110_574.39),
        ((89.0, 0.0), (90.0, 0.0), 111_693.86),
        ((0.0, 0.0), (90.0, 0.0), 10_001_965.73),
    ],
)
def test_known_distances_within_the_error_told(
    a: tuple[float, float], b: tuple[float, float], ellipsoid_m: float
) -> None:
    assert distance_m(*a, *b) == pytest.approx(ellipsoid_m, rel=0.006)


def test_known_distances_on_the_sphere() -> None:
    assert distance_m(0.0, 0.0, 0.0, 180.0) == pytest.approx(pi * EARTH_RADIUS_M)
    assert distance_m(-90.0, 12.0, 90.0, -70.0) == pytest.approx(pi * EARTH_RADIUS_M)
    assert distance_m(10.0, 179.5, 10.0, -179.5) == pytest.approx(
        distance_m(10.0, 0.5, 10.0, -0.5)
    )
    # a degree of longitude at 60° is half of one at the equator
    assert distance_m(60.0, 0.0, 60.0, 0.01) == pytest.approx(DEGREE_M / 200, rel=1e-6)


@pytest.mark.parametrize(
    ("to", "bearing"),
    [
        ((1.0, 0.0), 0.0),
        ((0.0, 1.0), 90.0),
        ((-1.0, 0.0), 180.0),
        ((0.0, -1.0), 270.0),
        ((1.0, 1.0), 45.0),
    ],
)
def test_north_is_zero_and_east_is_ninety(
    to: tuple[float, float], bearing: float
) -> None:
    assert bearing_deg(0.0, 0.0, *to) == pytest.approx(bearing, abs=0.01)


@given(POINTS, POINTS)
@settings(max_examples=100, deadline=None)
def test_bearing_is_within_the_circle(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    assert 0.0 <= bearing_deg(*a, *b) <= 360.0


@given(INHABITED, STEPS_M, STEPS_M)
@settings(max_examples=200, deadline=None)
def test_plane_undoes_offset(
    origin: tuple[float, float], east_m: float, north_m: float
) -> None:
    there = offset(*origin, east_m, north_m)
    assert plane_m(*there, *origin) == pytest.approx((east_m, north_m), abs=1e-3)


@given(INHABITED, STEPS_M, STEPS_M)
@settings(max_examples=200, deadline=None)
def test_a_step_is_as_long_as_it_says(
    origin: tuple[float, float], east_m: float, north_m: float
) -> None:
    there = offset(*origin, east_m, north_m)
    length_m = (east_m**2 + north_m**2) ** 0.5
    assert distance_m(*origin, *there) == pytest.approx(length_m, rel=0.004, abs=0.01)


@given(st.floats(-75.0, 75.0), STEPS_M)
@settings(max_examples=100, deadline=None)
def test_the_plane_goes_on_across_the_antimeridian(lat: float, east_m: float) -> None:
    lon = 180.0 + east_m / (DEGREE_M * cos(radians(lat)))
    wrapped = (lon + 180.0) % 360.0 - 180.0
    east, north = plane_m(lat, wrapped, lat, 180.0)
    assert (east, north) == pytest.approx((east_m, 0.0), abs=1e-3)


@pytest.mark.parametrize(("lon", "east_m"), [(179.999, 1000.0), (-179.999, -1000.0)])
def test_a_step_across_the_antimeridian_stays_on_earth(
    lon: float, east_m: float
) -> None:
    assert -180.0 <= offset(0.0, lon, east_m, 0.0)[1] <= 180.0
