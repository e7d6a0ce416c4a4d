"""The diary: trips and stays begun, ended, learnt from, and told as events."""

from __future__ import annotations

from bisect import bisect_right
from datetime import tzinfo
from math import inf, isfinite

from trivet.domain.clock import ZoneOf, hour_of_day, local
from trivet.domain.place import Stay
from trivet.domain.sample import Quality, Sample
from trivet.engine.event import Event, StayEnded, StayStarted, TripEnded, TripStarted
from trivet.engine.forecaster import Forecaster
from trivet.engine.history import History, PastTrip
from trivet.engine.place import PlaceBook, Visit
from trivet.engine.recollection import rebuild
from trivet.engine.settings import Settings
from trivet.engine.snapshot import Spot, State
from trivet.engine.stay import Arrived, Left, Lost, Mode, Move
from trivet.engine.student import Student
from trivet.engine.trip import RunningTrip

_NOWHERE = (None, None)
_KMH = 3.6
_MOST_KMH = 500.0


class Diary:
    """One person's places, stays and trips, written as moves become known."""

    def __init__(
        self,
        person: str,
        zone_of: ZoneOf,
        zone: tzinfo,
        settings: Settings,
        state: State,
        student: Student,
    ) -> None:
        self.state = state
        self.book = PlaceBook(settings, state.records, state.made)
        self.history = History(settings, state.past)
        if state.student != student.fingerprint:  # another's lessons are not this one's
            state.student, state.lessons, state.exhibits = student.fingerprint, [], []
        errors, lessons = state.calibration, state.lessons
        self.forecaster = Forecaster(
            person, self.history, self.book, errors, student, lessons
        )
        #: event time from which estimates are to be put aside again
        self.next_check = inf
        self._person = person
        self._zone_of = zone_of
        self._zone = self._default_zone = zone
        self._settings = settings
        if state.place:
            self._zone = zone_of(*state.place)
        self.forecaster.zone = self._zone
        if state.running is not None:
            departure = state.running.departure
            self.next_check = self.forecaster.next_check(state.checks, departure)

    @property
    def zone(self) -> tzinfo:
        """The time zone where the person is."""
        return self._zone

    def at(self, time: float) -> str:
        """Id of the place where the person is at `time`, empty on a trip or unknown."""
        state, where = self.state, self.state.stay
        if not state.by_name and where.mode == Mode.SETTLING and time >= where.since:
            return self.book.nearest(where.centre_lat, where.centre_lon)
        stays = state.stays
        if state.is_frozen and (not stays or time > stays[-1].departure):
            return state.here
        index = bisect_right(stays, time, key=lambda stay: stay.arrival) - 1
        if index < 0:
            return ""
        last = index == len(stays) - 1 and state.open
        if last or time <= stays[index].departure:
            return stays[index].place
        return ""

    def begin(self, origin: str, time: float, before: str = "") -> RunningTrip:
        """A trip that departs at `time`; nothing is changed by making one."""
        hour = hour_of_day(time, self._zone)
        weekend = local(time, self._zone).weekday() >= 5
        return RunningTrip(origin, before, time, hour, weekend, time=time)

    def check(self, running: RunningTrip, time: float) -> None:
        """Put estimates aside at some moments of a trip, to learn from its end."""
        if self.state.is_untaught:
            return
        checks = self.state.checks
        check, exhibit = self.forecaster.put_aside(running, time)
        checks.append(check)
        self.state.exhibits.append(exhibit)
        self.next_check = self.forecaster.next_check(checks, running.departure)

    def follow(self, move: Move, time: float) -> list[Event]:
        """Take up what became sure of a person's movement."""
        if isinstance(move, Arrived):
            return self.arrive(move, time)
        return (
            self.leave(move, time) if isinstance(move, Left) else self.lose(move, time)
        )

    def drive(self, sample: Sample) -> None:
        """Take up a speed in km/h, where the trip is known by region names."""
        running, value = self.state.running, sample.value
        if running is None or not self.state.by_name:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        known = sample.quality is not Quality.BAD and isfinite(sample.time)
        if known and 0.0 <= value <= _MOST_KMH:
            running.add_speed(sample.time, value / _KMH)
            if sample.time >= self.next_check:
                self.check(running, sample.time)

    def leave(self, move: Left, time: float) -> list[Event]:
        """The person left a point; with fixes since, a trip is running."""
        state = self.state
        self._be_at(move.lat, move.lon)
        events: list[Event] = []
        origin = self.book.nearest(move.lat, move.lon)
        state.here = ""
        if state.open:
            origin = state.stays[-1].place
            events += self._close(move.time, time)
        if not move.fixes:
            return events
        running = state.running
        if running is None:
            before = state.before if events else ""
            running = self.begin(origin, move.time, before)
            running.add_fix(move.time, move.lat, move.lon)
            events.append(self._set_off(running, time))
        state.by_name = False
        for fix in move.fixes:
            running.add_fix(fix.time, fix.lat, fix.lon)
        return events

    def leave_region(self, name: str, time: float) -> list[Event]:
        """The person left a region that is known by its name only."""
        state = self.state
        events = self._lose(time, time)
        before = state.before if state.open else ""
        if state.open:
            events += self._close(time, time)
        origin, state.here = self.book.find_region(name), ""
        if not origin and not state.is_frozen:
            origin = self.book.visit_region(name).place
        state.by_name = True
        events.append(self._set_off(self.begin(origin, time, before), time))
        return events

    def arrive(self, move: Arrived, time: float) -> list[Event]:
        """The person is staying around a point."""
        state, running = self.state, self.state.running
        self._be_at(move.lat, move.lon)
        place = self.book.nearest(move.lat, move.lon)
        if state.is_frozen:
            return self._end_unlearned(place, move.time, time, (move.lat, move.lon))
        if running is not None and place and place == running.origin and state.stays:
            trip = running.ended(place, move.time, self._settings.trace_points)
            if trip.distance_m < self._settings.least_trip_m:
                return self._resume(move.time, time)
        visit = self.book.visit(move.lat, move.lon)
        if visit.absorbed:
            self.rename(visit.absorbed, visit.place)
        state.by_name = False
        events = self._end_trip(visit, move.time, time, (move.lat, move.lon))
        if state.region:
            self.name_stay(state.region)
        return events

    def arrive_region(self, name: str, time: float) -> list[Event]:
        """The person entered a region that is known by its name only."""
        self.state.by_name = True
        if self.state.is_frozen:
            place = self.book.find_region(name)
            return self._end_unlearned(place, time, time, _NOWHERE)
        return self._end_trip(self.book.visit_region(name), time, time, _NOWHERE)

    def name_stay(self, name: str) -> None:
        """A region tells the name of the place of the last stay."""
        state = self.state
        spot = state.spots[-1]
        state.spots[-1] = Spot(spot.lat, spot.lon, name)
        self.book.name(state.stays[-1].place, name)

    def freeze(self, time: float) -> list[Event]:
        """Learn nothing from here on; the stay that lasts ends in what is known."""
        state = self.state
        at = state.stays[-1].place if state.open else ""
        events = self._close(time, time) if state.open else []
        state.is_frozen, state.is_untaught = True, state.running is not None
        state.here, state.checks, state.exhibits = at, [], []
        state.home.checks = []  # when they come home meanwhile is not seen
        return events

    def thaw(self) -> None:
        """Learn again, from what comes now."""
        state = self.state
        state.is_frozen, state.here, state.before = False, "", ""

    def lose(self, move: Lost, time: float) -> list[Event]:
        """Nobody knows how the running trip ended."""
        return self._lose(move.time, time)

    def _be_at(self, lat: float, lon: float) -> None:
        self.state.place = (lat, lon)
        self._zone = self.forecaster.zone = self._zone_of(lat, lon)

    def _set_off(self, running: RunningTrip, time: float) -> TripStarted:
        state, departure = self.state, running.departure
        state.running, state.checks, state.exhibits = running, [], []
        state.is_untaught = state.is_frozen
        self.next_check = self.forecaster.next_check([], departure)
        if not state.is_untaught and self.next_check < inf:
            begun = self.begin(running.origin, departure, running.before)
            self.check(begun, departure)
        return TripStarted(self._person, time, running.departure, running.origin)

    def _lose(self, ended: float, time: float) -> list[Event]:
        running, self.state.running = self.state.running, None
        if running is None:
            return []
        trip = running.ended("", ended, self._settings.trace_points)
        return [TripEnded(self._person, time, trip, running.lat, running.lon)]

    def _end_trip(
        self,
        visit: Visit,
        arrival: float,
        time: float,
        point: tuple[float, float] | tuple[None, None],
    ) -> list[Event]:
        state, running = self.state, self.state.running
        events = self._close(arrival, time) if state.open else []
        state.running, state.before = None, ""
        if running is not None:
            trip = running.ended(visit.place, arrival, self._settings.trace_points)
            lat, lon = point
            events.append(TripEnded(self._person, time, trip, lat, lon, visit.is_new))
            if not state.is_untaught:
                is_new = visit.is_new
                judged = self.forecaster.learn(state.checks, trip, is_new)
                self.forecaster.take_lesson(state.exhibits, trip, is_new)
                self.history.add(PastTrip.of(running, trip, is_new, judged))
                state.before = trip.origin
        arrival = max(arrival, state.stays[-1].departure if state.stays else 0.0)
        state.stays.append(Stay(visit.place, arrival, max(arrival, time)))
        state.spots.append(Spot(*point))
        state.open = True
        if len(state.stays) > self._settings.most_trips:
            self._fold(max(1, self._settings.most_trips // 20))
        events.append(StayStarted(self._person, time, visit.place, arrival))
        return events

    def _fold(self, count: int) -> None:
        """Keep of the oldest stays only what they made of their places."""
        state = self.state
        stays, spots = state.stays[:count], state.spots[:count]
        whole = State(folded=state.folded, made=self.book.made)
        settings, zone = self._settings, self._default_zone
        rebuilt = rebuild(whole, stays, spots, settings, self._zone_of, zone)
        state.folded, self.book.made = rebuilt.records, rebuilt.made
        del state.stays[:count], state.spots[:count]

    def _end_unlearned(
        self,
        place: str,
        arrival: float,
        time: float,
        point: tuple[float, float] | tuple[None, None],
    ) -> list[Event]:
        """The person is somewhere, and nothing is learned of it."""
        state, running = self.state, self.state.running
        state.running, state.here = None, place
        if running is None:
            return []
        trip = running.ended(place, arrival, self._settings.trace_points)
        lat, lon = point
        return [TripEnded(self._person, time, trip, lat, lon, not place)]

    def _resume(self, ended: float, time: float) -> list[Event]:
        """A few steps around the block: the stay went on."""
        state, running = self.state, self.state.running
        events = self._lose(ended, time)
        state.before = running.before if running is not None else ""
        state.open = True
        stay = state.stays[-1]
        events.append(StayStarted(self._person, time, stay.place, stay.arrival))
        return events

    def _close(self, departure: float, time: float) -> list[Event]:
        state = self.state
        last = state.stays[-1]
        stay = Stay(last.place, last.arrival, max(departure, last.arrival))
        state.stays[-1] = stay
        state.open = False
        since = max(stay.arrival, state.counted)
        state.counted = stay.departure
        self.book.add_hours(stay.place, since, stay.departure, self._zone)
        return [StayEnded(self._person, time, stay)]

    def rename(self, old: str, new: str) -> None:
        """Two places turned out to be one."""
        state = self.state
        self.history.rename(old, new)
        state.stays = [
            Stay(new, stay.arrival, stay.departure) if stay.place == old else stay
            for stay in state.stays
        ]
        state.before = new if state.before == old else state.before
        state.here = new if state.here == old else state.here
        if state.running is not None and state.running.origin == old:
            state.running.origin = new
