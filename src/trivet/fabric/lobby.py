"""The lobby: an untrusted link on which two devices that do not know each other pair.

    trivet-lobby/<session>/hello            who is there; answered with nothing
    trivet-lobby/<session>/seat/<seat>      one message of a joiner; answered with one

Nothing on it is trusted: what two devices may believe of each other comes from
`pairing` alone. What strangers can cost is bounded: connections and bytes in
`lobby_link`, and here what waits and what is taken up in a second. A stranger causes no
line in the log but the few faults of which a `Host` tells.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from threading import Semaphore
from time import monotonic
from typing import NamedTuple

import zenoh

from trivet.domain.error import (
    PeerError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.background import cancel
from trivet.fabric.bucket import Bucket
from trivet.fabric.lobby_link import (
    ROOT,
    bytes_of,
    lobby_settings,
    open_link,
    reply_to,
    with_port,
)
from trivet.fabric.pairing import (
    PEOPLE_S,
    SILENCE_S,
    Host,
    HostState,
    Newcomer,
    refusal,
)
from trivet.fabric.pairing_code import check_address
from trivet.fabric.pairing_joiner import Joiner
from trivet.fabric.pairing_wire import MAX_BYTES, MAX_GRANT_BYTES, Card, Grant, Why

log = logging.getLogger("trivet.fabric")

#: Messages of strangers that may wait at once.
MAX_WAITING = 8
#: A pairing has four messages; strangers get this many at once, and this many a second.
BURST, RATE_PER_S = 20, 5.0
#: Hosts that a joiner looks at.
MAX_HOSTS = 8
#: Seconds between two looks for a host, for one more after the first was found, in
#: case there are others, and for all of them.
LOOK_S, OTHERS_S, FIND_S = 0.05, 0.3, 10.0
#: Seconds that a word of farewell may take.
_FAREWELL_S = 1.0

_SEAT = re.compile(rf"{ROOT}/[0-9a-f]{{8}}/seat/([0-9a-f]{{32}})", re.ASCII)
_HELLO = re.compile(rf"{ROOT}/([0-9a-f]{{8}})/hello", re.ASCII)


@asynccontextmanager
async def open_host_lobby(
    host: Host, *, listen: Sequence[str] = ("0.0.0.0:0",), is_scouting: bool = True
) -> AsyncIterator[HostLobby]:
    """Let joiners reach a host, until the end of the `async with`.

    The host's clock is `time.monotonic`.

    Args:
        host: the state machine; nobody else may drive it from now on.
        listen: `host:port` to be dialled at; port 0 takes a free one.
        is_scouting: whether joiners on this network find it by themselves.

    Raises:
        UsageError: an address is not `host:port`.
        SetupError: an address cannot be listened at.
    """
    addresses = tuple(with_port(check_address(address)) for address in listen)
    settings = lobby_settings(
        listen=addresses, is_scouting=is_scouting, session=host.session
    )
    lobby = HostLobby(host, addresses)
    async with open_link(settings) as session:
        key = f"{ROOT}/{host.session}/**"
        session.declare_queryable(key, lobby.on_query)
        ticking = asyncio.ensure_future(lobby.run())
        try:
            yield lobby
        finally:
            await cancel(ticking)
            host.close()
            lobby.settle()


class HostLobby:
    """A host on its link. All but `on_query` is called on the event loop."""

    def __init__(self, host: Host, listen: tuple[str, ...]) -> None:
        """Wrap a host; `listen` is where it can be dialled, ports as they are."""
        self.host = host
        self.listen = listen
        #: messages that were put off because there were too many
        self.put_off = 0
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._strangers = Semaphore(MAX_WAITING)
        self._seated = Semaphore(2)  # one that waits for a person, one that leaves
        self._bucket = Bucket(BURST, RATE_PER_S, monotonic())
        self._waiting: _Caller | None = None

    async def newcomer(self) -> Newcomer:
        """Wait for a device whose code was right and that asks to be admitted.

        Raises:
            TrivetError: why the session ended instead.
        """
        await self._until(HostState.ASKING)
        assert self.host.newcomer is not None
        return self.host.newcomer

    def accept(self, issue: Callable[[bytes], Grant]) -> None:
        """Admit the newcomer; `issue` makes the grant for its request.

        Raises:
            UsageError: it is not there any more.
            TrivetError: whatever `issue` raised.
        """
        try:
            self._answer(self.host.accept(issue, monotonic()))
        finally:
            self.settle()

    def decline(self) -> None:
        """Send the newcomer away; the session is over.

        Raises:
            UsageError: it is not there any more.
        """
        try:
            self._answer(self.host.decline(monotonic()))
        finally:
            self.settle()

    async def finish(self) -> None:
        """Wait until the admitted device has stored what it was given.

        Raises:
            TrivetError: it did not say so.
        """
        await self._until(HostState.DONE)

    async def ended(self) -> None:
        """Wait until the session is over, well or not."""
        while self.host.deadline is not None:
            await self._change()

    async def run(self) -> None:
        """Let the host's time pass."""
        while (deadline := self.host.deadline) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, deadline - monotonic())):
                    await self._change()
            self.host.tick(monotonic())
            if self.host.deadline != deadline:
                self.settle()

    def settle(self) -> None:
        """Answer who still waits for a person, if none will answer; wake the rest."""
        if self._waiting is not None and self.host.state is not HostState.ASKING:
            self._answer(self.host.parting)
        self._news.set()

    async def _until(self, state: HostState) -> None:
        while self.host.state is not state:
            if self.host.fault is not None:
                raise self.host.fault
            await self._change()

    async def _change(self) -> None:
        self._news.clear()
        await self._news.wait()

    def on_query(self, query: zenoh.Query) -> None:
        """Take a query, on one of Zenoh's threads."""
        text = str(query.key_expr)
        seat = _SEAT.fullmatch(text)
        if seat is None:
            if text in (f"{ROOT}/*/hello", f"{ROOT}/{self.host.session}/hello"):
                reply_to(query, f"{ROOT}/{self.host.session}/hello", b"")
            return
        # who is seated has a room of its own, not to suffer by a flood of strangers
        room = self._seated if seat[1] == self.host.seat else self._strangers
        if not room.acquire(blocking=False):
            self.put_off += 1
            reply_to(query, text, refusal(Why.TOO_FAST))
            return
        data = b"" if query.payload is None else bytes_of(query.payload, MAX_BYTES)
        caller = _Caller(query, text, room)
        try:
            self._loop.call_soon_threadsafe(self._take, caller, seat[1], data)
        except RuntimeError:  # the loop has ended: nobody is left to answer
            room.release()

    def _take(self, caller: _Caller, seat: str, data: bytes) -> None:
        now = monotonic()
        if seat == self.host.seat or self._bucket.take(now):
            answer = self.host.receive(seat, data, now)
        else:
            self.put_off += 1
            answer = refusal(Why.TOO_FAST)
        if answer is None:
            self._waiting = caller
        else:
            caller.answer(answer)
        self.settle()

    def _answer(self, data: bytes) -> None:
        caller, self._waiting = self._waiting, None
        if caller is not None:
            caller.answer(data)


