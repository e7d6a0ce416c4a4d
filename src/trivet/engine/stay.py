"""Stays out of a stream of fixes: arriving, staying, leaving, losing the thread.

A stay is a roaming distance and a duration (Hariharan and Toyama, "Project Lachesis",
GIScience 2004), found while the fixes come in: the window holds the longest run of
fixes that are all within `stay_radius_m` of its first one. What makes it fit for phones
and loggers is the treatment of silence, jumps and drift; see `Settings` for numbers.

    SETTLING  first fix, or first after a loss: where the person is, not yet a stay
    STAYING   a stay; ends when fixes stay outside of it
    MOVING    on the way; ends when the window has lasted long enough
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from math import cos, radians, sqrt
from typing import TypeAlias

import msgspec

from trivet.domain.geo import DEGREE_M, distance_m
from trivet.domain.place import TracePoint
from trivet.engine.settings import Settings

#: Fixes closer in time than this add nothing to the window.
_WINDOW_STEP_S = 10.0
#: A fix this far ahead of the last one waits for a second one that confirms the date.
_LEAP_S = 14 * 86_400.0
#: Fixes that must agree with each other before a jump is believed.
_AGREEING = 3
#: Below this mean speed over the last minutes a silence began at a destination.
_ARRIVING_MPS = 3.0
#: How fast a person is thought to have left during a silence.
_LEAVING_MPS = 3.0


class Mode(IntEnum):
    """What the person is doing."""

    UNKNOWN = 0
    SETTLING = 1
    STAYING = 2
    MOVING = 3


class Arrived(msgspec.Struct, frozen=True):
    """A stay has begun: since `time`, around `lat` and `lon`."""

    time: float
    lat: float
    lon: float


class Left(msgspec.Struct, frozen=True):
    """The person left at `time`; `fixes` were seen since, the newest last.

    Attributes:
        time: event time of the last fix inside.
        lat: latitude in degrees of what was left.
        lon: longitude likewise.
        fixes: seen outside before it was sure.
    """

    time: float
    lat: float
    lon: float
    fixes: tuple[TracePoint, ...] = ()


class Lost(msgspec.Struct, frozen=True):
    """What was going on ended at `time`, nobody knows how."""

    time: float


Move: TypeAlias = Arrived | Left | Lost
Moves: TypeAlias = tuple[Move, ...]
_NONE: Moves = ()


class StayState(msgspec.Struct):
    """All that a detector remembers: bounded, and written to disk as it is."""

    mode: Mode = Mode.UNKNOWN
    time: float = 0.0
    lat: float = 0.0
    lon: float = 0.0
    since: float = 0.0
    inside: float = 0.0
    centre_lat: float = 0.0
    centre_lon: float = 0.0
    weight: int = 0
    window: list[TracePoint] = []
    outside: list[TracePoint] = []
    suspects: list[TracePoint] = []


class StayDetector:
    """Turns fixes into moves. Late, doubled and impossible fixes change nothing.

    Args:
        settings: the numbers.
        is_known: tells whether a point is at a place where the person has stayed
            before; there `known_stay_s` is enough.
    """

    def __init__(
        self,
        settings: Settings,
        is_known: Callable[[float, float], bool] = lambda lat, lon: False,
        state: StayState | None = None,
    ) -> None:
        self.settings = settings
        self.state = state or StayState()
        self._is_known = is_known
        self._shortest_s = min(settings.stay_s, settings.known_stay_s)
        self._east_m = DEGREE_M * cos(radians(self.state.lat))
        self._max_speed2 = settings.max_speed_mps**2
        self._stay2 = settings.stay_radius_m**2

    def learn_one(
        self, time: float, lat: float, lon: float, accuracy_m: float = 0.0
    ) -> Moves:
        """Take up one fix; give what has become sure by it, mostly nothing."""
        s = self.state
        span = time - s.time
        if s.mode == Mode.UNKNOWN:
            self._settle(time, lat, lon)
            return _NONE
        if span <= 0.0:
            return _NONE
        if not -180.0 < lon - s.lon < 180.0:
            lon += 360.0 * round((s.lon - lon) / 360.0)  # across the date line
        north = (lat - s.lat) * DEGREE_M
        east = (lon - s.lon) * self._east_m
        moved2 = north * north + east * east
        if moved2 > self._max_speed2 * span * span or span > _LEAP_S:
            return self._suspect(time, lat, lon)
        if s.suspects:
            s.suspects.clear()
        if span > self._shortest_s:
            moves = self._after_silence(time, lat, lon, span)
        elif s.mode == Mode.MOVING:
            moves = self._while_moving(time, lat, lon)
        else:
            moves = self._while_staying(time, lat, lon, accuracy_m)
        s.time = time
        s.lat = lat
        s.lon = lon
        if moved2 > 1e6 or moves:
            self._east_m = DEGREE_M * cos(radians(lat))
        return moves

    def settle_again(self, time: float) -> None:
        """Where they are staying, a stay begins anew at event time `time`."""
        s = self.state
        if s.mode in (Mode.STAYING, Mode.SETTLING):
            s.mode = Mode.SETTLING
            s.since, s.inside = max(s.since, time), max(s.inside, time)

    def _settle(self, time: float, lat: float, lon: float) -> None:
        s = self.state
        s.mode = Mode.SETTLING
        s.time = s.since = s.inside = time
        s.lat = s.centre_lat = lat
        s.lon = s.centre_lon = lon
        s.weight = 1
        s.window.clear()
        s.outside.clear()
        s.suspects.clear()
        self._east_m = DEGREE_M * cos(radians(lat))

    def _while_moving(self, time: float, lat: float, lon: float) -> Moves:
        s = self.state
        window = s.window
        dropped = 0
        for point in window:
            north = (lat - point.lat) * DEGREE_M
            east = (lon - point.lon) * self._east_m
            if north * north + east * east <= self._stay2:
                break
            dropped += 1
        if dropped:
            del window[:dropped]
        if not window or time - window[-1].time >= _WINDOW_STEP_S:
            window.append(TracePoint(time, lat, lon))
        lasted = time - window[0].time
        if lasted < self._shortest_s:
            return _NONE
        centre_lat = sum(p.lat for p in window) / len(window)
        centre_lon = sum(p.lon for p in window) / len(window)
        if lasted < self._needed_s(centre_lat, centre_lon):
            return _NONE
        return (self._arrive(window[0].time, time, centre_lat, centre_lon),)

    def _needed_s(self, lat: float, lon: float) -> float:
        known = self._is_known(lat, lon)
        return self.settings.known_stay_s if known else self.settings.stay_s

    def _arrive(self, since: float, time: float, lat: float, lon: float) -> Arrived:
        s = self.state
        s.mode = Mode.STAYING
        s.since, s.inside = since, time
        s.centre_lat, s.centre_lon = lat, lon
        s.weight = max(1, len(s.window))
        s.window.clear()
        s.outside.clear()
        return Arrived(since, lat, on_earth(lon))

    def _while_staying(
        self, time: float, lat: float, lon: float, accuracy_m: float
    ) -> Moves:
        s = self.state
        north = (lat - s.centre_lat) * DEGREE_M
        east = (lon - s.centre_lon) * self._east_m
        reach = self.settings.leave_radius_m + min(accuracy_m, 100.0)
        if north * north + east * east > reach * reach:
            return self._outside(time, lat, lon)
        s.inside = time
        if s.outside:
            s.outside.clear()
        s.weight = min(s.weight + 1, 1000)
        s.centre_lat += (lat - s.centre_lat) / s.weight
        s.centre_lon += (lon - s.centre_lon) / s.weight
        if s.mode == Mode.SETTLING and time - s.since >= self._shortest_s:
            needed = self._needed_s(s.centre_lat, s.centre_lon)
            if time - s.since >= needed:
                s.mode = Mode.STAYING
                return (Arrived(s.since, s.centre_lat, on_earth(s.centre_lon)),)
        return _NONE

    def _outside(self, time: float, lat: float, lon: float) -> Moves:
        s = self.state
        s.outside.append(TracePoint(time, lat, lon))
        if len(s.outside) < 2 or time - s.outside[0].time < self.settings.leave_s:
            if len(s.outside) > 8:
                del s.outside[1::2]
            return _NONE
        left = self._left(tuple(s.outside))
        s.mode = Mode.MOVING
        s.window = list(s.outside)
        s.outside.clear()
        return (left,)

    def _left(self, fixes: tuple[TracePoint, ...] = ()) -> Left:
        s = self.state
        lon = on_earth(s.centre_lon)
        fixes = tuple(TracePoint(p.time, p.lat, on_earth(p.lon)) for p in fixes)
        return Left(s.inside, s.centre_lat, lon, fixes)

    def _after_silence(self, time: float, lat: float, lon: float, span: float) -> Moves:
        s = self.state
        if s.mode == Mode.MOVING:
            return self._moving_after_silence(time, lat, lon, span)
        away = distance_m(s.centre_lat, s.centre_lon, lat, lon)
        if away <= self.settings.gap_radius_m:
            # wherever they were between, here they are: the stay went on
            return self._while_staying(time, s.centre_lat, s.centre_lon, 0.0)
        if span > self.settings.lost_s and away > self.settings.far_m:
            left = self._left()
            self._settle(time, lat, lon)
            return (left, Lost(left.time))
        if not self._was_out(lat, lon, span):
            # a phone that sleeps at home wakes on the way: it left lately
            s.inside = max(s.inside, time - away / _LEAVING_MPS)
            s.outside.clear()
        return self._outside(time, lat, lon)

    def _was_out(self, lat: float, lon: float, span: float) -> bool:
        """Whether they were out, further than any drift, before a silence that ends.

        Of a long one only where it ends there: else it is no part of the way.
        """
        s, near_m = self.state, self.settings.gap_radius_m
        if not s.outside:
            return False
        out = s.outside[-1]
        if distance_m(s.centre_lat, s.centre_lon, out.lat, out.lon) <= near_m:
            return False
        is_short = span <= self.settings.lost_s
        return is_short or distance_m(out.lat, out.lon, lat, lon) <= near_m

    def _moving_after_silence(
        self, time: float, lat: float, lon: float, span: float
    ) -> Moves:
        s = self.state
        away = distance_m(s.lat, s.lon, lat, lon)
        if away <= self.settings.gap_radius_m:
            if span < self._needed_s(s.lat, s.lon):
                return self._while_moving(time, lat, lon)
            # they came to rest after the last fix: where they are known to rest
            if self._is_known(s.lat, s.lon) or not self._is_known(lat, lon):
                lat, lon = s.lat, s.lon
            return (self._arrive(self._here_since(), time, lat, lon),)
        if span <= self.settings.lost_s:
            s.window = [TracePoint(time, lat, lon)]
            return _NONE
        ended = s.time
        arrived: Move = Lost(ended)
        if self._recent_speed_mps() < _ARRIVING_MPS:
            arrived = self._arrive(ended, ended, s.lat, s.lon)
            left = self._left()
            self._settle(time, lat, lon)
            return (arrived, left, Lost(ended))
        self._settle(time, lat, lon)
        return (arrived,)

    def _here_since(self) -> float:
        """Event time since which they have been about where they were last seen."""
        s = self.state
        first = s.window[0] if s.window else None
        if first is None or s.time - first.time < self._shortest_s:
            return s.time
        away = distance_m(first.lat, first.lon, s.lat, s.lon)
        return first.time if away <= self.settings.stay_radius_m else s.time

    def _recent_speed_mps(self) -> float:
        s = self.state
        first = s.window[0] if s.window else None
        if first is None or s.time - first.time < _WINDOW_STEP_S:
            return float("inf")
        return distance_m(first.lat, first.lon, s.lat, s.lon) / (s.time - first.time)

    def _suspect(self, time: float, lat: float, lon: float) -> Moves:
        """Hold back a jump in space or date until others agree with it."""
        s = self.state
        if s.suspects:
            last = s.suspects[-1]
            span = time - last.time
            reach = self.settings.max_speed_mps * span
            agrees = 0 < span <= _LEAP_S
            if not agrees or distance_m(last.lat, last.lon, lat, lon) > reach:
                s.suspects.clear()
        s.suspects.append(TracePoint(time, lat, lon))
        if len(s.suspects) < _AGREEING:
            return _NONE
        first, rest = s.suspects[0], s.suspects[1:]
        moves: Moves = (Lost(s.time),)
        if s.mode != Mode.MOVING:
            left = self._left()
            moves = (left, Lost(left.time))
        self._settle(first.time, first.lat, first.lon)
        for point in rest:
            moves += self.learn_one(*msgspec.structs.astuple(point))
        return moves


def plane_distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance in metres for points of one town, quicker than the great circle."""
    north = (lat2 - lat1) * DEGREE_M
    east = on_earth(lon2 - lon1) * DEGREE_M * cos(radians(lat1))
    return sqrt(north * north + east * east)


def on_earth(lon: float) -> float:
    """A longitude, or a difference of two, within half a turn of 0 degrees."""
    return lon if -180.0 <= lon <= 180.0 else (lon + 180.0) % 360.0 - 180.0
