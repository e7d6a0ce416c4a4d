"""Places as people see them, and what they say of them, put into the state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from trivet.app.correction import MOST, SAME_M, Correction, key_of
from trivet.app.mind import Mind
from trivet.app.place_view import MAX_NAME, CorrectPlace, Doing, PlaceRow
from trivet.domain import Place, PlaceRole, UsageError
from trivet.fabric.replica import Put

#: Digits of a degree that are kept of where a place is: some ten metres.
_DIGITS = 4


def rows_of(mind: Mind) -> tuple[PlaceRow, ...]:
    """The places that a mind knows, most visited first."""
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for stay in mind.anticipator.stays:
        first.setdefault(stay.place, stay.arrival)
        last[stay.place] = stay.arrival
    places, said_of = mind.anticipator.places, mind.corrector.said_of
    rows = [
        PlaceRow(
            place.id,
            place.label,
            place.role,
            place.visits,
            first.get(place.id, 0.0),
            last.get(place.id, 0.0),
            place.lat,
            place.lon,
            bool(said_of(place.id)[0]),
            said_of(place.id)[1] is not None,
        )
        for place in mind.namer.places(places).values()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.visits, row.id)))


def find_place(mind: Mind, word: str) -> Place:
    """The place that a person means: by its id, or by what it is called.

    Raises:
        UsageError: none is meant, or several are.
    """
    places = mind.namer.places(mind.anticipator.places)
    if word in places:
        return places[word]
    named = [p for p in places.values() if p.label.casefold() == word.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(place.id for place in named))
        raise UsageError(f"{word!r} are several places", hint=f"name one of: {ids}")
    raise UsageError(f"no place {word!r} is known", hint="trivet place list")


class Placing:
    """Puts what is said of places into the state.

    Args:
        mind: whose places they are.
        write: writes changes; they are on the disk when it returns.
    """

    def __init__(self, mind: Mind, write: Callable[..., Awaitable[None]]) -> None:
        self._mind = mind
        self._write = write

    async def correct(self, word: CorrectPlace, time: float) -> str:
        """Do what is said of a place at an event time; what was done, in words.

        Raises:
            UsageError: it is not known, or that cannot be said of it.
            RefusedError: this device may not write the state.
            SetupError: it cannot be kept.
        """
        place = find_place(self._mind, word.place)
        if word.doing is Doing.NAME:
            fields, said = self._named(place, word.value)
        elif word.doing is Doing.ROLE:
            fields, said = self._played(place, word.value)
        elif word.doing is Doing.JOIN:
            return await self._join(place, find_place(self._mind, word.value))
        else:
            return await self._forget(place, time)
        key, twins = self._key(place), self._mind.corrector.wanted
        taken_back = [
            Put(f"places/{each.id}/{field}", "")
            for each in twins
            for field in fields
            if self._is_twin(each, place, key) and getattr(each, field)
        ]
        await self._write(*self._puts(place, fields), *taken_back)
        return said

    def _named(self, place: Place, name: str) -> tuple[dict[str, str | float], str]:
        name = " ".join(name.split())
        if len(name) > MAX_NAME or not name.isprintable():
            raise UsageError(
                f"{name[:MAX_NAME]!r} cannot be the name of a place",
                hint=f"at most {MAX_NAME} letters",
            )
        said = f"{place.label} is {name}" if name else "It is called as it was found"
        return {"name": name}, said

    def _played(self, place: Place, role: str) -> tuple[dict[str, str | float], str]:
        if role and role not in {each.value for each in PlaceRole}:
            raise UsageError(
                f"a place cannot be {role!r}", hint="home, work, other, or found"
            )
        if not role:
            return {"role": ""}, f"{place.label} is what was found"
        word = "neither home nor work" if role == PlaceRole.OTHER else role
        return {"role": role}, f"{place.label} is {word}"

    async def _join(self, place: Place, kept: Place) -> str:
        if place.id == kept.id:
            raise UsageError(f"{place.label} is one place already")
        if place.lat is None or kept.lat is None:
            raise UsageError(
                f"{place.label} and {kept.label} cannot be made one",
                hint="name two places that have a position",
            )
        puts = self._puts(kept, {})
        one: dict[str, str | float] = {"same_as": self._key(kept)}
        await self._write(*puts, *self._puts(place, {**one, "name": "", "role": ""}))
        return f"{place.label} is the same place as {kept.label}"

    async def _forget(self, place: Place, time: float) -> str:
        gone: dict[str, str | float] = {"forgotten": time, "name": "", "role": ""}
        puts, key = self._puts(place, dict(gone)), self._key(place)
        for each in self._mind.corrector.wanted:
            if each.same_as == key or self._is_twin(each, place, key):
                puts += [Put(f"places/{each.id}/{f}", v) for f, v in gone.items()]
        await self._write(*puts)
        return f"{place.label} is forgotten"

    def _puts(self, place: Place, fields: dict[str, str | float]) -> list[Put]:
        key = self._key(place)
        if place.lat is not None and place.lon is not None:
            fields["lat"] = round(place.lat, _DIGITS)
            fields["lon"] = round(place.lon, _DIGITS)
        return [Put(f"places/{key}/{field}", v) for field, v in fields.items()]

    def _is_twin(self, each: Correction, place: Place, key: str) -> bool:
        """Whether it is another entry of the place: two devices spoke of it at once."""
        found = each.place_in(self._mind.anticipator.places, SAME_M)
        return each.id != key and not each.same_as and found == place.id

    def _key(self, place: Place) -> str:
        """Under which its corrections are kept: the same wherever they are made."""
        known: Sequence[Correction] = self._mind.corrector.wanted
        places = self._mind.anticipator.places
        for reach_m in (SAME_M, None):  # what was said nearest goes before
            for each in known:
                is_bound = each.same_as or (each.forgotten and reach_m is None)
                if not is_bound and each.place_in(places, reach_m) == place.id:
                    return each.id
        if len(known) >= MOST:
            raise UsageError(
                f"{MOST} places are set right already, and no more can be",
                hint="see them: trivet state show places",
            )
        taken, number, base = {each.id for each in known}, 1, key_of(place.id)
        key = base
        while key in taken:  # another device's mind calls another place so
            number += 1
            key = f"{base}-{number}"
        return key
