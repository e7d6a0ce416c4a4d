"""Messages on the wire: MessagePack behind one version byte, strictly decoded.

Layout: byte 0 is the version, the rest one MessagePack map tagged by `type`.
Source: the MessagePack specification, https://github.com/msgpack/msgpack.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.device import Device
from trivet.domain.error import UsageError, WireError
from trivet.domain.forecast import Forecast
from trivet.domain.lease import Lease, LeaseEnd, LeaseRequest
from trivet.domain.sample import EventTime, Sample, SignalPath, Value
from trivet.domain.suggestion import Answer, Suggestion

#: Raised with each change that an older device could not read.
VERSION = 2
#: A message longer than this is refused unread.
MAX_BYTES = 256 * 1024


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A target value for an actuator of the device that receives it."""

    path: SignalPath
    value: Value
    time: EventTime


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """Ask a simulated or replayed device to live on until an event time."""

    until: EventTime


class Watermark(msgspec.Struct, frozen=True, tag="watermark"):
    """A device's promise: every sample up to `time` has been sent.

    Attributes:
        time: event time of the promise.
        sent: samples sent to this recipient since the link began.
    """

    time: EventTime
    sent: Annotated[int, Meta(ge=0)] = 0


class Document(msgspec.Struct, frozen=True, omit_defaults=True, tag="document"):
    """A larger text or file that a protocol of ours passes on, itself encoded.

    Attributes:
        kind: what `body` is, in that protocol's words.
        body: its bytes.
    """

    kind: Annotated[str, Meta(max_length=50)]
    body: Annotated[bytes, Meta(max_length=MAX_BYTES)] = b""


class Ack(msgspec.Struct, frozen=True, omit_defaults=True, tag="ack"):
    """Done, or refused with a word why.

    Attributes:
        ok: whether what was asked was done.
        error: if not: what was wrong and what to do.
    """

    ok: bool
    error: Annotated[str, Meta(max_length=1000)] = ""


Message: TypeAlias = (
    Sample
    | Device
    | Forecast
    | Suggestion
    | Answer
    | Command
    | Advance
    | Watermark
    | LeaseRequest
    | Lease
    | LeaseEnd
    | Document
    | Ack
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)
_HEAD = bytes([VERSION])


def encode(message: Message) -> bytes:
    """The message as bytes for the wire.

    Raises:
        UsageError: a number in it is NaN or infinite, or it is longer than MAX_BYTES.
    """
    try:
        body = _encoder.encode(message)
        _decoder.decode(body)  # what we send, we would take
    except (msgspec.MsgspecError, OverflowError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{_name(message)} cannot be sent: {error}") from error
    fault = _not_finite(message)
    if fault:
        raise UsageError(f"{_name(message)} cannot be sent: {fault}")
    data = _HEAD + body
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"{_name(message)} of {len(data)} bytes cannot be sent: "
            f"the most is {MAX_BYTES}"
        )
    return data


def decode(data: bytes) -> Message:
    """The message in `data`.

    Raises:
        WireError: `data` is not one well-formed message of this version.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"message of {len(data)} bytes: the most is {MAX_BYTES}")
    if not data:
        raise WireError("empty message")
    if data[0] != VERSION:
        raise WireError(
            f"message of wire version {data[0]}, this device speaks {VERSION}",
            hint="update trivet on the older of the two devices",
        )
    try:
        message: Message = _decoder.decode(memoryview(data)[1:])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed message: {error}") from error
    fault = _not_finite(message)
    if fault:
        raise WireError(f"{_name(message)}: {fault}")
    return message


def _name(message: Message) -> str:
    if isinstance(message, Sample | Command):
        return message.path
    return f"a {type(message).__name__}"


def _not_finite(value: object) -> str:
    """Says which number of a message is NaN or infinite, empty when none is."""
    if isinstance(value, float):
        return "" if isfinite(value) else f"{value} is not a finite number"
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            fault = _not_finite(getattr(value, name))
            if fault:
                return f"{name}: {fault}" if ": " not in fault else f"{name}.{fault}"
    elif isinstance(value, tuple):
        return next((fault for part in value if (fault := _not_finite(part))), "")
    return ""
