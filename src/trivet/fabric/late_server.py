"""The link of a late renewal: TLS for a device whose own certificate has ended.

Such a device cannot join the fabric, where both ends show a certificate. So an issuer
also listens on the port after its first one, shows its certificate and asks for none:

    late device                    issuer
      |  -- HELLO -------------------> |
      |  <---------------- challenge -- |
      |  -- proof -------------------> |
      |  <-------------- certificate -- |   or that it was revoked; to whom else, no
      |                                 |   word why: it hangs up

Each is a frame: its length in two bytes, big-endian, then at most MAX_BYTES. What the
four say is in renewal.py. The device trusts no server but one of its own household,
and takes no certificate but one by its authority, for its own key.

Where the authority itself was replaced, see refounding.py, the device cannot know the
server. It asks for the founder's word instead, and believes that by its signature:

      |  -- FOLLOW, its id -----------> |
      |  <------------ length, word -- |   of four bytes, and as many frames; or 0

A stranger gets a handshake and a challenge out of it, for as long as a Turnstile lets
it, and is read no further than four short frames go.

Source: RFC 8446 and RFC 5246 (TLS 1.3 and 1.2); the ports are in
docs/decisions/0006-identity.md.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from time import monotonic

from trivet.domain.error import PeerError, SetupError, UsageError, WireError
from trivet.fabric.background import cancel
from trivet.fabric.identity import Identity
from trivet.fabric.key import check_id
from trivet.fabric.late_frame import (
    FOLLOW,
    HELLO,
    IDLE_S,
    MAX_FIRST,
    TOTAL_S,
    read,
    write,
    write_long,
)
from trivet.fabric.pairing_code import check_address
from trivet.fabric.probe import as_file
from trivet.fabric.renewal import MAX_BYTES
from trivet.fabric.turnstile import MAX_OPEN, Turnstile

log = logging.getLogger("trivet.fabric")

#: Answers a proof with a certificate in PEM.
Answer = Callable[[bytes], Awaitable[bytes]]


class LateServer:
    """Where an issuer listens for late devices.

    Args:
        identity: the issuer's own; shown to whoever dials.
        challenge: makes one; see LateDesk.
        answer: answers a proof; what it raises of a peer is not told to the stranger.
        word: gives the founder's word for a device; see refounding.py.
    """

    def __init__(
        self,
        identity: Identity,
        challenge: Callable[[], bytes],
        answer: Answer,
        word: Callable[[str], bytes] = lambda _: b"",
    ) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.options |= ssl.OP_NO_RENEGOTIATION
        self._challenge = challenge
        self._answer = answer
        self._word = word
        self._turnstile = Turnstile(monotonic())
        self._seats = asyncio.Semaphore(MAX_OPEN)
        self._tasks: set[asyncio.Task[None]] = set()
        self.show(identity)

    def show(self, identity: Identity) -> None:
        """Show this certificate from the next connection on.

        Raises:
            SetupError: it cannot be read.
        """
        try:
            with as_file(identity.private_pem()) as key_path:
                self._context.load_cert_chain(identity.cert_path, key_path)
        except (OSError, ssl.SSLError) as error:
            raise SetupError(
                f"the certificate of {identity.device} cannot be used: {error}",
                hint="renew it, or pair this device anew",
            ) from error

    async def run(self, address: str) -> None:
        """Listen at `host:port` until cancelled.

        Raises:
            SetupError: it cannot be listened at.
        """
        with await _listen(address) as door:
            try:
                while True:
                    await self._seats.acquire()
                    task = asyncio.ensure_future(self._meet(await _accept(door)))
                    self._tasks.add(task)
                    task.add_done_callback(self._gone)
            finally:
                for task in list(self._tasks):
                    await cancel(task)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._seats.release()
        if not task.cancelled() and task.exception() is not None:
            log.error("a late renewal failed", exc_info=task.exception())

    async def _meet(self, peer: socket.socket) -> None:
        address = _address_of(peer)
        if not self._turnstile.enter(address, monotonic()):
            peer.close()
            return
        try:
            async with asyncio.timeout(TOTAL_S):
                await self._serve(peer)
        except (PeerError, EOFError, OSError) as error:
            log.info("%s got no certificate: %s", address, error)
        finally:
            self._turnstile.leave(address)

    async def _serve(self, peer: socket.socket) -> None:
        reader = asyncio.StreamReader(MAX_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            peer,
            ssl=self._context,
            ssl_handshake_timeout=IDLE_S,
            ssl_shutdown_timeout=1.0,
        )
        try:
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            first = await read(reader, MAX_FIRST)
            if first == HELLO:
                await write(writer, self._challenge())
                await write(writer, await self._answer(await read(reader)))
            elif first.startswith(FOLLOW):
                await self._tell(writer, first.removeprefix(FOLLOW))
            else:
                raise WireError("it does not ask for a late renewal")
            writer.close()
            await writer.wait_closed()
        finally:
            transport.abort()

    async def _tell(self, writer: asyncio.StreamWriter, name: bytes) -> None:
        try:
            device = check_id(name.decode("ascii"))
        except (UnicodeError, UsageError) as error:
            raise WireError(f"it asks as nobody: {error}") from error
        word = await asyncio.to_thread(self._word, device)
        await write_long(writer, word)


def _address_of(peer: socket.socket) -> str:
    try:
        return str(peer.getpeername()[0])
    except OSError:
        return ""  # it has hung up already


async def _listen(address: str) -> socket.socket:
    host, _, port = check_address(address).rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )
        family, _, _, _, place = found[0]
        made = socket.create_server(
            place[:2],
            family=family,
            backlog=MAX_OPEN,
            dualstack_ipv6=family == socket.AF_INET6 and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise SetupError(
            f"{address} cannot be listened at: {error}",
            hint="is the port taken by another program?",
        ) from error
    made.setblocking(False)
    return made


async def _accept(door: socket.socket) -> socket.socket:
    loop = asyncio.get_running_loop()
    while True:
        try:
            return (await loop.sock_accept(door))[0]
        except ConnectionError:
            continue  # it came and went
        except OSError as error:
            log.error("no more connections can be taken: %s", error)
            await asyncio.sleep(IDLE_S)
