"""The goal: where the person will be and when, on a trip or just arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Candidate, Forecast, Reason
from trivet.domain.place import PlaceRole
from trivet.engine.explain import interval_text, percent
from trivet.engine.situation import Situation

#: Candidates named in the reason of a goal that stands for several.
MAX_NAMED = 3
#: A thing on the map where the person never stayed counts from this probability on.
LEAST_NEW = 0.1
#: After the latest arrival that is likely, a trip has gone elsewhere.
LATE_S = 600.0


class Goal(msgspec.Struct, frozen=True):
    """Where the person will be, and when.

    Attributes:
        lat: latitude in degrees.
        lon: longitude in degrees.
        label: what to call it.
        role: what the place is to the person.
        probability: that they get there, or to another place of the same kind.
        alone: that they get to this one.
        arrival: event time of getting there, or of having come.
        expires: event time after which it says nothing any more.
        reason: why, in words.
    """

    lat: float
    lon: float
    label: str
    role: PlaceRole
    probability: float
    alone: float
    arrival: float
    expires: float
    reason: Reason


def find_goal(
    situation: Situation, kinds: Collection[str], near_m: float, arrived_s: float
) -> Goal | None:
    """The likeliest goal; candidates near one of `kinds` on the map count together.

    Who drives to dinner may be as likely to end at either of three restaurants: each
    is unlikely, that it will be a restaurant is not. Home and work stand for
    themselves. What is likely of the map counts, though they never stayed there: a mall
    that is new to them.

    Args:
        situation: on a trip or not.
        kinds: what of the map makes candidates alike.
        near_m: how near it must be, in metres.
        arrived_s: how long one who just came counts as arriving, in seconds.
    """
    forecast = situation.forecast
    if forecast is None:
        return _goal_here(situation, arrived_s)
    located = [
        candidate
        for candidate in (*forecast.candidates, *_new(forecast))
        if candidate.lat is not None
        and candidate.lon is not None
        and (candidate.arrival or forecast.arrival) is not None
    ]
    alike = [c for c in located if _is_near(situation, c, kinds, near_m)]
    groups = [[c] for c in located if c not in alike] + ([alike] if alike else [])
    best = max(groups, key=lambda g: sum(c.probability for c in g), default=None)
    return None if best is None else _goal_ahead(situation, best)


def _new(forecast: Forecast) -> Iterator[Candidate]:
    """What of the map somewhere new is likely to be, as candidates."""
    for candidate in forecast.candidates:
        for found in candidate.prospects:
            if found.probability >= LEAST_NEW:
                yield Candidate(
                    "",
                    found.label,
                    found.probability,
                    found.lat,
                    found.lon,
                    candidate.arrival,
                )


def _goal_ahead(situation: Situation, group: Sequence[Candidate]) -> Goal | None:
    ranked = sorted(group, key=lambda candidate: -candidate.probability)
    first = ranked[0]
    forecast = situation.forecast
    arrival = first.arrival or (None if forecast is None else forecast.arrival)
    if arrival is None or first.lat is None or first.lon is None:
        return None
    total = min(1.0, sum(candidate.probability for candidate in ranked))
    names = dict.fromkeys(_called(c.label, c.place) for c in ranked[:MAX_NAMED])
    where = " or ".join(names)
    if len(ranked) > MAX_NAMED:
        where += " or the like"
    when = interval_text(arrival, situation.zone)
    return Goal(
        first.lat,
        first.lon,
        _called(first.label, first.place),
        _role_of(situation, first),
        total,
        first.probability,
        max(arrival.median, situation.time),
        arrival.high + LATE_S,
        Reason(f"{percent(total)} you are heading to {where}, arriving {when}"[:500]),
    )


def _goal_here(situation: Situation, arrived_s: float) -> Goal | None:
    place = situation.places.get(situation.at)
    last = situation.stays[-1] if situation.stays else None
    if place is None or place.lat is None or place.lon is None or last is None:
        return None
    since_s = situation.time - last.arrival
    if last.place != place.id or not 0 <= since_s < arrived_s:
        return None
    at = clock_text(last.arrival, situation.zone)
    return Goal(
        place.lat,
        place.lon,
        _called(place.label, place.id),
        place.role,
        1.0,
        1.0,
        last.arrival,
        last.arrival + arrived_s,
        Reason(f"You came to {_called(place.label, place.id)} at {at}"),
    )


def _called(label: str, place_id: str) -> str:
    """What to call a place; nobody knows one by its id."""
    is_role = label in (PlaceRole.HOME, PlaceRole.WORK)
    return "a place you go to" if label == place_id and not is_role else label


def _is_near(
    situation: Situation, candidate: Candidate, kinds: Collection[str], near_m: float
) -> bool:
    if candidate.lat is None or candidate.lon is None or situation.atlas is None:
        return False
    if _role_of(situation, candidate) is not PlaceRole.OTHER:
        return False
    return bool(situation.atlas.near(candidate.lat, candidate.lon, near_m, kinds, 1))


def _role_of(situation: Situation, candidate: Candidate) -> PlaceRole:
    place = situation.places.get(candidate.place)
    return PlaceRole.OTHER if place is None else place.role
