"""Heading: how well the way so far leads to points at which nobody of a life stayed.

The ideas are those of `evidence`: who drives somewhere makes no great detours, from
the start or from about a kilometre back (Krumm and Horvitz, "Predestination", 2006).
How far people go follows from how long they are willing to be on the way: on foot less
far in the same time (Y. Zahavi, "Traveltime budgets and mobility in urban areas",
1974). How much of a trip is left is not known by how long it has lasted: that it is 1
to 2 km is as likely as 2 to 4. There is no past here to weigh these by, so four whole
numbers do, which were chosen on simulated households: docs/benchmark.md.
"""

from __future__ import annotations

from bisect import bisect_left

import msgspec
import numpy as np

from trivet.domain.place import TracePoint
from trivet.engine.evidence import speed_mps
from trivet.engine.plane import away_m
from trivet.engine.route import Floats
from trivet.engine.trip import RunningTrip

#: What the log of direct way over way by here is worth, from the start and from a
#: kilometre back.
WHOLE, LATELY = 2.0, 2.0
#: With which power of what is left a square metre gets less likely: with the square,
#: each doubling of the distance is as likely as the next.
NEAR = 2.0
#: With which power of how far it is from the start, against how far people go.
FALL = 3.0
#: At a speed nobody is within so many seconds of the end: they brake, park, walk.
STOP_S = 20.0
_BACK_M = 1000.0
#: A trip of which little is known is taken to be at this speed, as if for so long.
_USUAL_MPS, _USUAL_S = 6.0, 180.0
#: A straight line against the way that leads along it.
_STRAIGHT = 0.75


class Way(msgspec.Struct, frozen=True):
    """What of a running trip says where it may be going.

    Attributes:
        lat: latitude in degrees of the newest fix.
        lon: longitude likewise.
        start: where it began.
        back: where it was about a kilometre back.
        driven_m: length so far.
        step_m: length since `back`.
        speed_mps: over the last minutes.
        mean_mps: over all of it.
    """

    lat: float
    lon: float
    start: TracePoint
    back: TracePoint
    driven_m: float
    step_m: float
    speed_mps: float
    mean_mps: float

    def scale_m(self, usual_s: float) -> float:
        """How far people go in a straight line who travel `usual_s` at such a speed."""
        return _STRAIGHT * usual_s * self.mean_mps


def way_of(trip: RunningTrip) -> Way | None:
    """The way so far, None without positions."""
    if trip.lat is None or trip.lon is None or not trip.trace:
        return None
    index = max(0, bisect_left(trip.lengths, trip.driven_m - _BACK_M) - 1)
    begun_s = max(0.0, trip.time - trip.trace[0].time)
    mean = (trip.driven_m + _USUAL_MPS * _USUAL_S) / (begun_s + _USUAL_S)
    return Way(
        trip.lat,
        trip.lon,
        trip.trace[0],
        trip.trace[index],
        trip.driven_m,
        trip.driven_m - trip.lengths[index],
        speed_mps(trip),
        mean,
    )


def fit(way: Way, lat: Floats, lon: Floats, scale_m: float) -> Floats:
    """How well the way leads to each point: log likelihood, but for a constant.

    Args:
        way: so far.
        lat: latitudes in degrees.
        lon: longitudes likewise.
        scale_m: how far people go.
    """
    away = away_m(way.lat, way.lon, lat, lon)
    from_start = away_m(way.start.lat, way.start.lon, lat, lon)
    from_back = away_m(way.back.lat, way.back.lon, lat, lon)
    whole = np.log((from_start + 300.0) / (way.driven_m + away + 300.0))
    lately = np.log((from_back + 150.0) / (way.step_m + away + 150.0))
    near = np.log(away + 200.0 + STOP_S * way.speed_mps)
    far = np.log1p(from_start / scale_m)
    found: Floats = WHOLE * whole + LATELY * lately - NEAR * near - FALL * far
    return found
