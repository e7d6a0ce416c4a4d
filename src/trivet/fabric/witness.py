"""Devices keep where each other's ledgers end, and see when one does not go on; no I/O.

    asker                                     owner
      |  -- what I keep of yours ------------> |   is it in my ledger? Else mine was put
      |                                        |   back
      |  <-- where mine ends, my entry at the  |
      |      number that you keep, both signed,|
      |      and what I keep of yours -------- |
    does it go on from what I keep?

A head is the owner's signed word, so nobody makes one up in its name, and two words on
one entry that differ are evidence against it that anybody can check. What an entry says
is never shown. A device that lies about its own past with its own key is not caught by
its answers; it is by `verify`, which holds what others keep against the file.

Source: RFC 9162 (logs whose heads others witness); no proof of consistency as there,
since a chain has none that shows no entry.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from trivet.domain.error import WireError
from trivet.fabric.ledger_chain import Key, SignedHead

#: What is asked or shown is refused unread when it is longer, in bytes.
MAX_BYTES = 2048


class Asked(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where does your ledger end?

    Attributes:
        kept: what the asker keeps of the owner's ledger, None for nothing yet.
        length: entries in the asker's own, as far as it has shown it to others.
    """

    kept: SignedHead | None
    length: Annotated[int, Meta(ge=0, le=1 << 53)] = 0


class Shown(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where an owner's ledger ends.

    Attributes:
        head: the end, as it shows it to all.
        before: its entry at the number that the asker keeps, None if it has none.
        kept: what it keeps of the asker's ledger, None for nothing yet.
    """

    head: SignedHead
    before: SignedHead | None = None
    kept: SignedHead | None = None


_encoder = msgspec.msgpack.Encoder()
_asked_decoder = msgspec.msgpack.Decoder(Asked)
_shown_decoder = msgspec.msgpack.Decoder(Shown)
_ReadT = TypeVar("_ReadT", Asked, Shown)


def write(message: Asked | Shown) -> bytes:
    """The message as bytes for the wire."""
    return _encoder.encode(message)


def read_asked(data: bytes) -> Asked:
    """What an asker sent.

    Raises:
        WireError: it is malformed.
    """
    return _read(data, _asked_decoder)


def read_shown(data: bytes) -> Shown:
    """What an owner answered.

    Raises:
        WireError: it is malformed.
    """
    return _read(data, _shown_decoder)


def fault_of(
    owner: str, kept: SignedHead | None, shown: Shown, key: Key | None
) -> tuple[str, SignedHead | None]:
    """Why what an owner shows does not go on from what is kept of it.

    Args:
        owner: the device that shows it, as the link vouches for it.
        kept: what is kept of it, None for nothing yet.
        shown: its answer to a question that held `kept`.
        key: its public key, None if that is not known.

    Returns:
        The fault, empty when there is none, and the head that contradicts what is kept.

    Raises:
        WireError: a head is not signed by the owner, or is another device's: it says
            nothing about the owner's ledger.
    """
    head, before = shown.head, shown.before
    _check(owner, head, key)
    if kept is None:
        return "", None
    if head.seq < kept.seq:
        return (
            f"its ledger ends at entry {head.seq} and ended at {kept.seq} before: the "
            "end was cut off, or an older copy was put in its place",
            head,
        )
    if before is None and head.seq == kept.seq:
        before = head
    if before is None:
        return f"it no longer shows entry {kept.seq} of its ledger", head
    _check(owner, before, key)
    if before.seq != kept.seq:
        raise WireError(f"{owner} shows entry {before.seq}, asked for {kept.seq}")
    if before.hash != kept.hash or (head.seq == kept.seq and head.hash != kept.hash):
        wrong = before if before.hash != kept.hash else head
        return (
            f"entry {kept.seq} of its ledger is not the one that it showed before: an "
            "older copy was put in its place, or its past was written anew",
            wrong,
        )
    return "", None


def own_fault(
    device: str, kept: SignedHead, here: SignedHead | None, key: Key | None
) -> str:
    """Why this device's ledger is not what another keeps of it; empty if it is.

    Args:
        device: this device.
        kept: what another says that this device showed it.
        here: this device's entry at that number, None if there is none.
        key: this device's public key.

    Raises:
        WireError: this device never signed that: it says nothing.
    """
    _check(device, kept, key)
    if here is None:
        return (
            f"entry {kept.seq} is missing from it: the end was cut off, or an older "
            "copy was put in its place"
        )
    if here.hash != kept.hash:
        return (
            f"entry {kept.seq} of it is not the one that was shown: an older copy was "
            "put in its place, or its past was written anew"
        )
    return ""


def _check(owner: str, head: SignedHead, key: Key | None) -> None:
    if head.device != owner:
        raise WireError(f"{owner} shows the end of the ledger of {head.device}")
    if not head.is_by(key):
        raise WireError(
            f"entry {head.seq} of the ledger of {owner} is not signed with its key"
        )


def _read(data: bytes, decoder: msgspec.msgpack.Decoder[_ReadT]) -> _ReadT:
    if len(data) > MAX_BYTES:
        raise WireError(f"{len(data)} bytes about a ledger: the most is {MAX_BYTES}")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed words about a ledger: {error}") from error
