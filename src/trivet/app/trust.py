"""One device's trust: its leases, policy, ledger and what it wants of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, tzinfo

import msgspec

from trivet.app.circumstances import Observer
from trivet.domain import Device, LeaseEnd, Sample, Signal
from trivet.domain.wire import Message
from trivet.fabric.access import Circumstances, Party
from trivet.fabric.disclosure import Disclosures
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import LeaseBook, Policy
from trivet.fabric.lease_gate import FORECAST, SUGGESTION, LeaseGate
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessee import Lessee, Wish
from trivet.fabric.lessor import LEASE_END, Lessor
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: What the home makes of samples, offered like any signal of its.
MADE = (
    Signal(FORECAST, datatype="forecast"),
    Signal(SUGGESTION, datatype="suggestion"),
)


class Household(msgspec.Struct, frozen=True):
    """Who belongs to it and what they agreed; see the charter.

    Attributes:
        members: the devices by their ids.
        policy: who decides.
    """

    members: Mapping[str, Party]
    policy: Policy


class Trust:
    """What stands between a device and what others may know of it.

    Its `gate` is given to the session; `attach` takes the session's link.

    Args:
        device: the device and the signals that it offers.
        household: who belongs to it, and its policy.
        ledger: where what happens is kept.
        start: event time at which the device begins.
        zone: the household's time zone.
        home: where the home is, (lat, lon) in degrees, None if that is not known.
    """

    def __init__(
        self,
        device: Device,
        household: Household,
        ledger: Ledger,
        start: float = 0.0,
        *,
        zone: tzinfo = UTC,
        home: Callable[[], tuple[float, float] | None] = lambda: None,
    ) -> None:
        self.time = start
        self.household = household
        self.ledger = ledger
        self._observer = Observer(zone)
        self._disclosures = Disclosures(ledger)
        me = household.members.get(device.id, Party(device.id, device.kind))
        self.book = LeaseBook(
            me, device.signals, household.policy, self._party_of, self._record
        )
        self.gate = LeaseGate(
            self.book,
            household.policy,
            self._party_of,
            self._disclosures,
            self._record,
            self._now,
            home,
        )
        self._lessor: Lessor | None = None
        self._lessee: Lessee | None = None
        self._also: Callable[[Received], Awaitable[bool]] | None = None

    def attach(self, link: Link, wishes: tuple[Wish, ...] = ()) -> None:
        """Serve leases on the device's link, and want some of the others."""
        self._lessor = Lessor(link, self.book, self.gate, self._now)
        self._lessee = Lessee(link, wishes, self._now)

    def also_hear(self, hear: Callable[[Received], Awaitable[bool]]) -> None:
        """Let another take in what is sent, first; it says whether it did."""
        self._also = hear

    @property
    def lessor(self) -> Lessor:
        """The owner's end of leases; after `attach`."""
        assert self._lessor is not None, "attach comes first"
        return self._lessor

    @property
    def lessee(self) -> Lessee:
        """The recipient's end of leases; after `attach`."""
        assert self._lessee is not None, "attach comes first"
        return self._lessee

    async def tick(self, time: float) -> None:
        """Event time has come to `time`: end what is over, ask for what is due."""
        self.time = max(self.time, time)
        before = self._observer.now
        self._observer.tick(self.time)
        await self._change(before)
        await self.lessor.tick()
        await self.lessee.tick()
        self._disclosures.tick(self.time)

    async def learn(self, sample: Sample) -> None:
        """Take in what a sample tells of the circumstances, and act on it at once."""
        before = self._observer.now
        self._observer.learn(sample)
        await self._change(before)

    async def _change(self, before: Circumstances) -> None:
        if self._observer.now != before:
            await self.lessor.set_circumstances(self._observer.now)
            self.lessee.ask_anew()

    async def hear(self, received: Received) -> bool:
        """Take in what another device sent; whether it was about leases alone."""
        message = received.message
        if isinstance(message, Sample) and message.device == received.owner:
            await self.learn(message)
        if self._also is not None and await self._also(received):
            return True
        if not isinstance(message, LeaseEnd) or received.path != LEASE_END:
            return False
        self.lessee.ended(received.owner, message)
        return True

    async def show(self, recipient: str, message: Message, path: str) -> bool:
        """Send what was made of samples to a device; False if it has no lease."""
        return await self.lessor.show(recipient, message, path)

    async def agree(self, household: Household) -> None:
        """The household has agreed anew: who is in it, and its policy."""
        gone = set(self.household.members) - set(household.members)
        self.household = household
        for device in sorted(gone):
            await self.lessor.shut_out(device)
        await self.lessor.set_policy(household.policy)

    def close(self) -> None:
        """Write down what was counted and close the ledger."""
        self._disclosures.flush(self.time)
        self.ledger.close()

    def _now(self) -> float:
        return self.time

    def _party_of(self, device: str) -> Party | None:
        return self.household.members.get(device)

    def _record(self, event: Event) -> None:
        if event.kind is EventKind.END:
            self._disclosures.end(event.lease, self.time)
        self.ledger.append(event)
