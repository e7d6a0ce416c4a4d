"""The running trip: its thinned trace, its length, its pace; bounded however long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import cos, radians, sqrt

import msgspec

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import TracePoint, Trip
from trivet.engine.stay import on_earth

#: Points of a running trip are at least this far apart, and further on long trips.
_STEP_M = 60.0
_STEPS = 200.0
_MOST_POINTS = 4000
#: Without positions the length is noted at each whole minute.
PACE_S = 60.0
_MOST_PACE = 600
#: A silence between two speeds longer than this adds nothing to the length.
_MOST_SPEED_GAP_S = 30.0


class Query(msgspec.Struct, frozen=True):
    """What is known when a trip begins."""

    time: float
    origin: str
    before: str
    hour: float
    weekend: bool


class Judgement(msgspec.Struct, frozen=True, array_like=True):
    """How wrong one estimate of a trip turned out when it had ended.

    Attributes:
        covered: the arrival was in the interval.
        bucket: of the errors that it is one of, None when nothing was estimated.
        residual: log of the true over the estimated remaining time.
        doubt: kind of trip, by how likely somewhere new seemed.
        in_middle: the arrival was in the interval for half of the cases, None when
            that was not noted.
    """

    covered: bool
    bucket: int | None = None
    residual: float = 0.0
    doubt: int = 0
    in_middle: bool | None = None


class RunningTrip(msgspec.Struct):
    """A trip that has not ended.

    Attributes:
        origin: id of the place it began at, empty when unknown.
        before: id of the place stayed at before the origin.
        departure: event time at which it began.
        hour: local hour of the departure, 0 to below 24.
        weekend: whether it began on a Saturday or Sunday, locally.
        trace: kept positions, oldest first.
        lengths: metres driven at each kept position.
        driven_m: metres driven at the newest fix.
        time: event time of the newest fix or speed.
        lat: latitude in degrees of the newest fix, None without positions.
        lon: longitude likewise.
        pace: without positions, metres driven at each whole minute.
        fast_s: without positions, seconds above 90 km/h.
        speed_mps: without positions, the newest speed.
    """

    origin: str
    before: str
    departure: float
    hour: float
    weekend: bool
    trace: list[TracePoint] = []
    lengths: list[float] = []
    driven_m: float = 0.0
    time: float = 0.0
    lat: float | None = None
    lon: float | None = None
    pace: list[float] = []
    fast_s: float = 0.0
    speed_mps: float = 0.0

    @property
    def query(self) -> Query:
        """What was known when it began."""
        return Query(self.departure, self.origin, self.before, self.hour, self.weekend)

    def add_fix(self, time: float, lat: float, lon: float) -> None:
        """Take up a position in degrees."""
        self.time, self.lat, self.lon = time, lat, lon
        if not self.trace:
            self.trace.append(TracePoint(time, lat, lon))
            self.lengths.append(0.0)
            return
        last = self.trace[-1]
        north = (lat - last.lat) * DEGREE_M
        east = on_earth(lon - last.lon) * DEGREE_M * cos(radians(lat))
        moved = sqrt(north * north + east * east)
        length = self.lengths[-1]
        self.driven_m = length + moved
        if moved >= max(_STEP_M, length / _STEPS) and len(self.trace) < _MOST_POINTS:
            self.trace.append(TracePoint(time, lat, lon))
            self.lengths.append(self.driven_m)

    def add_speed(self, time: float, speed_mps: float) -> None:
        """Take up a speed, where there are no positions."""
        span = time - self.time
        if span <= 0:
            return
        if span <= _MOST_SPEED_GAP_S:
            mean = (self.speed_mps + speed_mps) / 2
            self.driven_m += mean * span
            if mean > 25.0:
                self.fast_s += span
        self.time, self.speed_mps = time, speed_mps
        minutes = min(int((time - self.departure) / PACE_S), _MOST_PACE)
        while len(self.pace) < minutes:
            self.pace.append(self.driven_m)

    def supposed(self, ahead: Iterable[TracePoint]) -> RunningTrip:
        """Another trip: this one, had it gone on by these positions."""
        other = msgspec.structs.replace(
            self, trace=[*self.trace], lengths=[*self.lengths], pace=[*self.pace]
        )
        for point in ahead:
            other.add_fix(point.time, point.lat, point.lon)
        return other

    def ended(self, destination: str, arrival: float, points: int) -> Trip:
        """The trip as it was when it ended at `arrival`, with at most `points` kept."""
        count = bisect_right(self.trace, arrival, key=lambda point: point.time)
        trace = thin(self.trace[:count], points)
        length = self.lengths[count - 1] if count else self.driven_m
        return Trip(
            self.origin,
            destination,
            self.departure,
            max(arrival, self.departure),
            length,
            tuple(trace),
        )


def thin(trace: list[TracePoint], most: int) -> list[TracePoint]:
    """At most `most` of the points, evenly, with the first and the last."""
    if len(trace) <= most:
        return trace
    step = (len(trace) - 1) / (most - 1)
    return [trace[round(index * step)] for index in range(most)]
