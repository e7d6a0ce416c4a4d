"""Appointments: where a person means to be, and when."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.sample import EventTime


class Appointment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a person's calendar; of a series, one instance.

    Source: RFC 5545, "Internet Calendaring and Scheduling Core Object Specification".

    Attributes:
        id: the entry's own; with `start` it is unique.
        title: what it is about (`SUMMARY`).
        start: event time at which it begins; of a whole day, its local midnight.
        end: event time at which it is over, not part of it.
        location: where, in the person's words (`LOCATION`), empty when not said.
        lat: latitude in degrees (`GEO`), None when not said.
        lon: longitude likewise.
        is_all_day: it has days and no hours.
    """

    id: str
    title: Annotated[str, Meta(max_length=200)]
    start: EventTime
    end: EventTime
    location: Annotated[str, Meta(max_length=500)] = ""
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)] | None = None
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)] | None = None
    is_all_day: bool = False
