"""What a phone's positioning makes of a true position: noise, drift, jumps, gaps.

Outdoors the error is a slow drift (an autoregression with a memory of a minute) plus a
little white noise; indoors it is wider. Now and then a fix jumps some hundred metres,
and not always does the phone admit it.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.random import Generator

from trivet.devices.world.road import Floats
from trivet.domain.geo import DEGREE_M
from trivet.domain.sample import LOCATION, Position, Sample

_DRIFT_M, _WHITE_M, _INDOOR_M, _MEMORY_S = 3.5, 1.5, 11.0, 60.0
#: Share of fixes that jump, by how far, and how many of those admit it.
JUMP_SHARE, _JUMP_M, _HONEST = 0.005, (150.0, 900.0), 0.7


class Track(msgspec.Struct, frozen=True):
    """True positions of N fixes; `speed_mps` and `course_deg` are empty at a stay."""

    time: Floats
    lat: Floats
    lon: Floats
    speed_mps: Floats
    course_deg: Floats

    def only(self, kept: Floats) -> Track:
        """The fixes for which `kept`, N booleans, holds."""
        moving = len(self.speed_mps) > 0
        return Track(
            self.time[kept],
            self.lat[kept],
            self.lon[kept],
            self.speed_mps[kept] if moving else self.speed_mps,
            self.course_deg[kept] if moving else self.course_deg,
        )


def fixes(device: str, track: Track, rng: Generator) -> list[Sample]:
    """The phone's `location` samples of a track."""
    count = len(track.time)
    if not count:
        return []
    moving = len(track.speed_mps) > 0
    east, north = _error(track.time, moving, rng)
    accuracy = rng.gamma(6.0, 1.2, count) + (3.0 if moving else 10.0)
    jumps = rng.random(count) < JUMP_SHARE
    far = rng.uniform(*_JUMP_M, count)
    bearing = rng.uniform(0.0, 2.0 * np.pi, count)
    honest = rng.random(count) < _HONEST
    east = east + np.where(jumps, far * np.sin(bearing), 0.0)
    north = north + np.where(jumps, far * np.cos(bearing), 0.0)
    accuracy = np.where(jumps & honest, far * rng.uniform(0.8, 1.6, count), accuracy)
    lat = track.lat + north / DEGREE_M
    lon = track.lon + east / (DEGREE_M * np.cos(np.radians(track.lat)))
    height = 38.0 + 14.0 * np.sin(track.lat * 700.0) + rng.normal(0.0, 4.0, count)
    columns = [
        np.round(column, digits).tolist()
        for column, digits in ((lat, 6), (lon, 6), (accuracy, 0), (height, 0))
    ]
    times = np.round(track.time, 3).tolist()
    if not moving:
        return [
            Sample(device, LOCATION, time, Position(*row))
            for time, row in zip(times, zip(*columns, strict=True), strict=True)
        ]
    speed = np.maximum(0.0, track.speed_mps + rng.normal(0.0, 0.25, count))
    course = (track.course_deg + rng.normal(0.0, 4.0, count)) % 360.0
    columns += [np.round(speed, 1).tolist(), np.round(course, 0).tolist()]
    return [
        Sample(device, LOCATION, time, Position(*row))
        for time, row in zip(times, zip(*columns, strict=True), strict=True)
    ]


def _error(time: Floats, moving: bool, rng: Generator) -> tuple[Floats, Floats]:
    """East and north error in metres of each fix."""
    count = len(time)
    white = rng.normal(0.0, _WHITE_M if moving else _INDOOR_M, (count, 2))
    if not moving:
        return white[:, 0], white[:, 1]
    keep = np.exp(-np.diff(time, prepend=time[0]) / _MEMORY_S)
    push = rng.normal(0.0, _DRIFT_M, (count, 2)) * np.sqrt(1.0 - keep**2)[:, None]
    push[0] = rng.normal(0.0, _DRIFT_M, 2)
    drift = np.empty((count, 2))
    east = north = 0.0
    rows = zip(keep.tolist(), push.tolist(), strict=True)
    for i, (share, (push_east, push_north)) in enumerate(rows):
        east, north = share * east + push_east, share * north + push_north
        drift[i] = east, north
    total = drift + white
    return total[:, 0], total[:, 1]
