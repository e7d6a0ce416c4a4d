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
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic

from trivet.domain.error import (
    PeerError,
    RefusedError,
    SetupError,
    TrivetError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.fabric.background import cancel
from trivet.fabric.bucket import Bucket
from trivet.fabric.identity import Identity
from trivet.fabric.notice import read_notice
from trivet.fabric.pairing_code import check_address
from trivet.fabric.probe import as_file
from trivet.fabric.renewal import LATE, MAX_BYTES
from trivet.fabric.renewer import Renewer

log = logging.getLogger("trivet.fabric")

HELLO = b"trivet late renewal 1"
#: Seconds that a handshake, and each frame, may take; and a device for all of it.
IDLE_S, TOTAL_S = 5.0, 15.0
#: Connections at a time: of all, and of one address. More wait in the system's queue.
MAX_OPEN, MAX_OPEN_EACH = 8, 2
#: Connections of one address, at once and a second after that; and of all.
BURST, RATE_PER_S = 5, 0.5
BURST_ALL, RATE_ALL_PER_S = 40, 20.0
#: Addresses that are remembered; a stranger with more of them meets the common limit.
MAX_ADDRESSES = 256
_SIZE = 2

#: Answers a proof with a certificate in PEM.
Answer = Callable[[bytes], Awaitable[bytes]]


class Turnstile:
    """Who may come in: few at a time, not too often, none at the others' cost.

    Args:
        now: seconds of a monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self._all = Bucket(BURST_ALL, RATE_ALL_PER_S, now)
        self._each: dict[str, Bucket] = {}
        self._inside: Counter[str] = Counter()

    def enter(self, address: str, now: float) -> bool:
        """Whether this address may come in now; who may must `leave`."""
        if self._inside[address] >= MAX_OPEN_EACH:
            return False
        bucket = self._each.pop(address, None) or Bucket(BURST, RATE_PER_S, now)
        self._each[address] = bucket  # the newest last
        if len(self._each) > MAX_ADDRESSES:
            del self._each[next(iter(self._each))]
        if not (bucket.take(now) and self._all.take(now)):
            return False
        self._inside[address] += 1
        return True

    def leave(self, address: str) -> None:
        """One of this address is out again."""
        self._inside[address] -= 1
        self._inside += Counter()  # forgets who is not inside


class LateServer:
    """Where an issuer listens for late devices.

    Args:
        identity: the issuer's own; shown to whoever dials.
        challenge: makes one; see LateDesk.
        answer: answers a proof; what it raises of a peer is not told to the stranger.
    """

    def __init__(
        self, identity: Identity, challenge: Callable[[], bytes], answer: Answer
    ) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._context.options |= ssl.OP_NO_RENEGOTIATION
        self._challenge = challenge
        self._answer = answer
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
            if await _read(reader, len(HELLO)) != HELLO:
                raise WireError("it does not ask for a late renewal")
            await _write(writer, self._challenge())
            await _write(writer, await self._answer(await _read(reader)))
            writer.close()
            await writer.wait_closed()
        finally:
            transport.abort()


async def renew_late(
    renewer: Renewer,
    ca_path: Path,
    addresses: Sequence[str],
    clock: Callable[[], datetime],
    *,
    is_name_checked: bool = True,
) -> Identity:
    """Have a certificate that has ended renewed, by whoever can at these addresses.

    Args:
        renewer: the late device's.
        ca_path: the household's authority, which a server's certificate must be by.
        addresses: `host:port` of the devices' own sessions; see `late_address`.
        clock: the time now.
        is_name_checked: whether the server's certificate must name the host dialled.

    Returns:
        The device's identity with the new certificate, which is on the disk.

    Raises:
        UsageError: an address is not `host:port`.
        SetupError: the device's own files cannot be read or written.
        RevokedError: this device was shut out, by an issuer's word.
        RefusedError: who answered gave none, or is not of this household.
        UnreachableError: nobody answered.
    """
    dialled = [late_address(address) for address in addresses]
    failed: list[PeerError] = []
    for address in dialled:
        context = _client_context(ca_path, is_name_checked)
        try:
            async with asyncio.timeout(TOTAL_S):
                pem = await _ask(address, context, renewer)
            identity = renewer.take(pem, clock())
        except ssl.SSLCertVerificationError as error:
            why = f"who listens at {address} is not of this household, or not the host"
            failed.append(RefusedError(f"{why} that was dialled: {error}"))
        except EOFError:
            why = f"who listens at {address} gave no certificate"
            failed.append(RefusedError(why))
        except WireError as error:
            failed.append(WireError(f"{address}: {error.message}", hint=error.hint))
        except OSError as error:
            why = str(error) or "no answer in time"
            failed.append(UnreachableError(f"nobody answers at {address}: {why}"))
        else:
            log.info("the certificate that had ended was renewed at %s", address)
            return identity
    raise _verdict(failed)


async def ask_notice(
    renewer: Renewer,
    ca_path: Path,
    addresses: Sequence[str],
    *,
    is_name_checked: bool = True,
) -> bytes:
    """The notice of its revocation that an issuer at these addresses has for a device.

    As `renew_late`, whose answer it may be too; it is not checked yet, and empty when
    nobody has one.
    """
    for address in addresses:
        try:
            context = _client_context(ca_path, is_name_checked)
            async with asyncio.timeout(TOTAL_S):
                answer = await _ask(late_address(address), context, renewer)
            if read_notice(answer) is not None:
                return answer
        except (TrivetError, EOFError, OSError) as error:
            log.info("nothing of this device's standing at %s: %s", address, error)
    return b""


def late_address(address: str) -> str:
    """Where late devices are served by a device that listens at `host:port`.

    Raises:
        UsageError: it is not `host:port`, or there is no port after that one.
    """
    host, _, port = check_address(address.removeprefix("tls/")).rpartition(":")
    if not 0 < int(port) < 65535:
        raise UsageError(
            f"{address} has no port after it for late renewals",
            hint="listen at a fixed port, such as 7447",
        )
    return f"{host}:{int(port) + 1}"


def _verdict(failed: Sequence[PeerError]) -> PeerError:
    """One error of all: a refusal, if there was one, tells more than an absence."""
    why = "; ".join(error.message for error in failed) or "no address to ask at"
    if any(not isinstance(error, UnreachableError) for error in failed):
        return RefusedError(
            why,
            hint="was this device revoked, or its certificate over for more than "
            f"{LATE.days} days? Then pair it anew, under a new id; if it was neither, "
            "the device that refused has written down why",
        )
    return UnreachableError(
        why,
        hint="start a device that admits others, listening, and name its address with "
        "--connect; it answers on the port after that one",
    )


async def _ask(address: str, context: ssl.SSLContext, renewer: Renewer) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(
        host.strip("[]"),
        int(port),
        ssl=context,
        limit=MAX_BYTES,
        ssl_handshake_timeout=TOTAL_S,  # others may have to leave first
    )
    try:
        await _write(writer, HELLO)
        await _write(writer, renewer.proof(await _read(reader)))
        return await _read(reader)
    finally:
        writer.transport.abort()


def _client_context(ca_path: Path, is_name_checked: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = is_name_checked
    try:
        context.load_verify_locations(ca_path)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"{ca_path} cannot be used: {error}",
            hint="copy it from where the household was founded",
        ) from error
    return context


def _address_of(peer: socket.socket) -> str:
    try:
        return str(peer.getpeername()[0])
    except OSError:
        return ""  # it has hung up already


async def _read(reader: asyncio.StreamReader, most: int = MAX_BYTES) -> bytes:
    """The next frame; EOFError when there is none, TimeoutError when it is slow."""
    async with asyncio.timeout(IDLE_S):
        size = int.from_bytes(await reader.readexactly(_SIZE), "big")
        if size > most:
            raise WireError(f"a frame of {size} bytes: the most is {most}")
        return await reader.readexactly(size)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(len(data).to_bytes(_SIZE, "big") + data)
    async with asyncio.timeout(IDLE_S):
        await writer.drain()


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
