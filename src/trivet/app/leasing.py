"""The owner's words about leases: what a running device gives and wants; end one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.trust import Trust
from trivet.domain import Lease


class Leases(msgspec.Struct, frozen=True, tag="leases", tag_field="verb"):
    """Ask which leases run, and what the device wants of others."""


class End(msgspec.Struct, frozen=True, tag="end", tag_field="verb"):
    """End a lease that this device granted."""

    lease: Annotated[str, Meta(max_length=64)]


class Wished(msgspec.Struct, frozen=True):
    """How it stands with something that the device wants.

    Attributes:
        owner: of whom.
        paths: which signals.
        purpose: what for.
        lease: what was granted, None if nothing is.
        error: why not.
    """

    owner: str
    paths: tuple[str, ...]
    purpose: str
    lease: Lease | None = None
    error: str = ""


class Standing(msgspec.Struct, frozen=True):
    """How it stands with a device's leases.

    Attributes:
        time: event time at the device.
        leases: what it granted and still runs.
        wishes: what it wants of others.
    """

    time: float
    leases: tuple[Lease, ...] = ()
    wishes: tuple[Wished, ...] = ()


class Ended(msgspec.Struct, frozen=True):
    """The lease that was ended."""

    lease: Lease


def take_lease_words(control: Control, trust: Trust) -> None:
    """Have a device take the owner's words about its leases."""

    async def tell_leases(_: Leases) -> Standing:
        wishes = tuple(
            Wished(wish.owner, wish.paths, wish.purpose.value, at.lease, at.error)
            for wish, at in trust.lessee.standing.items()
        )
        return Standing(trust.time, trust.book.leases, wishes)

    async def end(word: End) -> Ended:
        held = {lease.id: lease for lease in trust.book.leases}
        await trust.lessor.end(word.lease)
        return Ended(held[word.lease])

    control.add(Leases, tell_leases)
    control.add(End, end)
