"""The owner's end of leases: answers requests, gives samples, tells of ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from trivet.domain.error import RefusedError, SetupError, TrivetError, UsageError
from trivet.domain.lease import EndReason, Lease, LeaseEnd, LeaseRequest
from trivet.domain.sample import Sample
from trivet.domain.wire import Ack, Message
from trivet.fabric.access import Circumstances
from trivet.fabric.bucket import Bucket
from trivet.fabric.lease import LeaseBook, Policy
from trivet.fabric.link import Link

#: Asked of an owner: grant a lease.
LEASE = "lease"
#: Asked of an owner: a lease is needed no more. Told to a recipient on this path: a
#: lease has ended.
LEASE_END = "lease-end"
#: Requests that a device may make at once, and how fast they come back, in 1/s: the
#: ledger records each refusal, and a flood of them must not fill the disk.
BURST, PER_S = 60, 1.0


#: Sends a message to a device on a path; whether that could be done.
Carry: TypeAlias = Callable[[str, Message, str], Awaitable[bool]]


class Lessor:
    """Serves the leases of one device on its link.

    Args:
        link: the device's place on the fabric, opened with a gate that asks `book`.
        book: its leases.
        clock: event time now, in seconds.
        carry: sends through another device to one that is not in reach; None if
            nothing can. See Relay.send.
    """

    def __init__(
        self,
        link: Link,
        book: LeaseBook,
        clock: Callable[[], float],
        carry: Carry | None = None,
    ) -> None:
        self._link = link
        self._book = book
        self._clock = clock
        self._carry = carry
        #: by recipient and path: the last lease, how many messages, the last one's time
        self.given: dict[tuple[str, str], tuple[Lease, int, float]] = {}
        self._buckets: dict[str, Bucket] = {}
        link.answer(LEASE, self._asked)
        link.answer(LEASE_END, self._given_back)

    async def give(self, sample: Sample) -> list[str]:
        """Send a sample to whoever holds a lease on it; to whom it went."""
        return [
            recipient
            for recipient in self._book.recipients(sample.path)
            if await self._send(recipient, sample, sample.path)
        ]

    async def show(self, recipient: str, message: Message, path: str) -> bool:
        """Send what was made of samples to one device; False if it has no lease."""
        if recipient not in self._book.recipients(path):
            return False
        return await self._send(recipient, message, path)

    async def _send(self, recipient: str, message: Message, path: str) -> bool:
        flow = self._book.flow(recipient, path)
        withheld = self._link.withheld
        try:
            if self._carry is not None and recipient not in self._link.alive:
                is_sent = await self._carry(recipient, message, path)
            else:
                await self._link.publish(recipient, message, path)
                is_sent = self._link.withheld == withheld
        except RefusedError:  # the lease ended in this moment
            return False
        if is_sent and flow is not None:
            _, count, _ = self.given.get((recipient, path), (flow.lease, 0, 0.0))
            self.given[recipient, path] = flow.lease, count + 1, flow.last
        return is_sent

    async def tick(self) -> None:
        """End what is over; call it often."""
        await self._tell(self._book.tick(self._clock()))

    async def end(self, lease: str) -> None:
        """The owner ends a lease.

        Raises:
            UsageError: no such lease runs.
        """
        now = self._clock()
        ended = self._book.end(lease, now, EndReason.OWNER)
        await self._tell([(ended, LeaseEnd(lease, now, EndReason.OWNER))])

    async def set_circumstances(self, circumstances: Circumstances) -> None:
        """What is so has changed: end what the policy allows no longer."""
        await self._tell(self._book.set_circumstances(circumstances, self._clock()))

    async def set_policy(self, policy: Policy) -> None:
        """The policy has changed: it holds from now on, for running leases too."""
        await self._tell(self._book.set_policy(policy, self._clock()))

    async def shut_out(self, device: str) -> None:
        """A device is of this household no more: end its leases, hear it no more."""
        self._link.bar(device)  # first: it must hold even if the ledger does not
        await self._tell(self._book.shut_out(device, self._clock()))

    async def _tell(self, ends: Iterable[tuple[Lease, LeaseEnd]]) -> None:
        for lease, end in ends:
            try:
                await self._link.publish(lease.recipient, end, LEASE_END)
            except TrivetError:
                continue  # it is gone, and asks again when it comes back

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, LeaseRequest):
            raise UsageError("lease wants a lease request")
        self._charge(asker)
        try:
            return self._book.request(asker, message, self._clock())
        except SetupError as error:  # no refusal: it may ask again soon
            return Ack(False, str(error)[:1000])

    def _charge(self, asker: str) -> None:
        now = self._clock()  # a simulated day has its own pace
        bucket = self._buckets.setdefault(asker, Bucket(BURST, PER_S, now))
        if not bucket.take(now):
            raise RefusedError(
                f"{asker} asks for too many leases", hint="ask again in a minute"
            )

    async def _given_back(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, LeaseEnd):
            raise UsageError("lease-end wants the lease that ends")
        self._book.give_back(asker, message.id, self._clock())
        return Ack(True)
