"""Gathers what devices send, and waits until all that was promised has come."""

from __future__ import annotations

import asyncio

from trivet.app.part import ADVANCE
from trivet.app.trust import Trust
from trivet.app.view import Flow
from trivet.domain import Lease, PeerError, Sample
from trivet.domain.wire import Advance, Watermark
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: How long a promised sample may be under way, in real seconds.
LATEST_S = 2.0


class Gatherer:
    """Collects the samples of this device and those that others give it.

    Args:
        link: this device's place on the fabric.
        trust: this device's leases.
    """

    def __init__(self, link: Link, trust: Trust) -> None:
        self._link = link
        self._trust = trust
        self._samples: list[Sample] = []
        self._received: dict[str, int] = {}
        self._base: dict[str, tuple[int, int]] = {}
        self._arrived = asyncio.Event()
        self._flows: dict[tuple[str, str], tuple[int, float]] = {}
        #: samples that were promised and never came
        self.lost = 0

    def keep(self, sample: Sample) -> None:
        """Take in a sample of this device itself."""
        self._samples.append(sample)

    def hear(self, received: Received) -> None:
        """Take in what another device sent, if it is a sample of its own."""
        sample = received.message
        if not isinstance(sample, Sample) or sample.device != received.owner:
            return
        self._samples.append(sample)
        self._received[sample.device] = self._received.get(sample.device, 0) + 1
        self.note(sample)
        self._arrived.set()

    def note(self, sample: Sample) -> None:
        """Count a sample that was given to this device."""
        count, _ = self._flows.get((sample.device, sample.path), (0, 0.0))
        self._flows[(sample.device, sample.path)] = (count + 1, sample.time)

    def take(self) -> list[Sample]:
        """What has come since the last call, in order of event time."""
        samples, self._samples = self._samples, []
        return sorted(samples, key=lambda sample: sample.time)

    async def advance(self, device: str, until: float) -> str:
        """Let a device live on until an event time; what was wrong, empty if nothing.

        Returns when all samples that it sent have come, or LATEST_S after.
        """
        try:
            reply = await self._link.ask(device, ADVANCE, Advance(until))
        except PeerError as error:
            return str(error)
        if isinstance(reply, Watermark):
            await self._await_all(device, reply.sent)
        return ""

    async def _await_all(self, device: str, sent: int) -> None:
        sent_before, received_before = self._base.get(device, (0, 0))
        if sent < sent_before:  # the device was started anew and counts from zero
            sent_before = 0
        due = received_before + sent - sent_before
        try:
            async with asyncio.timeout(LATEST_S):
                while self._received.get(device, 0) < due:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            self.lost += due - self._received.get(device, 0)
        self._base[device] = (sent, self._received.get(device, 0))

    def flows(self) -> tuple[Flow, ...]:
        """What every device has given this one, by owner and path."""
        me = self._link.device
        leases = {
            (lease.owner, path): lease
            for lease in self._trust.lessee.leases
            for path in lease.paths
        }
        return tuple(
            Flow(owner, me, path, count, last, *_terms(leases.get((owner, path))))
            for (owner, path), (count, last) in sorted(self._flows.items())
        )


def _terms(lease: Lease | None) -> tuple[str, int]:
    return ("", 0) if lease is None else (lease.purpose.value, lease.exact_m)
