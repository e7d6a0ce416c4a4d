"""Asking at an issuer's door for late devices; see late_server.py for what passes."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from trivet.domain.error import (
    PeerError,
    RefusedError,
    SetupError,
    TrivetError,
    UnreachableError,
    UsageError,
    WireError,
)
from trivet.fabric.identity import Identity
from trivet.fabric.late_frame import (
    FOLLOW,
    HELLO,
    TOTAL_S,
    read,
    read_long,
    write,
)
from trivet.fabric.notice import read_notice
from trivet.fabric.pairing_code import check_address
from trivet.fabric.renewal import LATE, MAX_BYTES
from trivet.fabric.renewer import Renewer

log = logging.getLogger("trivet.fabric")


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


async def ask_word(device: str, addresses: Sequence[str]) -> bytes:
    """What the founder's machine, at one of these addresses, has for a device.

    Whoever listens is not verified, and what it says is not checked yet; empty when
    nobody has anything. See refounding.py.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for address in addresses:
        try:
            async with (
                asyncio.timeout(TOTAL_S),
                _dial(late_address(address), context) as (reader, writer),
            ):
                await write(writer, FOLLOW + device.encode())
                word = await read_long(reader)
        except (TrivetError, EOFError, OSError) as error:
            log.info("nothing of the founder at %s: %s", address, error)
        else:
            if word:
                return word
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
    async with _dial(address, context) as (reader, writer):
        await write(writer, HELLO)
        await write(writer, renewer.proof(await read(reader)))
        return await read(reader)


@asynccontextmanager
async def _dial(
    address: str, context: ssl.SSLContext
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(
        host.strip("[]"),
        int(port),
        ssl=context,
        limit=MAX_BYTES,
        ssl_handshake_timeout=TOTAL_S,  # others may have to leave first
    )
    try:
        yield reader, writer
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
