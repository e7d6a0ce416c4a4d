"""The candidate in a device: it seeks one seat, holds it, and gives it back.

No I/O and no clock: monotonic seconds of this device come in, words for others go out.
Its own voter is asked like any other, and first.

A seat is sought in two rounds. The first only asks who would promise, and changes
nothing anywhere; without it a minority that cannot see the holder would raise tokens
for ever, and the holder run after them.

Source: Ongaro, "Consensus: Bridging Theory and Practice", section 9.6, for the round
that only asks.
"""

from __future__ import annotations

from math import inf
from random import Random

from trivet.domain.error import RefusedError
from trivet.fabric.seat.alone import Alone
from trivet.fabric.seat.claim import Claims
from trivet.fabric.seat.round import Round
from trivet.fabric.seat.timing import (
    CLAIM_S,
    IDLE_S,
    JITTER_S,
    RENEW_S,
    ROUND_S,
    STAGGER_S,
    YIELD_S,
)
from trivet.fabric.seat.token import Tokens
from trivet.fabric.seat.view import Send, Standing, View
from trivet.fabric.seat.voter import Voter
from trivet.fabric.seat.word import Bid, Claim, Denial, Promise, Release, Roll


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
        self._tokens = Tokens(seat, voter)
        self._alone = Alone(seat, voter, self._tokens, now)
        self._until = -inf
        self._token = 0
        self._roll_won: Roll | None = None
        self._try_at = now + self._delay()
        self._renew_at = self._claim_at = now
        self._abstains_until = -inf
        self._yields_to = ""

    # --- what is asked of it ----------------------------------------------------------

    def standing(self, now: float) -> Standing:
        """How this device stands to the seat at this moment."""
        if self._holds(now):
            return Standing.HOLDING
        if not self.view.stands:
            return Standing.NONE
        if self._alone.token(now):
            return Standing.ALONE
        return Standing.NONE if self._other(now) else Standing.WAITING

    def token(self, now: float) -> int:
        """With which this device acts, 0 if it does not."""
        if self._holds(now):
            return self._token
        return self._alone.token(now) if self.view.stands else 0

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
        if not self.view.stands:
            return now + IDLE_S
        current = self._current
        if current is not None:
            return current.began + ROUND_S
        other = self._other(now)
        if other and self.view.is_preferred_to(other) and now >= self._abstains_until:
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
        if not self._holds(now):
            return self._seek(now)
        heir = self._heir(now)
        if not self.view.stands or (heir and not is_busy):
            return self._hand_over(heir, now)
        return self._begin(now) if now >= self._renew_at else []

    def hear(self, device: str, answer: Promise | Denial, now: float) -> list[Send]:
        """A voter answered a bid; what is no answer to one is nothing.

        Raises:
            SetupError: that the seat is held cannot be kept, so it is not.
        """
        found = self._rounds.get(answer.round)
        if found is None or device not in found.waiting or answer.boot != self._boot:
            return []
        if isinstance(answer, Denial):
            found.deny(device, answer.left_ms / 1000)
            self._tokens.note(answer)
            if answer.holder not in ("", self._voter.me):
                self._alone.end()
        elif answer.token == found.bid.token:
            found.grant(device, answer.rolls)
            return self._counted(found, now) or self._give_up(now)
        return self._give_up(now)

    def miss(self, device: str, bid: Bid, now: float) -> list[Send]:
        """A voter did not answer a bid in time, or not sensibly."""
        found = self._rounds.get(bid.round)
        if found is not None and bid.boot == self._boot:
            found.deny(device, 0.0)
        return self._give_up(now)

    def claimed(self, device: str, now: float) -> None:
        """Another device claims the seat; it counts if this one thinks so too."""
        if device in self.view.before:
            self._claims.add(device, now)

    def freed(self, heir: str, now: float) -> None:
        """A promise ended early, and the seat is kept for `heir`, if for anybody."""
        self._try_at = now if heir == self._voter.me else now + self._delay()

    def give_away(self, now: float) -> str:
        """Have the seat handed over to the next one in order; its id.

        Raises:
            RefusedError: this device does not hold it, or nobody else can.
        """
        if not self._holds(now):
            raise RefusedError(f"{self._voter.me} does not hold the seat {self.seat!r}")
        others = [device for device in self.view.order if device in self.view.voters]
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
        if self._yields_to in self.view.voters:
            return self._yields_to
        return self._claims.heir(self.view.before, self.view.present, now)

    def _hand_over(self, heir: str, now: float) -> list[Send]:
        """Act no more, then say so: in this order."""
        self._until, self._roll_won = -inf, None
        self._rounds.clear()
        self._claims.clear()
        self._yields_to = ""
        self._try_at = now + len(self.view.order) * STAGGER_S + self._delay()
        self._voter.win(self.seat, 0)
        return self._release(self.view.voters, heir, now)

    def _release(self, devices: frozenset[str], heir: str, now: float) -> list[Send]:
        """End what was promised for any bid up to now."""
        word = Release(self.seat, self._boot, self._count, heir)
        self._voter.release(self._voter.me, word, now)
        return [Send(device, word) for device in sorted(devices)]

    # --- seeking ----------------------------------------------------------------------

    def _seek(self, now: float) -> list[Send]:
        sends = self._give_up(now)
        if self._alone.is_due(self.view, now):
            self._stand_by(now)
        if not self.view.stands:
            return sends
        other = self._voter.running(self.seat, now)
        if other is not None and other.device != self._voter.me:
            self._alone.end()
            self._try_at = max(self._try_at, other.until + self._delay())
            return sends + self._claim(other.device, now)
        if self._current is not None or now < self._try_at or not self.view.can_win:
            return sends
        return sends + self._begin(now, is_query=True)

    def _begin(self, now: float, *, is_query: bool = False) -> list[Send]:
        """Ask everybody, this device's own voter first."""
        self._count += 1
        roll, token = self.view.roll, self._tokens.choose()
        is_settled = self._holds(now) and (token, roll) == (self._token, self._roll_won)
        bid = Bid(self.seat, token, self._boot, self._count, roll, is_settled, is_query)
        self._renew_at = now + RENEW_S
        own = self._voter.bid(self._voter.me, bid, now)
        if isinstance(own, Denial):
            self._try_at = now + max(own.left_ms / 1000, STAGGER_S) + self._delay()
            return []
        begun = self._rounds[self._count] = Round(bid, now, self.view.voters)
        begun.grant(self._voter.me, own.rolls)
        sends = [Send(device, bid) for device in sorted(begun.asked)]
        return sends + self._counted(begun, now)

    def _counted(self, one: Round, now: float) -> list[Send]:
        """Go on to the second round, or hold, once a majority has promised."""
        if now >= one.hold_until or not one.is_won:
            return []
        if one.bid.is_query:
            is_newest = one is self._current and not self._holds(now)
            return self._begin(now) if is_newest else []
        if not self._holds(now):
            self._claims.clear()
        if one.bid.token >= self._token:
            self._voter.win(self.seat, one.bid.token)  # kept before anything is done
            self._token, self._roll_won = one.bid.token, one.bid.roll
        self._until = max(self._until, one.hold_until)
        self._alone.end()
        return []

    def _give_up(self, now: float) -> list[Send]:
        """End the round if it is lost: what was promised for it goes back."""
        current = self._current
        if self._holds(now) or current is None or not current.is_over(now):
            return []
        self._rounds.clear()
        kept = self._voter.running(self.seat, now)
        is_heir = current.bid.is_query and kept is not None and not self._other(now)
        # what a voter says of the one before is over as soon as it hears so
        self._try_at = now + (0.0 if is_heir else current.left_s) + self._delay()
        if current.bid.is_query:
            return []
        return self._release(current.asked, "", now)

    def _claim(self, holder: str, now: float) -> list[Send]:
        is_due = now >= max(self._claim_at, self._abstains_until)
        if not is_due or not self.view.is_preferred_to(holder):
            return []
        self._claim_at = now + CLAIM_S
        return [Send(holder, Claim(self.seat))]

    def _delay(self) -> float:
        """Those before this one in order that are there go first; then by lot."""
        return self.view.rank * STAGGER_S + self._rng.uniform(0.0, JITTER_S)

    def _stand_by(self, now: float) -> None:
        """Have the own voter promise the seat, so that its token is this device's."""
        self._count += 1
        token, roll = self._tokens.choose(), self.view.roll
        bid = Bid(self.seat, token, self._boot, self._count, roll)
        if isinstance(self._voter.bid(self._voter.me, bid, now), Promise):
            self._alone.begin()
            self._release(frozenset(), "", now)

    # --- what is so -------------------------------------------------------------------

    @property
    def _current(self) -> Round | None:
        return self._rounds.get(self._count)

    def _other(self, now: float) -> str:
        """To whom else this device's own voter has promised the seat."""
        found = self._voter.running(self.seat, now)
        is_other = found is not None and found.device != self._voter.me
        return found.device if found is not None and is_other else ""

    def _forget(self, now: float) -> None:
        for number in [n for n, r in self._rounds.items() if now >= r.hold_until]:
            del self._rounds[number]
