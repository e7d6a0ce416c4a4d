"""Fixes: which samples say where a person is, and which do not."""

from __future__ import annotations

from trivet.domain.place import TracePoint
from trivet.domain.sample import Position, Quality, Sample
from trivet.engine.timeline import is_event_time


def fix_of(sample: Sample, max_accuracy_m: float) -> tuple[TracePoint, float] | None:
    """The time and position of a sample, and its accuracy in metres.

    None where it is no position on Earth, says itself that it is wrong, is less sure
    than `max_accuracy_m`, or is at 0° N 0° E to the last digit: in the sea off Africa,
    and what receivers tell that have no fix.
    """
    value = sample.value
    if type(value) is not Position or sample.quality is Quality.BAD:
        return None
    lat, lon, accuracy_m = value.lat, value.lon, value.accuracy_m or 0.0
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0) or lat == lon == 0.0:
        return None
    if not accuracy_m <= max_accuracy_m or not is_event_time(sample.time):
        return None
    return TracePoint(sample.time, lat, lon), accuracy_m
