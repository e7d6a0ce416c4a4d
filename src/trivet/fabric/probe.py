"""Why an address cannot be dialled: network, their certificate, or ours.

Zenoh dials for ever and says nothing of a refused certificate. So the same handshake
is tried here once with Python's own TLS, which does say.

Source: RFC 8446, section 6.2 (alerts); in TLS 1.3 a client learns that its certificate
was refused only with the first thing that it reads.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import msgspec

from trivet.domain.error import SetupError
from trivet.fabric.identity import Identity

#: Seconds that a handshake may take, and that a refusal may take after it.
HANDSHAKE_S, ALERT_S = 2.0, 0.5


class Verdict(StrEnum):
    """What became of a handshake."""

    #: each took the other's certificate
    TRUSTED = "trusted"
    #: nobody answers there, or not in time
    ABSENT = "absent"
    #: we do not trust their certificate
    THEIRS_REFUSED = "theirs-refused"
    #: they do not trust ours
    OURS_REFUSED = "ours-refused"


class Finding(msgspec.Struct, frozen=True):
    """What was found at an address.

    Attributes:
        address: `host:port`.
        verdict: what became of the handshake.
        why: one line for a person.
        hint: what to do.
    """

    address: str
    verdict: Verdict
    why: str
    hint: str = ""

    @property
    def is_refusal(self) -> bool:
        """Whether trying again would change nothing."""
        return self.verdict in (Verdict.THEIRS_REFUSED, Verdict.OURS_REFUSED)


async def probe(
    address: str, identity: Identity, *, is_name_checked: bool = True
) -> Finding:
    """Try a handshake at `host:port` and hang up.

    Raises:
        SetupError: this device's own files cannot be read.
    """
    host, _, port = address.removeprefix("tls/").rpartition(":")
    context = _context(identity, is_name_checked)
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            reader, writer = await asyncio.open_connection(
                host.strip("[]"), int(port), ssl=context
            )
    except ssl.SSLCertVerificationError as error:
        return _theirs(address, error)
    except ssl.SSLError as error:
        return _ours(address, error)
    except (OSError, TimeoutError) as error:
        why = f"nobody answers at {address}: {str(error) or 'no answer in time'}"
        return Finding(address, Verdict.ABSENT, why, "is the device there running?")
    try:
        async with asyncio.timeout(ALERT_S):
            if not await reader.read(1):
                return _ours(address, "it hung up")
    except TimeoutError:
        pass  # it waits for us to speak: it took our certificate
    except ssl.SSLError as error:
        return _ours(address, error)
    except OSError as error:
        return Finding(address, Verdict.ABSENT, f"{address} hung up: {error}")
    finally:
        writer.transport.abort()
    why = f"the device at {address} and this one trust each other's certificates"
    hint = "if it still is not there: it does not count this device as a member"
    return Finding(address, Verdict.TRUSTED, why, hint)


def _context(identity: Identity, is_name_checked: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = is_name_checked
    try:
        context.load_verify_locations(identity.ca_path)
        with as_file(identity.private_pem()) as key_path:
            context.load_cert_chain(identity.cert_path, key_path)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"the certificate of {identity.device} cannot be used: {error}",
            hint="renew it, or pair this device anew",
        ) from error
    return context


@contextmanager
def as_file(secret: bytes) -> Iterator[str]:
    """A name under which OpenSSL reads what is in memory, and on no disk."""
    handle = os.memfd_create("trivet")
    try:
        os.write(handle, secret)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


def _theirs(address: str, error: ssl.SSLCertVerificationError) -> Finding:
    return Finding(
        address,
        Verdict.THEIRS_REFUSED,
        f"the certificate shown at {address} is not to be trusted: "
        f"{error.verify_message}",
        "is it a device of this household, its certificate not over, and does it "
        "name the host that is dialled?",
    )


def _ours(address: str, error: ssl.SSLError | str) -> Finding:
    reason = error if isinstance(error, str) else error.reason or str(error)
    reason = reason.lower().replace("_", " ")
    return Finding(
        address,
        Verdict.OURS_REFUSED,
        f"the device at {address} refused this device's certificate: {reason}",
        "is it of the same household, and this certificate not over? If it is, renew "
        "it or pair this device anew",
    )
