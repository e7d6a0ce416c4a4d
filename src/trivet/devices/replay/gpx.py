"""GPX tracks, version 1.0 and 1.1.

Source: the schemas at https://www.topografix.com/gpx.asp; speed and course in 1.1 come
from extensions such as Garmin's TrackPointExtension v2, in m/s and degrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree.ElementTree import ParseError

from trivet.devices.replay.instant import epoch
from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number, position
from trivet.domain.device import DeviceKind
from trivet.domain.error import SetupError
from trivet.domain.sample import LOCATION, Sample

_ROOT = re.compile(rb"<(?:\w+:)?gpx[\s>]")
#: Elements below one point; a point with more is no point of a track.
_MAX_PARTS = 1000
#: A track is at gpx/trk/trkseg/trkpt, its extensions a few floors below.
_MAX_DEPTH = 32


class GpxReader(Reader):
    """Reads the track points of GPX files; waypoints and routes were not lived."""

    name = "gpx"
    title = "GPX track (.gpx)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS[:1]

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its root element."""
        return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and bool(
            _ROOT.search(head)
        )

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one position a track point. A time with no offset is taken as UTC."""
        device = self.device_of(options)
        for attributes, parts in _points(source):
            lat, lon = number(attributes.get("lat")), number(attributes.get("lon"))
            text = parts.get("time", "")
            # the schema wants UTC; some loggers leave out the Z
            time = epoch(text, options.zone) if text else None
            if time is None and text:
                time = epoch(text + "Z")
            if lat is None or lon is None:
                source.skip("no latitude or longitude", str(attributes))
            elif time is None:
                source.skip("no time" if not text else "not a time", text)
            else:
                course = parts.get("course", parts.get("bearing"))
                where = position(
                    lat,
                    lon,
                    accuracy_m=number(parts.get("accuracy")),
                    altitude_m=number(parts.get("ele")),
                    speed_mps=number(parts.get("speed")),
                    course_deg=number(course),
                )
                yield Sample(device, LOCATION, time, where)


def _points(source: Source) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Attributes, and texts by tag, of each track point; `source.line` counts them."""
    xml = _defused()
    stack: list[Any] = []
    parts: dict[str, str] | None = None
    count = 0
    try:
        for event, element in xml.iterparse(source, events=("start", "end")):
            source.mark()
            tag = element.tag.rpartition("}")[2]
            if event == "start":
                stack.append(element)
                if len(stack) > _MAX_DEPTH:
                    raise source.error(f"more than {_MAX_DEPTH} elements deep")
                if tag == "trkpt":
                    parts, count = {}, 0
                    source.line += 1
                continue
            stack.pop()
            if parts is not None:
                count += 1
                if count > _MAX_PARTS:
                    raise source.error("a point with more than 1000 parts")
                if tag == "trkpt":
                    yield dict(element.attrib), parts
                    parts = None
                elif element.text:
                    parts.setdefault(tag, element.text.strip())
            # what has been read is let go, or memory would grow with the file
            if stack:
                stack[-1].remove(element)
    except ParseError as error:
        raise source.error(f"malformed XML: {error}") from error
    except (ValueError, LookupError) as error:
        # defusedxml's refusals are ValueErrors; an unknown encoding is a LookupError
        raise source.error(f"XML that is refused: {error!r}") from error


def _defused() -> ModuleType:
    try:
        import defusedxml.ElementTree
    except ImportError as error:
        raise SetupError(
            "GPX cannot be read: defusedxml is not installed",
            hint="pip install 'trivet[replay]'",
        ) from error
    module: ModuleType = defusedxml.ElementTree
    return module
