"""A sample: one value of one signal of one device at one event time."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

#: Event time in seconds since 1970-01-01 UTC, between the years 1970 and 2200.
EventTime: TypeAlias = Annotated[float, Meta(ge=0.0, le=7_258_118_400.0)]
#: A device's id within its household: lower case letters, digits and hyphens.
DeviceId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
#: A signal's path on its device, dotted: `Vehicle.Speed`, `lock.front_door`.
SignalPath: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z", max_length=200)
]


class Quality(IntEnum):
    """How far a value is to be trusted."""

    GOOD = 0
    #: inferred, interpolated or simulated in place of a reading
    ESTIMATED = 1
    #: older than its source promises
    STALE = 2
    #: the source itself calls it wrong
    BAD = 3


class Position(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A place on Earth, WGS 84, with OwnTracks' fields in SI units.

    Source: OwnTracks booklet, `docs/tech/json.md`, `_type=location`.

    Attributes:
        lat: latitude in degrees, -90 to 90.
        lon: longitude in degrees, -180 to 180.
        accuracy_m: radius that holds the truth, as the phone says (`acc`).
        altitude_m: above sea level (`alt`).
        speed_mps: over ground (`vel`, which OwnTracks gives in km/h).
        course_deg: direction of travel, 0 is north, clockwise (`cog`).
    """

    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    accuracy_m: Annotated[float, Meta(ge=0.0)] | None = None
    altitude_m: float | None = None
    speed_mps: Annotated[float, Meta(ge=0.0)] | None = None
    course_deg: Annotated[float, Meta(ge=0.0, le=360.0)] | None = None


#: What a signal can hold. Numbers are finite: the wire refuses NaN and infinities.
Value: TypeAlias = bool | int | float | Annotated[str, Meta(max_length=1024)] | Position


class Sample(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="sample"):
    """One value of a signal.

    Attributes:
        device: id of the device that owns the signal.
        path: the signal's path on that device.
        time: event time, when the value was true (not when it was received).
        value: a bool, number, text or Position, in the signal's own unit.
        quality: how far to trust it.
    """

    device: DeviceId
    path: SignalPath
    time: EventTime
    value: Value
    quality: Quality = Quality.GOOD


#: Path of a phone's position (OwnTracks `_type=location`).
LOCATION = "location"
#: Paths of a device entering or leaving a named region (OwnTracks `_type=transition`):
#: the value is the region's name (`desc`).
TRANSITION_ENTER = "transition.enter"
TRANSITION_LEAVE = "transition.leave"
#: Path of a phone's charge in percent (OwnTracks `batt`).
BATTERY = "batt"
