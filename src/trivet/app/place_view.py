"""Places as people see them in a list, and the word that sets one right."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.place import PlaceRole

#: Longest name of a place.
MAX_NAME = 80


class Doing(StrEnum):
    """What is said of a place."""

    NAME = "name"
    ROLE = "role"
    JOIN = "join"
    FORGET = "forget"


class CorrectPlace(msgspec.Struct, frozen=True, tag="place-correct", tag_field="verb"):
    """Say something of a place.

    Attributes:
        place: its id, or what it is called.
        doing: what is said.
        value: the name, empty for what was found; the role likewise; or the id or name
            of the place that it is one with.
    """

    place: Annotated[str, Meta(max_length=200)]
    doing: Doing
    value: Annotated[str, Meta(max_length=200)] = ""


class PlaceRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in a list.

    Attributes:
        id: by the mind that was asked.
        label: what to call it.
        role: home, work or other.
        visits: how often the person has stayed there.
        first: event time of the first stay that is remembered, 0 if none is.
        last: likewise of the newest.
        lat: latitude of its centre in degrees, None where it has none.
        lon: longitude likewise.
        is_named: whether somebody named it.
        is_chosen: whether somebody said what it is.
    """

    id: str
    label: str
    role: PlaceRole
    visits: int
    first: float = 0.0
    last: float = 0.0
    lat: float | None = None
    lon: float | None = None
    is_named: bool = False
    is_chosen: bool = False
