"""What a device's mind shares with the household: answers, choices, names and the hour.

An answer that a person gives on one device is in the state before it is acknowledged,
and teaches the minds of all: after a restart, or when another device leads, the same is
not suggested again. What is chosen of skills and places by hand holds everywhere.
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from trivet.app.correction import corrections_of
from trivet.app.hub import Hub
from trivet.app.replicating import Replicating
from trivet.app.setting import CLOCK, LEARNS, MOST, ROUTINE
from trivet.domain import TrivetError
from trivet.engine.feedback import Feedback, Lesson, outdated
from trivet.fabric.replica import Feedback as Kept
from trivet.fabric.replica import Put, Remove, State
from trivet.fabric.replica.change import LIST

log = logging.getLogger("trivet.app")

#: Real seconds between two looks at what was answered, and between two of the clock.
LOOK_S, CLOCK_S = 0.25, 5.0
#: Answers that no longer matter, taken out of the state with each new one.
MAX_REMOVED = 50


def begun(state: State, seed: int, start: float) -> float:
    """Event time at which a simulated household goes on: `start` if it never ran."""
    return max(start, state.get(CLOCK.format(seed=seed), 0.0))


class Remembering:
    """Keeps one mind and the state even.

    Args:
        replicating: the device's replica.
        hub: the device; its mind has learned nothing from answers yet.
        seed: of the simulated household.
    """

    def __init__(self, replicating: Replicating, hub: Hub, seed: int) -> None:
        self._replicating = replicating
        self._hub = hub
        self._clock = CLOCK.format(seed=seed)
        self._clock_at = monotonic()
        self._known: set[str] = set()
        self._waiting: list[Lesson] = []
        self._writing = asyncio.Lock()
        self._fault = ""
        self._skills = hub.mind.suggester.skills
        self._learns = self._has_routine = True
        self._most = hub.mind.suggester.max_per_day
        lessons = self._unknown()
        hub.mind.suggester.feedback = Feedback.of(lessons)
        self._choose()
        replicating.on_change(self._changed)
        hub.remember, hub.write = self.remember, replicating.write

    async def run(self) -> None:
        """Keep them even until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._hub.mind.set_learning(
                self._learns, self._hub.time, has_routine=self._has_routine
            )
            try:
                await self.remember()
                await self._set_clock()
                self._fault = ""
            except TrivetError as error:
                if str(error) != self._fault:  # said once, not each time
                    log.error("%s: not remembered: %s", self._hub.device, error)
                self._fault = str(error)

    async def remember(self) -> None:
        """Have all that was answered in the state, on the disk when this returns.

        Raises:
            RefusedError: this device may not write the state.
            SetupError: it cannot be kept; it is tried again.
        """
        async with self._writing:
            self._waiting += self._hub.mind.suggester.take_lessons()
            self._known |= {lesson.suggestion for lesson in self._waiting}
            while self._waiting:
                lesson = self._waiting[0]
                kept = [_lesson(kept) for kept in self._replicating.state.feedback]
                old = [Remove(f"feedback/{id}") for id in outdated(kept, lesson.time)]
                await self._replicating.write(*_puts(lesson), *old[:MAX_REMOVED])
                del self._waiting[0]

    async def _set_clock(self) -> None:
        now = monotonic()
        if self._hub.is_leading and now - self._clock_at >= CLOCK_S:
            self._clock_at = now
            await self._replicating.write(Put(self._clock, self._hub.time))

    def _changed(self, roots: frozenset[str]) -> None:
        if "feedback" in roots:
            for lesson in self._unknown():
                self._hub.mind.suggester.take_up(lesson)
        is_list = any(root.startswith(LIST) for root in roots)
        if is_list or roots & {"skills", "places", "settings"}:
            self._choose()

    def _unknown(self) -> list[Lesson]:
        """What the state says of this person's answers that the mind does not know."""
        person = self._hub.mind.roles.person
        found = [
            _lesson(kept)
            for kept in self._replicating.state.feedback
            if kept.person == person and kept.id not in self._known
        ]
        self._known |= {lesson.suggestion for lesson in found}
        return found

    def _choose(self) -> None:
        self._learns = self._replicating.state.get(LEARNS, True)
        self._has_routine = self._replicating.state.get(ROUTINE, True)
        state, suggester = self._replicating.state, self._hub.mind.suggester
        off = {skill.id for skill in state.skills if not skill.is_on}
        kept = {skill.name: skill for skill in suggester.skills}
        suggester.skills = tuple(
            kept.get(skill.name, skill)  # it may have been fitted since
            for skill in self._skills
            if skill.name not in off
        )
        suggester.max_per_day = max(0, state.get(MOST, self._most))
        self._hub.mind.lists = {
            name: [item.text for item in items if not item.is_done]
            for name, items in state.lists.items()
        }
        self._hub.mind.correct(corrections_of(state.root("places")))


def _puts(lesson: Lesson) -> list[Put]:
    at = f"feedback/{lesson.suggestion}"
    return [
        Put(f"{at}/suggestion", lesson.suggestion),
        Put(f"{at}/person", lesson.person),
        Put(f"{at}/skill", lesson.skill),
        Put(f"{at}/key", lesson.key),
        Put(f"{at}/kind", lesson.kind.value),
        Put(f"{at}/time", lesson.time),
        Put(f"{at}/hour", lesson.hour),
        Put(f"{at}/until", lesson.until),
        Put(f"{at}/event", lesson.event),
        Put(f"{at}/grows", lesson.grows),
        Put(f"{at}/chance", lesson.chance),
    ]


def _lesson(kept: Kept) -> Lesson:
    return Lesson(
        kept.id,
        kept.person,
        kept.skill,
        kept.key,
        kept.kind,
        kept.time,
        kept.hour,
        kept.until,
        kept.event,
        kept.grows,
        kept.chance,
    )
