"""The candidate in a device: it seeks one seat, holds it, and gives it back.

No I/O and no clock: monotonic seconds of this device come in, words for others go out.
Its own voter is asked like any other, and first.

    none      another holds the seat, or this device does not stand for it
    waiting   nobody is known to hold it; this device seeks it
    holding   a majority has promised it, and the hold runs
    alone     no majority is to be had; it acts on its own things and nothing else
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from random import Random

import msgspec

from trivet.domain.error import RefusedError
from trivet.fabric.seat.claim import Claims
from trivet.fabric.seat.roll import is_majority
from trivet.fabric.seat.round import Round
from trivet.fabric.seat.timing import (
    ALONE_AFTER_S,
    CLAIM_S,
    IDLE_S,
    JITTER_S,
    RENEW_S,
    ROUND_S,
    STAGGER_S,
    YIELD_S,
)
from trivet.fabric.seat.voter import Voter
from trivet.fabric.seat.word import Bid, Claim, Denial, Promise, Release, Roll, Word


class Standing(StrEnum):
    """How a device stands to a seat."""

    NONE = "none"
    WAITING = "waiting"
    HOLDING = "holding"
    ALONE = "alone"


class View(msgspec.Struct, frozen=True):
    """What a candidate sees around it.

    Attributes:
        roll: who votes.
        order: the devices that stand for the seat, the preferred one first.
        present: the other devices that are there.
        may_alone: whether this device may act alone without having held before.
    """

    roll: Roll
    order: tuple[str, ...]
    present: frozenset[str]
    may_alone: bool = False


class Send(msgspec.Struct, frozen=True):
    """A word for another device."""

    device: str
    word: Word


class Candidate:
    """One device's striving for one seat.

    Args:
        seat: the seat.
        voter: this device's own.
        view: what is to be seen now.
        rng: for lots: who asks first, and what tells one start from another.
        now: monotonic seconds.
    """

    def __init__(
        self, seat: str, voter: Voter, view: View, rng: Random, now: float
    ) -> None:
        self.seat = seat
        self.view = view
        self._voter = voter
        self._rng = rng
        self._boot = rng.getrandbits(62)
        self._count = 0
        self._rounds: dict[int, Round] = {}
        self._claims = Claims()
        self._until = -inf
        self._token = 0
        self._roll_won: Roll | None = None
        self._seen = 0  # the greatest token of another device
        self._mine = 0  # the greatest of this device that another knows
        self._try_at = now + self._delay()
        self._renew_at = self._claim_at = now
        self._abstains_until = -inf
        self._yields_to = ""
        self._lonely_since = now
        self._alone_from = now + ALONE_AFTER_S
        self._is_standby = False

    # --- what is asked of it ----------------------------------------------------------

    def standing(self, now: float) -> Standing:
        """How this device stands to the seat at this moment."""
        if self._holds(now):
            return Standing.HOLDING
        if not self._stands:
            return Standing.NONE
        if self._is_alone(now):
            return Standing.ALONE
        return Standing.NONE if self._other(now) else Standing.WAITING

    def token(self, now: float) -> int:
        """With which this device acts, 0 if it does not."""
        if self._holds(now):
            return self._token
        record = self._voter.record(self.seat)
        return record.token if record is not None and self._is_alone(now) else 0

    @property
    def until(self) -> float:
        """Monotonic seconds at which the hold ends, unless it is renewed."""
        return self._until

    def is_leaving(self, now: float) -> bool:
        """Whether the seat is about to be handed over: nothing new is to begin."""
        return self._holds(now) and bool(self._heir(now))

    def deadline(self, now: float) -> float:
        """When `tick` is due next, in monotonic seconds, whatever happens before."""
        if self._holds(now):
            return min(self._renew_at, self._until)
        if not self._stands:
            return now + IDLE_S
        current = self._current
        if current is not None:
            return current.began + ROUND_S
        other = self._other(now)
        if other and self._is_preferred_to(other):
            return max(self._claim_at, now)
        return self._try_at if self._try_at > now else now + IDLE_S

    # --- what happens to it -----------------------------------------------------------

    def tick(self, now: float, *, is_busy: bool = False) -> list[Send]:
        """Time has come to `now`, or the view has changed.

        Args:
            now: monotonic seconds.
            is_busy: whether something is being done for the seat; it is then not
                handed over yet.

        Raises:
            SetupError: what must be kept cannot be.
        """
        self._forget(now)
        if self._yields_to not in self.view.present:
            self._yields_to = ""
        if not self._holds(now):
            return self._seek(now)
        heir = self._heir(now)
        if not self._stands or (heir and not is_busy):
            return self._hand_over(heir, now)
        return self._begin(now) if now >= self._renew_at else []

    def hear(self, device: str, answer: Promise | Denial, now: float) -> list[Send]:
        """A voter answered a bid; what is no answer to one is nothing.

        Raises:
            SetupError: that the seat is held cannot be kept, so it is not.
        """
        found = self._rounds.get(answer.round)
        is_asked = found is not None and device in found.waiting
        if found is None or not is_asked or answer.boot != self._boot:
            return []
        if isinstance(answer, Denial):
            self._denied(found, device, answer)
        elif answer.token == found.bid.token:
            found.grant(device, answer.rolls)
            self._count_votes(found, now)
        return [] if self._holds(now) else self._give_up(now)

    def miss(self, device: str, bid: Bid, now: float) -> list[Send]:
        """A voter did not answer a bid in time, or not sensibly."""
        found = self._rounds.get(bid.round)
        if found is not None and bid.boot == self._boot:
            found.deny(device, 0.0)
        return [] if self._holds(now) else self._give_up(now)

    def claimed(self, device: str, now: float) -> None:
        """Another device claims the seat; it counts if this one thinks so too."""
        if device in self._before_me:
            self._claims.add(device, now)

    def freed(self, heir: str, now: float) -> None:
        """A promise ended early, and the seat is kept for `heir`, if for anybody."""
        self._try_at = now if heir == self._me else now + self._delay()

    def give_away(self, now: float) -> str:
        """Have the seat handed over to the next one in order; its id.

        Raises:
            RefusedError: this device does not hold it, or nobody else can.
        """
        if not self._holds(now):
            raise RefusedError(f"{self._me} does not hold the seat {self.seat!r}")
        others = [d for d in self.view.order if d in self.view.present]
        if not others:
            raise RefusedError(
                f"nobody else in reach can take the seat {self.seat!r}",
                hint="start another device that stands for it first",
            )
        self._yields_to = others[0]
        self._abstains_until = now + YIELD_S
        return others[0]

    def leave(self, now: float) -> list[Send]:
        """This device ends: release the seat if it is held."""
        return self._hand_over("", now) if self._holds(now) else []

    # --- holding ----------------------------------------------------------------------

    def _holds(self, now: float) -> bool:
        return now < self._until

    def _heir(self, now: float) -> str:
        if self._yields_to:
            return self._yields_to
        return self._claims.heir(self._before_me, self.view.present, now)

    def _hand_over(self, heir: str, now: float) -> list[Send]:
        """Act no more, then say so: in this order."""
        self._until, self._roll_won = -inf, None
        self._rounds.clear()
        self._claims.clear()
        self._yields_to = ""
        self._try_at = now + len(self.view.order) * STAGGER_S + self._delay()
        self._voter.win(self.seat, 0)
        return self._release(self._count, self._voters & self.view.present, heir, now)

    def _release(
        self, number: int, devices: frozenset[str], heir: str, now: float
    ) -> list[Send]:
        word = Release(self.seat, self._boot, number, heir)
        self._voter.release(self._me, word, now)
        return [Send(device, word) for device in sorted(devices)]

    # --- seeking ----------------------------------------------------------------------

    def _seek(self, now: float) -> list[Send]:
        sends = self._give_up(now)
        if not self._can_win:
            self._stand_by(now)
        else:
            self._lonely_since = now
        if not self._stands:
            return sends
        other = self._voter.running(self.seat, now)
        if other is not None and other.device != self._me:
            self._is_standby = False
            self._try_at = max(self._try_at, other.until + self._delay())
            return sends + self._claim(other.device, now)
        if self._current is not None or now < self._try_at or not self._can_win:
            return sends
        return sends + self._begin(now)

    def _begin(self, now: float) -> list[Send]:
        """Ask everybody, this device's own voter first."""
        self._count += 1
        roll, token = self.view.roll, self._choose()
        is_settled = self._holds(now) and (token, roll) == (self._token, self._roll_won)
        bid = Bid(self.seat, token, self._boot, self._count, roll, is_settled)
        self._renew_at = now + RENEW_S
        own = self._voter.bid(self._me, bid, now)
        if isinstance(own, Denial):
            self._try_at = now + max(own.left_ms / 1000, STAGGER_S) + self._delay()
            return []
        asked = self._voters & self.view.present
        begun = self._rounds[self._count] = Round(bid, now, asked)
        begun.grant(self._me, own.rolls)
        self._count_votes(begun, now)
        return [Send(device, bid) for device in sorted(asked)]

    def _choose(self) -> int:
        """A token that no other device has: a new one unless the last one still is."""
        record = self._voter.record(self.seat)
        last = record.token if record is not None else 0
        is_mine = record is not None and record.holder == self._me
        if is_mine and last > self._seen and last >= self._mine:
            return last
        return max(last, self._seen, self._mine) + 1

    def _count_votes(self, round: Round, now: float) -> None:
        if now >= round.hold_until or not round.is_won:
            return
        if not self._holds(now):
            self._claims.clear()
        if round.bid.token >= self._token:
            self._voter.win(self.seat, round.bid.token)  # kept before anything is done
            self._token, self._roll_won = round.bid.token, round.bid.roll
        self._until = max(self._until, round.hold_until)
        self._is_standby = False

    def _denied(self, round: Round, device: str, answer: Denial) -> None:
        round.deny(device, answer.left_ms / 1000)
        if answer.holder == self._me:
            self._mine = max(self._mine, answer.token)
        elif answer.holder:
            self._seen = max(self._seen, answer.token)
            self._is_standby = False

    def _give_up(self, now: float) -> list[Send]:
        """End the round if it is lost: what was promised for it goes back."""
        current = self._current
        if current is None or not current.is_over(now):
            return []
        self._rounds.clear()
        self._try_at = now + current.left_s + self._delay()
        return self._release(current.bid.round, current.asked, "", now)

    def _claim(self, holder: str, now: float) -> list[Send]:
        is_due = now >= max(self._claim_at, self._abstains_until)
        if not is_due or not self._is_preferred_to(holder):
            return []
        self._claim_at = now + CLAIM_S
        return [Send(holder, Claim(self.seat))]

    def _delay(self) -> float:
        """Those before this one in order that are there go first; then by lot."""
        before = len([d for d in self._before_me if d in self.view.present])
        return before * STAGGER_S + self._rng.uniform(0.0, JITTER_S)

    # --- alone ------------------------------------------------------------------------

    def _is_alone(self, now: float) -> bool:
        record = self._voter.record(self.seat)
        if record is None or record.holder != self._me or record.token <= self._seen:
            return False
        return self._is_standby or (record.won > 0 and now >= self._alone_from)

    def _stand_by(self, now: float) -> None:
        """Without a majority for some time a named standby acts alone."""
        is_first = not any(d in self.view.present for d in self._before_me)
        is_lonely = now - self._lonely_since >= ALONE_AFTER_S
        may = self.view.may_alone and self._stands and is_first and is_lonely
        if not may or self._is_standby or self._other(now):
            return
        self._count += 1
        token, roll = self._choose(), self.view.roll
        bid = Bid(self.seat, token, self._boot, self._count, roll)
        if isinstance(self._voter.bid(self._me, bid, now), Promise):
            self._is_standby = True
            self._release(self._count, frozenset(), "", now)

    # --- what is so -------------------------------------------------------------------

    @property
    def _me(self) -> str:
        return self._voter.me

    @property
    def _voters(self) -> frozenset[str]:
        return frozenset(self.view.roll.devices) - {self._me}

    @property
    def _stands(self) -> bool:
        return self._me in self.view.order and self._me in self.view.roll.devices

    @property
    def _can_win(self) -> bool:
        return is_majority(self.view.roll.devices, self.view.present | {self._me})

    @property
    def _before_me(self) -> tuple[str, ...]:
        order = self.view.order
        return order[: order.index(self._me)] if self._me in order else order

    @property
    def _current(self) -> Round | None:
        return self._rounds.get(self._count)

    def _is_preferred_to(self, holder: str) -> bool:
        return self._stands and holder not in self._before_me and holder != self._me

    def _other(self, now: float) -> str:
        """To whom else this device's own voter has promised the seat."""
        found = self._voter.running(self.seat, now)
        return found.device if found is not None and found.device != self._me else ""

    def _forget(self, now: float) -> None:
        for number in [n for n, r in self._rounds.items() if now >= r.hold_until]:
            del self._rounds[number]
