"""Messages of a pairing: one version byte, then one MessagePack map tagged by `type`.

    Hello      joiner -> host   who wants to join; its half of the key exchange
    Reply      host -> joiner   the host's half
    Confirm    both ways        proof of the same key; the host's also carries a Card
    Sealed     both ways        one of the messages below, encrypted
    Refusal    both ways        no, and why: a word of a fixed list, never a text

    Card       host -> joiner   which household this is
    Petition   joiner -> host   the certificate request, which is opaque here
    Grant      host -> joiner   the certificate and the household's, opaque here
    Stored     joiner -> host   the grant is on the joiner's disk
    Done       host -> joiner   the host knows that
    Quit       joiner -> host   the joiner's person said no, or its machine failed

No free text crosses before the code has been verified, so that nothing a stranger
writes is ever shown or logged; what crosses after that is of a narrow alphabet.

Source: the MessagePack specification, https://github.com/msgpack/msgpack.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.device import DeviceKind
from trivet.domain.error import UsageError, WireError
from trivet.domain.sample import DeviceId

#: Raised with each change that an older device could not read. It is the first byte of
#: every message, and both hellos are part of what is confirmed: nobody in between can
#: talk two devices down to an older version.
VERSION = 1
#: A message longer than this is refused unread.
MAX_BYTES = 16 * 1024
#: But for a grant, which holds the household's rules: only a joiner that has verified
#: its host takes so much.
MAX_GRANT_BYTES = 256 * 1024
#: What the maps around a sealed message and its tag take at most.
_AROUND = 256

NONCE_BYTES = 16
Nonce: TypeAlias = Annotated[
    bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)
]
#: One side byte and one point of Ed25519.
Share: TypeAlias = Annotated[bytes, Meta(min_length=33, max_length=33)]
Mac: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
Body: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=MAX_GRANT_BYTES)]
#: SHA-256 in hexadecimal.
Fingerprint: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
#: A host's short session id, which its person sees on its screen.
SessionId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]


class Why(StrEnum):
    """Why a message was refused; each side has its own words for it."""

    #: another device is being paired
    BUSY = "busy"
    WRONG_CODE = "wrong-code"
    #: the code, or the time that the persons had, is over
    EXPIRED = "expired"
    #: too many wrong codes, or the code has served
    SPENT = "spent"
    #: the peer was silent for too long
    SILENT = "silent"
    #: a person said no
    DECLINED = "declined"
    #: the household's machine could not admit the device; its screen says why
    NOT_ADMITTED = "not-admitted"
    #: a well-formed message that has no meaning at this moment
    UNEXPECTED = "unexpected"
    #: bytes that are not a message of ours, or that were tampered with
    MALFORMED = "malformed"
    VERSION = "version"
    #: more messages in a short time than a pairing has
    TOO_FAST = "too-fast"


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Hello(_Message, frozen=True, tag="hello"):
    """A device wants to join.

    Attributes:
        nonce: fresh; its hexadecimal form is the joiner's seat in the lobby.
        device: the id that it wants to have.
        kind: what it is.
        fingerprint: of the key that it wants certified.
        share: SPAKE2 message of side A.
    """

    nonce: Nonce
    device: DeviceId
    kind: DeviceKind
    fingerprint: Fingerprint
    share: Share


class Reply(_Message, frozen=True, tag="reply"):
    """The host is willing to hear whether the joiner knows the code.

    Attributes:
        nonce: fresh.
        session: the host's session id.
        share: SPAKE2 message of side B.
    """

    nonce: Nonce
    session: SessionId
    share: Share


class Confirm(_Message, frozen=True, omit_defaults=True, tag="confirm"):
    """Proof that the sender derived the same key from the same hellos.

    Attributes:
        mac: over the transcript, with the sender's own key.
        sealed: the host's: a Card, sealed. Empty in the joiner's.
    """

    mac: Mac
    sealed: Annotated[bytes, Meta(max_length=1024)] = b""


class Sealed(_Message, frozen=True, tag="sealed"):
    """An inner message, encrypted.

    Attributes:
        body: ciphertext with its tag.
    """

    body: Body


class Refusal(_Message, frozen=True, omit_defaults=True, tag="refusal"):
    """No.

    Attributes:
        why: one of a fixed list.
        tries_left: with a wrong code: how many more the host will hear.
    """

    why: Why
    tries_left: Annotated[int, Meta(ge=0, le=9)] = 0


class Card(_Message, frozen=True, tag="card"):
    """Which household this is; for the joiner's person to accept.

    Attributes:
        household: its name.
        authority: fingerprint of the household's certificate authority.
        host: id of the device that speaks for it.
    """

    household: DeviceId
    authority: Fingerprint
    host: DeviceId


class Petition(_Message, frozen=True, tag="petition"):
    """The certificate request.

    Attributes:
        request: opaque here.
    """

    request: Body


class Grant(_Message, frozen=True, tag="grant"):
    """What makes the device a member.

    Attributes:
        certificate: the device's, opaque here.
        household: what a member knows of its household, opaque here.
    """

    certificate: Body
    household: Body


class Stored(_Message, frozen=True, tag="stored"):
    """The grant is on the joiner's disk."""


