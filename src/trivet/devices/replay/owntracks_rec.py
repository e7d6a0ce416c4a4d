"""OwnTracks Recorder's store: `.rec`, one message a line.

Source: OwnTracks Recorder README, "Storage": time of receipt, tab, `*` or the kind of
message padded with blanks, tab, the payload; payloads as in the booklet's
`docs/tech/json.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import KMH_IN_MPS, number, position
from trivet.domain.device import DeviceKind
from trivet.domain.sample import (
    BATTERY,
    LOCATION,
    TRANSITION_ENTER,
    TRANSITION_LEAVE,
    Sample,
)

_LINE = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*\t[^\t\n]{1,40}\t\{", re.M)
_TRANSITIONS = {"enter": TRANSITION_ENTER, "leave": TRANSITION_LEAVE}
_MAX_NAME_CHARS = 200


class OwntracksReader(Reader):
    """Reads the Recorder's `.rec` files."""

    name = "owntracks"
    title = "OwnTracks Recorder file (.rec)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS

    def recognises(self, path: Path, head: bytes) -> bool:
        """By a line of time, kind and JSON."""
        return _LINE.search(head) is not None

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield positions with charge, and regions entered and left."""
        device = self.device_of(options)
        decode = msgspec.json.Decoder(dict[str, object]).decode
        for line in source.lines():
            fields = line.split(b"\t", 2)
            try:
                payload = decode(fields[2])
            except (
                IndexError,
                RecursionError,
                UnicodeDecodeError,
                msgspec.DecodeError,
            ):
                if line.strip():
                    source.skip("not a line of time, kind and JSON", line)
                continue
            yield from _samples(source, device, payload)


def _samples(
    source: Source, device: str, payload: dict[str, object]
) -> Iterator[Sample]:
    kind = payload.get("_type")
    if kind not in ("location", "transition"):
        what = "an encrypted message" if kind == "encrypted" else "no location in it"
        source.skip(what, kind, is_fault=False)
        return
    time = number(payload.get("tst"))
    if time is None:
        source.skip("no time (tst)", payload.get("tst"))
        return
    if kind == "transition":
        path = _TRANSITIONS.get(str(payload.get("event")))
        name = payload.get("desc")
        if path is None or not isinstance(name, str) or not name:
            source.skip("a transition with no event or region", payload.get("desc"))
        else:
            yield Sample(device, path, time, name[:_MAX_NAME_CHARS])
        return
    lat, lon = number(payload.get("lat")), number(payload.get("lon"))
    if lat is None or lon is None:
        source.skip("no latitude or longitude", payload.get("lat"))
        return
    speed_kmh = number(payload.get("vel"))
    where = position(
        lat,
        lon,
        accuracy_m=number(payload.get("acc")),
        altitude_m=number(payload.get("alt")),
        speed_mps=None if speed_kmh is None else speed_kmh * KMH_IN_MPS,
        course_deg=number(payload.get("cog")),
    )
    yield Sample(device, LOCATION, time, where)
    charge = number(payload.get("batt"))
    if charge is not None and 0.0 <= charge <= 100.0:
        yield Sample(device, BATTERY, time, charge)
