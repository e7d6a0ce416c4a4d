"""What every point of the map must keep to, and the words that it is found by.

Source: OpenStreetMap wiki, "Any tags you like": a value has at most 255 characters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.place import PointOfInterest

#: Longest text kept of a source, OpenStreetMap's own limit.
MAX_TEXT = 255
#: More seats than this are a slip of the pen.
MAX_CAPACITY = 1_000_000
#: Kind of a named place of which its source does not say what it is.
UNKNOWN_KIND = "unknown"

_ASCII_WORD = re.compile("[a-z0-9]+")

#: Whom to name wherever OpenStreetMap's data is shown.
OSM_ATTRIBUTION = "© OpenStreetMap contributors (ODbL 1.0)"
#: The same for points that somebody made up.
SIMULATED_ATTRIBUTION = "simulated places, not a real map"


class Extent(msgspec.Struct, frozen=True):
    """The least and greatest latitude and longitude of some points, in degrees.

    Points on both sides of the antimeridian give -180 to 180.
    """

    south: float
    west: float
    north: float
    east: float


class Source(msgspec.Struct, frozen=True):
    """One import of the index.

    Attributes:
        name: the file's name, or what a set of points was called.
        time: event time of the data: the extract's own date, else its file's.
        attribution: whom to name wherever its points are shown.
        count: points that the index holds of it.
        extent: of its points, None when there are none.
    """

    name: str
    time: float
    attribution: str
    count: Annotated[int, Meta(ge=0)]
    extent: Extent | None


class Skip(msgspec.Struct, frozen=True):
    """Something in a source that became no point.

    Attributes:
        reason: the same words for the same reason: "no name".
        id: the thing's own, empty when it has none.
        line: 1-based line of the file, 0 where there are none.
    """

    reason: str
    id: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.reason}: {f'line {self.line}' if self.line else self.id}"


def clean(text: str) -> str:
    """One line of text without control characters, cut at `MAX_TEXT`."""
    if not text.isprintable():
        text = "".join(
            " " if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} else char
            for char in text
        )
    return " ".join(text.split())[:MAX_TEXT].rstrip()


def seats(text: str) -> int:
    """The number in a `capacity` tag, 0 where there is none."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9):
        return 0
    return min(int(digits), MAX_CAPACITY)


def coordinate_fault(lat: float, lon: float) -> str:
    """What is wrong with a coordinate in degrees; empty when nothing is."""
    # written so that NaN fails too
    if not -90.0 <= lat <= 90.0:
        return f"latitude {lat} is not within -90 to 90"
    if not -180.0 <= lon <= 180.0:
        return f"longitude {lon} is not within -180 to 180"
    return ""


def point_fault(point: PointOfInterest) -> str:
    """What keeps `point` off the map; empty when nothing does."""
    if not point.id or clean(point.id) != point.id:
        return f"id {point.id!r} is not one line of 1 to {MAX_TEXT} characters"
    if not clean(point.name):
        return f"{point.id} has no name"
    if not point.kind or clean(point.kind) != point.kind:
        return f"{point.id} has the kind {point.kind!r}, which is no word"
    fault = coordinate_fault(point.lat, point.lon)
    return f"{point.id}: {fault}" if fault else ""


def words(name: str) -> list[str]:
    """The words of a name as they are compared: no case, no accents, no apostrophes."""
    if name.isascii():
        return _ASCII_WORD.findall(name.lower().replace("'", ""))
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = [
        char
        for char in unicodedata.normalize("NFKD", folded)
        if unicodedata.category(char) != "Mn" and char not in "'’"
    ]
    return "".join(char if char.isalnum() else " " for char in plain).split()
