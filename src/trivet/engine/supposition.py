"""What would change a forecast: the forecaster is asked again, of a trip made up.

Nothing is learned of a supposition, and what is told is what the forecaster answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Candidate, Forecast
from trivet.domain.geo import distance_m
from trivet.domain.place import TracePoint
from trivet.engine.anticipator import Anticipator
from trivet.engine.explain import percent
from trivet.engine.trip import RunningTrip

#: How far they are supposed to go on towards another place, in metres.
_AHEAD_M = (250.0, 500.0, 1000.0, 1500.0, 2000.0, 3000.0, 4000.0, 6000.0, 8000.0)
_STEP_M = 100.0
#: Nobody is supposed to go slower than a walk.
_LEAST_MPS = 1.2
#: Other places that are tried, and how likely one must be beside the likeliest.
_MOST_TURNS, _LEAST = 2, 0.01
#: How much longer a trip is supposed to last, in minutes.
_LONGER_MIN = (5, 10, 15, 20, 30, 45, 60, 90)
#: Departures that are tried: each half hour of the next half day.
_LATER_S = tuple(1800.0 * step for step in range(1, 25))


def changes(anticipator: Anticipator, forecast: Forecast, zone: tzinfo) -> list[str]:
    """What would change the forecast of the running trip, a line each.

    Args:
        anticipator: that made it.
        forecast: the newest, with its places named as a person is to read them.
        zone: the time zone to write times in.
    """
    trip = anticipator.current_trip
    if trip is None:
        return []
    if trip.lat is None or trip.lon is None:
        return list(_longer(anticipator, forecast, zone))
    others = [c for c in forecast.candidates[1:] if c.place and c.lat is not None]
    likely = [c for c in others if c.probability >= _LEAST][:_MOST_TURNS]
    asked = likely or others[:1]
    lines = (_turn(anticipator, trip, forecast.best, other) for other in asked)
    return [line for line in lines if line]


def departures(anticipator: Anticipator, departure: Forecast, zone: tzinfo) -> str:
    """At which later departure another place would be likeliest; empty for none.

    Args:
        anticipator: that made the forecast.
        departure: what `predict_departure` gave, with its places named.
        zone: the time zone to write times in.
    """
    for later_s in _LATER_S:
        time = departure.time + later_s
        found = anticipator.predict_departure(time)
        if found is not None and found.best.place != departure.best.place:
            label = _label(found.best, departure)
            return (
                f"Setting off at {clock_text(time, zone)}, {label} would be likeliest "
                f"({percent(found.best.probability)})."
            )
    return ""


def _turn(
    anticipator: Anticipator, trip: RunningTrip, best: Candidate, other: Candidate
) -> str:
    """What going straight towards another place would make of both."""
    if trip.lat is None or trip.lon is None or other.lat is None or other.lon is None:
        return ""
    away_m = distance_m(trip.lat, trip.lon, other.lat, other.lon)
    line = ""
    for ahead_m in (ahead for ahead in _AHEAD_M if ahead < 0.9 * away_m):
        way = _way(trip, (other.lat, other.lon), ahead_m, away_m)
        found = anticipator.predict_if(way)
        if found is None:
            return ""
        here = found.probability_of(best.place)
        there = found.probability_of(other.place)
        shares = f"({percent(there)}) than {best.label} ({percent(here)})."
        if there > here:
            return (
                f"After {_metres(ahead_m)} straight towards {other.label} it would be "
                f"likelier {shares}"
            )
        line = (
            f"Even after {_metres(ahead_m)} straight towards {other.label} it would "
            f"not be likelier {shares}"
        )
    return line


def _way(
    trip: RunningTrip, to: tuple[float, float], ahead_m: float, away_m: float
) -> list[TracePoint]:
    """Positions on the straight line to a point, at the trip's own mean speed."""
    assert trip.lat is not None
    assert trip.lon is not None
    speed_mps = max(_LEAST_MPS, trip.driven_m / max(60.0, trip.time - trip.departure))
    points = []
    for step in range(1, int(ahead_m / _STEP_M) + 1):
        gone_m = min(ahead_m, step * _STEP_M)
        share = gone_m / away_m
        points.append(
            TracePoint(
                trip.time + gone_m / speed_mps,
                trip.lat + share * (to[0] - trip.lat),
                trip.lon + share * _turn_deg(to[1] - trip.lon),
            )
        )
    return points


def _turn_deg(degrees: float) -> float:
    """A difference of longitudes the short way around."""
    return (degrees + 180.0) % 360.0 - 180.0


def _longer(
    anticipator: Anticipator, forecast: Forecast, zone: tzinfo
) -> Iterator[str]:
    """When another place would be likelier, were the trip still under way."""
    best = forecast.best
    for minutes in _LONGER_MIN:
        time = forecast.time + 60.0 * minutes
        found = anticipator.predict_one(time, explains=False)
        if found is None or found.best.place == best.place:
            continue
        there, here = found.best.probability, found.probability_of(best.place)
        yield (
            f"Still under way at {clock_text(time, zone)}, "
            f"{_label(found.best, forecast)} would be likelier ({percent(there)}) "
            f"than {best.label} ({percent(here)})."
        )
        return


def _label(candidate: Candidate, named: Forecast) -> str:
    """What another forecast, whose places are named, calls the candidate."""
    labels = {each.place: each.label for each in named.candidates}
    return labels.get(candidate.place, candidate.label)


def _metres(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000.0 else f"{metres / 1000.0:g} km"
