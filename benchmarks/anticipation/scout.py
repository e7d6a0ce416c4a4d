"""When to ask: the moments of each trip at which forecasts are judged.

Shares of a trip's time are known only when it has ended. So a scout goes over the
recording first: the engine's detector and diary, asked for no forecast. Nothing of it
but times reaches those that are judged, and a forecast at a time is the same whoever
knew that it would be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from itertools import pairwise

import msgspec

from trivet.domain import Sample
from trivet.domain.clock import ZoneOf
from trivet.domain.sample import LOCATION
from trivet.engine import TripEnded
from trivet.engine.diary import Diary
from trivet.engine.fix import fix_of
from trivet.engine.settings import Settings
from trivet.engine.snapshot import State
from trivet.engine.stay import StayDetector
from trivet.engine.student import default
from trivet.engine.trip import RunningTrip

#: By clock, at what a trip is judged: shares of its time, minutes and kilometres.
CLOCKS: dict[str, tuple[float, ...]] = {
    "share": (0.1, 0.3, 0.5, 0.7, 0.9),
    "minutes": (0.0, 2.0, 5.0, 10.0, 20.0),
    "km": (0.5, 1.0, 2.0, 5.0, 10.0),
}


class Moment(msgspec.Struct, frozen=True, order=True):
    """An event time of one trip, and the clock's mark that it is."""

    time: float
    clock: str
    mark: float


class Plan(msgspec.Struct, frozen=True):
    """A trip that will be judged.

    Attributes:
        departure: event time.
        arrival: event time.
        moments: in order of time.
    """

    departure: float
    arrival: float
    moments: tuple[Moment, ...]


def plan(samples: Iterable[Sample], zone_of: ZoneOf) -> Iterator[Plan]:
    """The trips that ended at a place, in order."""
    settings, state = Settings(), State()
    diary = Diary("", zone_of, UTC, settings, state, default())
    detector = StayDetector(settings, diary.book.knows)
    for sample in samples:
        found = fix_of(sample, settings.max_accuracy_m)
        if sample.path != LOCATION or found is None:
            continue
        (point, accuracy_m), before = found, detector.state.time
        moves = detector.learn_one(point.time, point.lat, point.lon, accuracy_m)
        for move in moves:
            running = state.running
            for event in diary.follow(move, point.time):
                if isinstance(event, TripEnded) and event.trip.destination and running:
                    arrival = event.trip.arrival
                    yield Plan(running.departure, arrival, moments(running, arrival))
        running = state.running
        if not moves and running is not None and detector.state.time > before:
            running.add_fix(point.time, point.lat, point.lon)


def moments(trip: RunningTrip, arrival: float) -> tuple[Moment, ...]:
    """When a trip is judged; marks that it had not reached before it ended are not."""
    start, found = trip.departure, []
    for mark in CLOCKS["share"]:
        found.append(Moment(start + mark * (arrival - start), "share", mark))
    for mark in CLOCKS["minutes"]:
        if start + 60 * mark < arrival:
            found.append(Moment(start + 60 * mark, "minutes", mark))
    for mark in CLOCKS["km"]:
        time = time_at(trip, 1000 * mark)
        if time is not None and time < arrival:
            found.append(Moment(time, "km", mark))
    return tuple(sorted(found))


def time_at(trip: RunningTrip, length_m: float) -> float | None:
    """Event time at which a trip had come so far; None if it never had."""
    steps = pairwise(zip(trip.lengths, trip.trace, strict=True))
    for (before_m, before), (after_m, after) in steps:
        if after_m >= length_m:
            part = (length_m - before_m) / max(1e-9, after_m - before_m)
            return before.time + part * (after.time - before.time)
    return None
