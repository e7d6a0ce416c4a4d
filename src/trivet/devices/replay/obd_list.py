"""OBD-II logs with a row a reading, as Car Scanner writes them.

Source: exports of Car Scanner ELM OBD2: "SECONDS";"PID";"VALUE";"UNITS" and, in newer
ones, "LATITUDE";"LONGTITUDE" (so spelt). SECONDS are of the local day on which the
drive began and go on past midnight; the file's name holds the date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trivet.devices.replay.obd_clock import clock_of
from trivet.devices.replay.obd_column import (
    CAR_SIGNALS,
    LATITUDE,
    LONGITUDE,
    column_of,
)
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.table import rows
from trivet.devices.replay.track import number
from trivet.domain.device import DeviceKind
from trivet.domain.sample import Sample

_HEADER = b"SECONDS;PID;VALUE;UNITS"


class ObdListReader(Reader):
    """Reads logs of one row a reading. The file's name must begin with the date."""

    name = "obd-list"
    title = "OBD-II log with a row a reading (Car Scanner)"
    kind = DeviceKind.CAR
    signals = CAR_SIGNALS

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its header."""
        line = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
        return line.replace(b'"', b"").upper().startswith(_HEADER)

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one signal a row, and the car's position when it has changed."""
        device = self.device_of(options)
        clock = clock_of("SECONDS", "", source, options)
        here: tuple[float, float] | None = None
        for row in rows(source, ";"):
            if source.line == 1:
                continue
            time = clock(row[0])
            if time is None or len(row) < 4:
                source.skip("not a second, PID, value and unit", ";".join(row))
                continue
            point = _point(row)
            if point and point != here:
                here = point
                yield Sample(device, LATITUDE, time, point[0])
                yield Sample(device, LONGITUDE, time, point[1])
            column = column_of(row[1].strip(), row[3].strip())
            if column is None or column.path in (LATITUDE, LONGITUDE):
                source.skip("a PID that is not known", row[1], is_fault=False)
                continue
            raw = number(row[2])
            value = None if raw is None else column.value(raw)
            if value is None:
                source.skip(f"no value of {column.path}", row[2])
            else:
                yield Sample(device, column.path, time, value)


def _point(row: list[str]) -> tuple[float, float] | None:
    if len(row) < 6:
        return None
    lat, lon = number(row[4]), number(row[5])
    if lat is None or lon is None or lat == 0.0 == lon:
        return None
    return (lat, lon) if abs(lat) <= 90.0 and abs(lon) <= 180.0 else None
