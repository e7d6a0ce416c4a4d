"""The plan of a day: what truly happens, for tests and measurements to compare with."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from trivet.devices.world.road import Mode
from trivet.domain.sample import EventTime


class DayKind(StrEnum):
    """What sort of day it is for Ada."""

    WORK = "work"
    HOME_OFFICE = "home office"
    WEEKEND = "weekend"
    SICK = "sick"
    HOLIDAY_OUT = "holiday out"
    HOLIDAY = "holiday"
    HOLIDAY_BACK = "holiday back"


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of event time."""

    start: EventTime
    end: EventTime


class Episode(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ada's stay at one place.

    Attributes:
        place: id of the place (see `World.places`).
        name: what people call it.
        arrival: event time of coming; the day's start when she woke there.
        departure: event time of leaving; the day's end when she sleeps there.
        mode: how she came.
        reason: why she is there.
        with_family: whether Ben and Cleo are with her.
        forgotten: home entities left open, on or unlocked when she left from here.
    """

    place: str
    name: str
    arrival: EventTime
    departure: EventTime
    mode: Mode
    reason: str
    with_family: bool = False
    forgotten: tuple[str, ...] = ()


class DayPlan(msgspec.Struct, frozen=True):
    """One local day of the household.

    Attributes:
        day: the date.
        kind: work, weekend, sick, ...
        episodes: Ada's stays, in order; the gaps between them are her ways.
        wake: event time at which Ada gets up.
        sleep: event time at which she goes to bed.
        empty: spans in which nobody is at home.
        has_guest: whether a guest stays overnight or visits.
    """

    day: date
    kind: DayKind
    episodes: tuple[Episode, ...]
    wake: EventTime
    sleep: EventTime
    empty: tuple[Span, ...]
    has_guest: bool
