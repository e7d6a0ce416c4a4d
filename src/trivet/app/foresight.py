"""Foresight: the home's routine beside one person's ways, told as the next day at home.

The routine learns from the home's samples, and who is in from the phone where the home
does not say. What is foretold is worked out anew when something happens, and otherwise
seldom: it changes by the hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import msgspec

from trivet.app.fact import state_words
from trivet.app.outlook import Coming, Next, Outlook, Presence
from trivet.domain import Forecast, PlaceRole, Sample, UsageError
from trivet.domain.clock import local
from trivet.domain.forecast import Interval
from trivet.engine import Anticipator
from trivet.engine.event import Event, StayStarted, TripStarted
from trivet.engine.homecoming import HomeForecast, first
from trivet.engine.routine import OCCUPANCY, Resident, Routine
from trivet.engine.routine import Outlook as Foretold
from trivet.engine.timeline import LATEST_S

#: Event seconds after which the routine, a way home from where somebody stays, and one
#: from a trip, are foretold anew though nothing happened.
ROUTINE_S, HOME_S, TRIP_S = 600.0, 300.0, 60.0
#: Sooner than that where the time that was told has gone by, but no sooner than this.
LATE_S = 60.0
#: What may come next is told down to this chance, and so many at the most.
LEAST, MOST = 0.05, 5
#: Days of which the routine knows too little to foretell another.
FEW_DAYS = 3.0
DAY_S = 86_400.0


class Memory(msgspec.Struct, frozen=True):
    """What a mind learned, for another to take over.

    Attributes:
        anticipator: its snapshot.
        routine: likewise, empty where none is learned.
        home_until: event time of the newest sample of the home in it.
    """

    anticipator: bytes
    routine: bytes = b""
    home_until: float = float("-inf")


class Foresight:
    """What is foretold of one home and one person's ways there.

    Args:
        person: whose phone tells where they are.
        home: id of the home device.
        zone: the home's time zone.
    """

    def __init__(self, person: str, home: str, zone: tzinfo) -> None:
        self.is_on = True
        self._person, self._home, self._zone = person, home, zone
        self._presence = f"person.{person}"
        self._home_tells = False
        self._since: float | None = None
        self._until = self._known = float("-inf")
        self._told: Foretold | None = None
        self._coming: tuple[float, tuple[HomeForecast, ...]] | None = None
        self._drawn: Outlook | None = None
        self._soon: tuple[float, tuple[float, ...]] | None = None
        resident = Resident(person, presence=self._presence)
        self.routine = Routine(home, zone, [resident])

    def move(self, zone: tzinfo) -> None:
        """The home turned out to be in another time zone."""
        if zone != self._zone:
            self._zone = zone
            self.routine = Routine.restore(self.routine.snapshot(), zone)

    def learn_one(self, sample: Sample) -> None:
        """Take up one sample; those of other devices change nothing."""
        if sample.device != self._home or sample.time <= self._known:
            return
        self._until = max(self._until, sample.time)
        self._home_tells = self._home_tells or sample.path == self._presence
        if self._since is None and not self.routine.is_frozen:
            self._since = sample.time
        event = self.routine.learn_one(sample)
        if event is not None or sample.path == self._presence:
            self._told = self._soon = None

    def follow(self, events: Sequence[Event], anticipator: Anticipator) -> None:
        """The phone tells of its person: they came home, or left."""
        self._coming = None if events else self._coming
        if self._since is None or self._home_tells:
            return
        for event in events:
            if event.time <= self._known:
                continue
            if isinstance(event, StayStarted):
                place = anticipator.places.get(event.place)
                is_home = place is not None and place.role is PlaceRole.HOME
                self._tell(event.arrival, is_home=is_home)
            elif isinstance(event, TripStarted):
                self._tell(event.departure, is_home=False)

    def _tell(self, time: float, *, is_home: bool) -> None:
        self.routine.learn_presence(self._person, time, is_home)
        self._told = self._soon = None

    # --- what a person says of it ---------------------------------------------------

    def forget(self, since: float, until: float) -> None:
        """Forget what happened at home in a span of event time, and who was in."""
        if since < until:
            self.routine.forget(since, until)
            if self._since is not None and since <= self._since < until:
                self._since = until
        self._told = self._drawn = self._soon = None

    def forget_presence(self, since: float, until: float) -> None:
        """Forget who was in as the phone told it; what the home told stands."""
        if since < until and not self._home_tells:
            self.routine.forget_presence(self._person, since, until)
        self._told = self._drawn = self._coming = self._soon = None

    def turn(self, time: float, *, is_on: bool, is_learning: bool) -> None:
        """From an event time on learn what happens, or foretell alone, or neither."""
        is_frozen = not (is_on and is_learning)
        was_on, was_frozen = self.is_on, self.routine.is_frozen
        if (is_on, is_frozen) == (was_on, was_frozen):
            return
        self.is_on = is_on
        if is_frozen and not was_frozen:
            self.routine.freeze(time)
        elif was_frozen and not is_frozen:
            self.routine.thaw()
        self._told = self._drawn = self._soon = None

    def touch(self) -> None:
        """What is known of places changed: foretell the way home anew."""
        self._coming = None

    @property
    def paths(self) -> frozenset[str]:
        """The signals of the home that it learned from: what was done, who was in."""
        done = {event.path for event in self.routine.events}
        return frozenset(done | {self._presence, OCCUPANCY})

    # --- what is kept ----------------------------------------------------------------

    def remember(self, anticipator: Anticipator) -> bytes:
        """All that was learned, for `recall`."""
        memory = Memory(anticipator.snapshot(), self.routine.snapshot(), self._until)
        return msgspec.msgpack.encode(memory)

    def recall(self, memory: Memory) -> None:
        """Take over what another learned of the same home.

        Raises:
            UsageError: it is damaged or of another version.
        """
        if memory.routine:
            is_frozen = self.routine.is_frozen
            self.routine = Routine.restore(memory.routine, self._zone)
            if is_frozen:
                self.routine.freeze(memory.home_until)
            self._known = self._until = memory.home_until
            events = self.routine.events
            self._since = events[0].time if events else None
        self._told = self._coming = self._drawn = self._soon = None

    # --- what is foretold --------------------------------------------------------

    def predict_one(
        self, time: float, people: Sequence[Anticipator], running: Forecast | None
    ) -> Outlook:
        """The next day at home, as it was known at most minutes before `time`.

        Args:
            time: event time.
            people: whose ways home are foretold.
            running: the forecast of the trip that one of them is on.
        """
        is_learning = not any(each.is_frozen for each in people)
        is_told = self._foretell(time, people, HOME_S if running is None else TRIP_S)
        drawn = self._drawn
        if is_told or drawn is None or drawn.is_learning != is_learning:
            drawn = self._draw(time, people, running)
            self._drawn = msgspec.structs.replace(drawn, is_learning=is_learning)
            return self._drawn
        return drawn

    def soon(self, time: float) -> tuple[float, ...]:
        """Chance that somebody is at home, for each quarter of an hour from `time` on.

        Empty while somebody is in, and while the routine is not learned, or knows too
        little.
        """
        if self.routine.is_home or not self.is_on:
            return ()
        if time - (self._since or time) < FEW_DAYS * DAY_S:
            return ()
        if self._soon is None or not 0.0 <= time - self._soon[0] < ROUTINE_S:
            self._soon = time, self.routine.soon(time)
        return self._soon[1]

    def _foretell(
        self, time: float, people: Sequence[Anticipator], every_s: float
    ) -> bool:
        """Whether anything was foretold anew."""
        told, coming = self._told, self._coming
        is_old = self.is_on and (
            told is None
            or _is_old(time, told.time, ROUTINE_S, [e.time for e in told.events[:1]])
        )
        if is_old:
            self._told = self.routine.predict_one(time)
        ways = (
            [each.arrival for each in coming[1] if not each.is_home] if coming else []
        )
        if coming is None or _is_old(time, coming[0], every_s, ways):
            found = [each.predict_home(time) for each in people]
            self._coming = time, tuple(one for one in found if one is not None)
            return True
        return is_old

    def _draw(
        self, time: float, people: Sequence[Anticipator], running: Forecast | None
    ) -> Outlook:
        found = self._coming[1] if self._coming else ()
        known = {each.person: each for each in people}
        coming = tuple(_coming(f, _rests(f, known[f.person], running)) for f in found)
        soonest = first(found) if len(found) > 1 else None
        outlook = Outlook(
            time,
            str(self._zone),
            self.is_on,
            coming=coming,
            first=None if soonest is None else _coming(soonest, "whoever comes first"),
        )
        told = self._told if self.is_on else None
        if told is None or time - (self._since or time) < FEW_DAYS * DAY_S:
            return outlook
        return self._with_routine(outlook, told)

    def _with_routine(self, outlook: Outlook, told: Foretold) -> Outlook:
        whole, since = told.day(), self._since_text()
        nights, events = len(self.routine.nights()), len(self.routine.events)
        days = [day for day in told.days if day.is_home]
        # somebody is in at least as likely as each of them
        either = [max(at) for at in zip(*(day.is_home for day in days), strict=True)]
        expected = [e for e in told.events if e.what and e.probability >= LEAST]
        return msgspec.structs.replace(
            outlook,
            presence=tuple(
                Presence(day.who.title(), day.is_home if day.who else tuple(either))
                for day in days
            ),
            presence_rests=f"who was in {since}" if days else "",
            next=tuple(
                Next(e.what, state_words(e.what), e.probability, e.time)
                for e in expected[:MOST]
            ),
            when=told.next,
            next_rests=f"{events:,} things done at home {since}" if events else "",
            bed=whole.bed,
            wake=whole.wake,
            night_rests=f"{nights} nights {since}" if nights else "",
        )

    def _since_text(self) -> str:
        there = local(self._since or 0.0, self._zone)
        return f"since {there.day} {there:%B}"


def load_memory(data: bytes) -> Memory:
    """What `Foresight.remember` gave as bytes.

    Raises:
        UsageError: it is damaged.
    """
    hint = "learn again from the recorded samples"
    try:
        memory = msgspec.msgpack.decode(data, type=Memory)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"damaged memory: {error}", hint=hint) from error
    if not memory.home_until <= LATEST_S:  # nothing that comes would be learned
        raise UsageError("damaged memory: it ends at no time", hint=hint)
    return memory


def _is_old(
    time: float, told: float, most_s: float, expected: Sequence[Interval | None]
) -> bool:
    """Whether what was foretold at `told` is to be foretold anew at `time`."""
    age_s = time - told
    is_late = any(each is not None and each.median < time for each in expected)
    return not 0.0 <= age_s < (LATE_S if is_late else most_s)


def _coming(found: HomeForecast, rests: str) -> Coming:
    who = " or ".join(name.title() for name in found.person.split(" or "))
    if found.is_home:
        return Coming(who, is_home=True, rests=rests)
    return Coming(who, False, found.middle, found.arrival, rests)


def _rests(found: HomeForecast, anticipator: Anticipator, trip: Forecast | None) -> str:
    if found.is_home:
        return "where the phone is"
    stays = f"{len(anticipator.stays):,} past stays"
    if trip is None or trip.person != found.person:
        return f"days that went like this one, of {stays}"
    homes = {p.id for p in anticipator.places.values() if p.role is PlaceRole.HOME}
    share = sum(c.probability for c in trip.candidates if c.place in homes)
    return f"the running trip, {100 * share:.0f} % likely home, and {stays}"
