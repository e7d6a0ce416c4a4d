"""GeoLife tracks: `.plt`, six lines of header, then one position a line.

Source: GeoLife GPS trajectories 1.3, User Guide: latitude, longitude, 0, altitude in
feet (-777 when not valid), days since 1899-12-30, date, time; times are GMT.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trivet.devices.replay.phone import PHONE_SIGNALS
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import FOOT_IN_M
from trivet.domain.device import DeviceKind
from trivet.domain.sample import LOCATION, Position, Sample

_MAGIC = b"Geolife trajectory"
_HEADER_LINES = 6
#: Days from 1899-12-30 to 1970-01-01.
_EPOCH_DAYS = 25_569.0
#: Feet; -777 and below mean "not known", and nobody flies at a million.
_LOWEST_FEET, _HIGHEST_FEET = -777.0, 1e6


class GeolifeReader(Reader):
    """Reads GeoLife `.plt` tracks."""

    name = "geolife"
    title = "GeoLife track (.plt)"
    kind = DeviceKind.PHONE
    signals = PHONE_SIGNALS[:1]
    ordered = True

    def recognises(self, path: Path, head: bytes) -> bool:
        """By its first line."""
        return head.startswith(_MAGIC)

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield one position a line."""
        device = self.device_of(options)
        for line in source.lines():
            if source.line <= _HEADER_LINES:
                _check_header(source, line)
                continue
            fields = line.split(b",", 5)
            try:
                lat, lon = float(fields[0]), float(fields[1])
                feet, days = float(fields[3]), float(fields[4])
            except (ValueError, IndexError):
                if line.strip():
                    source.skip("not a line of a track", line)
                continue
            altitude_m = (
                feet * FOOT_IN_M if _LOWEST_FEET < feet < _HIGHEST_FEET else None
            )
            # to the millisecond: ten decimals of a day hold no more
            time = round((days - _EPOCH_DAYS) * 86_400.0, 3)
            where = Position(lat, lon, None, altitude_m)
            yield Sample(device, LOCATION, time, where)
        if source.line < _HEADER_LINES:
            raise source.error("cut off in its header")


def _check_header(source: Source, line: bytes) -> None:
    if source.line == 3 and b"feet" not in line.lower():
        raise source.error(f"altitude is not in feet: {line[:40]!r}")
