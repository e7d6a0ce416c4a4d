"""Life: turns habits into the day as it happened, with every way that was travelled.

A day is a pure function of seed and date. The few last used are kept.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import msgspec
from numpy.random import Generator

from trivet.devices.world import crowd, family
from trivet.devices.world.chance import near, stream
from trivet.devices.world.journey import Journey
from trivet.devices.world.plan import DayKind, DayPlan, Episode, Span
from trivet.devices.world.road import VARIANTS, Mode, Roads
from trivet.devices.world.routine import Routine, Stop
from trivet.devices.world.season import Season
from trivet.devices.world.town import FLAT, HOME, Town
from trivet.domain.clock import hour_of_day

#: Nobody sets out for something new later than this local hour.
_LATEST = 21.9
_WAKE = {DayKind.WORK: 6.35, DayKind.HOME_OFFICE: 6.8, DayKind.SICK: 8.0}


class Lived(msgspec.Struct, frozen=True):
    """A day as it happened.

    Attributes:
        plan: its plan.
        start: event time of local midnight.
        end: event time of the next.
        ways: the journey between each two episodes, in order.
        car_place: where the car stands as the day begins.
    """

    plan: DayPlan
    start: float
    end: float
    ways: tuple[Journey, ...]
    car_place: str

    @property
    def drives(self) -> tuple[Journey, ...]:
        """The ways by car."""
        return tuple(way for way in self.ways if way.mode is Mode.CAR)


class Life:
    """The household's days."""

    def __init__(self, seed: int, zone: tzinfo, town: Town, roads: Roads) -> None:
        self._seed = seed
        self._zone = zone
        self._town = town
        self._roads = roads
        self._season = Season(seed)
        self.day = lru_cache(maxsize=24)(self._live)

    def midnight(self, day: date) -> float:
        """Event time at which a local day begins."""
        return self.moment(day, 0.0)

    def moment(self, day: date, hour: float) -> float:
        """Event time of a local hour, by the clock on the wall."""
        seconds = round(hour * 3600.0)
        wall = datetime.combine(day, time(), self._zone) + timedelta(seconds=seconds)
        return wall.timestamp()

    def date_of(self, time: float) -> date:
        """Local date of an event time."""
        return datetime.fromtimestamp(time, self._zone).date()

    def _live(self, day: date) -> Lived:
        kind = self._season.kind(day)
        rng = stream(self._seed, "day", day.toordinal())
        stops = Routine(self._town, rng, day.weekday()).stops(kind)
        episodes, ways = self._travel(day, kind, stops, rng)
        start, end = self.midnight(day), self.midnight(day + timedelta(days=1))
        wake = self.moment(day, near(rng, _WAKE.get(kind, 8.1), 0.15))
        # whoever comes home late still sits down for a while
        sleep = max(self.moment(day, near(rng, 22.7, 0.25)), episodes[-1].arrival + 900)
        sleep = min(sleep, end - 300.0)
        has_guest = self._season.has_guest(day)
        empty, episodes = family.household(
            self._seed, day, kind, episodes, Span(start, end), self.moment, has_guest
        )
        plan = DayPlan(day, kind, episodes, wake, sleep, empty, has_guest)
        return Lived(plan, start, end, tuple(ways), episodes[0].place)

    def _travel(
        self, day: date, kind: DayKind, stops: list[Stop], rng: Generator
    ) -> tuple[tuple[Episode, ...], list[Journey]]:
        start, end = self.midnight(day), self.midnight(day + timedelta(days=1))
        away = kind in (DayKind.HOLIDAY, DayKind.HOLIDAY_BACK)
        here = Stop(FLAT if away else HOME, "sleep", mode=Mode.STAY)
        arrival, episodes, ways = start, [], []
        for stop in stops:
            departure = arrival + 60.0 * max(3.0, here.stay_min)
            if stop.leave is not None:
                departure = max(arrival + 180.0, self.moment(day, stop.leave))
            is_last_call = stop.place not in (HOME, FLAT)
            if is_last_call and hour_of_day(departure, self._zone) > _LATEST:
                break
            way = self._way(day, here.place, stop, departure, rng)
            episodes.append(self._episode(here, arrival, departure))
            ways.append(way)
            here, arrival = stop, way.arrival
        episodes.append(self._episode(here, arrival, end))
        return tuple(episodes), ways

    def _episode(self, stop: Stop, arrival: float, departure: float) -> Episode:
        name = self._town.places[stop.place].name
        return Episode(
            stop.place,
            name,
            arrival,
            departure,
            stop.mode,
            stop.reason,
            stop.with_family,
        )

    def _way(
        self, day: date, origin: str, stop: Stop, departure: float, rng: Generator
    ) -> Journey:
        hour = hour_of_day(departure, self._zone)
        weekday = day.weekday()
        variant = 0 if rng.random() < 0.85 else int(rng.integers(1, VARIANTS))
        route = self._roads.route(
            self._town.crossing(origin),
            self._town.crossing(stop.place),
            stop.mode,
            crowd.is_rush(weekday, hour),
            variant,
        )
        flow = crowd.traffic(weekday, hour) * float(rng.uniform(0.9, 1.08))
        # one way in forty meets roadworks or an accident
        flow *= 0.6 if rng.random() < 0.025 else 1.0
        return Journey(stop.mode, route, departure, max(0.3, flow), rng)
