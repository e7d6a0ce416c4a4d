"""Suggest: needs in, suggestions worth a person's attention out.

A need is suggested when

    utility = probability x benefit x acceptance - cost of interrupting now

is above zero. Safety is judged without acceptance or cost: it is said whenever it is
likely enough, as often a day as it takes. Event time only: a replayed year and a
lived day give the same suggestions with the same ids.

Source: E. Horvitz, "Principles of Mixed-Initiative User Interfaces", CHI 1999, for
acting on expected utility, with the cost of attention on the other side.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from trivet.domain.clock import hour_of_day, local
from trivet.domain.error import InputError, UsageError
from trivet.domain.suggestion import (
    Answer,
    AnswerKind,
    Need,
    Suggestion,
    Surface,
)
from trivet.engine.attention import Attention
from trivet.engine.feedback import Feedback, Lesson
from trivet.engine.situation import Situation, Skill

VERSION = 1
#: Suggestions a local day, safety aside.
MAX_PER_DAY = 6
#: Safety is said from this probability times benefit on.
SAFETY_UTILITY = 0.2
#: Advice that was accepted, with nothing to be done by a device, is not repeated
#: within this time: the person knows.
ADVICE_S = 12 * 3600.0
#: A need gone for this long takes its suggestion with it; shorter gaps are flicker.
GONE_S = 180.0


class _Live(msgspec.Struct, frozen=True):
    suggestion: Suggestion
    hour: float
    event: float
    seen: float


class _State(msgspec.Struct, frozen=True):
    version: int
    person: str
    live: list[_Live]
    day: str
    given: int
    feedback: msgspec.Raw


class Suggester:
    """Chooses what to say to one person, when, and where; learns from the answers."""

    def __init__(
        self,
        person: str,
        skills: Iterable[Skill],
        feedback: Feedback | None = None,
        attention: Attention | None = None,
        max_per_day: int = MAX_PER_DAY,
    ) -> None:
        """Serve `person` with `skills`, going on from earlier `feedback` if given."""
        self.person = person
        self.skills = tuple(skills)
        self.feedback = feedback if feedback is not None else Feedback()
        self.attention = attention if attention is not None else Attention()
        self.max_per_day = max_per_day
        #: skill name to what it raised the last time, for skills that failed then
        self.faults: dict[str, str] = {}
        #: what was learnt from answers since `take_lessons` was called
        self._lessons: list[Lesson] = []
        self._live: dict[str, _Live] = {}
        self._day = ""
        self._given = 0

    @property
    def live(self) -> list[Suggestion]:
        """Suggestions with no answer yet, oldest first."""
        return [entry.suggestion for entry in self._live.values()]

    def suggest(self, situation: Situation) -> list[Suggestion]:
        """What is newly worth saying now, most useful first.

        A live suggestion whose need has been gone for GONE_S (the garage was closed
        by hand) leaves `live` with no answer learnt. Should the need come back before
        it would have ended, or on the same trip, it is not said again, safety aside.

        Raises:
            UsageError: the situation is somebody else's.
        """
        if situation.person != self.person:
            raise UsageError(
                f"a situation of {situation.person} was given to the suggester "
                f"of {self.person}",
                hint="make one Suggester a person",
            )
        needs = self._needs(situation)
        self._withdraw_gone(needs, situation.time)
        day = local(situation.time, situation.zone).date().isoformat()
        if day != self._day:
            self._day, self._given = day, 0
        ranked = sorted(
            (need for need in needs.values() if self._may_be_said(need, situation)),
            key=lambda need: (
                not need.is_safety,
                -self.utility(need, situation),
                need.skill,
                need.key,
            ),
        )
        found = (self._judge(need, situation) for need in ranked)
        return [suggestion for suggestion in found if suggestion is not None]

    def utility(self, need: Need, situation: Situation) -> float:
        """Worth of saying `need` now; it is said above zero."""
        worth = need.probability * need.benefit
        if need.is_safety:
            return worth - SAFETY_UTILITY
        hour = hour_of_day(situation.time, situation.zone)
        acceptance = self.feedback.acceptance(need.skill, hour).mean
        return worth * acceptance - self.attention.cost(situation, self._given)

    def answer(self, answer: Answer) -> Suggestion | None:
        """Take up what the person said.

        Returns:
            The suggestion that was answered, with the actions that a "yes" does; None
            when it is not live: answered already (on another surface), or expired.
        """
        entry = self._live.pop(answer.suggestion, None)
        if entry is None:
            return None
        need = entry.suggestion.need
        until = need.expires
        if answer.kind is AnswerKind.YES and not need.actions:
            until = max(until, answer.time + ADVICE_S)
        lesson = Lesson(
            answer.suggestion,
            self.person,
            need.skill,
            need.key,
            answer.kind,
            answer.time,
            entry.hour,
            until=until,
            event=entry.event,
            grows=not need.is_safety,
        )
        self.feedback.take_up(lesson)
        self._lessons.append(lesson)
        return entry.suggestion

    def take_lessons(self) -> list[Lesson]:
        """What was learnt from answers since the last call, for other devices."""
        lessons, self._lessons = self._lessons, []
        return lessons

    def expire(self, time: float) -> list[Answer]:
        """End what expired by event time `time`, as ignored; gives those answers."""
        ended = [
            Answer(suggestion.id, AnswerKind.IGNORED, suggestion.need.expires)
            for suggestion in self.live
            if suggestion.need.expires <= time
        ]
        for answer in ended:
            self.answer(answer)
        return ended

    def snapshot(self) -> bytes:
        """Live suggestions, today's count and the feedback, as JSON."""
        return msgspec.json.encode(
            _State(
                VERSION,
                self.person,
                list(self._live.values()),
                self._day,
                self._given,
                msgspec.Raw(self.feedback.snapshot()),
            )
        )

    def restore(self, data: bytes) -> None:
        """Go on from what `snapshot` gave; on an error nothing is changed.

        Raises:
            InputError: `data` is no snapshot of this version and person.
        """
        try:
            state = msgspec.json.decode(data, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"not a suggester snapshot: {error}") from error
        if (state.version, state.person) != (VERSION, self.person):
            raise InputError(
                f"suggester snapshot of version {state.version} for {state.person}, "
                f"wanted version {VERSION} for {self.person}"
            )
        self.feedback = Feedback.restore(bytes(state.feedback))
        self._live = {entry.suggestion.id: entry for entry in state.live}
        self._day, self._given = state.day, state.given

    def _needs(self, situation: Situation) -> dict[tuple[str, str], Need]:
        """Needs of all skills by skill and key; of two with one key the likelier."""
        found: dict[tuple[str, str], Need] = {}
        self.faults = {}
        for skill in self.skills:
            try:
                needs = list(skill.needs(situation))
            except Exception as error:
                # a third party's skill must not silence the others; the app shows it
                self.faults[skill.name] = f"{type(error).__name__}: {error}"
                continue
            for need in needs:
                known = found.get((need.skill, need.key))
                if known is None or need.probability > known.probability:
                    found[need.skill, need.key] = need
        return found

    def _may_be_said(self, need: Need, situation: Situation) -> bool:
        said = {(s.need.skill, s.need.key) for s in self.live}
        return (
            (need.skill, need.key) not in said
            and need.expires > situation.time
            and not self.feedback.is_silent(
                need.skill, need.key, situation.time, _event_of(situation)
            )
        )

    def _judge(self, need: Need, situation: Situation) -> Suggestion | None:
        is_full = not need.is_safety and self._given >= self.max_per_day
        if is_full or not self.attention.allows(need, situation):
            return None
        surface = self.attention.surface(need, situation)
        if surface is None or self.utility(need, situation) <= 0.0:
            return None
        return self._give(need, situation, surface)

    def _give(self, need: Need, situation: Situation, surface: Surface) -> Suggestion:
        suggestion = Suggestion(
            _id_of(self.person, need, situation.time),
            self.person,
            situation.time,
            need,
            surface,
        )
        self._live[suggestion.id] = _Live(
            suggestion,
            hour_of_day(situation.time, situation.zone),
            _event_of(situation),
            situation.time,
        )
        self._given += not need.is_safety
        return suggestion

    def _withdraw_gone(self, needs: dict[tuple[str, str], Need], time: float) -> None:
        for id_, entry in list(self._live.items()):
            need = entry.suggestion.need
            if (need.skill, need.key) in needs or need.skill in self.faults:
                self._live[id_] = msgspec.structs.replace(entry, seen=time)
            elif time - entry.seen >= GONE_S and time < need.expires:
                del self._live[id_]
                if not need.is_safety:
                    self.feedback.silence(
                        need.skill, need.key, time, need.expires, entry.event
                    )


def _event_of(situation: Situation) -> float:
    return 0.0 if situation.forecast is None else situation.forecast.departure


def _id_of(person: str, need: Need, time: float) -> str:
    text = "\x1f".join((person, need.skill, need.key, repr(time)))
    return f"{need.skill}-{blake2b(text.encode(), digest_size=8).hexdigest()}"
