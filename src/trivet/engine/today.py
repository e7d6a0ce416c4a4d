"""Today: what one person was told on the local day that it is.

A day begins once: who goes west over midnight lives on in the day that has begun, and
an answer given on another device counts for the day here too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf

from trivet.domain.suggestion import AnswerKind, Need
from trivet.engine.feedback import Feedback, Lesson


class Today:
    """Counts what is told, safety aside."""

    def __init__(self) -> None:
        #: the local date, empty before the first day
        self.date = ""
        #: how much was told since midnight, and of each skill and key
        self.given = 0
        self.said: dict[str, int] = {}
        self._midnight = inf

    def turn(self, now: datetime, feedback: Feedback) -> bool:
        """Begin the local day that it is; whether it had not begun yet.

        After a restart what was answered today has been given, as far as is known.
        """
        date = now.date().isoformat()
        if self.date in (date, (now.date() + timedelta(days=1)).isoformat()):
            return False
        is_start = not self.date
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._midnight = midnight.timestamp()
        self.given = feedback.answered_since(self._midnight) if is_start else 0
        self.date, self.said = date, {}
        return True

    def tell(self, need: Need) -> None:
        """Count that it is told now."""
        self.given += not need.is_safety
        slot = _slot(need)
        self.said[slot] = self.said.get(slot, 0) + 1

    def choice_of(self, need: Need) -> str:
        """Names the day's choice of a need: the date, `#2` when it was told before."""
        times = self.said.get(_slot(need), 0)
        return f"{self.date}#{times + 1}" if times else self.date

    def take_up(self, lesson: Lesson) -> None:
        """Count what was answered on another device, and so was told there."""
        is_told = lesson.grows and lesson.kind is not AnswerKind.UNDONE
        self.given += is_told and lesson.time >= self._midnight


def _slot(need: Need) -> str:
    return f"{need.skill} {need.key}"
