"""The situation: all that a skill may look at, for one person at one event time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Protocol

import msgspec

from trivet.domain.appointment import Appointment
from trivet.domain.forecast import Forecast
from trivet.domain.place import Place, PlaceRole, PointOfInterest, Stay, Trip
from trivet.domain.sample import Sample
from trivet.domain.suggestion import Need
from trivet.engine.context import Context


class Atlas(Protocol):
    """The offline map as the engine sees it."""

    @property
    def attribution(self) -> str:
        """Whom to name wherever its data is shown."""
        ...

    def near(
        self,
        lat: float,
        lon: float,
        radius_m: float,
        kinds: Collection[str] = (),
        limit: int = 50,
    ) -> list[PointOfInterest]:
        """Points of interest within `radius_m`, nearest first; no kinds means all."""
        ...

    def search(self, name: str, limit: int = 20) -> list[PointOfInterest]:
        """Points whose names have words that begin with the words of `name`."""
        ...


class Situation(msgspec.Struct, frozen=True):
    """What is known of one person at one event time.

    Attributes:
        time: event time now.
        zone: the local time zone where the person is.
        person: whose situation it is.
        phone: id of the person's phone.
        car: id of the household's car, empty when there is none.
        home: id of the home device, empty when there is none.
        context: latest samples of all signals.
        forecast: of the running trip, None when the person is not on one.
        at: id of the place where the person is staying, empty on a trip.
        places: by id.
        stays: the person's past stays, oldest first.
        atlas: the offline map, None when none was imported.
        trips: the person's past trips, oldest first.
        appointments: of the person's calendar, what goes on now and begins in the next
            day or two, by its start.
        lists: what the household wrote down and not yet ticked off, by the list's name.
        changes: what people switched at home in past weeks, oldest first, as
            `engine.chronicle` keeps it.
        soon: chance that somebody is at home, for each quarter of an hour from now on,
            as the home's routine foretells; empty when it tells nothing, and while
            somebody is in.
    """

    time: float
    zone: tzinfo
    person: str
    phone: str
    car: str
    home: str
    context: Context
    forecast: Forecast | None
    at: str
    places: Mapping[str, Place]
    stays: Sequence[Stay]
    atlas: Atlas | None = None
    trips: Sequence[Trip] = ()
    appointments: Sequence[Appointment] = ()
    lists: Mapping[str, Sequence[str]] = {}
    changes: Sequence[Sample] = ()
    soon: Sequence[float] = ()

    def place_of(self, role: PlaceRole) -> Place | None:
        """The person's most visited place of that role."""
        found = [p for p in self.places.values() if p.role is role]
        return max(found, key=lambda place: place.visits, default=None)


class Skill(Protocol):
    """Turns a situation into needs. Pure: the same situation gives the same needs.

    A skill survives whatever is missing from the situation: it then has no needs.
    """

    @property
    def name(self) -> str:
        """Unique; also the `skill` of its needs."""
        ...

    def needs(self, situation: Situation) -> Iterable[Need]:
        """What the person may want now."""
        ...


def needs_of(
    skills: Iterable[Skill], situation: Situation
) -> tuple[dict[tuple[str, str], Need], dict[str, str]]:
    """Needs of all skills by skill and key, and what failed by the skill's name.

    Of two needs with one key the likelier counts. A third party's skill that fails, or
    has a need that no device could be told of, must not silence the others; the app
    shows it.
    """
    found: dict[tuple[str, str], Need] = {}
    faults: dict[str, str] = {}
    for skill in skills:
        try:
            needs = [_sound(need) for need in skill.needs(situation)]
        except Exception as error:
            faults[skill.name] = f"{type(error).__name__}: {error}"
            continue
        for need in needs:
            known = found.get((need.skill, need.key))
            if known is None or need.probability > known.probability:
                found[need.skill, need.key] = need
    return found, faults


def _sound(need: Need) -> Need:
    """The need as it is, if it keeps the domain's limits: texts, chances, times."""
    msgspec.json.decode(msgspec.json.encode(need), type=Need)
    return need
