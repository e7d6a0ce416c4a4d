"""Undone: what a "yes" did and a hand took back soon after.

A yes that switches something is watched for a while. Once the thing was seen as it was
wanted, and then is otherwise, the yes was a mistake: it counts as a refusal.
"""

from __future__ import annotations

import msgspec

from trivet.domain.sample import Quality
from trivet.domain.suggestion import Action, AnswerKind
from trivet.engine.feedback import Lesson
from trivet.engine.situation import Situation

#: What is otherwise within this time was taken back; later it has its own reasons.
UNDONE_S = 10 * 60.0


class Deed(msgspec.Struct, frozen=True):
    """What a yes did.

    Attributes:
        lesson: that was learnt from the yes.
        actions: that it began.
        reached: paths that were seen to be as it wanted.
    """

    lesson: Lesson
    actions: tuple[Action, ...]
    reached: frozenset[str] = frozenset()


class Watch:
    """Watches what was done for one person."""

    def __init__(self) -> None:
        self.deeds: list[Deed] = []

    def add(self, lesson: Lesson, actions: tuple[Action, ...]) -> None:
        """Watch what the yes of this lesson does, if it does anything."""
        if actions:
            self.deeds.append(Deed(lesson, actions))

    def look(self, situation: Situation) -> list[Lesson]:
        """What was taken back since the last look, as lessons of its own."""
        watched, self.deeds = self.deeds, []
        found = []
        for deed in watched:
            if not 0.0 <= situation.time - deed.lesson.time <= UNDONE_S:
                continue
            following = _follow(deed, situation)
            if following is not None:
                self.deeds.append(following)
                continue
            found.append(
                msgspec.structs.replace(
                    deed.lesson,
                    suggestion=f"{deed.lesson.suggestion}-undone",
                    kind=AnswerKind.UNDONE,
                    time=situation.time,
                )
            )
        return found


def _follow(deed: Deed, situation: Situation) -> Deed | None:
    """What to watch from now on; None when something was taken back."""
    reached = set(deed.reached)
    for action in deed.actions:
        sample = situation.context.sample(action.device, action.path)
        if sample is None or sample.time < deed.lesson.time:
            continue
        if sample.value == action.value:
            reached.add(action.path)
        elif action.path in reached and sample.quality is not Quality.BAD:
            return None
    return msgspec.structs.replace(deed, reached=frozenset(reached))
