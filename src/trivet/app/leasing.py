"""A person's words about leases: what a device gives and wants; ask, drop, end."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.trust import Trust
from trivet.domain import Lease, Purpose, Sample, UsageError
from trivet.domain.lease import EXACTNESS_M, SignalPattern
from trivet.domain.sample import DeviceId
from trivet.fabric.lessee import Standing as LesseeStanding
from trivet.fabric.lessee import Wish


class Leases(msgspec.Struct, frozen=True, tag="leases", tag_field="verb"):
    """Ask which leases run, and what the device wants of others."""


class End(msgspec.Struct, frozen=True, tag="end", tag_field="verb"):
    """End a lease that this device granted."""

    lease: Annotated[str, Meta(max_length=64)]


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="verb"):
    """Want signals of another device, and ask for them now.

    Attributes:
        owner: of whom.
        paths: which signals.
        purpose: what for.
        exact_m: how exact a position need be, one of EXACTNESS_M, in metres.
        every_s: at most one sample of each signal in so many seconds; 0 for all.
        term_s: for how long, in event seconds; 0 for as long as the device runs.
    """

    owner: DeviceId
    paths: Annotated[tuple[SignalPattern, ...], Meta(min_length=1, max_length=64)]
    purpose: Purpose
    exact_m: int = 0
    every_s: Annotated[float, Meta(ge=0.0, le=86_400.0)] = 0.0
    term_s: Annotated[float, Meta(ge=0.0, le=366 * 86_400.0)] = 0.0


class Drop(msgspec.Struct, frozen=True, tag="drop", tag_field="verb"):
    """Want something no more, and give back what is held of it.

    Attributes:
        what: id of a lease that this device holds; or an owner's id, for all that was
            asked of it by hand.
    """

    what: Annotated[str, Meta(max_length=64)]


class Arrived(msgspec.Struct, frozen=True, tag="arrived", tag_field="verb"):
    """Ask for what came since, of what was asked for by hand.

    Attributes:
        after: number of the last sample that is known already.
    """

    after: Annotated[int, Meta(ge=0)] = 0


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


class Dropped(msgspec.Struct, frozen=True):
    """What is not wanted any more."""

    wishes: tuple[Wished, ...] = ()


class Arrivals(msgspec.Struct, frozen=True):
    """What came, oldest first, as far as it is kept.

    Attributes:
        last: number of the last of them; of the last that was known, if there is none.
        samples: the samples.
        missed: samples that came meanwhile and are kept no more.
    """

    last: int
    samples: tuple[Sample, ...] = ()
    missed: int = 0


def take_lease_words(control: Control, trust: Trust) -> None:
    """Have a device take a person's words about its leases."""

    async def tell_leases(_: Leases) -> Standing:
        wishes = tuple(_wished(*one) for one in trust.lessee.standing.items())
        return Standing(trust.time, trust.book.leases, wishes)

    async def end(word: End) -> Ended:
        held = {lease.id: lease for lease in trust.book.leases}
        await trust.lessor.end(word.lease)
        return Ended(held[word.lease])

    async def ask(word: Ask) -> Wished:
        wish = _wish_of(word, trust.time)
        return _wished(wish, await trust.lessee.want(wish))

    async def drop(word: Drop) -> Dropped:
        found = tuple(
            (wish, at)
            for wish, at in trust.lessee.standing.items()
            if (word.what == wish.owner and wish in trust.lessee.by_hand)
            or (at.lease and at.lease.id == word.what)
        )
        if not found:
            raise UsageError(
                f"{word.what!r} is no lease that is held, nor was anything asked of it "
                "by hand",
                hint="trivet lease list shows both",
            )
        told = Dropped(tuple(_wished(*one) for one in found))
        await trust.lessee.drop([wish for wish, _ in found])
        return told

    async def tell_arrived(word: Arrived) -> Arrivals:
        new = [one for one in trust.lessee.heard if one[0] > word.after]
        if not new:
            return Arrivals(word.after)
        missed = max(0, new[0][0] - word.after - 1) if word.after else 0
        return Arrivals(new[-1][0], tuple(sample for _, sample in new), missed)

    control.add(Leases, tell_leases)
    control.add(End, end)
    control.add(Ask, ask)
    control.add(Drop, drop)
    control.add(Arrived, tell_arrived)


def _wish_of(word: Ask, now: float) -> Wish:
    if word.exact_m not in EXACTNESS_M:
        steps = ", ".join(map(str, EXACTNESS_M))
        raise UsageError(
            f"a position is not given to {word.exact_m} m",
            hint=f"choose one of {steps}; the last is a word: home or away",
        )
    wish = Wish(
        word.owner,
        word.paths,
        word.purpose,
        every_s=word.every_s,
        exact_m=word.exact_m,
    )
    if not word.term_s:
        return wish
    return msgspec.structs.replace(wish, until=now + word.term_s, term_s=word.term_s)


def _wished(wish: Wish, at: LesseeStanding) -> Wished:
    return Wished(wish.owner, wish.paths, wish.purpose.value, at.lease, at.error)
