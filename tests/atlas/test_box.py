"""Boxes of degrees: they hold the whole circle, and stay on Earth."""

from __future__ import annotations

from math import cos, pi, radians, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.atlas.box import FARTHEST_M, boxes
from trivet.domain.geo import distance_m, offset

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)


@given(LATS, LONS, LATS, LONS)
@settings(max_examples=120, deadline=None)
def test_every_point_within_the_radius_is_in_a_box(
    lat: float, lon: float, lat2: float, lon2: float
) -> None:
    radius_m = distance_m(lat, lon, lat2, lon2)
    assert any(
        box.south <= lat2 <= box.north and box.west <= lon2 <= box.east
        for box in boxes(lat, lon, radius_m)
    )


@given(LATS, LONS, st.floats(0.0, 5_000.0), st.floats(0.0, 2 * pi))
@settings(max_examples=120, deadline=None)
def test_the_rim_of_a_small_circle_is_in_a_box(
    lat: float, lon: float, radius_m: float, turn: float
) -> None:
    lat2, lon2 = offset(lat, lon, radius_m * sin(turn), radius_m * cos(turn))
    lat2, lon2 = max(-90.0, min(90.0, lat2)), (lon2 + 180.0) % 360.0 - 180.0
    reach_m = distance_m(lat, lon, lat2, lon2)
    assert any(
        box.south <= lat2 <= box.north and box.west <= lon2 <= box.east
        for box in boxes(lat, lon, reach_m)
    )


@given(LATS, LONS, st.floats(0.0, 1e8))
@settings(max_examples=80, deadline=None)
def test_boxes_are_in_order_and_within_the_world(
    lat: float, lon: float, radius_m: float
) -> None:
    found = boxes(lat, lon, radius_m)
    assert 1 <= len(found) <= 2
    for box in found:
        assert box.south <= box.north
        assert -181.0 <= box.west <= box.east <= 181.0


def test_a_box_is_no_larger_than_needed() -> None:
    """At 60° north a degree of longitude is half as long as at the equator."""
    (box,) = boxes(60.0, 25.0, 1000.0)
    assert box.north - box.south == pytest.approx(2 * 1000 / 111_195, rel=1e-3)
    assert (box.east - box.west) * cos(radians(60.0)) == pytest.approx(
        box.north - box.south, rel=1e-3
    )


def test_the_antimeridian_splits_and_the_pole_goes_around() -> None:
    assert len(boxes(0.0, 179.99, 5000.0)) == 2
    assert len(boxes(0.0, -179.99, 5000.0)) == 2
    (cap,) = boxes(89.99, 12.0, 5000.0)
    assert (cap.west, cap.east) == (-180.0, 180.0)
    (world,) = boxes(0.0, 0.0, FARTHEST_M)
    assert world.south <= -90.0 <= 90.0 <= world.north
