"""One person's learner: samples and event time in, events and forecasts out.

It predicts first and learns afterwards, from the past alone: a forecast at some time is
the same whatever comes later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from math import inf

from trivet.domain import (
    Forecast,
    Place,
    PlaceRole,
    Sample,
    Stay,
    Trip,
    UsageError,
)
from trivet.domain.clock import ZoneOf
from trivet.domain.place import TracePoint
from trivet.domain.sample import LOCATION
from trivet.engine.current_location import PATHS as CAR_PATHS
from trivet.engine.diary import Diary
from trivet.engine.erasure import Erased, Eraser
from trivet.engine.event import Event
from trivet.engine.fix import fix_of
from trivet.engine.homecoming import CHECK_S, HomeForecast, is_looked_at
from trivet.engine.homeward import MOST_FOLLOWED, Homeward, Whereabout
from trivet.engine.recollection import SAME_S
from trivet.engine.region import PATHS as REGION_PATHS
from trivet.engine.region import learn_transition
from trivet.engine.settings import Settings
from trivet.engine.snapshot import State, dump, load
from trivet.engine.stay import Mode, StayDetector
from trivet.engine.student import Student, default
from trivet.engine.timeline import is_event_time
from trivet.engine.trip import RunningTrip

_SPEED = "Vehicle.Speed"
#: A trip without positions that nobody ended is given up after this long.
_GIVE_UP_S = 6 * 3600.0
#: Of a silence no more moments are judged, and none of a longer one.
_MOST_ASKED, _ASKED_S = 12, 2 * 86_400.0


class Anticipator:
    """Learns one person's places and trips, and forecasts the running one.

    Args:
        person: whose.
        device: id of the device whose samples tell where the person is: the phone, or
            a car without positions.
        zone_of: time zone at a latitude and longitude in degrees.
        settings: the numbers.
        zone: the time zone to use while no position has been seen.
        student: what evidence is worth; the one that comes with trivet if None.
    """

    def __init__(
        self,
        person: str,
        device: str,
        zone_of: ZoneOf,
        *,
        settings: Settings | None = None,
        zone: tzinfo = UTC,
        student: Student | None = None,
    ) -> None:
        self.person = person
        self.device = device
        self._zone_of = zone_of
        self._zone = zone
        self._settings = settings or Settings()
        self._student = student or default()
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
        return [past.trip for past in self._diary.history.past]

    @property
    def zone(self) -> tzinfo | None:
        """The time zone where they last stayed, None while no position was seen."""
        return None if self._state.place is None else self._diary.zone

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
        if sample.path in CAR_PATHS:
            joined = self._state.location.join(sample)
            return [] if joined is None else self.learn_one(joined)
        events: list[Event] = []
        if sample.path == LOCATION:
            events = self._learn_position(sample)
        elif sample.path == _SPEED:
            self._diary.drive(sample)
        elif sample.path in REGION_PATHS:
            events = learn_transition(self._diary, sample)
        if events and not self.is_frozen:
            self._learn_home(sample.time, events)
        return events

    def predict_one(self, time: float, *, explains: bool = True) -> Forecast | None:
        """Where the person is going and when they arrive; None when not on a trip.

        A trip that has been silent for `lost_s` (six hours where it is known by
        region names) is no longer thought to run. Only one that `explains` has reasons.
        """
        trip = self._on_trip(time)
        if trip is None:
            return None
        return self._diary.forecaster.forecast(trip, time, explains=explains)

    def predict_if(self, ahead: Sequence[TracePoint]) -> Forecast | None:
        """Where they would be going, had the running trip gone on by these positions.

        Nothing is learned. None when on no trip, or there are no positions.
        """
        if self._state.running is None or not ahead:
            return None
        trip = self._state.running.supposed(ahead)
        return self._diary.forecaster.suppose(trip, trip.time)

    def predict_departure(self, time: float) -> Forecast | None:
        """Where a trip that departs at `time` from where they are would go.

        On a trip it is a departure from where that trip began. None when `time` is none
        between 1970 and 2200.
        """
        if not is_event_time(time):
            return None
        return self._diary.forecaster.forecast(self._setting_off(time), time)

    def predict_home(self, time: float) -> HomeForecast | None:
        """When the person is home, from wherever they are.

        None as long as no home is known, or `time` is no event time.
        """
        if not is_event_time(time):
            return None
        where, stays = self._whereabout(time), self._state.stays
        return self._homeward.predict_one(time, where, stays, self._diary.zone)

    def at(self, time: float) -> str:
        """Id of the place where the person is at `time`, empty on a trip or unknown."""
        return self._diary.at(time)

    def forget(self, since: float, until: float) -> Erased:
        """Forget what was learned from event time `since` on, up to `until`.

        Stays, trips, places, names, roles and the errors of estimates are then those
        of a learner that saw no sample of that span, and so is the next forecast, but:

        - a trip of which the span holds any part goes whole, the running one too; none
          is made up for the gap;
        - a stay that reaches into it is cut there and keeps its centre; of less than
          `known_stay_s` none is left; two at one place on both sides are one;
        - ids of places are never given again: a number left out tells of a place;
        - how wrong estimates on later trips and ways home were is kept, and what those
          trips taught of the person's weights: by a mind that knew the span. Older
          traces that made room do not return;
        - of stays past the last `most_trips` only sums are known: all of them go.

        Raises:
            UsageError: `until` is not after `since`.
        """
        if not since < until:
            raise UsageError(f"a span from {since} to {until} holds nothing")
        return self._erase(lambda eraser: eraser.forget_span(since, until))

    def forget_place(self, place: str, before: float = inf) -> Erased:
        """Forget a place: its stays, the trips from and to it, its name and role.

        If they go there again it is found as a new one. Of stays that began from event
        time `before` on, and of the trips to and from those, nothing goes.

        Raises:
            UsageError: no such place is known.
        """
        self._book.record(place)
        return self._erase(lambda eraser: eraser.forget_place(place, before))

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is learned."""
        return self._state.is_frozen

    def freeze(self, time: float) -> list[Event]:
        """Predict, but learn nothing from event time `time` on, until `thaw`.

        The stay that lasts ends in what is known at `time`. Positions are followed, so
        that a running trip is foretold, and not kept. It outlasts a restart.
        """
        return [] if self.is_frozen else self._diary.freeze(time)

    def thaw(self, time: float) -> None:
        """Learn again what comes after event time `time`; not the running trip."""
        if self.is_frozen:
            self._diary.thaw()
            self._detector.settle_again(time)

    def name_place(self, place: str, name: str) -> None:
        """Call a place what the person calls it; empty for what was found.

        Raises:
            UsageError: no such place is known.
        """
        self._book.choose_name(place, name)

    def choose_role(self, place: str, role: PlaceRole | None) -> None:
        """A place is what the person says, until they take it back with None.

        Where they chose a home, or a work, no other is found.

        Raises:
            UsageError: no such place is known.
        """
        self._book.choose_role(place, role)

    def join_places(self, kept: str, gone: str) -> None:
        """Two places are one, `kept`, which is then at both their centres.

        It cannot be taken back, and one place cannot be parted: stays nearer to each
        other than `place_radius_m` are one place to a phone.

        Raises:
            UsageError: either is not known, or has no position.
        """
        self._book.join(kept, gone)
        self._diary.rename(gone, kept)

    def _erase(self, work: Callable[[Eraser], Erased]) -> Erased:
        self._sync()
        state = self._state
        erased = work(Eraser(state, self._settings, self._zone_of, self._zone))
        self._take(state)
        return erased

    def _sync(self) -> State:
        """Write into the state what books and histories hold."""
        state = self._state
        state.person, state.device = self.person, self.device
        state.stays = list(self.stays)
        state.records, state.made = self._book.records, self._book.made
        state.past = self._diary.history.past
        return state

    def snapshot(self) -> bytes:
        """All that was learned, for `restore`."""
        return dump(self._sync())

    @classmethod
    def restore(
        cls,
        data: bytes,
        zone_of: ZoneOf,
        *,
        settings: Settings | None = None,
        zone: tzinfo = UTC,
        student: Student | None = None,
    ) -> Anticipator:
        """The learner that `data` is a snapshot of; its forecasts are the same.

        Raises:
            UsageError: `data` is damaged or of another version.
        """
        state = load(data)
        person, device = state.person, state.device
        self = cls(
            person, device, zone_of, settings=settings, zone=zone, student=student
        )
        self._take(state)
        return self

    def _take(self, state: State) -> None:
        zones, settings = (self._zone_of, self._zone), self._settings
        self._diary = Diary(self.person, *zones, settings, state, self._student)
        self._state = state
        self._book = self._diary.book
        self._homeward = Homeward(self.person, state.home, self._book)
        self._detector = StayDetector(self._settings, self._book.knows, state.stay)

    def _on_trip(self, time: float) -> RunningTrip | None:
        trip = self._state.running
        if trip is None or not is_event_time(time):
            return None
        most = _GIVE_UP_S if self._state.by_name else self._settings.lost_s
        return None if time - max(trip.time, trip.departure) > most else trip

    def _setting_off(self, time: float) -> RunningTrip:
        state, running = self._state, self._state.running
        if running is not None:
            return self._diary.begin(running.origin, time, running.before)
        before = state.before if state.open else ""
        return self._diary.begin(self.at(time), time, before)

    def _ask_home(self, time: float) -> None:
        """Put aside what would have been said at times up to now, when none asked."""
        for _ in range(_MOST_ASKED):
            moment = self._state.home.next_check
            if self.is_frozen or not moment < time:
                return
            self._learn_home(max(moment, self._detector.state.time), [])

    def _learn_home(self, time: float, events: list[Event]) -> None:
        ward, stays, trip = self._homeward, self._state.stays, self._on_trip(time)
        if not ward.is_due(time, events):
            return
        if trip is not None and not is_looked_at(trip.departure, len(stays)):
            self._state.home.next_check = time + CHECK_S
            return
        ward.check(time, self._whereabout(time), stays, self._diary.zone)

    def _whereabout(self, time: float) -> Whereabout:
        state, trip = self._state, self._on_trip(time)
        seen = self._detector.state
        point = None if seen.mode == Mode.UNKNOWN else (seen.lat, seen.lon)
        if trip is not None:
            ahead = self._diary.forecaster.ahead(trip, time, MOST_FOLLOWED)
            return Whereabout("", trip.departure, ahead, point)
        place = self.at(time)
        since = seen.since
        if state.open:
            since = state.stays[-1].arrival
        elif state.stays and state.running is None:
            since = max(since, state.stays[-1].departure)
        return Whereabout(place, min(since, time), (), point)

    def _learn_position(self, sample: Sample) -> list[Event]:
        found = fix_of(sample, self._settings.max_accuracy_m)
        if found is None:
            return []
        (point, accuracy_m), before = found, self._detector.state.time
        if point.time <= before:
            return self._learn_late(point, before)
        if point.time - before <= _ASKED_S:
            self._ask_home(point.time)
        stays = self._state.stays
        seen = max(before, stays[-1].departure if stays else 0.0)
        events = self._learn_fix(point, accuracy_m)
        if self._detector.state.time > before:
            self._state.timeline.pass_on(seen, self._detector.state.time)
        return events

    def _learn_fix(self, point: TracePoint, accuracy_m: float) -> list[Event]:
        time, lat, lon = point.time, point.lat, point.lon
        before = self._detector.state.time
        moves = self._detector.learn_one(time, lat, lon, accuracy_m)
        if moves:
            return [event for move in moves for event in self._diary.follow(move, time)]
        running = self._state.running
        if running is not None and self._detector.state.time > before:
            running.add_fix(time, lat, lon)
            if time >= self._diary.next_check:
                self._diary.check(running, time)
        return []

    def _learn_late(self, point: TracePoint, newest: float) -> list[Event]:
        """A late fix changes nothing, but where it shows that the clock was wrong."""
        timeline = self._state.timeline
        if not timeline.doubt(point, newest, self._settings.max_speed_mps):
            return []
        run = timeline.late
        since = timeline.go_back(point.time)
        self.forget(since + SAME_S if since else 0.0, inf)
        timeline.pass_on(since, run[0].time)
        return [event for late in run for event in self._learn_fix(late, 0.0)]
