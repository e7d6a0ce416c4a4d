"""What people said of places: kept in the household's state, obeyed by each mind.

A correction is of a point on Earth, not of an id: each mind numbers places by itself.
So it holds after a restart, and on the device that takes over.

    places/<id>/name, role, lat, lon    what it is called, and what it is
    places/<id>/same_as                 the id of an entry that is the same place
    places/<id>/forgotten               event time before which it is to be forgotten
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from math import isfinite

import msgspec

from trivet.app.place_view import MAX_NAME
from trivet.domain import Place, PlaceRole, UsageError
from trivet.domain.geo import distance_m
from trivet.engine import Anticipator
from trivet.fabric.replica.change import split

#: Corrections that are obeyed; a household that has more is not one.
MOST = 500
#: What cannot be taken back is done to a place whose centre is no further from where
#: that was said; two places are never so near to each other.
SAME_M = 75.0
#: Places further north or south than this are not looked at, in degrees.
_FAR = 0.02


class Correction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people said of one place.

    Attributes:
        id: under which it is kept; what the mind called it that it was made on.
        name: what they call it, empty for what was found.
        role: what it is, None likewise.
        lat: latitude of its centre in degrees, None of a region known by its name.
        lon: longitude likewise.
        same_as: id of the correction of the place that it is one with.
        forgotten: event time before which what was lived there is to be forgotten.
    """

    id: str
    name: str = ""
    role: PlaceRole | None = None
    lat: float | None = None
    lon: float | None = None
    same_as: str = ""
    forgotten: float = 0.0

    def place_in(
        self, places: Mapping[str, Place], reach_m: float | None = None
    ) -> str:
        """Id of the place that it is of, among those that a mind knows; else empty.

        That is the one to which a stay where it was said belongs: a place's centre
        moves with each stay, and what people said of it holds.

        Args:
            places: those that the mind knows.
            reach_m: how far its centre may be; the place's own radius if None.
        """
        if self.lat is None or self.lon is None:
            named = (p.id for p in places.values() if p.lat is None)
            return next((id for id in named if key_of(id) == self.id), "")
        here = self.lat, self.lon
        away = {
            place.id: distance_m(*here, place.lat, place.lon)
            for place in places.values()
            if place.lat is not None
            and place.lon is not None
            and abs(place.lat - self.lat) < _FAR
        }
        nearest = min(away, key=lambda place: away[place], default="")
        if not nearest:
            return ""
        reach_m = places[nearest].radius_m if reach_m is None else reach_m
        return nearest if away[nearest] <= reach_m else ""


def key_of(place: str) -> str:
    """Under which what is said of a place is kept, by its id.

    That is the id, but of a region whose name cannot stand in a path: "Ada/Ben".
    """
    if "/" not in place and _can_stand(place):
        return place
    digest = blake2b(place.encode(errors="replace"), digest_size=12).hexdigest()
    return f"place-{digest}"


def corrections_of(values: Mapping[str, object]) -> tuple[Correction, ...]:
    """What stands under `places/` in the state, by `<id>/<field>`; in order of id.

    What is of another type, as another version may write it, counts as not said, and
    so does what stands under an id that no device of ours could write; a name is cut
    to what a place may be called.
    """
    entries: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        id, _, field = key.partition("/")
        entries.setdefault(id, {})[field] = value
    ids = islice((id for id in sorted(entries) if _can_stand(id)), MOST)
    return tuple(_correction(id, entries[id]) for id in ids)


def _can_stand(id: str) -> bool:
    """Whether what is said under it can be written, and taken off again."""
    try:
        split(f"places/{id}/forgotten")
    except UsageError:
        return False
    return True


def _correction(id: str, of: Mapping[str, object]) -> Correction:
    name, role, same = of.get("name"), of.get("role"), of.get("same_as")
    lat, lon = _number(of.get("lat"), 90.0), _number(of.get("lon"), 180.0)
    roles = {each.value: each for each in PlaceRole}
    return Correction(
        id,
        _name(name) if isinstance(name, str) else "",
        roles.get(role) if isinstance(role, str) else None,
        None if lon is None else lat,
        None if lat is None else lon,
        same if isinstance(same, str) else "",
        _number(of.get("forgotten")) or 0.0,
    )


