"""Homeward: keeps an eye on one person's way home, and foretells it from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

import msgspec

from trivet.domain.forecast import Forecast
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
_MOST_CANDIDATES = 6
#: A trip of which nothing is foretold ends after this long.
_SOON_S = 900.0


class Whereabout(msgspec.Struct, frozen=True):
    """Where the person is.

    Attributes:
        place: id of the place where they stay, empty on a trip and where not known.
        since: event time at which the stay or the trip began.
        trip: the forecast of the running trip, None when there is none.
        point: latitude and longitude in degrees where they were last seen.
    """

    place: str
    since: float
    trip: Forecast | None = None
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
        self._past: Homecomings | None = None
        self._key: tuple[object, ...] = ()

    def predict_one(
        self, time: float, where: Whereabout, stays: Sequence[Stay], zone: tzinfo
    ) -> HomeForecast | None:
        """When they are home; None as long as no home is known."""
        homes = self._homes()
        if not homes:
            return None
        if where.place in homes:
            return home_now(self._person, time)
        return self._foretell(time, where, self._lay_out(stays, zone))[0]

    def learn_one(
        self,
        time: float,
        events: Iterable[Event],
        where: Whereabout,
        stays: Sequence[Stay],
        zone: tzinfo,
    ) -> None:
        """Judge what was foretold when they are home; put forecasts aside when not."""
        homes = self._homes()
        for event in events:
            if isinstance(event, StayStarted) and event.place in homes:
                judge(self.state, event.arrival)
            elif isinstance(event, TripStarted | StayStarted):
                self.state.next_check = 0.0
        if time < self.state.next_check:
            return
        self.state.next_check = time + CHECK_S
        if not homes or where.place in homes:
            return
        told = self._foretell(time, where, self._lay_out(stays, zone))
        add_check(self.state, check(*told), len(stays))

    def _foretell(
        self, time: float, where: Whereabout, past: Homecomings
    ) -> tuple[HomeForecast, list[Times], Kind]:
        """The forecast, what it is made of, and where the person is."""
        away_m = self._away_m(where.point, self._homes())
        kind = past.kind(time, is_trip=where.trip is not None, away_m=away_m)
        says = self._says(time, where, past, away_m)
        return forecast(self._person, time, says, self.state, kind), says, kind

    def _homes(self) -> frozenset[str]:
        places = self._book.places.values()
        return frozenset(p.id for p in places if p.role is PlaceRole.HOME)

    def _lay_out(self, stays: Sequence[Stay], zone: tzinfo) -> Homecomings:
        last = stays[-1] if stays else None
        homes = self._homes()
        key = (len(stays), last and (last.place, last.arrival), homes)
        if self._past is None or key != self._key:
            self._past, self._key = Homecomings(stays, homes, zone), key
        return self._past

    def _away_m(
        self, point: tuple[float, float] | None, homes: frozenset[str]
    ) -> float:
        """How far it is to the nearest home, 0 where that is not known."""
        centres = [centre for home in homes if (centre := self._book.centre(home))]
        if point is None or not centres:
            return 0.0
        return min(distance_m(*point, *centre) for centre in centres)

    def _says(
        self, time: float, where: Whereabout, past: Homecomings, away_m: float
    ) -> list[Times]:
        """What the trip or the stay says, in two ways, and what the routine says."""
        routine = past.from_routine(where.place, time, away_m)
        if where.trip is None:
            return [*past.from_stay(where.place, where.since, time, away_m), routine]
        homes, parts = self._homes(), list[list[Times]]()
        for candidate in where.trip.candidates[:_MOST_CANDIDATES]:
            arrival = candidate.arrival or where.trip.arrival
            then = time + _SOON_S if arrival is None else arrival.median
            if candidate.place in homes and arrival is not None:
                found = [spread_of(arrival)] * 2
            else:
                found = past.from_stay(candidate.place, then, then, away_m)
            share = candidate.probability + 1e-6
            parts.append([times.scaled(share) for times in found])
        return [*(together(ways) for ways in zip(*parts, strict=True)), routine]
