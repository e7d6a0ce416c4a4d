"""The home's routine: its next event, who is in when, and the nights.

Samples and event time in, forecasts out. It predicts first and learns afterwards, from
the past alone, and forgets by itself: what it saw weighs half after weeks, so it goes
with the seasons, and a household that moves needs no new start.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.forecast import Interval
from trivet.domain.sample import Sample
from trivet.engine.activity import ActivityReader, HomeEvent, state_of
from trivet.engine.blend import Blend, Steering
from trivet.engine.occupancy import Occupancy, OccupancyState
from trivet.engine.pool import Pool
from trivet.engine.sequence import EXPERTS, EventSequence, Expected
from trivet.engine.sleep import Moment, Night, Nights
from trivet.engine.timeline import is_event_time

#: Raised with each change that an older version could not read.
VERSION = 2
#: Also read: what it lacks is learned anew.
_BEFORE = 1
#: The home itself, beside its people.
HOME = ""
OCCUPANCY = "binary_sensor.occupancy"


class Resident(msgspec.Struct, frozen=True):
    """One of the people at home, and what tells of them there.

    Attributes:
        name: who.
        presence: path on the home that is `home` or `on` while they are in.
        activity: path on the home that changes when they use their phone.
    """

    name: str
    presence: str = ""
    activity: str = ""


class Subject(msgspec.Struct):
    """What is remembered of one person, or of the home."""

    occupancy: OccupancyState = msgspec.field(default_factory=OccupancyState)
    nights: list[Night] = []
    moments: list[Moment] = []

    @property
    def is_sound(self) -> bool:
        """Whether it can be gone on from."""
        return (
            self.occupancy.is_sound
            and all(night.is_sound for night in self.nights)
            and _in_order(moment.time for moment in self.moments)
        )


class RoutineState(msgspec.Struct, forbid_unknown_fields=True):
    """All that a routine remembers."""

    home: str = ""
    residents: list[Resident] = []
    states: dict[str, str] = {}
    events: list[HomeEvent] = []
    blend: Blend | None = None
    steering: Steering | None = None
    pool: Pool | None = None
    subjects: dict[str, Subject] = {}
    is_frozen: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether it can be asked and learned from: what a decoder does not see to."""
        known = {HOME, *(person.name for person in self.residents)}
        return (
            _in_order(event.time for event in self.events)
            and (self.blend is None or self.blend.is_sound(EXPERTS))
            and (self.steering is None or self.steering.is_sound)
            and (self.pool is None or self.pool.is_sound(EXPERTS + 1))
            and known <= self.subjects.keys()
            and all(subject.is_sound for subject in self.subjects.values())
        )


def _in_order(times: Iterable[float]) -> bool:
    """Whether event times are of the calendar, the oldest first."""
    found = list(times)
    return all(map(is_event_time, found)) and found == sorted(found)


class Day(msgspec.Struct, frozen=True):
    """The next day of one person, or of the home.

    Attributes:
        who: the person, empty for the home: somebody, whoever.
        is_home: chance that they are in, at each full hour of the next 24; empty as
            long as nothing tells who is in.
        bed: when they next go to bed; None as long as no night is known. Of the home:
            the last one.
        wake: when they next get up; of the home: the first one.
    """

    who: str
    is_home: tuple[float, ...]
    bed: Interval | None = None
    wake: Interval | None = None


class Outlook(msgspec.Struct, frozen=True):
    """What the routine foretells.

    Attributes:
        time: event time at which this was known.
        events: those that may come next at home, likeliest first.
        next: when the next one comes, whichever it is.
        days: of the home, then of each person.
    """

    time: float
    events: tuple[Expected, ...]
    next: Interval | None
    days: tuple[Day, ...]

    def day(self, who: str = HOME) -> Day:
        """The day of one person, or of the home.

        Raises:
            UsageError: nobody of that name lives here.
        """
        for day in self.days:
            if day.who == who:
                return day
        raise UsageError(f"nothing is known of {who!r} at home")


