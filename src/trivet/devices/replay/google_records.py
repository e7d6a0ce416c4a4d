"""Google's Records.json: every position of the old Location History.

Source: Google Takeout "Location History"; the fields as described by
https://locationhistoryformat.com/reference/records/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trivet.devices.replay.instant import epoch, epoch_of_number
from trivet.devices.replay.json_stream import elements
from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number, position
from trivet.domain.device import DeviceKind
from trivet.domain.sample import LOCATION, Sample

#: Some exports wrote negative degrees as unsigned 32 bits.
_WRAP_E7 = 2**32


class GoogleRecordsReader(Reader):
    """Reads Records.json ("Location History.json" in older exports)."""

    name = "google-records"
    title = "Google Location History (Records.json)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS[:1]

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the key of its only array."""
        return is_json(head, b"{") and b'"locations"' in head

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one position a record."""
        device = self.device_of(options)
        for _, record in elements(source, {"locations"}):
            if not isinstance(record, dict):
                source.skip("not a record", record)
                continue
            time = time_of(record, "timestamp")
            point = point_e7(record)
            if time is None or point is None:
                what = "time" if time is None else "latitude or longitude"
                source.skip(f"no {what}", record)
                continue
            where = position(
                *point,
                accuracy_m=number(record.get("accuracy")),
                altitude_m=number(record.get("altitude")),
                speed_mps=number(record.get("velocity")),
                course_deg=number(record.get("heading")),
            )
            yield Sample(device, LOCATION, time, where)


def is_json(head: bytes, opening: bytes) -> bool:
    """Whether a file begins as JSON that opens with `{` or `[`."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(opening)


def time_of(record: dict[str, Any], name: str) -> float | None:
    """Event time in s from `name` (ISO 8601) or `name`Ms (milliseconds), None if none.

    Google writes both with an offset or in UTC.
    """
    text = record.get(name)
    if isinstance(text, str):
        return epoch(text)
    return epoch_of_number(record.get(f"{name}Ms"), 1e-3)


def point_e7(
    record: dict[str, Any], lat: str = "latitudeE7", lon: str = "longitudeE7"
) -> tuple[float, float] | None:
    """Latitude and longitude in degrees from 1e-7 degrees, None when there are none."""
    lat_e7, lon_e7 = number(record.get(lat)), number(record.get(lon))
    if lat_e7 is None or lon_e7 is None:
        return None
    if lat_e7 > 900_000_000:
        lat_e7 -= _WRAP_E7
    if lon_e7 > 1_800_000_000:
        lon_e7 -= _WRAP_E7
    return lat_e7 / 1e7, lon_e7 / 1e7
