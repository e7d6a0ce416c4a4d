"""The one door to Zenoh: a device's session, as a peer, over mutual TLS alone.

Who dials whom: a device listens, dials, or does both to different peers. Of each two
devices exactly one lists the other in `connect`: where both dial, one direction can
stay dead for ever. Devices that meet by gossip settle this between themselves.

Callbacks only, never a channel: undeclaring while a thread waits in `recv()` fails.

Source: Zenoh 1.10 configuration, https://zenoh.io/docs/manual/configuration/; the
traps that each setting is there for are in docs/decisions/0002-zenoh-sessions.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from threading import Semaphore
from typing import Any, TypeAlias

import zenoh

from trivet.domain.error import UnreachableError, UsageError
from trivet.domain.wire import MAX_BYTES
from trivet.fabric import key
from trivet.fabric.acquaintance import Acquaintances, is_dialled
from trivet.fabric.background import cancel, in_thread, keep_up
from trivet.fabric.cable import Cable, between
from trivet.fabric.config import SessionConfig, settings_of
from trivet.fabric.desk import MAX_ANSWERING, Handler, Reply, refusal
from trivet.fabric.dialling import Dialling, with_addresses
from trivet.fabric.gate import Gate
from trivet.fabric.leaving import not_opened, once_free
from trivet.fabric.lifeline import Lifeline
from trivet.fabric.link import Listener
from trivet.fabric.newest import Newest
from trivet.fabric.tally import Tally

_DROP = zenoh.CongestionControl.DROP
_AHEAD = zenoh.Priority.INTERACTIVE_HIGH
log = logging.getLogger("trivet.fabric")
_Stream: TypeAlias = "tuple[zenoh.Publisher, Tally]"

#: Streams each way that Zenoh is told of: sent on one of them a message costs a third,
#: heard under one of them a sixth less of a round trip.
MAX_STREAMS = 1024
#: An answer's own time limit is the caller's; this only bounds what Zenoh keeps.
_QUERY_LIMIT_S = 600.0


@asynccontextmanager
async def open_session(
    config: SessionConfig,
    *,
    gate: Gate | None = None,
    answers: Mapping[str, Handler] | None = None,
    on_message: Listener | None = None,
) -> AsyncIterator[ZenohLink]:
    """Put a device on the fabric, until the end of the `async with`.

    Devices to dial need not be there yet: they are dialled until they are. A link
    that never comes about, as when a certificate is refused, shows in `Link.reach`.

    Args:
        config: the device's place.
        gate: what every message passes; the default lets everything pass.
        answers: handlers by question, in place before the first peer can ask.
        on_message: takes every message in place of `subscribe`, see Listener.

    Raises:
        UsageError: an endpoint is not `host:port`.
        SetupError: an address cannot be listened at, or a file cannot be read.
    """
    settings = zenoh.Config.from_json5(json.dumps(settings_of(config)))
    async with ZenohLink(config, gate, answers, on_message) as link:
        try:
            await link.begin(settings)
        except zenoh.ZError as error:
            raise not_opened(config.identity.device, error) from error
        yield link


class ZenohLink(Lifeline):
    """A device's place on the fabric, carried by a Zenoh session."""

    def __init__(
        self,
        config: SessionConfig,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
    ) -> None:
        super().__init__(
            config.identity.household,
            config.identity.device,
            gate=gate,
            answers=answers,
            on_message=on_message,
            capacity=config.capacity,
        )
        self._session: zenoh.Session | None = None
        self._token: zenoh.LivelinessToken | None = None
        self._streams = Newest[_Stream](MAX_STREAMS, lambda stream: _undo(stream[0]))
        self._heard = Newest[zenoh.KeyExpr](
            MAX_STREAMS, lambda known: self._open_session().undeclare(known)
        )
        self._seats = Semaphore(2 * MAX_ANSWERING)
        self._is_open = asyncio.Event()
        self._config = config
        self._dialling = Dialling(config, self._is_alone, self._redial)
        self._met = Acquaintances(
            lambda: self._config, self._presence.is_alive, self._meet_anew
        )
        self._meeting: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._reopening = asyncio.Lock()

    async def begin(self, settings: zenoh.Config) -> None:
        """Open the session and declare this device; its token comes last.

        So whoever sees it alive can already send to it and ask it.
        """

        def declare() -> None:
            self._heart.prepare()
            session = self._session = zenoh.open(settings)
            ears = self._guard(session.close)
            house, me = self.household, self.device

            def ear(call: Callable[..., None]) -> zenoh.handlers.Callback[Any]:
                return zenoh.handlers.Callback(call, ears.open())

            session.declare_subscriber(key.inbox(house, me), ear(self._on_sample))
            session.declare_queryable(key.desk(house, me), ear(self._on_query))
            session.declare_subscriber(key.beats_to(house, me), ear(self._on_beat))
            life = session.liveliness()
            everyone = key.everyone_alive(house)
            life.declare_subscriber(everyone, ear(self._on_token), history=True)
            self._token = life.declare_token(key.alive(house, me))

        opening = asyncio.ensure_future(in_thread(declare))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])  # else there is no session yet to close
            raise
        self._is_open.set()
        self._live()
        if self._looking is None:
            self._looking = keep_up(self._dialling.run(), f"{self.device}: dialling")
        if self._meeting is None:
            self._meeting = keep_up(self._met.run(), f"{self.device}: meeting anew")

    async def reopen(self, config: SessionConfig) -> None:
        """Take up another certificate, other members or other addresses.

        What is published meanwhile, some tenths of a second, counts as unsent; what is
        asked waits; what was asked before and is not answered yet fails.

        Raises:
            UsageError: the config is of another device, or the link is closed.
            SetupError: an address cannot be listened at, or a file cannot be read.
        """
        place = config.identity.household, config.identity.device
        if place != (self.household, self.device):
            raise UsageError(f"{self.device} cannot become {config.identity.device}")
        if self._looking is not None:
            await cancel(self._looking)
            self._looking = None
        self._dialling = Dialling(config, self._is_alone, self._redial)
        await self._open_anew(config)

    async def reach(self, device: str, timeout_s: float) -> None:
        """Wait until a device is there.

        Raises:
            UnreachableError: it is not within `timeout_s`.
            RefusedError: all that is dialled refused this device, or was refused by it.
        """
        await self._dialling.wait_for(super().reach(device, timeout_s))

    async def _open_anew(self, config: SessionConfig) -> None:
        settings = zenoh.Config.from_json5(json.dumps(settings_of(config)))
        async with self._reopening:
            self._check_open()
            self._config = config
            self._is_open.clear()
            await self._leave()
            try:
                await once_free(lambda: self.begin(settings), zenoh.ZError)
            except zenoh.ZError as error:
                raise not_opened(self.device, error) from error

    def _is_alone(self) -> bool:
        return not self.alive

    async def _redial(self, connect: tuple[str, ...]) -> None:
        await self._open_anew(with_addresses(self._config, connect))

    async def _relink(self) -> None:
        await self._open_anew(self._config)

    # --- out --------------------------------------------------------------------

    def _send(self, text: str, data: bytes) -> None:
        stream = self._streams.get(text)
        try:
            publisher, tally = self._declare(text) if stream is None else stream
            publisher.put(data)
            tally.sent += 1
        except zenoh.ZError:
            if self._is_open.is_set():
                raise
            self._note_unsent()  # it is being reopened

    def _send_beat(self, recipient: str, data: bytes, is_ahead: bool) -> None:
        session = self._session
        if session is None or recipient == self.device or recipient in self._barred:
            return
        with suppress(zenoh.ZError):  # it is being closed
            if is_ahead:
                text = key.beat(self.household, self.device, recipient)
                session.put(
                    text, data, express=True, priority=_AHEAD, congestion_control=_DROP
                )
            else:
                text = self._stream_key(recipient, key.COUNT_PATH)
                session.put(text, data, congestion_control=_DROP)

    async def _request(self, owner: str, question: str, data: bytes) -> Reply:
        text = key.question(self.household, owner, self.device, question)
        answer: asyncio.Future[Reply | None] = self._loop.create_future()

        def settle(reply: Reply | None) -> None:
            if not answer.done():
                answer.set_result(reply)

        def on_reply(reply: zenoh.Reply) -> None:
            result = reply.result
            ok = isinstance(result, zenoh.Sample)
            self._on_loop(settle, Reply(ok, _bytes_of(result.payload)))

        await self._is_open.wait()
        recall = zenoh.CancellationToken()
        self._open_session().get(
            text,
            zenoh.handlers.Callback(on_reply, lambda: self._on_loop(settle, None)),
            payload=data or None,
            timeout=_QUERY_LIMIT_S,
            express=True,
            consolidation=zenoh.ConsolidationMode.NONE,
            congestion_control=_DROP,
            cancellation_token=recall,
        )
        try:
            reply = await answer
        except asyncio.CancelledError:
            recall.cancel()  # type: ignore[no-untyped-call]
            raise
        if reply is None:
            raise UnreachableError(
                f"{owner} went before it answered {question!r}",
                hint=self._absence_hint(),
            )
        return reply

    def _cables(self) -> list[tuple[str, Cable]]:
        # asked for, not listened to: a listener keeps one of Zenoh's threads for good
        session = self._session
        try:
            links = [] if session is None else session.info.links()
        except zenoh.ZError:  # it is being closed
            return []
        found = list(between((x.auth_identifier, x.src, x.dst) for x in links))
        for device, cable in found:
            self._met.note(device, cable)
        return found

    async def _meet_anew(self) -> None:
        through = [d for d, c in self._cables() if is_dialled(self._config, c.far)]
        if not through or not self._heart.cut(through):
            await self._relink()

    async def _shut(self) -> None:
        for task in (self._looking, self._meeting):
            if task is not None:
                await cancel(task)
        await self._rest()
        await self._leave()
        self._heart.end()

    async def _leave(self) -> None:
        if self._session is None:
            return
        try:
            await self._part(self._withdraw, self._end, self._config.close_limit_s)
        except zenoh.ZError as error:
            log.warning("%s: left with an error: %s", self.device, error)

    def _withdraw(self) -> None:
        if self._token is not None:
            with suppress(zenoh.ZError):
                _undo(self._token)

    def _end(self) -> None:
        session, self._session = self._session, None
        self._streams.clear()
        self._heard.clear()
        self._senders.clear()
        if session is not None:
            session.close()  # type: ignore[no-untyped-call]

    def _absence_hint(self) -> str:
        return self._dialling.why or (
            "is it running, on this network, and does exactly one of the two dial the "
            "other? If it is: is this device admitted there, and not revoked?"
        )

    def _declare(self, text: str) -> tuple[zenoh.Publisher, Tally]:
        # not `express`: a batch for each message makes bursts overflow
        session = self._open_session()
        publisher = session.declare_publisher(text, congestion_control=_DROP)
        tally = self._heart.tally(key.parse_stream(text).recipient)
        self._streams.add(text, (publisher, tally))
        return publisher, tally

    def _open_session(self) -> zenoh.Session:
        if self._session is None:
            raise zenoh.ZError(f"the session of {self.device} is closed")
        return self._session

    # --- in: called on Zenoh's threads --------------------------------------------

    def _on_sample(self, sample: zenoh.Sample) -> None:
        text = str(sample.key_expr)
        sender = self._senders.get(text) or self._sender(text)
        if sender is None:
            self._count_came(text, _bytes_of(sample.payload))
            return
        sender.arrived += 1
        # as it is: what is too long for a message is at most as long as Zenoh reads
        self._arrived(text, sample.payload.to_bytes())

    def _sender(self, text: str) -> Tally | None:
        tally = super()._sender(text)
        if text in self._senders:
            self._on_loop(self._learn, text)
        return tally

    def _learn(self, text: str) -> None:
        with suppress(zenoh.ZError):  # it is being closed
            self._heard.add(text, self._open_session().declare_keyexpr(text))

    def _on_query(self, query: zenoh.Query) -> None:
        payload = query.payload
        data = b"" if payload is None else _bytes_of(payload)
        if self._seats.acquire(blocking=False):
            self._on_loop(self._take, query, str(query.key_expr), data)
        else:
            _answer(query, refusal(f"{self.device} is asked too much at once"))

    def _on_beat(self, sample: zenoh.Sample) -> None:
        self._beat_came(str(sample.key_expr), _bytes_of(sample.payload))

    def _on_token(self, sample: zenoh.Sample) -> None:
        is_standing = sample.kind == zenoh.SampleKind.PUT
        self._token_came(str(sample.key_expr), is_standing)

    def _take(self, query: zenoh.Query, text: str, data: bytes) -> None:
        def reply(answer: Reply) -> None:
            self._seats.release()
            _answer(query, answer)

        self._desk.take(text, data, reply)


def _undo(declared: zenoh.Publisher | zenoh.LivelinessToken) -> None:
    declared.undeclare()  # type: ignore[no-untyped-call]


def _answer(query: zenoh.Query, reply: Reply) -> None:
    try:
        with query:
            if reply.ok:
                query.reply(query.key_expr, reply.data, express=True)
            else:
                query.reply_err(reply.data)
    except zenoh.ZError as error:
        log.info("an answer came too late: %s", error)


def _bytes_of(payload: zenoh.ZBytes) -> bytes:
    """The payload; of one that is too long only as much as shows that it is."""
    if len(payload) > MAX_BYTES:
        return bytes(MAX_BYTES + 1)
    return payload.to_bytes()
