"""The voter in each device: it promises each seat to one device at a time.

No I/O and no clock: monotonic seconds of this device come in, and the book is where
what it says is kept before it says so. Wall-clock time plays no part.

Source: Gray and Cheriton, "Leases", 1989; Lamport, "Paxos Made Simple", 2001, for what
is kept before it is said.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from trivet.fabric.seat.book import MAX_SEATS, Book, Page, Record
from trivet.fabric.seat.timing import HEIR_S, PROMISE_S, ROUND_S
from trivet.fabric.seat.word import MAX_ROLLS, Bid, Denial, Promise, Release, Roll, Why

#: A token greater than the last by more than this is a mistake: nobody counts so fast.
MAX_LEAP = 1_000_000


class Running(msgspec.Struct, frozen=True):
    """A promise that runs.

    Attributes:
        device: to whom.
        until: monotonic seconds of the voter.
        boot: of the bid; -1 for a promise from before a restart.
        round: of the bid.
        is_settled: whether it is to one that holds, as far as the voter knows.
    """

    device: str
    until: float
    boot: int = -1
    round: int = -1
    is_settled: bool = True


class Voter:
    """One device's voter, for all seats.

    Args:
        me: this device's id.
        book: where what must not be forgotten is kept.
        roll: who votes, by the charter that this device knows.
        now: monotonic seconds.

    Raises:
        SetupError: the book is damaged.
    """

    def __init__(self, me: str, book: Book, roll: Roll, now: float) -> None:
        self.me = me
        self._book = book
        self._roll = roll
        kept = book.load()
        self._page = kept if kept is not None else Page()
        # of what is not in the book, it may be the book that was lost
        self._ready_at = now + PROMISE_S
        self._remembered = frozenset(self._page.seats)
        self._running = {
            seat: Running(record.holder, now + PROMISE_S)
            for seat, record in self._page.seats.items()
            if record.holder != me  # this device itself has lost what it held
        }
        self._over: dict[str, tuple[str, int, int]] = {}
        if self._page.first is None:
            self._keep(replace(self._page, first=roll))

    def look(self, roll: Roll) -> None:
        """The charter says who votes."""
        self._roll = roll

    def record(self, seat: str) -> Record | None:
        """What is kept of a seat; None if it was never promised."""
        return self._page.seats.get(seat)

    def running(self, seat: str, now: float) -> Running | None:
        """The promise that runs for a seat, if one does."""
        found = self._running.get(seat)
        return found if found is not None and now < found.until else None

    def bid(self, asker: str, bid: Bid, now: float) -> Promise | Denial:
        """Answer a bid of a device, authenticated by whoever calls.

        Raises:
            SetupError: the promise cannot be kept, so it is not given.
        """
        why = self._why_not(asker, bid, now)
        if why is not None:
            return self._deny(bid, why, now)
        before = self._page.seats.get(bid.seat)
        rolls = self._stood_by(before)
        others = () if rolls == (bid.roll,) else rolls
        promise = Promise(bid.seat, bid.token, bid.boot, bid.round, others)
        if bid.is_query:
            return promise
        after = self._recorded(before, asker, bid, rolls)
        if after != before:
            seats = {**self._page.seats, bid.seat: after}
            self._keep(replace(self._page, seats=seats))
        self._running[bid.seat] = Running(
            asker, now + PROMISE_S, bid.boot, bid.round, bid.is_settled
        )
        return promise

    def release(self, asker: str, word: Release, now: float) -> None:
        """End a promise early, by the word of whom it was given to.

        A word that came late, after a newer bid, ends nothing.
        """
        running = self.running(word.seat, now)
        if running is None or running.device != asker or running.boot != word.boot:
            if word.seat in self._over or len(self._over) < MAX_SEATS:
                self._over[word.seat] = (asker, word.boot, word.round)
            return
        if word.round < running.round:
            return
        self._over[word.seat] = (asker, word.boot, word.round)
        del self._running[word.seat]
        if word.heir and word.heir in self._roll.devices:
            self._running[word.seat] = Running(word.heir, now + HEIR_S)

    def win(self, seat: str, token: int) -> None:
        """Keep that this device itself holds the seat; 0 that it gave it away.

        Raises:
            SetupError: it cannot be kept.
        """
        record = self._page.seats[seat]
        if record.won != token:
            seats = {**self._page.seats, seat: replace(record, won=token)}
            self._keep(replace(self._page, seats=seats))

    # --- how it decides ---------------------------------------------------------------

    def _why_not(self, asker: str, bid: Bid, now: float) -> Why | None:
        voters = self._roll.devices
        if not {asker, self.me} <= set(voters):
            return Why.STRANGER
        if bid.roll != self._roll:  # the charter goes round by itself, and at once
            return Why.ROLL
        running = self.running(bid.seat, now)
        if running is not None and running.device != asker:
            return Why.HELD
        is_unready = now < self._ready_at and bid.seat not in self._remembered
        if is_unready and voters != (self.me,):
            return Why.UNREADY
        return self._is_late(asker, bid, running) or self._is_unfit(asker, bid)

    def _is_late(self, asker: str, bid: Bid, running: Running | None) -> Why | None:
        if running is not None and running.boot == bid.boot:
            return Why.LATE if bid.round <= running.round else None
        device, boot, last = self._over.get(bid.seat, ("", -1, -1))
        is_over = (device, boot) == (asker, bid.boot) and bid.round <= last
        return Why.LATE if is_over else None

    def _is_unfit(self, asker: str, bid: Bid) -> Why | None:
        record = self._page.seats.get(bid.seat)
        rolls = self._stood_by(record)
        token, holder = (record.token, record.holder) if record else (0, asker)
        if bid.token < token or (bid.token == token and holder != asker):
            return Why.OLD
        if bid.token > token + MAX_LEAP:
            return Why.FAR
        is_full = record is None and len(self._page.seats) >= MAX_SEATS
        is_many = not bid.is_settled and len(_with(rolls, bid.roll)) > MAX_ROLLS
        return Why.UNREADY if is_full or is_many else None

    def _stood_by(self, record: Record | None) -> tuple[Roll, ...]:
        if record is not None:
            return record.rolls
        return () if self._page.first is None else (self._page.first,)

    def _recorded(
        self, before: Record | None, asker: str, bid: Bid, rolls: tuple[Roll, ...]
    ) -> Record:
        rolls = (bid.roll,) if bid.is_settled else _with(rolls, bid.roll)
        if before is None or before.holder != asker:
            return Record(bid.token, asker, bid.token, rolls)
        return replace(before, token=bid.token, rolls=rolls)

    def _deny(self, bid: Bid, why: Why, now: float) -> Denial:
        record, running = self.record(bid.seat), self.running(bid.seat, now)
        token, holder = (record.token, record.holder) if record else (0, "")
        left_s = max(0.0, self._ready_at - now) if why is Why.UNREADY else 0.0
        if why is Why.HELD and running is not None:
            left_s, holder = running.until - now, running.device
            if not running.is_settled:  # it may well get no majority
                left_s = min(left_s, ROUND_S)
            token = token if record and record.holder == holder else 0
        left_ms = min(60_000, int(left_s * 1000) + 1)
        return Denial(bid.seat, bid.boot, bid.round, why, token, holder, left_ms)

    def _keep(self, page: Page) -> None:
        self._book.keep(page)
        self._page = page


def _with(rolls: tuple[Roll, ...], roll: Roll) -> tuple[Roll, ...]:
    """The rolls with one more; of two with the same voters the last."""
    return (*(old for old in rolls if old.devices != roll.devices), roll)
