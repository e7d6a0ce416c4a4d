"""Positions from a recording's own numbers, with what cannot be true left out."""

from __future__ import annotations

from math import isfinite

from trivet.domain.sample import Position

KMH_IN_MPS = 1 / 3.6
FOOT_IN_M = 0.3048


def number(value: object) -> float | None:
    """A finite number from a number or a text, None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def position(
    lat: float,
    lon: float,
    *,
    accuracy_m: float | None = None,
    altitude_m: float | None = None,
    speed_mps: float | None = None,
    course_deg: float | None = None,
) -> Position:
    """A position; an accuracy, speed or course that cannot be true is left out.

    Latitude and longitude in degrees are taken as they are: `Reader.read` checks them.
    """
    return Position(
        lat,
        lon,
        accuracy_m if accuracy_m is not None and accuracy_m >= 0.0 else None,
        altitude_m,
        speed_mps if speed_mps is not None and speed_mps >= 0.0 else None,
        course_deg if course_deg is not None and 0.0 <= course_deg <= 360.0 else None,
    )
