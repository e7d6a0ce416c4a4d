"""One person's learner: samples and event time in, events and forecasts out.

It predicts first and learns afterwards, from the past alone: a forecast at some time is
the same whatever comes later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from math import isfinite

from trivet.domain import Forecast, Place, Position, Quality, Sample, Stay, Trip
from trivet.domain.clock import ZoneOf, hour_of_day, local
from trivet.domain.sample import LOCATION, TRANSITION_ENTER, TRANSITION_LEAVE
from trivet.engine.event import Event, StayEnded, StayStarted, TripEnded, TripStarted
from trivet.engine.forecaster import CHECKS_S, Forecaster
from trivet.engine.history import History, PastTrip
from trivet.engine.place import PlaceBook, Visit
from trivet.engine.settings import Settings
from trivet.engine.snapshot import State, dump, load
from trivet.engine.stay import Arrived, Left, Mode, Move, StayDetector
from trivet.engine.trip import RunningTrip

_SPEED = "Vehicle.Speed"
_KMH = 3.6
#: A region's name belongs to a fix, and a fix makes regions needless, for this long.
_NEAR_S = 900.0
#: A trip without positions that nobody ended is given up after this long.
_GIVE_UP_S = 6 * 3600.0


class Anticipator:
    """Learns one person's places and trips, and forecasts the running one.

    Args:
        person: whose.
        device: id of the device whose samples tell where the person is: the phone, or
            a car without positions.
        zone_of: time zone at a latitude and longitude in degrees.
        settings: the numbers.
        zone: the time zone to use while no position has been seen.
    """

    def __init__(
        self,
        person: str,
        device: str,
        zone_of: ZoneOf,
        *,
        settings: Settings | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self.person = person
        self.device = device
        self._zone_of = zone_of
        self._zone = zone
        self._settings = settings or Settings()
        self._take(State())

    @property
    def places(self) -> Mapping[str, Place]:
        """The person's places by id, with the roles as they are now."""
        return self._book.places

    @property
    def stays(self) -> Sequence[Stay]:
        """Past stays, oldest first; the last one may still last."""
        state = self._state
        if state.open and not state.by_name:
            last = state.stays[-1]
            inside = max(last.arrival, self._detector.state.inside)
            state.stays[-1] = Stay(last.place, last.arrival, inside)
        return tuple(state.stays)

    @property
    def trips(self) -> Sequence[Trip]:
        """Past trips to known destinations, oldest first."""
        return [past.trip for past in self._history.past]

    @property
    def current_trip(self) -> RunningTrip | None:
        """The running trip, None when there is none."""
        return self._state.running

    def learn_one(self, sample: Sample) -> list[Event]:
        """Take up one sample; give what has become sure by it.

        Samples of other devices and other paths, late ones, doubled ones and
        impossible ones change nothing.
        """
        if sample.device != self.device:
            return []
        if sample.path == LOCATION:
            return self._learn_position(sample)
        if sample.path == _SPEED:
            self._learn_speed(sample)
        elif sample.path == TRANSITION_LEAVE:
            return self._learn_leave(sample)
        elif sample.path == TRANSITION_ENTER:
            return self._learn_enter(sample)
        return []

    def predict_one(self, time: float) -> Forecast | None:
        """Where the person is going and when they arrive; None when not on a trip.

        A trip that has been silent for `lost_s` (six hours where it is known by
        region names) is no longer thought to run.
        """
        trip = self._state.running
        if trip is None or not isfinite(time):
            return None
        most = _GIVE_UP_S if self._state.by_name else self._settings.lost_s
        if time - max(trip.time, trip.departure) > most:
            return None
        return self._forecaster.forecast(trip, max(time, trip.departure))

    def predict_departure(self, time: float) -> Forecast | None:
        """Where a trip that departs at `time` from where they are would go.

        On a trip it is a departure from where that trip began. None when `time` is not
        a number.
        """
        if not isfinite(time):
            return None
        state, running = self._state, self._state.running
        if running is not None:
            trip = self._begin(running.origin, time, running.before)
        else:
            origin = self.at(time)
            trip = self._begin(origin, time, state.before if state.open else "")
        return self._forecaster.forecast(trip, time)

    def at(self, time: float) -> str:
        """Id of the place where the person is at `time`, empty on a trip or unknown."""
        state = self._state
        where = self._detector.state
        if not state.by_name and where.mode == Mode.SETTLING and time >= where.since:
            return self._book.nearest(where.centre_lat, where.centre_lon)
        stays = state.stays
        index = bisect_right(stays, time, key=lambda stay: stay.arrival) - 1
        if index < 0:
            return ""
        last = index == len(stays) - 1 and state.open
        if last or time <= stays[index].departure:
            return stays[index].place
        return ""

    def snapshot(self) -> bytes:
        """All that was learned, for `restore`."""
        state = self._state
        state.person, state.device = self.person, self.device
        state.records, state.made = self._book.records, self._book.made
        state.past = self._history.past
        return dump(state)

    @classmethod
    def restore(
        cls,
        data: bytes,
        zone_of: ZoneOf,
        *,
        settings: Settings | None = None,
        zone: tzinfo = UTC,
    ) -> Anticipator:
        """The learner that `data` is a snapshot of; its forecasts are the same.

        Raises:
            UsageError: `data` is damaged or of another version.
        """
        state = load(data)
        self = cls(state.person, state.device, zone_of, settings=settings, zone=zone)
        self._take(state)
        return self

    def _take(self, state: State) -> None:
        self._state = state
        self._book = PlaceBook(self._settings, state.records, state.made)
        self._history = History(self._settings, state.past)
        self._forecaster = Forecaster(
            self.person, self._history, self._book, state.calibration
        )
        self._detector = StayDetector(self._settings, self._is_known, state.stay)

    def _is_known(self, lat: float, lon: float) -> bool:
        return bool(self._book.nearest(lat, lon))

    def _learn_position(self, sample: Sample) -> list[Event]:
        value = sample.value
        if type(value) is not Position or sample.quality is Quality.BAD:
            return []
        time, lat, lon = sample.time, value.lat, value.lon
        accuracy_m = value.accuracy_m or 0.0
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0 and isfinite(time)):
            return []
        if not accuracy_m <= self._settings.max_accuracy_m:
            return []
        before = self._detector.state.time
        moves = self._detector.learn_one(time, lat, lon, accuracy_m)
        if not moves:
            running = self._state.running
            if running is not None and self._detector.state.time > before:
                running.add_fix(time, lat, lon)
                self._check(running, time)
            return []
        events: list[Event] = []
        for move in moves:
            events += self._follow(move, time)
        return events

    def _follow(self, move: Move, time: float) -> list[Event]:
        if isinstance(move, Arrived):
            return self._arrive_at_point(move, time)
        if isinstance(move, Left):
            return self._leave(move, time)
        running, self._state.running = self._state.running, None
        if running is None:
            return []
        points = self._settings.trace_points
        trip = running.ended("", move.time, points)
        return [TripEnded(self.person, time, trip, running.lat, running.lon)]

    def _leave(self, move: Left, time: float) -> list[Event]:
        self._zone = self._zone_of(move.lat, move.lon)
        events: list[Event] = []
        origin = self._book.nearest(move.lat, move.lon)
        if self._state.open:
            origin = self._state.stays[-1].place
            events += self._close(move.time, time)
        if not move.fixes:
            return events
        running = self._state.running
        if running is None:
            before = self._state.before if events else ""
            running = self._begin(origin, move.time, before)
            running.add_fix(move.time, move.lat, move.lon)
            self._state.running, self._state.checks = running, []
            events.append(TripStarted(self.person, time, move.time, origin))
        self._state.by_name = False
        for fix in move.fixes:
            running.add_fix(fix.time, fix.lat, fix.lon)
        return events

    def _arrive_at_point(self, move: Arrived, time: float) -> list[Event]:
        self._zone = self._zone_of(move.lat, move.lon)
        state, running = self._state, self._state.running
        place = self._book.nearest(move.lat, move.lon)
        if running is not None and place and place == running.origin:
            trip = running.ended(place, move.time, self._settings.trace_points)
            if trip.distance_m < self._settings.least_trip_m and state.stays:
                return self._resume(trip, time)
        visit = self._book.visit(move.lat, move.lon)
        if visit.absorbed:
            self._rename(visit.absorbed, visit.place)
        if state.region:
            self._book.name(visit.place, state.region)
        state.by_name = False
        return self._arrive(visit, move.time, time, (move.lat, move.lon))

    def _arrive(
        self,
        visit: Visit,
        arrival: float,
        time: float,
        point: tuple[float, float] | tuple[None, None] = (None, None),
    ) -> list[Event]:
        state, running = self._state, self._state.running
        events = self._close(arrival, time) if state.open else []
        state.running = None
        if running is not None:
            trip = running.ended(visit.place, arrival, self._settings.trace_points)
            past = PastTrip(
                trip,
                running.before,
                running.hour,
                running.weekend,
                visit.is_new,
                tuple(running.pace),
            )
            self._forecaster.learn(state.checks, visit.place, arrival, visit.is_new)
            self._history.add(past)
            lat, lon = point
            events.append(TripEnded(self.person, time, trip, lat, lon, visit.is_new))
            state.before = trip.origin
        else:
            state.before = ""
        arrival = max(arrival, state.stays[-1].departure if state.stays else 0.0)
        state.stays.append(Stay(visit.place, arrival, max(arrival, time)))
        state.open = True
        if len(state.stays) > self._settings.most_trips:
            del state.stays[: max(1, self._settings.most_trips // 20)]
        events.append(StayStarted(self.person, time, visit.place, arrival))
        return events

    def _resume(self, trip: Trip, time: float) -> list[Event]:
        """A few steps around the block: the stay went on."""
        state = self._state
        running, state.running = state.running, None
        state.before = running.before if running is not None else ""
        state.open = True
        stay = state.stays[-1]
        lat, lon = self._book.centre(stay.place) or (None, None)
        return [
            TripEnded(self.person, time, trip, lat, lon),
            StayStarted(self.person, time, stay.place, stay.arrival),
        ]

    def _close(self, departure: float, time: float) -> list[Event]:
        state = self._state
        open_stay = state.stays[-1]
        departure = max(departure, open_stay.arrival)
        stay = Stay(open_stay.place, open_stay.arrival, departure)
        state.stays[-1] = stay
        state.open = False
        self._book.add_hours(stay.place, stay.arrival, departure, self._zone)
        return [StayEnded(self.person, time, stay)]

    def _begin(self, origin: str, time: float, before: str = "") -> RunningTrip:
        hour = hour_of_day(time, self._zone)
        weekend = local(time, self._zone).weekday() >= 5
        return RunningTrip(origin, before, time, hour, weekend, time=time)

    def _rename(self, old: str, new: str) -> None:
        state = self._state
        self._history.rename(old, new)
        state.stays = [
            Stay(new, stay.arrival, stay.departure) if stay.place == old else stay
            for stay in state.stays
        ]
        state.before = new if state.before == old else state.before
        if state.running is not None and state.running.origin == old:
            state.running.origin = new

    def _has_positions(self, time: float) -> bool:
        where = self._detector.state
        return where.mode != Mode.UNKNOWN and time - where.time <= _NEAR_S

    def _learn_speed(self, sample: Sample) -> None:
        running, value = self._state.running, sample.value
        if running is None or not self._state.by_name:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        if sample.quality is not Quality.BAD and 0.0 <= value <= 500.0:
            running.add_speed(sample.time, value / _KMH)
            self._check(running, sample.time)

    def _check(self, running: RunningTrip, time: float) -> None:
        """Put estimates aside at some moments of a trip, to learn from its end."""
        done = len(self._state.checks)
        if done < len(CHECKS_S) and time - running.departure >= CHECKS_S[done]:
            self._state.checks.append(self._forecaster.check(running, time))

    def _learn_leave(self, sample: Sample) -> list[Event]:
        state, time, name = self._state, sample.time, sample.value
        if not isinstance(name, str) or not name:
            return []
        if self._has_positions(time):
            if state.open and not state.by_name:
                self._book.name(state.stays[-1].place, name)
            state.region = ""
            return []
        latest = state.running.departure if state.running else 0.0
        if time <= max(latest, state.stays[-1].arrival if state.stays else 0.0):
            return []
        events: list[Event] = []
        if state.running is not None:
            trip = state.running.ended("", state.running.time, 0)
            events.append(TripEnded(self.person, time, trip))
        stayed = state.open
        if stayed:
            events += self._close(time, time)
        origin = self._book.find_region(name) or self._book.visit_region(name).place
        state.running = self._begin(origin, time, state.before if stayed else "")
        state.checks = []
        state.by_name = True
        events.append(TripStarted(self.person, time, time, origin))
        return events

    def _learn_enter(self, sample: Sample) -> list[Event]:
        state, time, name = self._state, sample.time, sample.value
        if not isinstance(name, str) or not name:
            return []
        if self._has_positions(time):
            state.region = name
            return []
        if state.running is not None and time <= state.running.departure:
            return []
        if state.stays and time <= state.stays[-1].arrival:
            return []
        if state.open and state.stays[-1].place == self._book.find_region(name):
            return []
        state.by_name = True
        return self._arrive(self._book.visit_region(name), time, time)
