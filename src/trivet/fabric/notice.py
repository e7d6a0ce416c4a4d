"""A notice: how a device that was shut out learns of it, from whoever it meets last.

The others hand it the charter that it had, with its revocation beside it; it hears of
nothing else that was agreed since. Where nobody speaks to it any more, an issuer's door
for late devices answers the proof of its key with the revocation alone. Either way an
issuer's signature is checked against the device's own charter: nobody else can make a
device stop.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from trivet.domain.error import RevokedError, WireError
from trivet.fabric import charter
from trivet.fabric.charter import Charter, Revocation

#: How a notice begins where a certificate in PEM might be.
_HEAD = b"trivet revoked 1\0"
MAX_BYTES = 2048
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Revocation)


def check_standing(agreed: Charter, device: str) -> None:
    """Go on by returning, if this device belongs to the household as far as is known.

    Args:
        agreed: the charter that this device keeps.
        device: this device's id.

    Raises:
        RevokedError: it was shut out: by whom, when and why.
    """
    for one in agreed.revoked:
        if one.device == device:
            raise RevokedError(
                f"this device, {device}, was revoked by an issuer of "
                f"{agreed.household} (key {one.signer[:8]}) on {_day(one.time)}: "
                f"{_plain(one.reason)}",
                hint="its ledger and its own data stay on this machine; to take part "
                "again, pair it under a new id",
            )


def write_notice(agreed: Charter, device: str, fingerprint: str) -> bytes:
    """The word on this id or key being shut out, as bytes; empty when there is none."""
    for one in agreed.revoked:
        if one.device == device or one.fingerprint == fingerprint:
            return _HEAD + _encoder.encode(one)
    return b""


def read_notice(data: bytes) -> Revocation | None:
    """The revocation in `data`, not checked yet; None when it is something else.

    Raises:
        WireError: it begins like a notice and is none.
    """
    if not data.startswith(_HEAD):
        return None
    if len(data) > MAX_BYTES:
        raise WireError(f"a notice of {len(data)} bytes: the most is {MAX_BYTES}")
    try:
        return _decoder.decode(memoryview(data)[len(_HEAD) :])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed notice: {error}") from error


def take_notice(folder: Path, device: str, data: bytes) -> None:
    """Keep the revocation in `data`, if it is one, in this device's own charter.

    Raises:
        RevokedError: it is this device that was shut out.
        WireError: it is malformed, or not signed by an issuer of this household.
        SetupError: the charter cannot be read or written.
    """
    found = read_notice(data)
    if found is None:
        return
    carried = charter.carry(charter.load_charter(folder), (found,))
    charter.save_charter(folder, carried)
    check_standing(charter.own_charter(folder), device)


def _day(time: float) -> str:
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return "an unknown day"


def _plain(text: str) -> str:
    """The text with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)