class Routine:
    """Learns one home's routine.

    Args:
        home: id of the device whose samples tell what happens at home.
        zone: the home's time zone.
        residents: who lives there, as far as it can be told.
    """

    def __init__(
        self, home: str, zone: tzinfo, residents: Iterable[Resident] = ()
    ) -> None:
        self._zone = zone
        people = list(residents)
        subjects = {who: Subject() for who in (HOME, *(p.name for p in people))}
        self._take(RoutineState(home, people, subjects=subjects))

    @property
    def events(self) -> tuple[HomeEvent, ...]:
        """The events that are remembered, oldest first."""
        return tuple(self._sequence.events)

    def nights(self, who: str = HOME) -> tuple[Night, ...]:
        """The nights that were found, oldest first."""
        return tuple(self._nights[who].nights)

    def learn_one(self, sample: Sample) -> HomeEvent | None:
        """Take up one sample of the home; give the event that it tells of.

        Samples of other devices, late ones, and measured numbers change nothing.
        """
        state = self._state
        if sample.device != state.home:
            return None
        told = state_of(sample)
        if told is not None and not state.is_frozen:
            self._learn_person(sample, told)
        event = self._reader.read_one(sample)
        if event is None or state.is_frozen:
            return None
        if event.path == OCCUPANCY:
            self._occupancy[HOME].learn_one(event.time, event.state == "on")
        elif not self._is_personal(event.path):
            self._sequence.learn_one(event)
        for occupancy in self._occupancy.values():
            occupancy.pass_time(event.time)
        if event.is_by_person and not self._is_personal(event.path):
            self._note(HOME, event.time)
        return event

    def learn_presence(self, who: str, time: float, is_home: bool) -> None:
        """A person came home or left, as their phone tells.

        Raises:
            UsageError: nobody of that name lives here.
        """
        self._check(who)
        if self._state.is_frozen:
            return
        self._occupancy[who].learn_one(time, is_home)
        self._note(who, time)
        if OCCUPANCY not in self._state.states:
            people = [self._occupancy[p.name].is_home for p in self._state.residents]
            if any(people) or None not in people:
                self._occupancy[HOME].learn_one(time, any(people))

    def learn_activity(self, who: str, time: float) -> None:
        """A person is awake, as their phone tells: it is used.

        Raises:
            UsageError: nobody of that name lives here.
        """
        self._check(who)
        if not self._state.is_frozen:
            self._note(who, time)

    def predict_one(self, time: float) -> Outlook:
        """What comes next, who is in over the next day, and when they sleep."""
        return Outlook(
            time,
            tuple(self._sequence.predict_one(time)),
            self._sequence.predict_time(time),
            tuple(self._day(who, time) for who in self._occupancy),
        )

    @property
    def is_home(self) -> bool | None:
        """Whether somebody is in, as far as is known."""
        return self._occupancy[HOME].is_home

    def soon(self, time: float, who: str = HOME) -> tuple[float, ...]:
        """Chance that somebody is in, for each quarter of an hour of the next day.

        Args:
            time: event time at which the first quarter begins.
            who: of one person alone.

        Returns:
            Empty as long as nothing tells who is in.
        """
        if who != HOME:
            self._check(who)
        occupancy = self._occupancy[who]
        known = occupancy.state.changes
        return tuple(occupancy.predict_slots(time)) if known else ()

    def chances(self, time: float) -> dict[str, float]:
        """Chance of each event that it is the next one; empty for one never seen."""
        return self._sequence.chances(time)

    def predict_next(self, time: float, level: float = 0.8) -> Interval | None:
        """When the next event comes, whichever it is."""
        return self._sequence.predict_time(time, level)

    def forget(self, since: float, until: float) -> int:
        """Forget what was learned from `since` up to `until`; how many events went.

        Events, who was in, and nights of that span go, and all that is counted from
        them. Kept are the states that entities have now, the weights by which experts
        are trusted, and who was in at the end of the span.

        Raises:
            UsageError: `until` is not after `since`.
        """
        if not since < until:
            raise UsageError(f"a span from {since} to {until} holds nothing")
        for who, nights in self._nights.items():
            nights.forget(since, until)
            self._occupancy[who].forget(since, until)
        return self._sequence.forget(since, until)

    def forget_presence(self, who: str, since: float, until: float) -> int:
        """Forget when a person was in, as their phone told; how many changes went.

        What the home itself tells, of who is in or of events, stands.

        Raises:
            UsageError: nobody of that name lives here.
        """
        self._check(who)
        if OCCUPANCY not in self._state.states:
            self._occupancy[HOME].forget(since, until)
        self._nights[who].forget(since, until)
        return self._occupancy[who].forget(since, until)

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is learned."""
        return self._state.is_frozen

    def freeze(self, time: float) -> None:
        """Predict, but learn nothing from event time `time` on, until `thaw`."""
        self._state.is_frozen = True
        for occupancy in self._occupancy.values():
            occupancy.lose(time)

    def thaw(self) -> None:
        """Learn again."""
        self._state.is_frozen = False

    def snapshot(self) -> bytes:
        """All that was learned, for `restore`."""
        state = self._state
        sequence = self._sequence
        state.events, state.blend = sequence.events, sequence.blend
        state.steering, state.pool = sequence.steering, sequence.pool
        for who, subject in state.subjects.items():
            nights = self._nights[who]
            subject.nights, subject.moments = nights.nights, nights.moments
            subject.occupancy = self._occupancy[who].state
        return bytes([VERSION]) + msgspec.msgpack.encode(state)

    @classmethod
    def restore(cls, data: bytes, zone: tzinfo) -> Routine:
        """The routine that `data` is a snapshot of; its forecasts are the same.

        Raises:
            UsageError: `data` is damaged or of another version.
        """
        hint = "learn again from the recorded samples"
        if not data or data[0] not in (VERSION, _BEFORE):
            found = data[0] if data else "none"
            raise UsageError(
                f"routine of version {found}, this engine reads {VERSION}", hint=hint
            )
        try:
            state = msgspec.msgpack.decode(memoryview(data)[1:], type=RoutineState)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(f"damaged routine: {error}", hint=hint) from error
        if not state.is_sound:
            raise UsageError("damaged routine: it holds what no home did", hint=hint)
        self = cls(state.home, zone)
        self._take(state)
        return self

    # --- within -------------------------------------------------------------------

    def _take(self, state: RoutineState) -> None:
        zone, self._state = self._zone, state
        self._reader = ActivityReader(state.states)
        self._sequence = EventSequence(
            zone, state.events, state.blend, state.steering, state.pool
        )
        self._occupancy = {
            who: Occupancy(zone, subject.occupancy)
            for who, subject in state.subjects.items()
        }
        self._nights = {
            who: Nights(zone, subject.nights, subject.moments)
            for who, subject in state.subjects.items()
        }

    def _check(self, who: str) -> None:
        if who == HOME or who not in self._occupancy:
            raise UsageError(
                f"nobody called {who!r} lives here", hint="name them as a resident"
            )

    def _is_personal(self, path: str) -> bool:
        return any(path in (p.presence, p.activity) for p in self._state.residents)

    def _learn_person(self, sample: Sample, told: str) -> None:
        for person in self._state.residents:
            if sample.path == person.presence:
                is_home = told in ("home", "on")
                self.learn_presence(person.name, sample.time, is_home)
            elif sample.path == person.activity:
                self._note(person.name, sample.time)

    def _note(self, who: str, time: float) -> None:
        """Somebody is awake, at home or away."""
        lit = who == HOME and any(
            state == "on"
            for path, state in self._state.states.items()
            if path.startswith("light.")
        )
        # where nothing tells who is in, somebody is
        is_home = self._occupancy[who].is_home is not False
        self._nights[who].learn_one(time, is_dark=not lit, is_home=is_home)

    def _day(self, who: str, time: float) -> Day:
        occupancy, nights = self._occupancy[who], self._nights[who]
        known = occupancy.state.changes
        return Day(
            who,
            tuple(occupancy.predict_one(time)) if known else (),
            nights.predict_bed(time),
            nights.predict_wake(time),
        )
