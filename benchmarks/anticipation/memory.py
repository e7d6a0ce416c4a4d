"""What the baselines remember and see: the same trips, places and fixes as trivet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import Place, TracePoint

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Metres along a trip at which traces are compared: ever sparser, to some 100 km.
MARKS_M = np.concatenate([np.arange(0.0, 1500.0, 150.0), 1500.0 * 1.1 ** np.arange(45)])


class Drive(msgspec.Struct, frozen=True):
    """What is known of a running trip at one moment.

    Attributes:
        origin: number of the place it began at, -1 when unknown.
        before: number of the place before that, likewise.
        departure: event time.
        hour: local hour of the departure, 0 to below 24.
        weekend: whether that was a Saturday or Sunday.
        time: event time now.
        trace: positions so far; none until the departure is sure.
        length_m: driven so far.
        lat: in degrees, of each place by its number; NaN where there is none.
        lon: likewise.
    """

    origin: int
    before: int
    departure: float
    hour: float
    weekend: bool
    time: float
    trace: Sequence[TracePoint]
    length_m: float
    lat: Floats
    lon: Floats

    @property
    def elapsed_s(self) -> float:
        return max(0.0, self.time - self.departure)

    @property
    def here(self) -> tuple[float, float]:
        """Latitude and longitude of the newest position, else of the origin."""
        if self.trace:
            return self.trace[-1].lat, self.trace[-1].lon
        if self.origin >= 0:
            return float(self.lat[self.origin]), float(self.lon[self.origin])
        return float("nan"), float("nan")


class Memory:
    """Past trips as columns, and a number for each place."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.count = 0
        self._ints = np.zeros((3, 64), dtype=np.int64)
        self._floats = np.zeros((6, 64))
        self._trails = np.zeros((64, len(MARKS_M), 2), dtype=np.float32)
        self._centres: dict[str, tuple[float, float]] = {}

    @property
    def origin(self) -> Ints:
        return self._ints[0, : self.count]

    @property
    def before(self) -> Ints:
        return self._ints[1, : self.count]

    @property
    def destination(self) -> Ints:
        return self._ints[2, : self.count]

    @property
    def departure(self) -> Floats:
        return self._floats[0, : self.count]

    @property
    def duration_s(self) -> Floats:
        return self._floats[1, : self.count]

    @property
    def hour(self) -> Floats:
        return self._floats[2, : self.count]

    @property
    def weekend(self) -> Floats:
        return self._floats[3, : self.count]

    @property
    def length_m(self) -> Floats:
        return self._floats[4, : self.count]

    @property
    def straight_m(self) -> Floats:
        """From a trip's first point to its last."""
        return self._floats[5, : self.count]

    @property
    def trails(self) -> NDArray[np.float32]:
        """Of each trip, latitude and longitude at `MARKS_M`; after its end, its end."""
        return self._trails[: self.count]

    def number(self, place: str) -> int:
        """The number of a place, -1 of none."""
        if not place:
            return -1
        return self.numbers.setdefault(place, len(self.numbers))

    def look(self, places: Mapping[str, Place]) -> tuple[Floats, Floats]:
        """Take up the places as they are now; give their centres by number.

        A place that has gone is one with the nearest of those that are left.
        """
        centres = {
            place.id: (place.lat, place.lon)
            for place in places.values()
            if place.lat is not None and place.lon is not None
        }
        for place in centres:
            self.number(place)
        lat, lon = np.full((2, len(self.numbers)), np.nan)
        for place, centre in centres.items():
            lat[self.numbers[place]], lon[self.numbers[place]] = centre
        for gone in self._centres.keys() - centres.keys():
            self._join(gone, lat, lon)
        self._centres = centres
        return lat, lon

    def _join(self, gone: str, lat: Floats, lon: Floats) -> None:
        old_lat, old_lon = self._centres[gone]
        if np.isnan(lat).all():
            return
        away = np.hypot(lat - old_lat, (lon - old_lon) * np.cos(np.radians(old_lat)))
        old, new = self.numbers[gone], int(np.nanargmin(away))
        self._ints[:, : self.count][self._ints[:, : self.count] == old] = new

    def learn(self, drive: Drive, destination: int, arrival: float) -> None:
        """Remember a trip; its drive is that of the arrival."""
        if self.count == self._ints.shape[1]:
            self._ints = np.concatenate([self._ints, self._ints], axis=1)
            self._floats = np.concatenate([self._floats, self._floats], axis=1)
            self._trails = np.concatenate([self._trails, self._trails])
        row = self.count
        self._ints[:, row] = drive.origin, drive.before, destination
        straight_m = 0.0
        if drive.trace:
            self._trails[row] = resample(drive.trace, MARKS_M)
            first, last = drive.trace[0], drive.trace[-1]
            scale = np.cos(np.radians(first.lat))
            straight_m = DEGREE_M * float(
                np.hypot(last.lat - first.lat, (last.lon - first.lon) * scale)
            )
        else:
            self._trails[row] = np.nan
        self._floats[:, row] = (
            drive.departure,
            arrival - drive.departure,
            drive.hour,
            drive.weekend,
            drive.length_m,
            straight_m,
        )
        self.count += 1


def resample(trace: Sequence[TracePoint], marks_m: Floats) -> Floats:
    """Latitude and longitude in degrees at so many metres along; at last, the end."""
    lat = np.array([point.lat for point in trace])
    lon = np.array([point.lon for point in trace])
    scale = np.cos(np.radians(lat[0]))
    steps = DEGREE_M * np.hypot(np.diff(lat), np.diff(lon) * scale)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return np.stack([np.interp(marks_m, along, lat), np.interp(marks_m, along, lon)], 1)
