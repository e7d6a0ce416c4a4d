"""One device's trust: its leases, policy, ledger and what it wants of the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, tzinfo
from functools import partial
from time import time

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.app.circumstances import Observer
from trivet.app.view import Flow
from trivet.domain import Device, LeaseEnd, Sample, SetupError, Signal
from trivet.domain.wire import Message
from trivet.fabric.access import Circumstances, Party
from trivet.fabric.disclosure import Disclosures
from trivet.fabric.envelope import Opener, Sealer
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import LeaseBook, Policy
from trivet.fabric.lease_gate import FORECAST, SUGGESTION, LeaseGate
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessee import Lessee, Wish
from trivet.fabric.lessor import LEASE_END, Lessor
from trivet.fabric.letter import Received
from trivet.fabric.link import Link
from trivet.fabric.relay import Relay

#: What a device that leads makes of samples, offered like any signal of its.
MADE = (
    Signal(FORECAST, datatype="forecast"),
    Signal(SUGGESTION, datatype="suggestion"),
)


class Household(msgspec.Struct, frozen=True):
    """Who belongs to it and what they agreed; see the charter.

    Attributes:
        members: the devices by their ids.
        policy: who decides.
        keys: the devices' public keys, where they are known.
        version: of the charter that says so.
    """

    members: Mapping[str, Party]
    policy: Policy
    keys: Mapping[str, ec.EllipticCurvePublicKey] = {}
    version: int = 0


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
        private: the device's key, to send through others what cannot go directly;
            None to do without.
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
        private: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self.time = start
        self.zone = zone
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
            self._party_of,
            self._disclosures,
            self._record,
            self._now,
            home,
        )
        self._private = private
        self._relay: Relay | None = None
        self._lessor: Lessor | None = None
        self._lessee: Lessee | None = None
        self._also: Callable[[Received], Awaitable[bool]] | None = None
        self._ends: list[Callable[[str, LeaseEnd], None]] = []

    def attach(self, link: Link, wishes: tuple[Wish, ...] = ()) -> None:
        """Serve leases on the device's link, and want some of the others."""
        if self._private is not None:
            self._relay = self._make_relay(link, self._private)
        carry = None if self._relay is None else self._relay.send
        self._lessor = Lessor(link, self.book, self._now, carry)
        self._lessee = Lessee(link, wishes, self._now)

    def _make_relay(self, link: Link, private: ec.EllipticCurvePrivateKey) -> Relay:
        began = time()
        sealer = Sealer(
            private, link.device, boot=int(began * 1000), household=link.household
        )
        opener = Opener(
            link.device,
            key_of=self._key_of,
            household=link.household,
            not_before=began,
        )
        return Relay(link, self.gate, sealer, opener, private, self._key_of, time)

    def also_hear(self, hear: Callable[[Received], Awaitable[bool]]) -> None:
        """Let another take in what is sent, first; it says whether it did."""
        self._also = hear

    def on_lease_end(self, listen: Callable[[str, LeaseEnd], None]) -> None:
        """Have `listen` told of each lease of this device's that its owner ended."""
        self._ends.append(listen)

    @property
    def witness(self) -> Disclosures:
        """Takes down what is given, by the gate or with a task's input."""
        return self._disclosures

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

    async def tick(self, now: float) -> None:
        """Event time has come to `now`: end what is over, ask for what is due."""
        self.time = max(self.time, now)
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

    async def live(self, sample: Sample) -> list[str]:
        """Something came true on this device: learn of it, give it where it is leased.

        Returns:
            To whom it went.
        """
        self.time = max(self.time, sample.time)
        await self.learn(sample)
        return await self.lessor.give(sample)

    async def _change(self, before: Circumstances) -> None:
        if self._observer.now != before:
            await self.lessor.set_circumstances(self._observer.now)
            self.lessee.ask_anew()

    async def hear(self, received: Received) -> Received | None:
        """Take in what another device sent; what is left of it for others to take."""
        if self._also is not None and await self._also(received):
            return None
        opened = received if self._relay is None else self._relay.hear(received)
        if opened is None:
            return None
        message = opened.message
        if isinstance(message, Sample) and message.device == opened.owner:
            self.lessee.hear(message)
            await self.learn(message)
        if isinstance(message, LeaseEnd) and opened.path == LEASE_END:
            self.lessee.ended(opened.owner, message)
            for listen in self._ends:
                listen(opened.owner, message)
            return None
        return opened

    async def show(self, recipient: str, message: Message, path: str) -> bool:
        """Send what was made of samples to a device; False if it has no lease."""
        return await self.lessor.show(recipient, message, path)

    def given(self) -> tuple[Flow, ...]:
        """What this device gave to others since it started."""
        me = self.book.me.device
        return tuple(
            Flow(me, recipient, path, count, last, lease.purpose.value, lease.exact_m)
            for (recipient, path), (lease, count, last) in sorted(
                self.lessor.given.items(), key=lambda item: item[0]
            )
        )

    async def agree(self, household: Household) -> None:
        """The household has agreed anew: who is in it, and its policy.

        Raises:
            SetupError: the ledger cannot be written; all the same everybody who is out
                is, and the policy holds.
        """
        gone = set(self.household.members) - set(household.members)
        self.household = household
        faults: list[SetupError] = []
        for work in (
            *(partial(self.lessor.shut_out, device) for device in sorted(gone)),
            partial(self.lessor.set_policy, household.policy),
        ):
            try:
                await work()
            except SetupError as error:
                faults.append(error)
        if faults:
            raise faults[0]

    def close(self) -> None:
        """Write down what was counted and close the ledger."""
        self._disclosures.flush(self.time)
        self.ledger.close()

    def _now(self) -> float:
        return self.time

    def _party_of(self, device: str) -> Party | None:
        return self.household.members.get(device)

    def _key_of(self, device: str) -> ec.EllipticCurvePublicKey | None:
        return self.household.keys.get(device)

    def _record(self, event: Event) -> None:
        if event.kind is EventKind.END:
            self._disclosures.end(event.lease, self.time)
        self.ledger.append(event)
