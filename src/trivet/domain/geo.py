"""Distances, bearings and steps on the Earth taken as a sphere.

Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984); mean
radius of WGS 84. The error against the ellipsoid is below 0.6 %.
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
#: Length of one degree of latitude.
DEGREE_M = EARTH_RADIUS_M * radians(1.0)


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in metres between two points in degrees."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half_lat = sin((phi2 - phi1) / 2)
    half_lon = sin(radians(lon2 - lon1) / 2)
    h = half_lat * half_lat + cos(phi1) * cos(phi2) * half_lon * half_lon
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(h)))


def bearing_deg(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Initial bearing from the first point to the second: 0 is north, clockwise."""
    phi1, phi2 = radians(lat1), radians(lat2)
    turn = radians(lon2 - lon1)
    east = sin(turn) * cos(phi2)
    north = cos(phi1) * sin(phi2) - sin(phi1) * cos(phi2) * cos(turn)
    return degrees(atan2(east, north)) % 360.0


def offset(
    lat: float, lon: float, east_m: float, north_m: float
) -> tuple[float, float]:
    """The point `east_m` and `north_m` metres away, for steps of some kilometres."""
    turn = east_m / (DEGREE_M * max(1e-6, cos(radians(lat))))
    return (
        lat + north_m / DEGREE_M,
        (lon + turn + 180.0) % 360.0 - 180.0 if abs(lon + turn) > 180.0 else lon + turn,
    )


def plane_m(
    lat: float, lon: float, origin_lat: float, origin_lon: float
) -> tuple[float, float]:
    """East and north in metres from the origin, on the plane that touches there."""
    turn = (lon - origin_lon + 180.0) % 360.0 - 180.0
    return (
        turn * DEGREE_M * cos(radians(origin_lat)),
        (lat - origin_lat) * DEGREE_M,
    )
