"""Devices of a household keep where each other's ledgers end, by themselves.

Whoever is met, and then whenever PERIOD_S have passed or its own ledger has grown by
EVERY entries, a device asks where the other's ledger ends: see fabric/witness.py. What
it finds wrong it tells its person at once, and writes into its own ledger.

A head tells nothing of what an entry says, but who holds two of them with one entry
between could test guesses of it. So before an end is shown an entry is written that
says so, and holds random bits that nobody can guess.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.trust import Trust
from trivet.domain import RefusedError, TrivetError, UsageError, WireError
from trivet.domain.wire import Document, Message
from trivet.fabric.background import cancel
from trivet.fabric.bucket import Bucket
from trivet.fabric.event import Event, EventKind
from trivet.fabric.ledger_chain import Key, SignedHead
from trivet.fabric.link import Link
from trivet.fabric.witness import (
    Asked,
    Shown,
    fault_of,
    own_fault,
    read_asked,
    read_shown,
    write,
)
from trivet.fabric.witness_file import Kept, WitnessFile

log = logging.getLogger("trivet.app")

#: Asked of any device: where its ledger ends.
HEADS = "heads"
#: Seconds between two looks at who is there; until a device is asked again; until one
#: is that did not answer; between two questions to one device that its growth causes,
#: and between two ends of one's own that are shown.
LOOK_S, PERIOD_S, AGAIN_S, GAP_S = 1.0, 3600.0, 60.0, 10.0
#: Seconds that an answer may take: a person at the command line waits for all of them.
ANSWER_S = 2.0
#: Entries by which a ledger grows until its end is shown without waiting for that.
EVERY = 64
#: Questions that a device may put at once, and how fast they come back, in 1/s.
BURST, PER_S = 20, 0.2


class Witnesses(msgspec.Struct, frozen=True, tag="witnesses", tag_field="verb"):
    """Ask whoever is there what they keep of this device's ledger."""


class Seen(msgspec.Struct, frozen=True):
    """What another device keeps of this one's ledger.

    Attributes:
        peer: the other device.
        head: `SEQ:HASH`, empty for nothing.
        error: why it could not be asked.
    """

    peer: Annotated[str, Meta(max_length=64)]
    head: Annotated[str, Meta(max_length=100)] = ""
    error: str = ""


class Told(msgspec.Struct, frozen=True):
    """What the others in reach keep."""

    seen: tuple[Seen, ...] = ()


def tell_log(text: str) -> None:
    """Warn by the log: what a device does that has no better way to a person."""
    log.error("%s", text)


