"""Keeps the history of a running device: writes it, lets it grow old, forgets."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from time import monotonic
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.forgetting import Forgetting, OnForget
from trivet.app.trust import Trust
from trivet.domain import Lease, LeaseEnd, Sample, TrivetError, UsageError
from trivet.fabric.background import cancel
from trivet.fabric.history import Forget, History
from trivet.fabric.history.erasure import CLEAN, NOW, Erased
from trivet.fabric.history.shelf import BATCH
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

log = logging.getLogger("trivet.app")

#: Seconds that a sample waits at the most before it is durable, unless the file is
#: being cleaned.
FLUSH_S = 1.0
#: Seconds between two looks at what has grown old, and two cleanings after leases
#: ended (after a wish to forget it is cleaned at once).
AGE_S, CLEAN_S = 60.0, 86_400.0
#: Names all devices, in the word to forget.
ALL = "*"


class Live(msgspec.Struct, frozen=True, tag="history-live", tag_field="verb"):
    """Ask how it stands with the history; what waited is written first."""


class Living(msgspec.Struct, frozen=True):
    """How it stands with the history of a running device.

    Attributes:
        time: event time at the device.
        waiting: samples that could not be written yet.
        lost: samples that could not be kept.
        error: why it cannot be written, empty if it can.
    """

    time: float
    waiting: int = 0
    lost: int = 0
    error: str = ""


class ForgetWord(msgspec.Struct, frozen=True, tag="history-forget", tag_field="verb"):
    """Forget.

    Attributes:
        wish: what.
        of: whose samples: empty for this device's own, here and wherever copies went;
            another device's id for the copies that are here; ALL for both.
    """

    wish: Forget
    of: Annotated[str, Meta(max_length=64)] = ""


class Forgot(msgspec.Struct, frozen=True):
    """What was deleted here.

    Attributes:
        own: of this device's own.
        copies: samples and summaries of other devices, by the device.
    """

    own: Erased
    copies: dict[str, int]


class Keeping:
    """Keeps one device's history.

    Args:
        link: the device's place on the fabric.
        trust: its leases, attached to the link; its ledger; event time.
        history: closed by whoever opened it, after `run` has ended.
        on_forget: is told of each wish to forget; see Forgetting.
    """

    def __init__(
        self,
        link: Link,
        trust: Trust,
        history: History,
        on_forget: OnForget | None = None,
    ) -> None:
        self._link = link
        self._trust = trust
        self._history = history
        self._forgetting = Forgetting(link, trust, history, on_forget)
        self._wake = asyncio.Event()
        self._followed: set[tuple[str, str]] = set()
        self._ended: list[tuple[str, LeaseEnd]] = []
        self._fault = ""
        self._aged = self._cleaned = float("-inf")

    def note_own(self, sample: Sample) -> None:
        """Keep a sample of this device's own; never waits."""
        self._note(sample, None)

    def note_received(self, received: Received, lease: Lease | None = None) -> bool:
        """Keep a sample that another device gave, if it was given under a lease.

        Args:
            received: what was heard, as the link and the trust let it through.
            lease: under which it was given; None to look among those that are held.

        Returns:
            Whether it is kept: what is no sample of its sender's, or under no lease, is
            not.
        """
        sample = received.message
        if not isinstance(sample, Sample) or sample.device != received.owner:
            return False
        found = lease or self._lease_of(sample)
        return found is not None and self._note(sample, found)

    def note_lease_end(self, owner: str, end: LeaseEnd) -> None:
        """An owner says that a lease ended: what came under it goes; never waits."""
        self._ended.append((owner, end))
        self._wake.set()

    async def run(self) -> None:
        """Keep until cancelled; then what waits is written."""
        tasks = [
            asyncio.ensure_future(work)
            for work in (
                self._tend(),
                self._forgetting.run(),
                self._forgetting.meet(),
            )
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                await cancel(task)

    async def forget(self, wish: Forget, of: str = "") -> Forgot:
        """Forget, as the word to forget says.

        Raises:
            SetupError: the history or the ledger cannot be used; what was not deleted
                yet stays.
        """
        own, copies = Erased(), dict[str, int]()
        if of in ("", ALL, self._link.device):
            own = await self._forgetting.forget(wish)
        if of not in ("", self._link.device):
            owners = [of]
            if of == ALL:
                owners = await asyncio.to_thread(self._history.owners)
            for owner in owners:
                copies[owner] = await self._forgetting.forget_copies(owner, wish)
        self._wake.set()
        return Forgot(own, copies)

    def take_words(self, control: Control) -> None:
        """Have the owner's words about the history taken."""

        async def live(_: Live) -> Living:
            with suppress(TrivetError):
                await asyncio.to_thread(self._history.flush)
            history = self._history
            return Living(
                self._trust.time, history.waiting, history.lost, history.error
            )

        async def forget(word: ForgetWord) -> Forgot:
            return await self.forget(word.wish, word.of)

        control.add(Live, live)
        control.add(ForgetWord, forget)

    # --- within -------------------------------------------------------------------

    def _note(self, sample: Sample, lease: Lease | None) -> bool:
        try:
            if lease is None:
                self._history.note(sample)
            else:
                self._history.note_copy(sample, lease)
        except UsageError as error:
            log.warning("%s: not kept: %s", self._link.device, error)
            return False
        if self._history.waiting >= BATCH:
            self._wake.set()
        return True

    def _lease_of(self, sample: Sample) -> Lease | None:
        """The most exact lease that is held on it: that is the one it came under."""
        held = [
            lease
            for lease in self._trust.lessee.leases
            if lease.owner == sample.device and sample.path in lease.paths
        ]
        return min(held, key=lambda lease: lease.exact_m, default=None)

    async def _tend(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._wake.wait()
            self._wake.clear()
            leases, undecided = self._trust.lessee.leases, self._undecided()
            try:
                if not await asyncio.to_thread(self._work, leases, undecided):
                    self._wake.set()
                await self._forgetting.settle()
                self._fault = ""
            except TrivetError as error:
                if str(error) != self._fault:  # said once, not each second
                    log.error("%s: its history: %s", self._link.device, error)
                self._fault = str(error)

    def _undecided(self) -> set[tuple[str, str]]:
        """Owners and purposes of leases that are about to be asked for anew.

        An owner that was started anew knows of none, and grants it again in a moment.
        Where it then says no, or does not answer, what came under it goes.
        """
        return {
            (wish.owner, wish.purpose.value)
            for wish, standing in self._trust.lessee.standing.items()
            if standing.lease is None and not standing.error
        }

    def _work(self, leases: tuple[Lease, ...], undecided: set[tuple[str, str]]) -> bool:
        """One round, in a thread; whether another can wait."""
        history, now = self._history, self._trust.time
        history.flush()
        self._mind_leases(leases, undecided, now)
        history.lapse(now)
        is_done = self._grow_old(now)
        self._scrub()  # last: it needs room, and fails where what is old has it all
        return is_done

    def _grow_old(self, now: float) -> bool:
        """Whether no more of what has grown old is to be done now."""
        if monotonic() < self._aged + AGE_S:
            return True
        if not self._history.age(now).is_done:
            return False
        self._aged = monotonic()
        self._history.make_room(now)
        return True

    def _mind_leases(
        self, leases: tuple[Lease, ...], undecided: set[tuple[str, str]], now: float
    ) -> None:
        """End what is held no more, and let go on what was renewed."""
        while self._ended:
            owner, end = self._ended[0]
            self._history.end_lease(owner, end.id, min(end.time, now))
            self._ended.pop(0)
        current = {(lease.owner, lease.id) for lease in leases}
        for lease in leases:
            if (lease.owner, lease.id) not in self._followed:
                self._history.follow(lease)
        self._followed = current
        for held in self._history.leases():
            is_over = held.until <= now or (held.owner, held.lease) in current
            if not is_over and (held.owner, held.purpose) not in undecided:
                self._history.end_lease(held.owner, held.lease, now)

    def _scrub(self) -> None:
        owed = self._history.owed
        if owed == CLEAN or (owed < NOW and monotonic() < self._cleaned + CLEAN_S):
            return
        if self._history.scrub():
            self._cleaned = monotonic()
