"""The household's mind: context, anticipation and suggestions, in event time.

It is fed samples and told the time; live, replayed and simulated days are one path.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

import msgspec

from trivet.app.correction import Correction, Corrector
from trivet.app.foresight import Foresight, load_memory
from trivet.app.heating import Heating
from trivet.app.naming import Firsts, Namer, home_position
from trivet.app.outlook import Outlook
from trivet.app.view import TimelineEntry
from trivet.domain import (
    Answer,
    AnswerKind,
    Forecast,
    Place,
    Sample,
    Suggestion,
    Trip,
    UsageError,
)
from trivet.domain.appointment import Appointment
from trivet.domain.clock import ZoneOf, clock_text
from trivet.domain.geo import distance_m
from trivet.domain.sample import Position
from trivet.engine import Anticipator
from trivet.engine.chronicle import Chronicle
from trivet.engine.context import Context
from trivet.engine.open_world import OpenWorld
from trivet.engine.situation import Atlas, Situation, Skill
from trivet.engine.student import Student
from trivet.engine.suggest import Suggester
from trivet.engine.surroundings import KNOWN_M

#: Lines of the day that are kept; older ones go.
MAX_LINES = 500
#: While a trip runs it is forecast anew after this many seconds of event time.
FORECAST_EVERY_S = 10.0


#: Past trips are looked up anew after so many seconds of event time.
TRIPS_S = 60.0


class Roles(msgspec.Struct, frozen=True):
    """Who is who: the person, and the ids of the household's devices."""

    person: str = "ada"
    phone: str = "phone"
    car: str = "car"
    home: str = "home"


