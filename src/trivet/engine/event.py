"""What the engine tells when it has become sure: trips and stays begin and end."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from trivet.domain.place import Stay, Trip


class TripStarted(msgspec.Struct, frozen=True, tag="trip_started"):
    """A person is on the way.

    Attributes:
        person: who.
        time: event time at which it became sure.
        departure: event time at which the trip began.
        origin: id of the place it began at, empty when unknown.
    """

    person: str
    time: float
    departure: float
    origin: str


class TripEnded(msgspec.Struct, frozen=True, tag="trip_ended"):
    """A trip is over.

    Attributes:
        person: who.
        time: event time at which it became sure.
        trip: what it was; its destination is empty when nobody knows how it ended.
        lat: latitude in degrees of where it ended, None without positions.
        lon: longitude likewise.
        is_new: the destination had never been stayed at before.
    """

    person: str
    time: float
    trip: Trip
    lat: float | None = None
    lon: float | None = None
    is_new: bool = False


class StayStarted(msgspec.Struct, frozen=True, tag="stay_started"):
    """A person has been somewhere long enough to be staying there since `arrival`."""

    person: str
    time: float
    place: str
    arrival: float


class StayEnded(msgspec.Struct, frozen=True, tag="stay_ended"):
    """A person has left; `time` is when it became sure."""

    person: str
    time: float
    stay: Stay


Event: TypeAlias = TripStarted | TripEnded | StayStarted | StayEnded
