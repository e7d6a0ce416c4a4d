"""The recipient's end of leases: asks for them, keeps them alive, learns of ends."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from trivet.domain.error import PeerError, RefusedError, WireError
from trivet.domain.lease import EndReason, Lease, LeaseEnd, LeaseRequest, Purpose
from trivet.fabric.lessor import LEASE, LEASE_END
from trivet.fabric.link import Link

log = logging.getLogger("trivet.fabric")

#: A lease is asked for anew when this share of its time has passed.
RENEW_AT = 0.8
#: Event seconds until what was refused, or granted coarser, is asked for again; until
#: what could not be asked is; and after the circumstances changed, when the owner has
#: had time to see that too.
RETRY_S, AWAY_S, SETTLE_S = 900.0, 5.0, 5.0


class Wish(msgspec.Struct, frozen=True):
    """What a device wants of another for as long as it runs.

    Attributes:
        owner: the device asked.
        paths: patterns of its signals.
        purpose: what for.
        term_s: how long each lease is to be, in seconds.
        every_s: at most one sample of each signal in so many seconds.
        exact_m: how exact a position need be, in metres.
    """

    owner: str
    paths: tuple[str, ...]
    purpose: Purpose
    term_s: float = 86_400.0
    every_s: float = 0.0
    exact_m: int = 0


class Standing(msgspec.Struct):
    """How it stands with a wish.

    Attributes:
        lease: what was granted, None if nothing is.
        error: why not, in the owner's words.
        due: event time at which it is asked for next.
    """

    lease: Lease | None = None
    error: str = ""
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

    @property
    def leases(self) -> tuple[Lease, ...]:
        """What is held."""
        return tuple(s.lease for s in self.standing.values() if s.lease is not None)

    async def tick(self) -> None:
        """Ask for what is due, of those who are there; call it often."""
        now, alive = self._clock(), self._link.alive
        for wish, standing in self.standing.items():
            if wish.owner in alive and standing.due <= now:
                await self._ask(wish, standing, now)

    async def _ask(self, wish: Wish, standing: Standing, now: float) -> None:
        request = LeaseRequest(
            wish.paths, wish.purpose, now + wish.term_s, wish.every_s, wish.exact_m
        )
        try:
            lease = await self._link.ask(wish.owner, LEASE, request)
            if not isinstance(lease, Lease):
                raise WireError(f"{wish.owner} answered a {type(lease).__name__}")
        except PeerError as error:
            if str(error) != standing.error:
                log.warning("%s: %s", self._link.device, error)
            standing.error = str(error)
            is_refused = isinstance(error, RefusedError)
            standing.due = now + (RETRY_S if is_refused else AWAY_S)
            if is_refused:
                standing.lease = None
            return
        standing.lease, standing.error = lease, ""
        standing.due = now + RENEW_AT * (lease.until - now)
        if lease.exact_m > wish.exact_m:
            standing.due = min(standing.due, now + RETRY_S)

    def ended(self, owner: str, end: LeaseEnd) -> None:
        """An owner says that a lease has ended; it is asked for anew in a while."""
        for wish, standing in self.standing.items():
            lease = standing.lease
            if wish.owner == owner and lease is not None and lease.id == end.id:
                rule = f", by rule {end.rule}" if end.rule else ""
                standing.error = f"{owner} ended it: {end.reason}{rule}"
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
        for wish, standing in self.standing.items():
            if standing.lease is None or wish.owner not in self._link.alive:
                continue
            from_me = LeaseEnd(standing.lease.id, self._clock(), EndReason.RECIPIENT)
            standing.lease = None
            try:
                await self._link.ask(wish.owner, LEASE_END, from_me, timeout_s=1.0)
            except PeerError as error:
                log.info("%s: %s", self._link.device, error)
