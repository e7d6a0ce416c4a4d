"""The plane that touches the Earth at a point: distances to many points at once.

`domain.geo.plane_m` for columns; good over tens of kilometres, also across the date
line. Degrees in, metres out; what is NaN stays so.
"""

from __future__ import annotations

from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from trivet.domain.geo import DEGREE_M

_Floats = NDArray[np.float64]


def plane_m(
    lat: float, lon: float, lats: _Floats, lons: _Floats
) -> tuple[_Floats, _Floats]:
    """How far each of the points lies east and north of one."""
    turn = (lons - lon + 180.0) % 360.0 - 180.0
    return turn * (DEGREE_M * cos(radians(lat))), (lats - lat) * DEGREE_M


def away_m(lat: float, lon: float, lats: _Floats, lons: _Floats) -> _Floats:
    """How far each of the points is from one."""
    away: _Floats = np.hypot(*plane_m(lat, lon, lats, lons))
    return away
