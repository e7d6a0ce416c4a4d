"""A made-up life on a plane: stays, walks and drives as the fixes of a phone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from trivet.domain import Position, Sample
from trivet.domain.clock import ZoneOf
from trivet.domain.geo import offset
from trivet.engine import Anticipator, Event, TripEnded

BERLIN = ZoneInfo("Europe/Berlin")
#: East and north in metres.
Spot = tuple[float, float]
HOME: Spot = (0.0, 0.0)
WORK: Spot = (5000.0, 2000.0)
SHOP: Spot = (2000.0, -3000.0)
FAR: Spot = (-6000.0, 6000.0)


def here(zone: tzinfo = BERLIN) -> ZoneOf:
    def zone_of(lat: float, lon: float) -> tzinfo:
        return zone

    return zone_of


def monday(hour: float = 0.0, day: int = 0) -> float:
    """Event time of a local hour, days after Monday 6 January 2025."""
    start = datetime(2025, 1, 6, tzinfo=BERLIN).timestamp()
    return start + day * 86_400 + hour * 3600


def fix(time: float, spot: Spot, accuracy_m: float | None = None) -> Sample:
    lat, lon = offset(49.0, 8.4, *spot)
    return Sample("phone", "location", time, Position(lat, lon, accuracy_m))


def stay(time: float, spot: Spot, seconds: float, step_s: float = 60.0) -> list[Sample]:
    """Fixes at one spot, with a few metres of drift that repeat."""
    count = int(seconds / step_s)
    return [
        fix(time + n * step_s, (spot[0] + n % 3 * 7.0, spot[1] - n % 5 * 5.0))
        for n in range(count)
    ]


def drive(
    time: float, a: Spot, b: Spot, speed_mps: float = 12.0, step_s: float = 10.0
) -> list[Sample]:
    """Fixes on the straight line from `a` to `b`, both ends included."""
    length = float(((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5)
    count = max(1, int(length / speed_mps / step_s))
    return [
        fix(
            time + n * step_s,
            (a[0] + (b[0] - a[0]) * n / count, a[1] + (b[1] - a[1]) * n / count),
        )
        for n in range(count + 1)
    ]


def commute(days: int, first: int = 0, home: Spot = HOME) -> list[Sample]:
    """Home, work at eight, home at five; at home at weekends."""
    samples: list[Sample] = []
    for day in range(first, first + days):
        if day % 7 >= 5:
            samples += stay(monday(0, day), home, 86_000, 900)
            continue
        samples += stay(monday(0, day), home, 8 * 3600, 600)
        samples += drive(monday(8, day), home, WORK)
        samples += stay(monday(8.5, day), WORK, 8.5 * 3600, 600)
        samples += drive(monday(17, day), WORK, home)
        samples += stay(monday(17.5, day), home, 6.4 * 3600, 600)
    return samples


def learner(samples: Iterable[Sample] = (), zone: tzinfo = BERLIN) -> Anticipator:
    anticipator = Anticipator("ada", "phone", here(zone))
    learn(anticipator, samples)
    return anticipator


def learn(anticipator: Anticipator, samples: Iterable[Sample]) -> list[Event]:
    return [event for sample in samples for event in anticipator.learn_one(sample)]


def trips_in(events: Iterable[Event]) -> list[TripEnded]:
    return [e for e in events if isinstance(e, TripEnded) and e.trip.destination]
