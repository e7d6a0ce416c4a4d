"""Gives samples to whoever holds a lease, ends leases, and writes down what comes.

A sample's value says which life of its owner gave it, and as which one: what came can
be held against the owner's ledger, entry by entry.
"""

from __future__ import annotations

import asyncio
from random import Random
from time import monotonic

from scripts.chaos.founding import KINDS, SIGNALS
from scripts.chaos.journal import Heard, Journal, Refused, Shut, Witnessed
from scripts.chaos.work.setting import Settings

from trivet.app.trust import Trust
from trivet.domain import Sample, TrivetError
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: Event seconds a real second, so that leases that ended are asked for anew soon.
PACE = 5.0
GIVE_EVERY_S = 0.1
#: Mean real seconds between two leases that the owner ends.
END_EVERY_S = 4.0
#: A life's samples are counted from a multiple of this.
LIFE = 1_000_000
#: Whoever gave within so many seconds counts as giving.
RECENT_S = 2.0


class LeaseWork:
    """One node's leases, at both ends.

    Args:
        settings: the node's.
        trust: its leases; attached to the link already.
        link: its place on the fabric.
        journal: where it is written down.
        start: event time at which it begins.
    """

    def __init__(
        self,
        settings: Settings,
        trust: Trust,
        link: Link,
        journal: Journal,
        start: float,
    ) -> None:
        self._me = settings.device
        self._trust, self._link, self._journal = trust, link, journal
        self._start, self._began = start, monotonic()
        self._random = Random(settings.seed * 1000 + settings.life)
        self._path = SIGNALS[KINDS[self._me]].path
        self._count = LIFE * settings.life
        self._members = set(trust.household.members)
        self._heard: dict[str, float] = {}
        self._head = ""

    async def run(self) -> None:
        """Give until cancelled."""
        hearing = asyncio.ensure_future(self._hear_all())
        end_at = self._next_end()
        try:
            while True:
                await asyncio.sleep(GIVE_EVERY_S)
                await self._tried("tick", self._tick)
                await self._tried("give", self._give)
                if monotonic() > end_at:
                    end_at = self._next_end()
                    await self._tried("end", self._end)
        finally:
            hearing.cancel()

    def flowing(self) -> tuple[str, ...]:
        """Who gave this device something lately."""
        now = monotonic()
        return tuple(
            sorted(owner for owner, at in self._heard.items() if now - at < RECENT_S)
        )

    def witness(self) -> None:
        """Write down where the ledger ends now."""
        head = str(self._trust.ledger.head)
        if head != self._head:
            self._head = head
            self._journal.add(Witnessed(head=head), sure=True)

    async def _tried(self, what: str, work) -> None:  # type: ignore[no-untyped-def]
        try:
            await work()
        except TrivetError as error:
            self._journal.add(Refused(what=what, why=str(error)[:200]))

    def _next_end(self) -> float:
        return monotonic() + self._random.expovariate(1.0 / END_EVERY_S)

    def _now(self) -> float:
        return self._start + (monotonic() - self._began) * PACE

    async def _tick(self) -> None:
        members = set(self._trust.household.members)
        for device in sorted(self._members - members):
            self._journal.add(Shut(device=device, value=self._count), sure=True)
        self._members = members
        await self._trust.tick(self._now())

    async def _give(self) -> None:
        self._count += 1
        # as of the last tick, as what ends is: their order is then the order of time
        sample = Sample(self._me, self._path, self._trust.time, float(self._count))
        await self._trust.lessor.give(sample)

    async def _end(self) -> None:
        leases = self._trust.book.leases
        if leases:
            await self._trust.lessor.end(self._random.choice(leases).id)

    async def _hear_all(self) -> None:
        async for received in self._link.subscribe():
            heard = await self._trust.hear(received)
            if heard is not None:
                self._hear(heard)

    def _hear(self, received: Received) -> None:
        message = received.message
        if isinstance(message, Sample) and isinstance(message.value, float):
            self._heard[received.owner] = monotonic()
            self._journal.add(
                Heard(
                    owner=received.owner,
                    path=message.path,
                    time=message.time,
                    value=message.value,
                )
            )
