"""Forgetting in a running device: here, and wherever copies went.

    owner deletes its own, and asks whoever it gave copies to   -- forget -->
    they delete their copies of its samples, and say how many   <-- forgotten --

Who is not in reach is asked when it comes, however often this device is started anew.
Both write down in their ledgers what went: counts, never values.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import TypeAlias, TypedDict

from msgspec.structs import replace

from trivet.app.trust import Trust
from trivet.domain import PeerError, RefusedError, SetupError, TrivetError
from trivet.domain.wire import Message
from trivet.fabric.bucket import Bucket
from trivet.fabric.event import Event, EventKind
from trivet.fabric.history import Forget, History
from trivet.fabric.history.erasure import (
    ANSWERED,
    CLEANING,
    NOW,
    Erased,
    Memory,
    Pending,
)
from trivet.fabric.history.forget import (
    FORGET,
    forget_message,
    forgotten_message,
    read_forget,
    read_forgotten,
)
from trivet.fabric.history.holder import holders
from trivet.fabric.link import Link

log = logging.getLogger("trivet.app")

#: Seconds that a device may take to answer, and to clean its file before it does.
ANSWER_S, CLEAN_S = 30.0, 20.0
#: Seconds until who was in reach and did not do it is asked again.
RETRY_S = 60.0
#: Wishes that a device may say at once, and how fast they come back, in 1/s: each one
#: may have the file built anew and is written into the ledger.
BURST, PER_S = 20, 1 / 60

#: Is told whose samples were forgotten, and which, so that what was learned from them
#: goes too; what it raises of ours has it told again later.
OnForget: TypeAlias = Callable[[str, Forget], Awaitable[None]]


class _What(TypedDict):
    """Of an event: what was forgotten."""

    paths: tuple[str, ...]
    count: int
    first: float
    last: float


class Forgetting:
    """Says and answers wishes to forget.

    Args:
        link: the device's place on the fabric.
        trust: its ledger, and event time.
        history: what it keeps.
        on_forget: is told of each wish, own and others'; None if nobody learns.
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
        self._on_forget = on_forget
        self._buckets: dict[str, Bucket] = {}
        self._to_ask = asyncio.Event()
        self._settling = asyncio.Lock()
        link.answer(FORGET, self._asked)

    async def run(self) -> None:
        """Ask whoever comes, and who did not do it yet, until cancelled."""
        while True:
            await self._ask_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S):
                    await self._to_ask.wait()
            self._to_ask.clear()

    async def meet(self) -> None:
        """Look out for devices that come, until the link closes."""
        async for life in self._link.watch():
            if life.is_alive:
                self._to_ask.set()

    async def forget(self, wish: Forget) -> Erased:
        """Forget samples of this device's own, here and wherever copies went.

        Returns when they are deleted here; the others are asked from now on.

        Raises:
            SetupError: the history or the ledger cannot be used; nothing was deleted.
        """
        now = self._trust.time

        def work() -> Erased:
            peers = holders(self._trust.ledger.entries(), wish)
            return self._history.forget(wish, now, peers)

        erased = await asyncio.to_thread(work)
        self._to_ask.set()
        await self._try_settle()
        return erased

    async def forget_copies(self, owner: str, wish: Forget) -> int:
        """Forget copies of another device's samples, by this device's own owner's word.

        Returns:
            How many samples and summaries went.

        Raises:
            SetupError: the history cannot be written; nothing was deleted.
        """
        done = await asyncio.to_thread(
            self._history.forget_copies, owner, wish, self._trust.time
        )
        await self._try_settle()
        return done.samples + done.intervals

    async def settle(self) -> None:
        """Have what was forgotten be forgotten by who learned from it, and recorded.

        Raises:
            TrivetError: of the ledger, the history or who learned; it is done again.
        """
        async with self._settling:
            unrecorded = await asyncio.to_thread(
                self._history.memories, unrecorded=True
            )
            for memory in unrecorded:
                if self._on_forget is not None:
                    await self._on_forget(memory.owner, memory.wish)
                if memory.owner == self._me or memory.samples + memory.intervals:
                    event = _told(memory, self._me)
                    await asyncio.to_thread(self._trust.ledger.append, event)
                await asyncio.to_thread(
                    self._history.note_recorded, memory.owner, memory.wish.id
                )

    # --- the owner's end ----------------------------------------------------------

    async def _ask_all(self) -> None:
        try:
            pendings = await asyncio.to_thread(self._history.pendings)
            due = [
                pending
                for pending in pendings
                if pending.state != ANSWERED and pending.peer in self._link.alive
            ]
            await asyncio.gather(*(self._ask(pending) for pending in due))
        except TrivetError as error:
            log.error("%s: a wish to forget waits: %s", self._me, error)

    async def _ask(self, pending: Pending) -> None:
        pending = replace(pending, time=self._trust.time)
        try:
            message = await self._link.ask(
                pending.peer, FORGET, forget_message(pending.wish), ANSWER_S
            )
            answer = read_forgotten(message, pending.wish)
        except PeerError as error:
            log.warning("%s: %s has not forgotten: %s", self._me, pending.peer, error)
            failed = replace(pending, error=str(error))
            await asyncio.to_thread(self._history.set_pending, failed)
            return
        done = replace(
            pending,
            state=ANSWERED if answer.is_clean else CLEANING,
            samples=answer.samples,
            intervals=answer.intervals,
            error="",
        )
        if answer.is_clean:  # first: said twice is better than never
            went = _went(answer.samples, answer.intervals)
            event = Event(
                EventKind.FORGET,
                pending.time,
                pending.peer,
                detail=f"{pending.peer} deleted its copies, {went}",
                **_what(pending.wish, answer.samples),
            )
            await asyncio.to_thread(self._trust.ledger.append, event)
        await asyncio.to_thread(self._history.set_pending, done)

    # --- the recipient's end ------------------------------------------------------

    async def _asked(self, asker: str, message: Message | None) -> Message:
        """Delete the asker's samples; the link vouches for who asks."""
        wish = read_forget(message)
        self._charge(asker)
        done = await asyncio.to_thread(
            self._history.forget_copies, asker, wish, self._trust.time
        )
        await self.settle()
        is_clean = await self._clean()
        return forgotten_message(replace(done, is_clean=is_clean))

    async def _clean(self) -> bool:
        """Whether nothing of what was deleted is left in the file, after an attempt."""

        def work() -> bool:
            return self._history.owed < NOW or self._history.scrub()

        try:
            async with asyncio.timeout(CLEAN_S):
                return await asyncio.to_thread(work)
        except (TimeoutError, SetupError) as error:
            log.warning("%s: its history is still to be cleaned: %s", self._me, error)
            return False

    def _charge(self, asker: str) -> None:
        now = monotonic()
        bucket = self._buckets.setdefault(asker, Bucket(BURST, PER_S, now))
        if not bucket.take(now):
            raise RefusedError(
                f"{asker} wishes too often", hint="ask again in a minute"
            )

    async def _try_settle(self) -> None:
        try:
            await self.settle()
        except TrivetError as error:
            log.error("%s: forgotten, and not yet recorded: %s", self._me, error)

    @property
    def _me(self) -> str:
        return self._link.device


def _told(memory: Memory, me: str) -> Event:
    """What was forgotten here, as the ledger keeps it."""
    went = _went(memory.samples, memory.intervals)
    is_own = memory.owner == me
    return Event(
        EventKind.FORGET,
        memory.time,
        "" if is_own else memory.owner,
        detail=f"{went} here" if is_own else f"{went} of {memory.owner} here",
        **_what(memory.wish, memory.samples),
    )


def _what(wish: Forget, count: int) -> _What:
    return _What(paths=wish.paths, count=count, first=wish.since, last=wish.until)


def _went(samples: int, intervals: int) -> str:
    return f"{samples} samples, {intervals} summaries"
