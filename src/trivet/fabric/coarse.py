"""Less exact positions: what a lease gives in place of where exactly one is.

A position is moved to the middle of its cell in a fixed grid. Being the same for
every sample in the cell, it gives nothing away by being averaged, which added noise
would. What would betray the rest, speed, course and altitude, is left out.

Source: spatial cloaking by a fixed grid; Gruteser and Grunwald, MobiSys 2003.
"""

from __future__ import annotations

from math import cos, floor, radians

from trivet.domain.geo import distance_m
from trivet.domain.lease import ZONE_M
from trivet.domain.sample import Position, Sample
from trivet.domain.signal import Signal

#: The car's position, which VSS gives in parts.
_CAR = "Vehicle.CurrentLocation."
#: As far from home one is at home, and near home.
HOME_M, NEAR_HOME_M = 150.0, 2_000.0
_M_PER_DEG = 111_320.0


def tells_position(signal: Signal) -> bool:
    """Whether a signal says where somebody is."""
    return signal.datatype == "position" or signal.path.startswith(_CAR)


def is_positional(sample: Sample) -> bool:
    """Whether a sample says where somebody is."""
    return isinstance(sample.value, Position) or sample.path.startswith(_CAR)


def coarsen(
    sample: Sample, exact_m: int, home: tuple[float, float] | None
) -> Sample | None:
    """The sample with its position no more exact than `exact_m`.

    Args:
        sample: of any signal; one that tells no position is handed back.
        exact_m: side of the grid's cell in metres, 0 for as measured, ZONE_M for one
            of the words home, near home, away.
        home: (lat, lon) of the home in degrees, None if it is not known.

    Returns:
        None for what a coarse position cannot say at all: half a coordinate as a word,
        a heading.
    """
    if not exact_m or not is_positional(sample):
        return sample
    value = sample.value
    if isinstance(value, Position):
        if exact_m >= ZONE_M:
            return _with(sample, _zone(value, home))
        return _with(sample, _cell(value, exact_m))
    part = sample.path.removeprefix(_CAR)
    if exact_m < ZONE_M and isinstance(value, int | float):
        if part == "Latitude":
            return _with(sample, _snap(float(value), exact_m / _M_PER_DEG))
        if part == "Longitude":
            # it comes without its latitude: wide enough up to 70 degrees north
            return _with(sample, _snap(float(value), 3 * exact_m / _M_PER_DEG))
    return None


def _with(sample: Sample, value: Position | str | float) -> Sample:
    return Sample(sample.device, sample.path, sample.time, value, sample.quality)


def _zone(position: Position, home: tuple[float, float] | None) -> str:
    if home is None:
        return "away"
    away_m = distance_m(position.lat, position.lon, *home)
    if away_m <= HOME_M:
        return "home"
    return "near home" if away_m <= NEAR_HOME_M else "away"


def _cell(position: Position, exact_m: int) -> Position:
    step = exact_m / _M_PER_DEG
    lat = max(-90.0, min(90.0, _snap(position.lat, step)))
    # every position of a row of cells has the row's width
    narrow = max(0.01, cos(radians(lat)))
    lon = max(-180.0, min(180.0, _snap(position.lon, step / narrow)))
    accuracy_m = max(float(exact_m), position.accuracy_m or 0.0)
    return Position(lat, lon, accuracy_m)


def _snap(degrees: float, step: float) -> float:
    """The middle of the step that holds `degrees`."""
    return (floor(degrees / step) + 0.5) * step
