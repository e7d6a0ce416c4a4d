"""A link: one device's place on the fabric, whatever carries the bytes.

What is promised here holds for a Zenoh session and for its twin in memory alike;
one shared test class checks both. A carrier adds four small things: send bytes, ask
with bytes, shut down, and hand in what arrives.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import lru_cache
from threading import Lock
from types import TracebackType
from typing import Self, TypeAlias
from weakref import WeakSet

from trivet.domain.error import (
    RefusedError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.domain.wire import Ack, Message, decode, encode
from trivet.fabric import key
from trivet.fabric.desk import Desk, Handler, Reply
from trivet.fabric.gate import Gate, OpenGate
from trivet.fabric.inbox import TURN, Inbox
from trivet.fabric.letter import Received, Subscription, open_letter
from trivet.fabric.presence import Liveness, Presence

log = logging.getLogger("trivet.fabric")

_WATCH_CAPACITY = 4 * 256


#: Takes each message as it arrives, one at a time, on the carrier's own thread: the
#: short way, for whoever cannot afford the hop into the event loop. It must be quick,
#: may call the link's `publish_nowait` and nothing else of it, and the gate must then
#: stand calls from any thread. What it raises is logged.
Listener: TypeAlias = Callable[["Link", Received], None]


class Link(ABC):
    """One device's place on the fabric. All methods belong to one event loop.

    Attributes:
        household: the household's name.
        device: this device's id.
    """

    def __init__(
        self,
        household: str,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> None:
        """Make a link.

        Args:
            household: the household's name.
            device: this device's id.
            gate: what every message passes; the default lets everything pass.
            answers: handlers by question, in place before the first peer can ask.
            on_message: takes every message in place of `subscribe`, see Listener.
            capacity: messages that wait to be read before the oldest is dropped.
        """
        self.household = key.check_id(household, "household name")
        self.device = key.check_id(device)
        self._gate: Gate = OpenGate() if gate is None else gate
        self._barred: set[str] = set()
        self._desk = Desk(
            household, device, self._gate, self._barred, self._note_malformed
        )
        self._inbox: Inbox[tuple[str, bytes]] = Inbox(capacity)
        self._listener = on_message
        self._presence = Presence()
        self._watchers: WeakSet[Inbox[Liveness]] = WeakSet()
        self._counting = Lock()
        self._malformed = 0
        self._unsent = 0
        self._withheld = 0
        self._in_a_row = 0
        self._stream_key = lru_cache(maxsize=4096)(self._make_stream_key)
        self._closing: asyncio.Task[None] | None = None
        for question, handler in (answers or {}).items():
            self.answer(question, handler)

    # --- what a device does ---------------------------------------------------

    @property
    def dropped(self) -> int:
        """Messages pushed out unread because newer ones came faster than reading."""
        return self._inbox.dropped

    @property
    def unsent(self) -> int:
        """Messages published to a device that was not there."""
        return self._unsent

    @property
    def lost(self) -> int:
        """Messages that others published to this device and that never arrived.

        Commands and state are never among them: what is asked has an answer, or fails.
        """
        return sum(self.lost_from.values())

    @property
    def lost_from(self) -> Mapping[str, int]:
        """The same by sender; whoever lost none is not in it."""
        return {}

    @property
    def withheld(self) -> int:
        """Messages that the gate held back because a lease gives less often."""
        return self._withheld

    @property
    def malformed(self) -> int:
        """Messages from peers that were none of ours, and were thrown away."""
        return self._malformed

    @property
    def alive(self) -> frozenset[str]:
        """Ids of the other devices that are there now."""
        return self._presence.alive - self._barred - {self.device}

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    async def publish(self, recipient: str, message: Message, path: str) -> None:
        """Send one message to one device, in order, and lost if it is not there.

        Raises:
            UsageError: a bad id, path or message, or the link is closed.
            RefusedError: the gate does not let it pass, or the device is shut out.
        """
        self.publish_nowait(recipient, message, path)
        self._in_a_row += 1
        if self._in_a_row >= TURN:  # a flood must not keep the loop to itself
            self._in_a_row = 0
            await asyncio.sleep(0)

    def publish_nowait(self, recipient: str, message: Message, path: str) -> None:
        """As `publish`, for a listener: from any thread, and never waiting."""
        self._check_open()
        if recipient in self._barred:
            raise _barred(recipient)
        text = self._stream_key(recipient, path)
        passed = self._gate.sends(recipient, path, message)
        if passed is None:
            with self._counting:
                self._withheld += 1
            return
        data = encode(passed)
        if self._presence.is_alive(recipient) or recipient == self.device:
            self._send(text, data)
        else:
            self._note_unsent()

    def subscribe(self) -> AsyncIterator[Received]:
        """Everything addressed to this device from the moment the link opened.

        All iterators read the same inbox, which holds `capacity` messages: leaving a
        loop and subscribing again goes on where it stopped, and only one task may
        wait at a time. It ends when the link is closed and the inbox is empty.

        Raises:
            UsageError: the link was opened with `on_message`.
        """
        if self._listener is not None:
            raise UsageError("on_message takes what is addressed here already")
        return Subscription(self._inbox, self._barred, self._note_malformed)

    async def ask(
        self,
        owner: str,
        question: str,
        message: Message | None = None,
        timeout_s: float = 5.0,
    ) -> Message:
        """Put a question to a device and wait for its one answer.

        It is asked once: an answer that is lost is not asked for again, since the
        question may be a command. A device that is not there fails at once; await
        `reach` first where it may still be on its way.

        Raises:
            UsageError: a bad id, question or message, or the link is closed.
            RefusedError: the gate, the device or its handler said no, and why.
            UnreachableError: the device is not there or did not answer in time.
            WireError: its answer was no message of ours.
        """
        self._check_open()
        key.check_path(question, "question")
        if owner in self._barred:
            raise _barred(owner)
        if key.check_id(owner) != self.device and owner not in self.alive:
            raise UnreachableError(f"{owner} is not there", hint=self._absence_hint())
        data = b""
        if message is not None:
            passed = self._gate.sends(owner, question, message)
            if passed is None:
                raise RefusedError(f"{question} may not go to {owner} now")
            data = encode(passed)
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._request(owner, question, data)
        except TimeoutError:
            raise UnreachableError(
                f"{owner} did not answer {question!r} within {timeout_s:g} s",
                hint="it may be busy or out of reach; ask again or allow more time",
            ) from None
        return self._read(reply, owner, question)

    def answer(self, question: str, handler: Handler) -> None:
        """Answer a question that others put to this device.

        What the handler raises reaches the asker as RefusedError: the words of a
        TrivetError, and of anything else only its kind. It is cancelled when the
        link closes.

        Raises:
            UsageError: no question's name, or it is answered already.
        """
        self._desk.set_handler(question, handler)

    def watch(self) -> AsyncIterator[Liveness]:
        """Other devices coming and going, beginning with those already there.

        Each iterator is independent. It ends when the link is closed.
        """
        watcher: Inbox[Liveness] = Inbox(_WATCH_CAPACITY)
        for device in sorted(self.alive):
            watcher.put(Liveness(device, True))
        if self.is_closed:
            watcher.close()
        else:
            self._watchers.add(watcher)
        return watcher

    async def reach(self, device: str, timeout_s: float) -> None:
        """Wait until a device is there.

        Raises:
            UnreachableError: it is not within `timeout_s`.
        """
        self._check_open()
        watch = self.watch()
        try:
            async with asyncio.timeout(timeout_s):
                async for life in watch:
                    if life.device == device and life.is_alive:
                        return
        except TimeoutError:
            pass
        raise UnreachableError(
            f"{device} was not seen within {timeout_s:g} s", hint=self._absence_hint()
        )

    def bar(self, device: str) -> None:
        """Shut a device out: from now on nothing of it is heard or sent to it.

        What it sent before and was not read yet is thrown away too. Barring this
        device itself does nothing.
        """
        if device == self.device or device in self._barred:
            return
        is_known = device in self.alive
        self._barred.add(device)
        if is_known:
            log.warning("%s: shut out", device)
            for watcher in self._watchers:
                watcher.put(Liveness(device, False))

    async def close(self) -> None:
        """Leave the fabric and end all iterators. Calling it twice is allowed."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- what a carrier adds --------------------------------------------------

    @abstractmethod
    def _send(self, text: str, data: bytes) -> None:
        """Send bytes under the key `text` to a device that is there."""

    @abstractmethod
    async def _request(self, owner: str, question: str, data: bytes) -> Reply:
        """Ask with bytes; the caller sets the time limit by cancelling.

        Raises:
            UnreachableError: the owner is not there.
        """

    @abstractmethod
    async def _shut(self) -> None:
        """Give back whatever carries the bytes, in bounded time."""

    def _absence_hint(self) -> str:
        """What to do when a device is not there."""
        return "start it, then try again"

    # --- what a carrier hands in ----------------------------------------------

    def _arrived(self, text: str, data: bytes) -> None:
        """Bytes came in under the key `text`. May be called from any thread."""
        if self._listener is None:
            self._inbox.put((text, data))
            return
        try:
            received = open_letter(text, data)
            if received.owner not in self._barred:
                self._listener(self, received)
        except WireError as error:
            self._note_malformed(error)
        except Exception:
            log.exception("%s: on_message failed at %s", self.device, text)

    def _tell(self, changes: Iterable[Liveness]) -> None:
        for life in changes:
            if life.device != self.device and life.device not in self._barred:
                log.info("%s: %s", life.device, "there" if life.is_alive else "gone")
                for watcher in self._watchers:
                    watcher.put(life)

    def _note_malformed(self, error: WireError) -> None:
        """Count it, and say so ever more rarely: a flood must not fill the log."""
        with self._counting:
            self._malformed += 1
            count = self._malformed
        if count & (count - 1) == 0:
            log.warning("%s: malformed no. %d: %s", self.device, count, error)

    def _note_unsent(self) -> None:
        with self._counting:
            self._unsent += 1

    def _make_stream_key(self, recipient: str, path: str) -> str:
        return key.stream(self.household, recipient, self.device, path)

    def _check_open(self) -> None:
        if self._closing is not None:
            raise UsageError(f"the link of {self.device} is closed")

    def _read(self, reply: Reply, owner: str, question: str) -> Message:
        try:
            message = decode(reply.data)
            if not reply.ok and not isinstance(message, Ack):
                raise WireError(f"a refusal that is a {type(message).__name__}")
        except WireError as error:
            self._note_malformed(error)
            raise WireError(
                f"{owner} answered {question!r} with: {error.message}", hint=error.hint
            ) from error
        if not reply.ok and isinstance(message, Ack):
            raise RefusedError(f"{owner} refused {question!r}: {message.error}")
        return message

    async def _close(self) -> None:
        try:
            await self._desk.close()
            await self._shut()
        finally:
            self._inbox.close()
            for watcher in self._watchers:
                watcher.close()


def _barred(device: str) -> RefusedError:
    return RefusedError(
        f"{device} is shut out of the household",
        hint="admit it anew under another id, if it is yours",
    )