class _Caller(NamedTuple):
    """Somebody who waits for an answer."""

    query: zenoh.Query
    key: str
    room: Semaphore

    def answer(self, data: bytes) -> None:
        """Send it, and make room for another."""
        self.room.release()
        reply_to(self.query, self.key, data)


# --- the joiner -------------------------------------------------------------------


async def join(
    joiner: Joiner,
    *,
    accept: Callable[[Card], Awaitable[bytes | None]],
    keep: Callable[[Grant], Awaitable[None]],
    choose: Callable[[Sequence[str]], Awaitable[str]],
    connect: Sequence[str] = (),
    is_scouting: bool = True,
    session: str = "",
    find_s: float = FIND_S,
) -> None:
    """Go through a pairing as the joiner.

    At the end the joiner is DONE; or CLOSING, where all is kept but the host did not
    say that it knows.

    Args:
        joiner: new; nobody else may drive it from now on.
        accept: makes the certificate request if the person accepts the household,
            None if not.
        keep: stores what was granted, whole or not at all.
        choose: which host the person sees on the other screen, out of session ids.
        connect: `host:port` to dial.
        is_scouting: whether to look for hosts on this network as well.
        session: the host's session id where a ticket says it.
        find_s: seconds to look for a host.

    Raises:
        UsageError: an address is not `host:port`, or there is nowhere to look.
        UnreachableError: no host was found, or it did not answer.
        RefusedError: the host or a person said no.
        WireError: somebody interferes.
        TrivetError: whatever a callback raised; the host was told.
    """
    if not connect and not is_scouting:
        raise UsageError("nowhere to look for a host", hint="give its host:port")
    settings = lobby_settings(connect=connect, is_scouting=is_scouting)
    async with open_link(settings) as link:
        hosts = await _find(link, session, find_s)
        chosen = hosts[0] if len(hosts) == 1 else await choose(hosts)
        key = f"{ROOT}/{chosen}/seat/{joiner.seat}"
        try:
            await _pair(link, key, joiner, chosen, accept, keep)
        except BaseException:
            farewell = joiner.leave()
            if farewell is not None:
                with suppress(UnreachableError):
                    await _ask(link, key, farewell, _FAREWELL_S)
            raise