class Witnessing:
    """Keeps one device's part of it.

    Args:
        link: the device's place on the fabric.
        trust: its ledger, and who belongs to the household.
        path: the file of what it keeps of others; see folder.witness_file.
        warn: tells the device's person of a ledger that does not go on.
        now: seconds of a monotonic clock.
    """

    def __init__(
        self,
        link: Link,
        trust: Trust,
        path: Path,
        warn: Callable[[str], None] = tell_log,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._trust = trust
        self._file = WitnessFile(path)
        self._warn = warn
        self._now = now
        self._shown: SignedHead | None = None
        self._shown_at = now()
        self._due: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._buckets: dict[str, Bucket] = {}
        self._told: set[tuple[str, str]] = set()
        self._said: dict[str, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        link.answer(HEADS, self._answer)

    async def run(self) -> None:
        """Ask whoever is due, until cancelled."""
        self._look_at_own()
        meeting = asyncio.ensure_future(self._meet())
        try:
            while True:
                try:
                    await self.look()
                except TrivetError as error:  # its own ledger, busy or damaged
                    self._note(self._me, error)
                await asyncio.sleep(LOOK_S)
        finally:
            await cancel(meeting)

    async def _meet(self) -> None:
        """Who was gone for less than a look is asked at once too."""
        async for life in self._link.watch():
            self._due.pop(life.device, None)

    async def look(self) -> None:
        """Ask, now, whoever is due."""
        there = self._peers()
        for device in set(self._due) - there:
            del self._due[device]  # when it comes it is asked at once
        if self._has_grown():
            self._due = dict.fromkeys(self._due, self._now())
        for device in sorted(there):
            if self._due.get(device, float("-inf")) <= self._now():
                seen = await self._ask(device)
                wait_s = AGAIN_S if seen.error else PERIOD_S
                self._due[device] = self._now() + wait_s

    async def ask_all(self) -> tuple[Seen, ...]:
        """What the others in reach keep of this device's ledger, asked for now."""
        peers = sorted(self._peers())
        return tuple(await asyncio.gather(*(self._ask(device) for device in peers)))

    # --- asking -----------------------------------------------------------------

    def _peers(self) -> frozenset[str]:
        """The household's own devices that are there; a guest's is not asked."""
        members = self._trust.household.members
        return frozenset(
            device
            for device in self._link.alive
            if device in members and not members[device].is_guest
        )

    async def _ask(self, device: str) -> Seen:
        # answers of one device that overtake each other look like a rollback
        async with self._turns.setdefault(device, asyncio.Lock()):
            self._asked_at[device] = self._now()
            try:
                return await self._exchange(device)
            except TrivetError as error:
                self._note(device, error)
                return Seen(device, error=str(error))

    def _note(self, device: str, error: TrivetError) -> None:
        """Say why there is no head of a device, when it is another reason."""
        if self._said.get(device) != str(error):
            log.info("%s: no head of %s: %s", self._me, device, error)
        self._said[device] = str(error)

    async def _exchange(self, device: str) -> Seen:
        kept = self._file.kept(device)
        asked = Asked(_head_of(kept), self._show().seq)
        question = Document(HEADS, write(asked))
        answer = await self._link.ask(device, HEADS, question, timeout_s=ANSWER_S)
        if not isinstance(answer, Document):
            raise WireError(f"{device} answered a {type(answer).__name__}")
        shown = read_shown(answer.body)
        self._judge(device, kept, shown)
        if shown.kept is None:
            return Seen(device)
        self._compare(device, shown.kept)
        return Seen(device, str(shown.kept.head))

    def _judge(self, device: str, kept: Kept | None, shown: Shown) -> None:
        """Keep what goes on from what was kept, and tell of what does not."""
        key = self._trust.household.keys.get(device)
        if key is None:
            raise WireError(f"the key of {device} is not known here")
        fault, against = fault_of(device, _head_of(kept), shown, key)
        if kept is not None and kept.fault:
            fault = kept.fault  # until a person has accepted it
        elif fault:
            self._file.accuse(device, fault, against)
        else:
            self._file.keep(shown.head, time.time())
        if fault:
            self._tell(device, device, fault)

    # --- answering --------------------------------------------------------------

    async def _answer(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("heads wants what is kept")
        now = self._now()
        bucket = self._buckets.setdefault(asker, Bucket(BURST, PER_S, now))
        if not bucket.take(now):
            raise RefusedError(f"{asker} asks too often", hint="ask again in a minute")
        asked = read_asked(message.body)
        head, before = self._show(), None
        # who made a head up learns no hash by it
        if asked.kept is not None and asked.kept.is_by(self._key):
            self._compare(asker, asked.kept)
            before = self._trust.ledger.sign_at(asked.kept.seq)
        kept = self._file.kept(asker)
        if asked.length != (kept.head.seq if kept else 0):
            self._ask_soon(asker)
        return Document(HEADS, write(Shown(head, before, _head_of(kept))))

    def _ask_soon(self, device: str) -> None:
        """Its ledger has grown: look at it, however often it says so not at once."""
        if device in self._due:
            soon = self._asked_at.get(device, float("-inf")) + GAP_S
            self._due[device] = min(self._due[device], soon)

    # --- one's own --------------------------------------------------------------

    def _show(self) -> SignedHead:
        """Where this device's ledger ends, as it is shown to all."""
        ledger = self._trust.ledger
        if ledger.public_key is None:
            raise UsageError(f"the ledger of {self._me} is not signed")
        end = ledger.head.seq
        shown = self._shown
        is_old = self._now() - self._shown_at >= GAP_S
        if shown is None or (end > shown.seq and (is_old or self._has_grown())):
            text = f"shown to who keeps it, with {token_hex(16)}"
            event = Event(EventKind.WITNESS, self._trust.time, detail=text)
            end = ledger.append(event).seq
            shown = ledger.sign_at(end)
            if shown is None:
                raise UsageError(f"entry {end} of the ledger is gone")
            self._shown, self._shown_at = shown, self._now()
            if not self._own_fault():
                self._file.keep(shown, time.time())
        return shown

    def _has_grown(self) -> bool:
        shown = self._shown
        return shown is not None and self._trust.ledger.head.seq - shown.seq >= EVERY

    def _look_at_own(self) -> None:
        """The ledger's file may have been put back while the device did not run."""
        try:
            fault = self._own_fault()
        except TrivetError as error:
            log.warning("%s: its own ledger cannot be looked at: %s", self._me, error)
            return
        if fault:
            self._blame_own("it itself", fault)

    def _own_fault(self) -> str:
        own = self._file.kept(self._me)
        if own is None:
            return ""
        if own.fault:
            return own.fault
        here = self._trust.ledger.sign_at(own.head.seq)
        fault = own_fault(self._me, own.head, here, self._key)
        if fault:
            self._file.accuse(self._me, fault, here)
        return fault

    def _compare(self, peer: str, kept: SignedHead) -> None:
        """Hold what a peer keeps of this device against this device's ledger."""
        here = self._trust.ledger.sign_at(kept.seq)
        fault = own_fault(self._me, kept, here, self._key)
        if fault:
            self._blame_own(peer, fault)

    def _blame_own(self, peer: str, fault: str) -> None:
        self._tell(peer, self._me, f"{fault}, as {peer} keeps it")

    @property
    def _key(self) -> Key | None:
        return self._trust.ledger.public_key

    @property
    def _me(self) -> str:
        return self._link.device

    def _tell(self, peer: str, whose: str, fault: str) -> None:
        """Warn once of what a meeting with a peer showed, and write it down."""
        if (peer, whose) in self._told:
            return
        self._told.add((peer, whose))
        self._warn(f"{self._me}: do not rely on the ledger of {whose}: {fault}")
        event = Event(EventKind.WITNESS, self._trust.time, peer=whose, detail=fault)
        try:
            self._trust.ledger.append(event)
        except TrivetError as error:
            log.error("%s: that is not in its ledger: %s", self._me, error)


def _head_of(kept: Kept | None) -> SignedHead | None:
    return None if kept is None else kept.head


def take_witness_words(control: Control, witnessing: Witnessing) -> None:
    """Have a device take the owner's words about who keeps its ledger's end."""

    async def ask_all(_: Witnesses) -> Told:
        return Told(await witnessing.ask_all())

    control.add(Witnesses, ask_all)