class Done(_Message, frozen=True, tag="done"):
    """The host knows that the grant was stored."""


class Quit(_Message, frozen=True, tag="quit"):
    """The joiner leaves: its person said no, or its machine failed."""


Message: TypeAlias = Hello | Reply | Confirm | Sealed | Refusal
Inner: TypeAlias = Card | Petition | Grant | Stored | Done | Quit

_encoder = msgspec.msgpack.Encoder()
_outer = msgspec.msgpack.Decoder(Message)
_inner = msgspec.msgpack.Decoder(Inner)
_HEAD = bytes([VERSION])


class VersionError(WireError):
    """The peer speaks another version of this protocol."""


class UnexpectedError(WireError):
    """A well-formed message that has no meaning at this moment."""


def encode(message: Message) -> bytes:
    """The message as bytes.

    Raises:
        UsageError: a field is out of its bounds.
    """
    body = _encoder.encode(message)
    try:
        _outer.decode(body)  # what we send, we would take
    except msgspec.MsgspecError as error:
        raise UsageError(f"a {_name(message)} cannot be sent: {error}") from error
    return _HEAD + body


def decode(data: bytes, most: int = MAX_BYTES) -> Message:
    """The message in `data`.

    Args:
        data: as it came.
        most: bytes that it may have.

    Raises:
        VersionError: it begins with another version's number.
        WireError: it is not one well-formed message.
    """
    if len(data) > most:
        raise WireError(f"message of {len(data)} bytes: the most is {most}")
    if not data:
        raise WireError("empty message")
    if data[0] != VERSION:
        raise VersionError(
            f"pairing message of version {data[0]}, this device speaks {VERSION}",
            hint="update trivet on the older of the two devices",
        )
    try:
        message: Message = _outer.decode(memoryview(data)[1:])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed pairing message: {error}") from None
    return message


def encode_inner(message: Inner) -> bytes:
    """An inner message as bytes to be sealed.

    Raises:
        UsageError: a field is out of its bounds, or it is longer than can be sealed.
    """
    body = _encoder.encode(message)
    try:
        _inner.decode(body)
    except msgspec.MsgspecError as error:
        raise UsageError(f"a {_name(message)} cannot be sent: {error}") from error
    most = (MAX_GRANT_BYTES if isinstance(message, Grant) else MAX_BYTES) - _AROUND
    if len(body) > most:
        raise UsageError(
            f"a {_name(message)} of {len(body)} bytes cannot be sent: "
            f"the most is {most}"
        )
    return body


def decode_inner(data: bytes) -> Inner:
    """The inner message that was unsealed.

    Raises:
        WireError: it is not one well-formed message.
    """
    try:
        message: Inner = _inner.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed pairing message: {error}") from None
    return message


def _name(message: Message | Inner) -> str:
    return type(message).__name__
