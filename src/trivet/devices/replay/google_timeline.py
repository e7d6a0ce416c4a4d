"""Google's Timeline.json: what a phone exports since Timeline is kept on the device.

Android writes an object with `semanticSegments` and `rawSignals` and positions as
"48.1°, 11.5°"; iOS a list of segments and positions as "geo:48.1,11.5".

Source: exports of 2024 and later, of which Google publishes no description; RFC 5870
for `geo:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trivet.devices.replay.google_records import is_json
from trivet.devices.replay.instant import epoch
from trivet.devices.replay.json_stream import elements
from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number, position
from trivet.domain.device import DeviceKind
from trivet.domain.sample import LOCATION, Position, Quality, Sample

_ANDROID = (b'"semanticSegments"', b'"rawSignals"')
_IOS = (b'"timelinePath"', b'"visit"', b'"activity"', b'"timelineMemory"')
_POINT = re.compile(
    r"(?:geo:)?\s*([+-]?\d{1,3}(?:\.\d+)?)\s*°?\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)\s*°?"
)


class _Fix(NamedTuple):
    time: float | None
    where: Position | None
    quality: Quality


class GoogleTimelineReader(Reader):
    """Reads Timeline.json of Android and iOS.

    Points of a path and raw signals are positions as measured; the ends of visits and
    activities are Google's inference: quality ESTIMATED.
    """

    name = "google-timeline"
    title = "Google Timeline of a phone (Timeline.json)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS[:1]

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its keys."""
        if is_json(head, b"{"):
            return any(key in head for key in _ANDROID)
        return (
            is_json(head, b"[")
            and b'"startTime"' in head
            and any(key in head for key in _IOS)
        )

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the positions of each segment and raw signal."""
        device = self.device_of(options)
        last = float("-inf")
        for key, item in elements(source, {"", "semanticSegments", "rawSignals"}):
            if not isinstance(item, dict):
                source.skip("not a segment", item)
                continue
            fixes = _signal(item) if key == "rawSignals" else _segment(item)
            for time, where, quality in fixes:
                if time is None or where is None:
                    source.skip("no time" if time is None else "no place", item)
                # a segment begins when and where the one before it ended
                elif time != last:
                    last = time
                    yield Sample(device, LOCATION, time, where, quality)


def _segment(item: dict[str, Any]) -> Iterator[_Fix]:
    start, end = _time(item.get("startTime")), _time(item.get("endTime"))
    path = item.get("timelinePath")
    for step in path if isinstance(path, list) else ():
        if not isinstance(step, dict):
            continue
        time = _time(step.get("time"))
        minutes = number(step.get("durationMinutesOffsetFromStartTime"))
        if time is None and start is not None and minutes is not None:
            time = start + 60.0 * minutes
        yield _Fix(time, _point(step.get("point")), Quality.GOOD)
    visit = item.get("visit")
    if isinstance(visit, dict) and str(visit.get("hierarchyLevel", 0)) == "0":
        # a visit of a higher level is a shop within the mall: the same stay again
        best = visit.get("topCandidate")
        where = _point(best.get("placeLocation")) if isinstance(best, dict) else None
        yield _Fix(start, where, Quality.ESTIMATED)
        yield _Fix(end, where, Quality.ESTIMATED)
    activity = item.get("activity")
    if isinstance(activity, dict):
        yield _Fix(start, _point(activity.get("start")), Quality.ESTIMATED)
        yield _Fix(end, _point(activity.get("end")), Quality.ESTIMATED)


def _signal(item: dict[str, Any]) -> Iterator[_Fix]:
    raw = item.get("position")
    if not isinstance(raw, dict):
        # the others are wifi scans and activity guesses: nothing is lost
        return
    point = _point(raw.get("LatLng", raw.get("latLng")))
    where = point and position(
        point.lat,
        point.lon,
        accuracy_m=number(raw.get("accuracyMeters")),
        altitude_m=number(raw.get("altitudeMeters")),
        speed_mps=number(raw.get("speedMetersPerSecond")),
    )
    yield _Fix(_time(raw.get("timestamp")), where, Quality.GOOD)


def _time(value: Any) -> float | None:
    return epoch(value) if isinstance(value, str) else None


def _point(value: Any) -> Position | None:
    if isinstance(value, dict):
        value = value.get("latLng")
    if not isinstance(value, str):
        return None
    found = _POINT.fullmatch(value.strip())
    return Position(float(found[1]), float(found[2])) if found else None
