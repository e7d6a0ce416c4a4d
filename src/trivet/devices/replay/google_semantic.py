"""Google's Semantic Location History: a file a month of visits and ways between them.

Source: Google Takeout "Semantic Location History"; the fields as described by
https://locationhistoryformat.com/reference/semantic/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trivet.devices.replay.google_records import is_json, point_e7, time_of
from trivet.devices.replay.json_stream import elements
from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.domain.device import DeviceKind
from trivet.domain.sample import LOCATION, Position, Quality, Sample


class _Fix(NamedTuple):
    """Where the phone was: event time in s, degrees, and how that is known."""

    time: float
    lat: float
    lon: float
    quality: Quality = Quality.ESTIMATED


class GoogleSemanticReader(Reader):
    """Reads the monthly files of `timelineObjects`.

    A visit gives a position at its begin and one at its end. A way gives its two ends
    and what lies between; points that Google wrote with no time are spread evenly. All
    but timed points are Google's inference: quality ESTIMATED.
    """

    name = "google-semantic"
    title = "Google Semantic Location History (2020_JANUARY.json)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS[:1]

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the key of its only array."""
        return is_json(head, b"{") and b'"timelineObjects"' in head

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the positions of each visit and way."""
        device = self.device_of(options)
        last = float("-inf")
        for _, item in elements(source, {"timelineObjects"}):
            fixes = _fixes(item)
            if not fixes:
                source.skip("neither a visit nor a way with time and place", item)
            for fix in fixes:
                # a way begins when and where the visit before it ended
                if fix.time != last:
                    last = fix.time
                    where = Position(fix.lat, fix.lon)
                    yield Sample(device, LOCATION, last, where, fix.quality)


def _fixes(item: Any) -> list[_Fix]:
    visit, way = _map(item, "placeVisit"), _map(item, "activitySegment")
    body = visit or way
    duration = _map(body, "duration")
    start = time_of(duration, "startTimestamp")
    end = time_of(duration, "endTimestamp")
    if start is None or end is None or end < start:
        return []
    if visit:
        point = point_e7(_map(visit, "location")) or point_e7(
            visit, "centerLatE7", "centerLngE7"
        )
        return [_Fix(start, *point), _Fix(end, *point)] if point else []
    fixes = _timed(way) or _spread(way, start, end)
    begin, close = (
        point_e7(_map(way, "startLocation")),
        point_e7(_map(way, "endLocation")),
    )
    if begin:
        fixes.insert(0, _Fix(start, *begin))
    if close:
        fixes.append(_Fix(end, *close))
    return sorted(fixes, key=lambda fix: fix.time)


def _timed(way: dict[str, Any]) -> list[_Fix]:
    """The raw path, where each point has its time."""
    fixes = []
    for point in _list(_map(way, "simplifiedRawPath"), "points"):
        time = time_of(point, "timestamp")
        where = point_e7(point, "latE7", "lngE7")
        if time is not None and where:
            fixes.append(_Fix(time, *where, Quality.GOOD))
    return fixes


def _spread(way: dict[str, Any], start: float, end: float) -> list[_Fix]:
    """The way points, which have no time."""
    points = [
        where
        for point in _list(_map(way, "waypointPath"), "waypoints")
        if (where := point_e7(point, "latE7", "lngE7"))
    ]
    step = (end - start) / (len(points) + 1)
    return [_Fix(start + step * n, *where) for n, where in enumerate(points, 1)]


def _map(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = value.get(key)
    return [v for v in found if isinstance(v, dict)] if isinstance(found, list) else []
