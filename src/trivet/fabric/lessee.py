"""The recipient's end of leases: asks for them, keeps them alive, learns of ends."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from math import inf

import msgspec

from trivet.domain.error import PeerError, RefusedError, UsageError, WireError
from trivet.domain.lease import (
    EndReason,
    Lease,
    LeaseEnd,
    LeaseRequest,
    Purpose,
    matches,
)
from trivet.domain.sample import Sample
from trivet.domain.wire import Ack
from trivet.fabric.lessor import LEASE, LEASE_END
from trivet.fabric.link import Link

log = logging.getLogger("trivet.fabric")

#: A lease is asked for anew when this share of its time has passed.
RENEW_AT = 0.8
#: Event seconds until what was refused, or granted coarser, is asked for again; until
#: what could not be asked is; and after the circumstances changed, when the owner has
#: had time to see that too.
RETRY_S, AWAY_S, SETTLE_S = 900.0, 5.0, 5.0
#: Seconds that an owner may take to answer.
ANSWER_S = 4.0
#: Ends by which an owner or its policy says no.
_SAID_NO = (EndReason.OWNER, EndReason.CONTEXT, EndReason.POLICY)
#: Wishes that a person may add, and samples that are kept for who wants to look on.
MAX_BY_HAND, MAX_HEARD = 64, 512


class Wish(msgspec.Struct, frozen=True):
    """What a device wants of another for as long as it runs, or until a time.

    Attributes:
        owner: the device asked.
        paths: patterns of its signals.
        purpose: what for.
        term_s: how long each lease is to be, in seconds.
        every_s: at most one sample of each signal in so many seconds.
        exact_m: how exact a position need be, in metres.
        until: event time from which on it is not wanted any more.
    """

    owner: str
    paths: tuple[str, ...]
    purpose: Purpose
    term_s: float = 86_400.0
    every_s: float = 0.0
    exact_m: int = 0
    until: float = inf


class Standing(msgspec.Struct):
    """How it stands with a wish.

    Attributes:
        lease: what was granted, None if nothing is.
        error: why not, in the owner's words.
        is_refused: the owner or its policy said no; else it could not be asked.
        due: event time at which it is asked for next.
    """

    lease: Lease | None = None
    error: str = ""
    is_refused: bool = False
    due: float = float("-inf")


class Lessee:
    """Keeps the leases that one device wants.

    Args:
        link: the device's place on the fabric.
        wishes: what it wants.
        clock: event time now, in seconds.
    """

    def __init__(
        self, link: Link, wishes: tuple[Wish, ...], clock: Callable[[], float]
    ) -> None:
        self._link = link
        self._clock = clock
        self.standing = {wish: Standing() for wish in wishes}
        #: what came of what was asked for by hand, each with its number, newest last
        self.heard: deque[tuple[int, Sample]] = deque(maxlen=MAX_HEARD)
        self._count = 0
        self._by_hand: set[Wish] = set()

    @property
    def leases(self) -> tuple[Lease, ...]:
        """What is held."""
        return tuple(s.lease for s in self.standing.values() if s.lease is not None)

    @property
    def by_hand(self) -> frozenset[Wish]:
        """What a person added, and nothing that the device wants by itself."""
        return frozenset(self._by_hand)

    async def tick(self) -> None:
        """Ask for what is due, of those who are there; call it often."""
        now, alive = self._clock(), self._link.alive
        for wish, standing in tuple(self.standing.items()):
            if wish.until <= now:
                await self.drop((wish,))
            elif wish.owner in alive and standing.due <= now:
                await self._ask(wish, standing, now)

    async def want(self, wish: Wish) -> Standing:
        """Want something more, by a person's word, and ask for it at once.

        It takes the place of what a person wanted before of the same device, for the
        same purpose and of the same signals. Whether it is granted or not, it stays
        wanted and is asked for again when that may help, until it is dropped.

        Raises:
            UsageError: this device wants that by itself already, or too much is wanted.
        """
        alike = [old for old in self.standing if _overlap(old, wish)]
        own = next((old for old in alike if old not in self._by_hand), None)
        if own is not None:
            raise UsageError(
                f"{self._link.device} wants {', '.join(own.paths)} of {own.owner} for "
                f"{own.purpose} by itself already",
                hint="ask for another purpose, or see: trivet lease list",
            )
        if len(self._by_hand) - len(alike) >= MAX_BY_HAND:
            raise UsageError(
                f"{MAX_BY_HAND} wishes are the most", hint="trivet lease drop OWNER"
            )
        await self.drop(alike)
        standing = self.standing[wish] = Standing()
        self._by_hand.add(wish)
        await self._ask(wish, standing, self._clock())
        return standing

    async def drop(self, wishes: Iterable[Wish]) -> None:
        """Want something no more, and give back what is held of it."""
        for wish in wishes:
            standing = self.standing.pop(wish, None)
            self._by_hand.discard(wish)
            if standing is not None and standing.lease is not None:
                await self._return(standing.lease)

    def hear(self, sample: Sample) -> None:
        """Keep what came for a while, where a person asked for it by hand."""
        for wish in self._by_hand:
            if wish.owner == sample.device and any(
                matches(pattern, sample.path) for pattern in wish.paths
            ):
                self._count += 1
                self.heard.append((self._count, sample))
                return

    async def _ask(self, wish: Wish, standing: Standing, now: float) -> None:
        standing.due = now + AWAY_S  # nobody else asks for it meanwhile
        until = min(now + wish.term_s, wish.until)
        request = LeaseRequest(
            wish.paths, wish.purpose, until, wish.every_s, wish.exact_m
        )
        try:
            lease = await self._link.ask(wish.owner, LEASE, request, timeout_s=ANSWER_S)
            if isinstance(lease, Ack):
                raise PeerError(f"{wish.owner} can grant nothing now: {lease.error}")
            if not isinstance(lease, Lease):
                raise WireError(f"{wish.owner} answered a {type(lease).__name__}")
        except PeerError as error:
            if str(error) != standing.error:
                log.warning("%s: %s", self._link.device, error)
            standing.error = str(error)
            standing.is_refused = isinstance(error, RefusedError)
            standing.due = now + (RETRY_S if standing.is_refused else AWAY_S)
            if standing.is_refused:
                standing.lease = None
            return
        if self.standing.get(wish) is not standing:  # dropped while it was asked for
            await self._return(lease)
            return
        standing.lease, standing.error, standing.is_refused = lease, "", False
        standing.due = now + RENEW_AT * (lease.until - now)
        if lease.until >= wish.until:
            standing.due = wish.until  # more of it is not wanted
        if lease.exact_m > wish.exact_m:
            standing.due = min(standing.due, now + RETRY_S)

    def ended(self, owner: str, end: LeaseEnd) -> None:
        """An owner says that a lease has ended; it is asked for anew in a while."""
        for wish, standing in self.standing.items():
            lease = standing.lease
            if wish.owner == owner and lease is not None and lease.id == end.id:
                rule = f", by rule {end.rule}" if end.rule else ""
                standing.error = f"{owner} ended it: {end.reason}{rule}"
                standing.is_refused = end.reason in _SAID_NO
                standing.lease = None
                standing.due = self._clock() + SETTLE_S

    def ask_anew(self) -> None:
        """The circumstances changed: what was refused may be granted now."""
        soon = self._clock() + SETTLE_S
        for wish, standing in self.standing.items():
            lease = standing.lease
            if lease is None or lease.exact_m > wish.exact_m:
                standing.due = min(standing.due, soon)

    def forget(self, owner: str) -> None:
        """A device was started anew and knows of no lease: ask at once."""
        for wish, standing in self.standing.items():
            if wish.owner == owner:
                standing.lease, standing.due = None, float("-inf")

    async def give_back(self) -> None:
        """Needed no more: say so to whoever is there."""
        for standing in self.standing.values():
            lease, standing.lease = standing.lease, None
            if lease is not None:
                await self._return(lease)

    async def _return(self, lease: Lease) -> None:
        """Tell an owner, if it is there, that a lease is needed no more."""
        if lease.owner not in self._link.alive:
            return  # it ends by itself
        from_me = LeaseEnd(lease.id, self._clock(), EndReason.RECIPIENT)
        try:
            await self._link.ask(lease.owner, LEASE_END, from_me, timeout_s=1.0)
        except PeerError as error:
            log.info("%s: %s", self._link.device, error)


def _overlap(one: Wish, other: Wish) -> bool:
    """Whether an owner would let the one's lease take the place of the other's."""
    return (one.owner, one.purpose) == (other.owner, other.purpose) and any(
        matches(pattern, path) or pattern == path
        for first, second in ((one, other), (other, one))
        for pattern in first.paths
        for path in second.paths
    )