class Mind:
    """Learns from samples and says what is likely and what to suggest.

    Args:
        roles: the person and the devices.
        zone_of: gives the time zone at a position.
        skills: what turns situations into needs.
        atlas: the offline map, if there is one.
        student: what weighs where a trip goes; the one that comes with trivet if None.
    """

    def __init__(
        self,
        roles: Roles,
        zone_of: ZoneOf,
        skills: Sequence[Skill],
        atlas: Atlas | None = None,
        student: Student | None = None,
    ) -> None:
        self.roles = roles
        self.atlas = atlas
        self.namer = Namer(atlas)
        self._open_world = OpenWorld(atlas)
        self._firsts = Firsts(lambda: self.anticipator.stays, lambda: self.zone)
        self.namer.first_seen, self.namer.home = self._firsts, self.home_position
        #: what people said of places
        self.corrector = Corrector()
        self.context = Context()
        self._student = student
        self.anticipator = Anticipator(
            roles.person, roles.phone, zone_of, student=student
        )
        self.suggester = Suggester(roles.person, skills)
        self.forecast: Forecast | None = None
        self.lines: deque[TimelineEntry] = deque(maxlen=MAX_LINES)
        self.answers: deque[Answer] = deque(maxlen=50)
        #: what the household wrote down, by the list's name
        self.lists: Mapping[str, Sequence[str]] = {}
        #: gives the person's appointments around an event time
        self.appointments: Callable[[float, tzinfo], Sequence[Appointment]] = _no_agenda
        self._heating = Heating(roles.home)
        self._chronicle = Chronicle(roles.home)
        self._trips: Sequence[Trip] = ()
        self._trips_at = float("-inf")
        self._trail: deque[tuple[float, float]] = deque(maxlen=2000)
        self._zone_of = zone_of
        self.zone = zone_of(0.0, 0.0)
        self._has_zone = False
        self._is_stale = False
        self.foresight = Foresight(roles.person, roles.home, self.zone)

    def learn(self, sample: Sample) -> None:
        """Take up one sample: predict first, then learn."""
        if not self._has_zone and isinstance(sample.value, Position):
            self.zone = self._zone_of(sample.value.lat, sample.value.lon)
            self._has_zone = True
            self.foresight.move(self.zone)
        if sample.device == self.roles.phone and isinstance(sample.value, Position):
            self._trail.append((sample.value.lat, sample.value.lon))
        self.context.learn_one(sample)
        self._heating.learn_one(sample)
        self._chronicle.learn_one(sample)
        self.foresight.learn_one(sample)
        events = self.anticipator.learn_one(sample)
        if events:
            self.zone = self.anticipator.zone or self.zone
            self.foresight.follow(events, self.anticipator)

    def snapshot(self) -> bytes:
        """What was learned of the person's ways and the home's routine."""
        return self.foresight.remember(self.anticipator)

    def recall(self, past: bytes) -> None:
        """Take over what another mind learned: its snapshot.

        A mind that is to learn nothing learns nothing that comes after it either.

        Raises:
            UsageError: `past` is damaged or of another version.
        """
        memory = load_memory(past)
        anticipator = Anticipator.restore(
            memory.anticipator, self._zone_of, student=self._student
        )
        self.foresight.recall(memory)  # both or, where one is damaged, neither
        if self.anticipator.is_frozen:
            stays = anticipator.stays
            anticipator.freeze(stays[-1].departure if stays else 0.0)
        self.anticipator = anticipator
        self._look_up_anew()
        self._obey()

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Obey what people said of places, now and when such a place is found."""
        self.corrector.take(corrections)
        self._obey()

    def _obey(self) -> None:
        if self.corrector.apply(self.anticipator):
            self.foresight.touch()
            self._look_up_anew()
            self._is_stale, self._trips_at = True, float("-inf")

    def _look_up_anew(self) -> None:
        """Of what was asked of the map and of past stays nothing is kept."""
        self._firsts.clear()
        self.namer.forget()
        self._open_world.forget()

    def outlook(self, time: float) -> Outlook:
        """The next day at home, as it was known shortly before event time `time`."""
        return self.foresight.predict_one(time, (self.anticipator,), self.forecast)

    def forget(self, since: float, until: float) -> list[str]:
        """Forget where the person was, and what was said, in a span of event time.

        What was said of earlier or later days stands, and so do answers: those are
        in the household's state.

        Returns:
            Ids of what people said of places that are known no longer.
        """
        said: list[str] = []
        if since < until:
            places = dict(self.anticipator.places)
            gone = self.anticipator.forget(since, until).places
            said = self.corrector.of(places, gone)
            self.foresight.forget_presence(since, until)
            self._look_up_anew()
        kept = [line for line in self.lines if not since <= line.time < until]
        self.lines.clear()
        self.lines.extend(kept)
        self.forecast = None
        return said

    def forget_home(self, since: float, until: float) -> None:
        """Forget what was done at home in a span of event time, and who was in."""
        self.foresight.forget(since, until)
        old, self._chronicle = self._chronicle, Chronicle(self.roles.home)
        for sample in old.changes:
            if not since <= sample.time < until:
                self._chronicle.learn_one(sample)

    def set_learning(
        self, is_on: bool, time: float, *, has_routine: bool = True
    ) -> None:
        """Learn from event time `time` on, or predict and learn nothing.

        Args:
            is_on: whether anything is learned.
            time: event time.
            has_routine: whether the home's routine is learned and foretold at all.
        """
        if is_on and self.anticipator.is_frozen:
            self.anticipator.thaw(time)
        elif not is_on and not self.anticipator.is_frozen:
            self.anticipator.freeze(time)
        self.foresight.turn(time, is_on=has_routine, is_learning=is_on)

    def step(self, time: float) -> list[Suggestion]:
        """Look at what is known at event time `time`; the suggestions that are new."""
        self._obey()
        self._forecast(time)
        if self._heating.is_news:
            self.suggester.skills = self._heating.fit(self.suggester.skills)
        for answer in self.suggester.expire(time):
            self._note_answer(answer)
        new = self.suggester.suggest(self.situation(time))
        for suggestion in new:
            need = suggestion.need
            reasons = [reason.text for reason in need.reasons]
            self._note(time, "suggestion", need.title, [*need.details, *reasons])
        return new

    def answer(self, suggestion: str, kind: AnswerKind, time: float) -> Suggestion:
        """Record what the person said; the suggestion that it was about.

        Raises:
            UsageError: no such suggestion waits for an answer.
        """
        found = self.suggestion(suggestion)
        answer = Answer(suggestion, kind, time)
        self.suggester.answer(answer)
        self._note_answer(answer, found.need.title)
        return found

    def suggestion(self, suggestion: str) -> Suggestion:
        """The suggestion with that id that waits for an answer.

        Raises:
            UsageError: there is none.
        """
        for found in self.suggester.live:
            if found.id == suggestion:
                return found
        raise UsageError(
            f"no suggestion {suggestion!r} waits for an answer",
            hint="it expired, or was answered on another device",
        )

    def situation(self, time: float) -> Situation:
        """All that a skill may look at."""
        if not 0.0 <= time - self._trips_at < TRIPS_S:
            self._trips, self._trips_at = self.anticipator.trips, time
        return Situation(
            time=time,
            zone=self.zone,
            person=self.roles.person,
            phone=self.roles.phone,
            car=self.roles.car,
            home=self.roles.home,
            context=self.context,
            forecast=self.forecast,
            at=self.anticipator.at(time),
            places=self.namer.places(self.anticipator.places),
            stays=self.anticipator.stays,
            atlas=self.atlas,
            trips=self._trips,
            appointments=self.appointments(time, self.zone),
            lists=self.lists,
            changes=self._chronicle.changes,
            soon=self.foresight.soon(time),
        )

    def place(self, time: float) -> Place | None:
        """Where the person is staying, None on a trip."""
        place = self.anticipator.places.get(self.anticipator.at(time))
        return None if place is None else self.namer.place(place)

    def home_position(self) -> tuple[float, float] | None:
        """Where the person's home is, in degrees, once it was found."""
        return home_position(self.anticipator.places)

    def trail(self) -> tuple[tuple[float, float], ...]:
        """The running trip so far, (lat, lon) in degrees."""
        return tuple(self._trail) if self.forecast is not None else ()

    def note(self, time: float, text: str, details: list[str]) -> None:
        """Add a line about the home to the timeline."""
        self._note(time, "home", text, details)

    def _forecast(self, time: float) -> None:
        last = self.forecast
        is_old = self._is_stale or last is None
        if last and not is_old and 0 <= time - last.time < FORECAST_EVERY_S:
            return
        self._is_stale = False
        found = self.anticipator.predict_one(time)
        if found is not None:
            found = self._named(found)
        self.forecast = found
        if last is None and self.forecast is not None:
            likely = self.forecast.best
            while len(self._trail) > 10:
                self._trail.popleft()
            text = f"{self.roles.person.title()} set off"
            detail = f"{likely.probability:.0%} {likely.label}"
            self._note(self.forecast.departure, "departure", text, [detail])
        if last is not None and self.forecast is None:
            self._note_arrival(time, last)

    def _named(self, forecast: Forecast) -> Forecast:
        """With the names that the map has, and what of it somewhere new may be."""
        mind = self.anticipator
        named = self.namer.forecast(forecast, mind.places)
        trip = mind.current_trip
        return self._open_world.forecast(
            named, trip, mind.places, mind.stays, self.zone
        )

    def _note_arrival(self, time: float, last: Forecast) -> None:
        place = self.place(time)
        trips = self.anticipator.trips
        if place is None or not trips:
            return
        text = f"{self.roles.person.title()} arrived: {place.label}"
        self._note(trips[-1].arrival, "arrival", text, [_given(last, place)])

    def _note_answer(self, answer: Answer, title: str = "") -> None:
        self.answers.appendleft(answer)
        word = {"yes": "Yes", "not_now": "Not now"}.get(answer.kind.value)
        if word is not None:
            self._note(answer.time, "answer", f"{word}: {title}", [])

    def _note(self, time: float, kind: str, text: str, details: list[str]) -> None:
        self.lines.append(TimelineEntry(time, kind, text, tuple(details)))

    def clock(self, time: float) -> str:
        """The event time as the person's clock shows it."""
        return clock_text(time, self.zone)

    @property
    def zone_name(self) -> str:
        """Name of the local time zone."""
        return str(self.zone)


def _no_agenda(time: float, zone: tzinfo) -> Sequence[Appointment]:
    return ()


def _given(last: Forecast, place: Place) -> str:
    """What a forecast gave the place where the trip then ended."""
    share = last.probability_of(place.id)
    if place.visits > 1 or share > 0.0 or place.lat is None or place.lon is None:
        return f"the last forecast gave it {share:.0%}"
    text = f"the last forecast gave somewhere new {last.probability_of(''):.0%}"
    for found in last.prospects:
        if distance_m(found.lat, found.lon, place.lat, place.lon) <= KNOWN_M:
            return f"{text}, of that {found.label} {found.probability:.0%}"
    return text
