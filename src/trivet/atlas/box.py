"""A question to the map, and the boxes of degrees that hold every answer to it.

Source: J. P. Matuschek, "Finding Points Within a Distance of a Latitude/Longitude
Using Bounding Coordinates" (2010): poles and the antimeridian.
"""

from __future__ import annotations

from collections.abc import Collection
from math import asin, cos, degrees, pi, radians, sin
from typing import NamedTuple

from trivet.atlas.point import coordinate_fault
from trivet.domain.error import UsageError
from trivet.domain.geo import EARTH_RADIUS_M

#: No two points on Earth are further apart.
FARTHEST_M = pi * EARTH_RADIUS_M
#: Added on every side, so that rounding never loses a point at the rim.
_SLACK_DEG = 1e-9


class Box(NamedTuple):
    """Degrees from `south` to `north` and from `west` to `east`, west <= east."""

    south: float
    north: float
    west: float
    east: float


def boxes(lat: float, lon: float, radius_m: float) -> list[Box]:
    """One or two boxes that hold every point within `radius_m` of the point.

    Two where the circle crosses the antimeridian; around the world where it holds
    a pole.
    """
    angle = min(radius_m / EARTH_RADIUS_M, pi)
    south = lat - degrees(angle) - _SLACK_DEG
    north = lat + degrees(angle) + _SLACK_DEG
    if south <= -90.0 or north >= 90.0:
        return [Box(south, north, -180.0, 180.0)]
    # no pole within: angle < 90° - |lat|, so the quotient is below 1
    turn = degrees(asin(min(1.0, sin(angle) / cos(radians(lat))))) + _SLACK_DEG
    west, east = lon - turn, lon + turn
    if west < -180.0:
        return [Box(south, north, -180.0, east), Box(south, north, west + 360, 180.0)]
    if east > 180.0:
        return [Box(south, north, west, 180.0), Box(south, north, -180.0, east - 360)]
    return [Box(south, north, west, east)]


def check_question(
    lat: float, lon: float, radius_m: float, kinds: Collection[str], limit: int
) -> None:
    """Raise UsageError unless this can be asked of a map."""
    fault = coordinate_fault(lat, lon)
    if fault:
        raise UsageError(f"the map cannot be asked there: {fault}")
    if not radius_m >= 0.0:
        raise UsageError(f"the radius cannot be {radius_m} m", hint="0 or more")
    if isinstance(kinds, str):
        raise UsageError(
            f"kinds cannot be the text {kinds!r}", hint=f"pass ({kinds!r},)"
        )
    check_limit(limit)


def check_limit(limit: int) -> None:
    """Raise UsageError for a negative limit."""
    if limit < 0:
        raise UsageError(f"the limit cannot be {limit}", hint="0 or more")
