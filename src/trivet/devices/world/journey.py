"""A journey: where a traveller is, and how fast, at each moment of one way.

Speed follows the limits, the traffic, the turns and the lights with bounded
acceleration; between its knots the acceleration is constant, so position and speed at
any event time are exact. Phone and car read the same journey and so agree.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.random import Generator

from trivet.devices.world.road import Floats, Mode, Route
from trivet.devices.world.street import LOCAL_MPS

_ACCELERATION, _BRAKING = 1.7, 2.1  # m/s2, an unhurried driver
_RED_SHARE, _RED_S = 0.42, (4.0, 42.0)
_WALK_MPS = 1.35
#: Speed kept through a turn of at least so many degrees.
_TURNS = ((75.0, 5.0), (50.0, 7.0), (28.0, 11.0))


class Journey:
    """One way from place to place.

    Attributes:
        mode: by car or on foot.
        route: the streets.
        departure: event time of setting off.
        arrival: event time of standing still at the end.
    """

    def __init__(
        self,
        mode: Mode,
        route: Route,
        departure: float,
        traffic: float,
        rng: Generator,
    ) -> None:
        """Set off.

        Args:
            mode: by car or on foot.
            route: the streets to follow.
            departure: event time.
            traffic: share of the limit that traffic allows on main roads.
            rng: the chance of lights and of driving.
        """
        self.mode = mode
        self.route = route
        self.departure = departure
        cruise = _cruise(mode, route, traffic, rng)
        waits = _waits(mode, route, rng)
        corners = _corner_speeds(route, cruise, waits)
        self._knots(cruise, corners, waits)
        self.arrival = departure + float(self._time[-1])

    @property
    def length_m(self) -> float:
        """Length of the way."""
        return self.route.length_m

    def _knots(
        self, cruise: list[float], corners: list[float], waits: list[float]
    ) -> None:
        time, along = 0.0, 0.0
        knots: list[tuple[float, float, float, float]] = []

        def move(v0: float, v1: float, acceleration: float, length: float) -> None:
            nonlocal time, along
            if length <= 1e-6:
                return
            knots.append((time, along, v0, acceleration))
            time += 2.0 * length / (v0 + v1)
            along += length

        lengths = np.diff(self.route.along_m).tolist()
        for i, length in enumerate(lengths):
            v0, v1 = corners[i], corners[i + 1]
            top = _top_speed(v0, v1, cruise[i], length)
            rise = (top * top - v0 * v0) / (2.0 * _ACCELERATION)
            fall = (top * top - v1 * v1) / (2.0 * _BRAKING)
            move(v0, top, _ACCELERATION, rise)
            move(top, top, 0.0, length - rise - fall)
            move(top, v1, -_BRAKING, fall)
            if waits[i + 1] > 0.0:
                knots.append((time, along, 0.0, 0.0))
                time += waits[i + 1]
        knots.append((time, along, 0.0, 0.0))
        table = np.array(knots)
        self._time, self._along, self._speed, self._acceleration = table.T

    def at(self, times: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Where the traveller is at N event times.

        Returns:
            Latitude and longitude in degrees, speed in m/s, course in degrees, and
            length covered in m: N values each. Before the departure and after the
            arrival it stands still at the ends.
        """
        since = np.clip(times - self.departure, 0.0, self._time[-1])
        knot = np.searchsorted(self._time, since, side="right") - 1
        step = since - self._time[knot]
        acceleration = self._acceleration[knot]
        speed = np.maximum(0.0, self._speed[knot] + acceleration * step)
        along = self._along[knot] + step * (self._speed[knot] + acceleration * step / 2)
        corners = self.route.along_m
        along = np.minimum(along, corners[-1])
        piece = np.searchsorted(corners, along, side="right") - 1
        piece = np.clip(piece, 0, len(corners) - 2)
        lat = np.interp(along, corners, self.route.lat)
        lon = np.interp(along, corners, self.route.lon)
        return lat, lon, speed, self.route.course_deg[piece], along


def _cruise(mode: Mode, route: Route, traffic: float, rng: Generator) -> list[float]:
    """Speed sought on each street in m/s."""
    if mode is Mode.WALK:
        pace = _WALK_MPS * float(rng.uniform(0.9, 1.12))
        return [pace] * len(route.limit_mps)
    driver = float(rng.uniform(0.93, 1.05))
    noise = rng.uniform(0.93, 1.04, len(route.limit_mps)).tolist()
    # traffic is felt on main roads; a side street is slow anyway
    return [
        limit * driver * shade * (traffic if limit > LOCAL_MPS else 1.0)
        for limit, shade in zip(route.limit_mps, noise, strict=True)
    ]


def _waits(mode: Mode, route: Route, rng: Generator) -> list[float]:
    """Seconds of standing at each corner: red lights."""
    draws = rng.random((len(route.has_light), 2)).tolist()
    share = _RED_SHARE if mode is Mode.CAR else _RED_SHARE / 2
    low, high = _RED_S
    waits = [
        low + (high - low) * length if has_light and red < share else 0.0
        for has_light, (red, length) in zip(route.has_light, draws, strict=True)
    ]
    waits[0] = waits[-1] = 0.0
    return waits


def _corner_speeds(
    route: Route, cruise: list[float], waits: list[float]
) -> list[float]:
    """Speed at each corner that streets, turns, lights and brakes allow."""
    speeds = [0.0]
    courses = route.course_deg.tolist()
    for i in range(1, len(cruise)):
        turn = abs((courses[i] - courses[i - 1] + 180.0) % 360.0 - 180.0)
        speed = min(cruise[i - 1], cruise[i])
        for angle, limit in _TURNS:
            if turn >= angle:
                speed = min(speed, limit)
                break
        speeds.append(0.0 if waits[i] > 0.0 else speed)
    speeds.append(0.0)
    lengths = np.diff(route.along_m).tolist()
    for i, length in enumerate(lengths):
        reach = sqrt(speeds[i] ** 2 + 2.0 * _ACCELERATION * length)
        speeds[i + 1] = min(speeds[i + 1], reach)
    for i in range(len(lengths) - 1, -1, -1):
        reach = sqrt(speeds[i + 1] ** 2 + 2.0 * _BRAKING * lengths[i])
        speeds[i] = min(speeds[i], reach)
    return speeds


def _top_speed(v0: float, v1: float, cruise: float, length: float) -> float:
    """Greatest speed on a street entered at v0 and left at v1."""
    a, b = _ACCELERATION, _BRAKING
    peak = sqrt((2.0 * a * b * length + b * v0 * v0 + a * v1 * v1) / (a + b))
    return max(v0, v1, min(cruise, peak))