def _name(text: str) -> str:
    name = " ".join(text.split())[:MAX_NAME]
    return name if name.isprintable() else ""


def _number(value: object, most: float = float("inf")) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and abs(value) <= most else None


class Corrector:
    """Has one mind obey what people said; the same as often as it is asked."""

    def __init__(self) -> None:
        self.wanted: Sequence[Correction] = ()
        self._mind: Anticipator | None = None
        self._seen: object = None
        self._said: dict[str, tuple[str, PlaceRole | None]] = {}

    def said_of(self, place: str) -> tuple[str, PlaceRole | None]:
        """Name and role that people gave a place; empty and None for what is found."""
        return self._said.get(place, ("", None))

    def take(self, corrections: Iterable[Correction]) -> None:
        """From now on these hold, and no others."""
        wanted = tuple(corrections)
        if wanted != self.wanted:
            self.wanted, self._seen = wanted, None

    def of(self, places: Mapping[str, Place], gone: Collection[str]) -> list[str]:
        """Ids of the corrections of some places, as they were known before they went.

        Args:
            places: those that the mind knew.
            gone: ids of those that it knows no longer.
        """
        found = {c.id for c in self.wanted if c.place_in(places) in gone}
        found |= {c.id for c in self.wanted if c.same_as in found}
        return sorted(found)

    def apply(self, mind: Anticipator) -> bool:
        """Whether anything was to be done: new corrections, or new places."""
        if mind is not self._mind:
            self._mind, self._seen, self._said = mind, None, {}
        if mind.places is self._seen or not (self.wanted or self._said):
            return False
        for wanted in self.wanted:
            if wanted.forgotten > 0.0:
                self._forget(mind, wanted)
        for wanted in self.wanted:
            if wanted.same_as:
                self._join(mind, wanted)
        self._say(mind)
        self._seen = mind.places
        return True

    def _forget(self, mind: Anticipator, wanted: Correction) -> None:
        place = wanted.place_in(mind.places, SAME_M)
        if not place:
            return
        there = [stay for stay in mind.stays if stay.place == place]
        before = [stay for stay in there if stay.arrival < wanted.forgotten]
        if len(before) == len(there):
            mind.forget_place(place)
            self._said.pop(place, None)
            return
        if before:  # they went there again: what came since stands
            mind.forget_place(place, wanted.forgotten)

    def _join(self, mind: Anticipator, wanted: Correction) -> None:
        gone = wanted.place_in(mind.places, SAME_M)
        entry = next((c for c in self.wanted if c.id == wanted.same_as), None)
        kept = entry.place_in(mind.places) if entry is not None else ""
        if not gone or not kept or gone == kept:
            return
        if mind.places[gone].lat is not None and mind.places[kept].lat is not None:
            mind.join_places(kept, gone)
            self._said.pop(gone, None)

    def _say(self, mind: Anticipator) -> None:
        """Names and roles; what is said no longer is taken back."""
        said: dict[str, tuple[str, PlaceRole | None]] = {}
        named = [w for w in self.wanted if not w.same_as and (w.name or w.role)]
        for wanted in named:  # two devices may have said it at once, of one place
            place = wanted.place_in(mind.places, SAME_M)
            if place:
                name, role = said.get(place, ("", None))
                said[place] = name or wanted.name, role or wanted.role
        for wanted in named:  # what was said nearest goes before
            place = wanted.place_in(mind.places)
            if place:
                said.setdefault(place, (wanted.name, wanted.role))
        for place in {*said, *self._said} & set(mind.places):
            name, role = said.get(place, ("", None))
            if self.said_of(place) != (name, role):
                mind.name_place(place, name)
                mind.choose_role(place, role)
        self._said = said
