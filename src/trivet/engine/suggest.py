"""Suggest: needs in, suggestions worth a person's attention out.

A need is suggested when

    utility = wanted x benefit - (1 - wanted) x price of being wrong - cost of now

is above zero, where `wanted` is the chance that the skill claims times the acceptance
that the person's answers bear out. Acceptance is not known but distributed: it is drawn
anew for each need and day (Thompson sampling, `engine.acceptance`), and a draw below
what is expected counts as that, since keeping back what is worthwhile teaches nothing.
Each choice is logged with its chance to be said (`engine.choice`). Safety is judged
without acceptance, price or cost: it is said whenever it is likely enough, as often a
day as it takes. Event time only: a replayed year and a lived day give the same
suggestions with the same ids.

Source: E. Horvitz, "Principles of Mixed-Initiative User Interfaces", CHI 1999, for
acting on expected utility, with the cost of attention on the other side; B. C. May et
al., "Optimistic Bayesian Sampling in Contextual-Bandit Problems", Journal of Machine
Learning Research 13 (2012), for draws that are never below the mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
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
from trivet.engine.acceptance import Beta, draw
from trivet.engine.attention import Attention
from trivet.engine.choice import Choice, ChoiceLog, ChoiceState
from trivet.engine.feedback import Feedback, Lesson
from trivet.engine.situation import Situation, Skill, needs_of
from trivet.engine.today import Today
from trivet.engine.undone import Deed, Watch

VERSION = 2
#: Suggestions a local day, safety aside.
MAX_PER_DAY = 3
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
    said: dict[str, int]
    deeds: list[Deed]
    choices: ChoiceState
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
        *,
        explores: bool = True,
    ) -> None:
        """Serve `person` with `skills`, going on from earlier `feedback` if given.

        Args:
            person: whom.
            skills: what turns situations into needs.
            feedback: what was learnt from answers before.
            attention: what an interruption costs.
            max_per_day: suggestions a local day, safety aside.
            explores: whether acceptance is drawn; else its mean is taken as it is.
        """
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
        #: what was weighed, with its chance and what came of it
        self.choices = ChoiceLog()
        self.explores = explores
        self._today = Today()
        self._watch = Watch()

    @property
    def live(self) -> list[Suggestion]:
        """Suggestions with no answer yet, oldest first."""
        return [entry.suggestion for entry in self._live.values()]

    @property
    def is_full(self) -> bool:
        """Whether as much was said today as may be, safety aside."""
        return self._today.given >= self.max_per_day

    def twin(self, skills: Iterable[Skill], *, goes_on: bool = False) -> Suggester:
        """One that judges the same and has nothing waiting, to be asked what if.

        It shares the feedback: let it suggest, and answer nothing to it.

        Args:
            skills: what turns situations into needs.
            goes_on: whether it has said as much today; else nothing yet.
        """
        twin = Suggester(
            self.person,
            skills,
            self.feedback,
            self.attention,
            self.max_per_day,
            explores=self.explores,
        )
        if goes_on:
            twin._today = deepcopy(self._today)
        return twin

    def withdraw(self) -> None:
        """Take back all that waits, with no answer learnt: another device leads."""
        for suggestion in self._live:
            self.choices.settle(suggestion, None)
        self._live.clear()

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
        needs, self.faults = needs_of(self.skills, situation)
        self._withdraw_gone(needs, situation.time)
        for lesson in self._watch.look(situation):
            self.choices.undo(lesson.suggestion.removesuffix("-undone"))
            self._learn(lesson)
        if self._today.turn(local(situation.time, situation.zone), self.feedback):
            self.choices.turn(self._today.date)
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
        """Worth of saying `need` now, at the expected acceptance."""
        if need.is_safety:
            return need.probability * need.benefit - SAFETY_UTILITY
        wanted = need.probability * self._acceptance(need, situation).mean
        worth = wanted * need.benefit - (1.0 - wanted) * self.attention.wrong
        return worth - self.attention.cost(situation, self._today.given)

    def propensity(self, need: Need, situation: Situation) -> float:
        """Chance that `need` is said now, over the draw of the acceptance."""
        if need.is_safety:
            return float(self.utility(need, situation) > 0.0)
        price = self.attention.wrong + self.attention.cost(situation, self._today.given)
        worth = need.probability * (need.benefit + self.attention.wrong)
        acceptance = self._acceptance(need, situation)
        # the utility is above zero where the acceptance is above this
        level = price / worth if worth > price else 1.0
        if acceptance.mean > level:
            return 1.0
        return acceptance.exceeds(level) if self.explores else 0.0

    def _acceptance(self, need: Need, situation: Situation) -> Beta:
        hour = hour_of_day(situation.time, situation.zone)
        return self.feedback.acceptance(need.skill, hour, situation.time)

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
        self.choices.settle(answer.suggestion, answer.kind)
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
            chance=need.probability,
        )
        if answer.kind is AnswerKind.YES:
            self._watch.add(lesson, need.actions)
        self._learn(lesson)
        return entry.suggestion

    def take_up(self, lesson: Lesson) -> None:
        """Take up an answer given on another device; it was told there today."""
        self.feedback.take_up(lesson)
        self._today.take_up(lesson)

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
                self._today.date,
                self._today.given,
                self._today.said,
                self._watch.deeds,
                self.choices.state(),
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
        self._today = Today()
        self._today.date, self._today.given = state.day, state.given
        self._today.said = state.said
        self._watch.deeds = state.deeds
        self.choices.restore(state.choices)

    def _learn(self, lesson: Lesson) -> None:
        self.feedback.take_up(lesson)
        self._lessons.append(lesson)

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
        is_full = not need.is_safety and self.is_full
        if is_full or not self.attention.allows(need, situation):
            return None
        surface = self.attention.surface(need, situation)
        if surface is None:
            return None
        if need.is_safety:
            is_worth_it = self.utility(need, situation) > 0.0
            return self._give(need, situation, surface) if is_worth_it else None
        choice = self._weigh(need, situation)
        luck = draw(self.person, need.skill, need.key, choice.day)
        if luck >= choice.propensity:
            return None
        suggestion = self._give(need, situation, surface)
        self.choices.say(choice, suggestion.id)
        return suggestion

    def _weigh(self, need: Need, situation: Situation) -> Choice:
        acceptance = self._acceptance(need, situation)
        choice = Choice(
            self.person,
            need.skill,
            need.key,
            self._today.choice_of(need),
            situation.time,
            hour_of_day(situation.time, situation.zone),
            need.probability,
            need.benefit,
            self.attention.cost(situation, self._today.given),
            self.attention.wrong,
            acceptance.alpha,
            acceptance.beta,
            self.propensity(need, situation),
        )
        if choice.propensity > 0.0:
            self.choices.weigh(choice)
        return choice

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
        self._today.tell(need)
        return suggestion

    def _withdraw_gone(self, needs: dict[tuple[str, str], Need], time: float) -> None:
        for id_, entry in list(self._live.items()):
            need = entry.suggestion.need
            if (need.skill, need.key) in needs or need.skill in self.faults:
                self._live[id_] = msgspec.structs.replace(entry, seen=time)
            elif time - entry.seen >= GONE_S and time < need.expires:
                del self._live[id_]
                self.choices.settle(id_, None)
                if not need.is_safety:
                    self.feedback.silence(
                        need.skill, need.key, time, need.expires, entry.event
                    )


def _event_of(situation: Situation) -> float:
    return 0.0 if situation.forecast is None else situation.forecast.departure


def _id_of(person: str, need: Need, time: float) -> str:
    text = "\x1f".join((person, need.skill, need.key, repr(time)))
    return f"{need.skill}-{blake2b(text.encode(), digest_size=8).hexdigest()}"