async def _pair(
    link: zenoh.Session,
    key: str,
    joiner: Joiner,
    session: str,
    accept: Callable[[Card], Awaitable[bytes | None]],
    keep: Callable[[Grant], Awaitable[None]],
) -> None:
    message: bytes | None = joiner.start(session)
    while message is not None:
        message = joiner.receive(await _ask(link, key, message, SILENCE_S))
    request = await accept(joiner.card)
    if request is None:
        raise RefusedError(f"{joiner.card.household} was declined here")
    petition = joiner.accept(request)
    joiner.receive(await _ask(link, key, petition, PEOPLE_S + SILENCE_S))
    await keep(joiner.grant)
    try:
        joiner.receive(await _ask(link, key, joiner.stored(), SILENCE_S))
    except PeerError as error:  # this device is a member all the same
        log.warning("the host did not say that it knows: %s", error)


async def _find(link: zenoh.Session, session: str, find_s: float) -> tuple[str, ...]:
    """The hosts that are there, or the one that is wanted."""
    found: dict[str, None] = {}
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_reply(reply: zenoh.Reply) -> None:
        match = _HELLO.fullmatch(str(reply.ok.key_expr)) if reply.ok else None
        if match is not None and len(found) < MAX_HOSTS and session in ("", match[1]):
            found[match[1]] = None
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(seen.set)

    async def look(seconds: float) -> None:
        link.get(
            f"{ROOT}/{session or '*'}/hello",
            on_reply,
            target=zenoh.QueryTarget.ALL,
            consolidation=zenoh.ConsolidationMode.NONE,
            timeout=seconds,
        )
        await asyncio.sleep(seconds)

    end = monotonic() + find_s
    while not seen.is_set() and monotonic() < end:
        await look(LOOK_S)
    if found and not session:
        await look(OTHERS_S)
    if not found:
        raise UnreachableError(
            "no host is pairing" + (f" as {session}" if session else ""),
            hint="is the code still shown, and is the host's address right?",
        )
    return tuple(found)


async def _ask(link: zenoh.Session, key: str, data: bytes, timeout_s: float) -> bytes:
    """Send one message and wait for the first answer."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes | None] = loop.create_future()

    def settle(reply: bytes | None) -> None:
        if not answer.done():
            answer.set_result(reply)

    def on_loop(reply: bytes | None) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, reply)

    first = Semaphore(1)

    def on_reply(reply: zenoh.Reply) -> None:
        if reply.ok is not None and first.acquire(blocking=False):
            on_loop(bytes_of(reply.ok.payload, MAX_GRANT_BYTES))

    recall = zenoh.CancellationToken()
    link.get(
        key,
        zenoh.handlers.Callback(on_reply, lambda: on_loop(None)),
        payload=data,
        target=zenoh.QueryTarget.ALL,
        consolidation=zenoh.ConsolidationMode.NONE,
        timeout=timeout_s,
        cancellation_token=recall,
    )
    try:
        reply = await answer
    except asyncio.CancelledError:
        recall.cancel()  # type: ignore[no-untyped-call]
        raise
    if reply is None:
        raise UnreachableError(
            f"the host did not answer within {timeout_s:g} s, or left",
            hint="show a new code on it and try again",
        )
    return reply
