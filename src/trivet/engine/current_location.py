"""The car's position out of two signals: VSS gives each half of it by itself.

Source: COVESA VSS 6.0, `Vehicle.CurrentLocation`.
"""

from __future__ import annotations

from math import isfinite

import msgspec

from trivet.domain.sample import LOCATION, Position, Quality, Sample

LATITUDE = "Vehicle.CurrentLocation.Latitude"
LONGITUDE = "Vehicle.CurrentLocation.Longitude"
PATHS = (LATITUDE, LONGITUDE)
#: Halves further apart in time than this are not of one position.
_SAME_S = 2.0
#: A value that was not said again is taken to hold for this long: going due north, the
#: longitude stays as it is.
_HOLDS_S = 60.0


class CurrentLocation(msgspec.Struct):
    """Joins the two; what waits for its other half is kept.

    Attributes:
        known: newest time and value of each path.
        waits: the path whose newest value has no other half yet, empty for none.
    """

    known: dict[str, tuple[float, float]] = {}
    waits: str = ""

    def join(self, sample: Sample) -> Sample | None:
        """The position that is whole by a sample of one of PATHS, as `location`.

        It is told at the time of its newer half; None while a half is missing.
        """
        value = sample.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if sample.quality is Quality.BAD or not isfinite(sample.time):
            return None
        path, time = sample.path, sample.time
        before = self.known.get(path)
        if before is not None and time <= before[0]:
            return None
        other = PATHS[path == LATITUDE]
        if self.waits == other and abs(self.known[other][0] - time) <= _SAME_S:
            self.known[path], self.waits = (time, value), ""
            return self._told(sample.device)
        # one half was said, the other was not: then the other is as it was
        alone = self._told(sample.device) if self.waits else None
        self.known[path], self.waits = (time, value), path
        return alone

    def _told(self, device: str) -> Sample | None:
        lat, lon = (self.known.get(path) for path in PATHS)
        if lat is None or lon is None or abs(lat[0] - lon[0]) > _HOLDS_S:
            return None
        if not (abs(lat[1]) <= 90.0 and abs(lon[1]) <= 180.0):
            return None
        time = max(lat[0], lon[0])
        return Sample(device, LOCATION, time, Position(lat[1], lon[1]))
