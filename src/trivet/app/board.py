"""What a device shows its person: the suggestions that were given to it, and answers.

A suggestion was judged where it was made. Whether it may be shown at this moment is
judged anew where the person is, by what this device itself knows of the drive: under
high load only safety is, and on the phone of somebody who drives nothing else either.
What may not be shown waits, and goes when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

import msgspec

from trivet.app.trust import Trust
from trivet.domain import (
    Answer,
    AnswerKind,
    Candidate,
    DeviceKind,
    Forecast,
    Sample,
    Suggestion,
    Surface,
    UsageError,
)
from trivet.domain.wire import Ack
from trivet.engine.attention import Attention, Load
from trivet.engine.context import Context
from trivet.engine.situation import Situation
from trivet.engine.whereabouts import is_in_car, speed_kph
from trivet.fabric.lease_gate import SUGGESTION
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: Asked of the device that leads: what the person said to a suggestion.
ANSWER = "answer"
#: Real seconds that it may take: a yes has things done on other devices.
ANSWER_S = 15.0
#: Suggestions that are kept; of more, the oldest go.
MOST = 64
#: What a car that moves tells a phone, and for how long that holds, in event seconds.
IS_MOVING, FRESH_S = "Vehicle.IsMoving", 120.0
#: A forecast older than this says nothing of now, in event seconds.
FORECAST_S = 180.0

OnShow = Callable[[Suggestion], None]
#: Told of one that was shown and is over, and what was said to it, if anything was.
OnOver = Callable[[Suggestion, AnswerKind], None]


class _Entry(msgspec.Struct):
    """A suggestion that waits, who gave it, who led then, and whether it was shown."""

    suggestion: Suggestion
    owner: str
    leader: str
    is_shown: bool = False


class Board:
    """The suggestions of one device.

    Args:
        link: its place on the fabric.
        trust: its leases; the event time.
        attention: what is too much for a driver.
    """

    def __init__(
        self, link: Link, trust: Trust, attention: Attention | None = None
    ) -> None:
        self._link, self._trust = link, trust
        self._attention = Attention() if attention is None else attention
        self._entries: dict[str, _Entry] = {}
        self._listeners: list[OnShow] = []
        self._on_over: list[OnOver] = []
        self._context = Context()
        self._forecast: Forecast | None = None
        #: says which device leads now; empty for who gave the suggestion
        self.leader: Callable[[], str] = str

    @property
    def time(self) -> float:
        """Event time at this device."""
        return self._trust.time

    @property
    def zone(self) -> tzinfo:
        """The household's time zone."""
        return self._trust.zone

    def on_show(self, listen: OnShow) -> None:
        """Have `listen` told of each suggestion when it may first be shown."""
        self._listeners.append(listen)

    def on_over(self, listen: OnOver) -> None:
        """Have `listen` told of each suggestion that was shown and is over."""
        self._on_over.append(listen)

    # --- what comes in --------------------------------------------------------

    def hear(self, received: Received) -> None:
        """Take in what another device sent, if it is for a person."""
        message = received.message
        if isinstance(message, Suggestion | Forecast):
            self.put(message, received.owner)
        elif isinstance(message, Answer) and received.path == SUGGESTION:
            entry = self._entries.get(message.suggestion)
            if entry is not None and entry.owner == received.owner:
                self.drop(message.suggestion, message.kind)
        elif isinstance(message, Sample) and message.device == received.owner:
            self.learn(message)

    def put(self, message: Suggestion | Forecast, owner: str) -> None:
        """Show what a device made: another one, or this one itself."""
        if isinstance(message, Forecast):
            self._forecast = message
            return
        known = self._entries.get(message.id)
        if known is not None and known.owner == owner:  # told twice, shown once
            known.suggestion = message
        else:
            self._entries[message.id] = _Entry(message, owner, self.leader())
        while len(self._entries) > MOST:
            self.drop(next(iter(self._entries)))
        self.look()

    def learn(self, sample: Sample) -> None:
        """Take in what tells of the drive."""
        self._context.learn_one(sample)

    def drop(self, suggestion: str, kind: AnswerKind = AnswerKind.IGNORED) -> None:
        """It is over: answered so, or no longer worth a word."""
        entry = self._entries.pop(suggestion, None)
        if entry is not None and entry.is_shown:
            for listen in self._on_over:
                listen(entry.suggestion, kind)

    def look(self) -> None:
        """Event time has gone on: what is over goes, what may be shown now is.

        What a device gave that leads no longer is over: who leads now says it anew.
        """
        leader = self.leader()
        for id_, entry in list(self._entries.items()):
            is_over = entry.suggestion.need.expires <= self.time
            if is_over or leader not in ("", entry.owner, entry.leader):
                self.drop(id_)  # nobody would take an answer to it
            elif not entry.is_shown and self._may_show(entry.suggestion):
                entry.is_shown = True
                for listen in self._listeners:
                    listen(entry.suggestion)

    # --- what a person sees and says ------------------------------------------

    @property
    def shown(self) -> list[Suggestion]:
        """What may be shown now, oldest first."""
        self.look()
        every = (entry.suggestion for entry in self._entries.values())
        return [each for each in every if self._may_show(each)]

    @property
    def held(self) -> int:
        """How many wait until the road takes less attention."""
        shown = len(self.shown)  # which takes away what is over
        return len(self._entries) - shown

    @property
    def forecast(self) -> Forecast | None:
        """The newest forecast, None when it is of a trip that is over."""
        found = self._forecast
        if found is None or not 0.0 <= self.time - found.time <= FORECAST_S:
            return None
        return found

    async def answer(self, suggestion: str, kind: AnswerKind) -> list[str]:
        """Give the person's word to the device that leads; what of it failed.

        Raises:
            UsageError: no such suggestion is shown here.
            PeerError: the leading device is not there, or refuses it.
        """
        entry = self._entries.get(suggestion)
        if entry is None or not self._may_show(entry.suggestion):
            raise UsageError(
                f"no suggestion {suggestion!r} waits for an answer here",
                hint="see what does: trivet suggestions",
            )
        leader = self.leader()
        to = entry.owner if leader in ("", self._link.device) else leader
        word = Answer(suggestion, kind, self.time)
        said = await self._link.ask(to, ANSWER, word, timeout_s=ANSWER_S)
        self.drop(suggestion, kind)
        return [said.error] if isinstance(said, Ack) and not said.ok else []

    # --- whether it is safe ---------------------------------------------------

    def _may_show(self, suggestion: Suggestion) -> bool:
        situation = self._situation()
        if not self._attention.allows(suggestion.need, situation):
            return False
        on_phone = suggestion.surface is Surface.PHONE
        return not (on_phone and self._drives(situation)) or suggestion.need.is_safety

    def _drives(self, situation: Situation) -> bool:
        """Whether the person sits in the household's car while it moves."""
        load, speed = self._attention.load(situation), speed_kph(situation)
        if load is Load.NONE or speed is None:
            return False
        moving = self._context.sample(situation.car, IS_MOVING)
        if moving is not None and self.time - moving.time <= FRESH_S:
            return moving.value is True
        return is_in_car(situation)

    def _situation(self) -> Situation:
        """What this device knows of the drive, and nothing else."""
        phone, car, home = map(
            self._device_of, (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)
        )
        return Situation(
            time=self.time,
            zone=self.zone,
            person="",
            phone=phone,
            car=car,
            home=home,
            context=self._context,
            # moving or not is told by speeds here, whether or not a trip was foretold
            forecast=self.forecast or _any_trip(self.time),
            at="",
            places={},
            stays=(),
        )

    def _device_of(self, kind: DeviceKind) -> str:
        """This device if it is of the kind, else the first of the household's."""
        me = self._trust.book.me
        if me.kind is kind:
            return me.device
        members = self._trust.household.members
        return next((p.device for p in members.values() if p.kind is kind), "")


def _any_trip(time: float) -> Forecast:
    return Forecast("", time, time, "", (Candidate("", "somewhere", 1.0),))
