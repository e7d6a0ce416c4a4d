"""Homeward: keeps an eye on one person's way home, and foretells it from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

import msgspec

from trivet.domain.forecast import Candidate
from trivet.domain.geo import distance_m
from trivet.domain.place import PlaceRole, Stay
from trivet.engine.event import Event, StayStarted, TripStarted
from trivet.engine.homecoming import (
    CHECK_S,
    HomeForecast,
    HomeState,
    Kind,
    add_check,
    check,
    forecast,
    home_now,
    judge,
)
from trivet.engine.place import PlaceBook
from trivet.engine.times import Times, spread_of, together
from trivet.engine.way_home import Homecomings

#: Destinations that a trip's forecast is followed on from.
MOST_FOLLOWED = 6
#: A trip of which nothing is foretold ends after this long.
_SOON_S = 900.0


class Whereabout(msgspec.Struct, frozen=True):
    """Where the person is.

    Attributes:
        place: id of the place where they stay, empty on a trip and where not known.
        since: event time at which the stay or the trip began.
        ahead: where a running trip may go, likeliest first; empty when there is none.
        point: latitude and longitude in degrees where they were last seen.
    """

    place: str
    since: float
    ahead: tuple[Candidate, ...] = ()
    point: tuple[float, float] | None = None


class Homeward:
    """One person's ways home.

    Args:
        person: who.
        state: what was learned before; written to disk with the rest.
        book: the person's places.
    """

    def __init__(self, person: str, state: HomeState, book: PlaceBook) -> None:
        self.state = state
        self._person = person
        self._book = book
        self._found: tuple[int, frozenset[str]] | None = None
        self._past: Homecomings | None = None
        self._key: tuple[object, ...] = ()

    def predict_one(
        self, time: float, where: Whereabout, stays: Sequence[Stay], zone: tzinfo
    ) -> HomeForecast | None:
        """When they are home; None as long as no home is known."""
        if not self._homes:
            return None
        if where.place in self._homes:
            return home_now(self._person, time)
        return self._foretell(time, where, self._lay_out(stays, zone))[0]

    def is_due(self, time: float, events: Iterable[Event]) -> bool:
        """Judge what was foretold when they are home; whether to `check` anew."""
        for event in events:
            if isinstance(event, StayStarted) and event.place in self._homes:
                judge(self.state, event.arrival)
            elif isinstance(event, TripStarted | StayStarted):
                self.state.next_check = 0.0
        return time >= self.state.next_check

    def check(
        self, time: float, where: Whereabout, stays: Sequence[Stay], zone: tzinfo
    ) -> None:
        """Put a forecast aside if they are out."""
        self.state.next_check = time + CHECK_S
        if not self._homes or where.place in self._homes:
            return
        told = self._foretell(time, where, self._lay_out(stays, zone))
        add_check(self.state, check(*told), len(stays))

    def _foretell(
        self, time: float, where: Whereabout, past: Homecomings
    ) -> tuple[HomeForecast, list[Times], Kind]:
        """The forecast, what it is made of, and where the person is."""
        away_m = self._away_m(where.point)
        kind = past.kind(time, is_trip=bool(where.ahead), away_m=away_m)
        says = [one.in_order() for one in self._says(time, where, past, away_m)]
        return forecast(self._person, time, says, self.state, kind), says, kind

    @property
    def _homes(self) -> frozenset[str]:
        version = self._book.version
        if self._found is None or self._found[0] != version:
            places = self._book.places.values()
            homes = frozenset(p.id for p in places if p.role is PlaceRole.HOME)
            self._found = version, homes
        return self._found[1]

    def _lay_out(self, stays: Sequence[Stay], zone: tzinfo) -> Homecomings:
        last = stays[-1] if stays else None
        key = (len(stays), last and (last.place, last.arrival), self._homes)
        if self._past is None or key != self._key:
            self._past, self._key = Homecomings(stays, self._homes, zone), key
        return self._past

    def _away_m(self, point: tuple[float, float] | None) -> float:
        """How far it is to the nearest home, 0 where that is not known."""
        found = map(self._book.centre, self._homes)
        centres = [centre for centre in found if centre is not None]
        if point is None or not centres:
            return 0.0
        return min(distance_m(*point, *centre) for centre in centres)

    def _says(
        self, time: float, where: Whereabout, past: Homecomings, away_m: float
    ) -> list[Times]:
        """What the trip or the stay says, in two ways, and what the routine says."""
        routine = past.from_routine(where.place, time, away_m)
        if not where.ahead:
            return [*past.from_stay(where.place, where.since, time, away_m), routine]
        parts, elsewhere = list[list[Times]](), list[tuple[str, float, float]]()
        for candidate in where.ahead:
            arrival = candidate.arrival
            if candidate.place in self._homes and arrival is not None:
                parts.append([spread_of(arrival)] * 2)
                continue
            then = time + _SOON_S if arrival is None else arrival.median
            elsewhere.append((candidate.place, then, then))
            parts.append([])
        followed = iter(past.from_stays(elsewhere, away_m) if elsewhere else ())
        ways = [
            [
                times.scaled(candidate.probability + 1e-6)
                for times in part or next(followed)
            ]
            for part, candidate in zip(parts, where.ahead, strict=True)
        ]
        return [*(together(each) for each in zip(*ways, strict=True)), routine]
