"""All seats at one device: its voter, its candidates, and who is told what.

No I/O and no clock. Whoever carries the words authenticates who sent them.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from random import Random

from trivet.domain.error import RefusedError, UsageError, WireError
from trivet.fabric.seat.book import Book
from trivet.fabric.seat.candidate import Candidate
from trivet.fabric.seat.fence import Fence
from trivet.fabric.seat.view import Send, Standing, View
from trivet.fabric.seat.voter import Voter
from trivet.fabric.seat.word import (
    Bid,
    Claim,
    Denial,
    Done,
    Promise,
    Release,
    Roll,
    Word,
)


class Table:
    """One device's place at the household's table.

    Args:
        me: this device's id.
        book: what it must not forget.
        views: by the name of each seat, what is to be seen around it.
        roll: who votes.
        rng: for lots.
        now: monotonic seconds.

    Raises:
        SetupError: the book is damaged or cannot be written.
    """

    def __init__(
        self,
        me: str,
        book: Book,
        views: Mapping[str, View],
        roll: Roll,
        rng: Random,
        now: float,
    ) -> None:
        self.me = me
        self._roll = roll
        self.voter = Voter(me, book, roll, now)
        self.fence = Fence(self.voter)
        self.candidates = {
            seat: Candidate(seat, self.voter, view, rng, now)
            for seat, view in views.items()
        }

    def look(self, roll: Roll, views: Mapping[str, View]) -> None:
        """Take in who votes and who is there."""
        self._roll = roll
        self.voter.look(roll)
        for seat, view in views.items():
            self.candidates[seat].view = view

    def answer(self, asker: str, word: Word, now: float) -> Word:
        """Answer what another device says.

        Raises:
            RefusedError: it has no vote here, as a guest has none.
            WireError: it says what is only said in answer.
            SetupError: a promise cannot be kept, so it is not given.
        """
        if asker not in self._roll.devices:
            raise RefusedError(
                f"{asker} has no vote in this household",
                hint="guests have none; who just joined has one in a moment",
            )
        if isinstance(word, Bid):
            return self.voter.bid(asker, word, now)
        if isinstance(word, Release):
            self._released(asker, word, now)
        elif isinstance(word, Claim):
            candidate = self.candidates.get(word.seat)
            if candidate is not None:
                candidate.claimed(asker, now)
        else:
            raise WireError(f"{asker} asks with a {type(word).__name__}")
        return Done(word.seat)

    def hear(
        self, device: str, asked: Word, answer: Word | None, now: float
    ) -> list[Send]:
        """Take in what another device answered; None if it did not, or nonsense.

        Raises:
            SetupError: what must be kept cannot be.
        """
        if not isinstance(asked, Bid):
            return []
        candidate = self.candidates[asked.seat]
        if isinstance(answer, Promise | Denial) and answer.seat == asked.seat:
            return candidate.hear(device, answer, now)
        return candidate.miss(device, asked, now)

    def tick(self, now: float, busy: Set[str] = frozenset()) -> list[Send]:
        """Time has come to `now`; `busy` are the seats for which something is done.

        Raises:
            SetupError: what must be kept cannot be.
        """
        return [
            send
            for seat, candidate in self.candidates.items()
            for send in candidate.tick(now, is_busy=seat in busy)
        ]

    def leave(self, now: float) -> list[Send]:
        """This device ends: release what it holds."""
        held = self.candidates.values()
        return [send for candidate in held for send in candidate.leave(now)]

    def deadline(self, now: float) -> float:
        """When `tick` is due next, in monotonic seconds."""
        return min(
            (candidate.deadline(now) for candidate in self.candidates.values()),
            default=now + 60.0,
        )

    def candidate(self, seat: str) -> Candidate:
        """The candidate for a seat.

        Raises:
            UsageError: there is no such seat here.
        """
        found = self.candidates.get(seat)
        if found is None:
            known = ", ".join(sorted(self.candidates)) or "none"
            raise UsageError(f"there is no seat {seat!r} here", hint=f"it has {known}")
        return found

    def holder(self, seat: str, now: float) -> str:
        """Who holds a seat as far as this device knows; empty for nobody."""
        candidate = self.candidates.get(seat)
        if candidate is not None and candidate.standing(now) is Standing.HOLDING:
            return self.me
        running = self.voter.running(seat, now)
        is_other = running is not None and running.device != self.me
        return running.device if running is not None and is_other else ""

    def _released(self, asker: str, word: Release, now: float) -> None:
        before = self.voter.running(word.seat, now)
        self.voter.release(asker, word, now)
        candidate = self.candidates.get(word.seat)
        is_over = self.voter.running(word.seat, now) != before
        if candidate is not None and is_over:
            candidate.freed(word.heir, now)
