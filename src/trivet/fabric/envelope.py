r"""Envelopes: what a third device passes on, signed by its owner for one recipient.

    byte 0      version
    then        msgpack [owner, recipient, path, boot, seq, time, data]
    last 64     ECDSA P-256 signature, r and s, over
                b"trivet sealed 1\0" + the household's name behind its length + all of
                the above as it stands

A third device can withhold, delay and read what it passes on. It cannot alter it, make
it up, send it to another recipient or on another path, or have it taken twice.

Source: FIPS 186-5 (ECDSA), RFC 4303 section 3.4.3 (the window against replay).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Lock
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from msgspec import Meta

from trivet.domain.error import RefusedError, UsageError, WireError
from trivet.domain.sample import DeviceId, EventTime, SignalPath
from trivet.domain.wire import MAX_BYTES
from trivet.fabric.key import check_id, check_path

VERSION = 1
#: What a seal may add at most; what is sealed still fits into one message.
MAX_ADDED = 512
MAX_DATA = MAX_BYTES - 2 * MAX_ADDED
#: Messages that may arrive late: one that many places behind the newest is refused.
REORDER = 1024
_CONTEXT = b"trivet sealed 1\0"
_HEAD = bytes([VERSION])
_NUMBER = 32
_SIGNED = 2 * _NUMBER
_SIGNATURE = ec.ECDSA(hashes.SHA256())
_LATEST = 7_258_118_400.0  # of an EventTime
_MAX_COUNT = (1 << 63) - 1
_Count = Annotated[int, Meta(ge=0, le=_MAX_COUNT)]


class _Letter(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    owner: DeviceId
    recipient: DeviceId
    path: SignalPath
    boot: _Count
    seq: _Count
    time: EventTime
    data: Annotated[bytes, Meta(max_length=MAX_DATA)]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Letter)


class Opened(msgspec.Struct, frozen=True, gc=False):
    """What was sealed, once the seal is found whole.

    The key that it arrived under is the third device's word; these are the owner's.

    Attributes:
        owner: the device that sealed it.
        path: what it was sealed as.
        data: what was sealed.
        time: when, in seconds since 1970-01-01 UTC by the owner's clock.
        seq: its number since the owner started; a gap is what was withheld or lost.
    """

    owner: str
    path: str
    data: bytes
    time: float
    seq: int


class Sealer:
    """Seals what a device sends. Any thread may call it.

    Args:
        private_key: the device's own, on P-256.
        owner: the device's id.
        boot: greater with each start of the device: a counter that is kept, or the
            time of the start. One that was used before makes the device mute.
        household: the household's name.

    Raises:
        UsageError: a bad id, a boot below 0, or a key on another curve.
    """

    def __init__(
        self,
        private_key: ec.EllipticCurvePrivateKey,
        owner: str,
        *,
        boot: int,
        household: str = "",
    ) -> None:
        if not isinstance(private_key.curve, ec.SECP256R1):
            raise UsageError(f"a key on {private_key.curve.name} seals nothing here")
        if not 0 <= boot <= _MAX_COUNT:
            raise UsageError(f"{boot} cannot be the number of a start")
        self._key = private_key
        self._owner = check_id(owner)
        self._boot = boot
        self._context = _context(household)
        self._next = count(1)

    def seal(self, recipient: str, path: str, data: bytes, time: float) -> bytes:
        """The data, sealed for one device.

        Args:
            recipient: id of the device that it is for.
            path: the signal's path, or the question's name.
            data: what is to be sealed.
            time: now, in seconds since 1970-01-01 UTC.

        Raises:
            UsageError: a bad id, path or time, or more than MAX_DATA bytes.
        """
        check_id(recipient)
        check_path(path)
        if len(data) > MAX_DATA:
            raise UsageError(
                f"{len(data)} bytes cannot be sealed: the most is {MAX_DATA}"
            )
        if not 0.0 <= time <= _LATEST:
            raise UsageError(f"nothing can be sealed at the time {time}")
        seq = next(self._next)
        letter = _Letter(
            self._owner, recipient, path, self._boot, seq, float(time), data
        )
        body = _HEAD + _encoder.encode(letter)
        r, s = decode_dss_signature(self._key.sign(self._context + body, _SIGNATURE))
        return body + r.to_bytes(_NUMBER, "big") + s.to_bytes(_NUMBER, "big")


class Opener:
    """Opens what others sealed for this device. Any thread may call it.

    What it has taken it knows until it ends. A device that restarts could be given
    again what it took in the last `max_age_s`; `not_before` closes that.

    Args:
        recipient: this device's id.
        key_of: the public key of a device that is trusted now, None for any other.
        max_age_s: how old a message may be, in seconds, clocks' difference included.
        max_ahead_s: how far the owner's clock may be ahead, in seconds.
        household: the household's name.
        not_before: refuse what was sealed before this time; after a restart, its time
            and `max_ahead_s`.

    Raises:
        UsageError: a bad id.
    """

    def __init__(
        self,
        recipient: str,
        *,
        key_of: Callable[[str], ec.EllipticCurvePublicKey | None],
        max_age_s: float = 10.0,
        max_ahead_s: float = 5.0,
        household: str = "",
        not_before: float = 0.0,
    ) -> None:
        self._recipient = check_id(recipient)
        self._key_of = key_of
        self._max_age_s = max_age_s
        self._max_ahead_s = max_ahead_s
        self._context = _context(household)
        self._not_before = not_before
        self._lock = Lock()
        # only of owners whose seal was whole: as many as the household has devices
        self._taken: dict[str, _Taken] = {}

    def open(self, data: bytes, now: float) -> Opened:
        """What was sealed.

        Args:
            data: as it arrived.
            now: the time, in seconds since 1970-01-01 UTC.

        Raises:
            WireError: it is no sealed message, or not as its owner sealed it.
            RefusedError: it is for another device, of an unknown one, too old, too far
                ahead, or was taken before.
        """
        letter, body, r, s = _read(data)
        self._check_fresh(letter, now)
        public = self._key_of(letter.owner)
        if public is None:
            raise RefusedError(
                f"{letter.owner} is not trusted here",
                hint="admit it to the household, or leave it shut out",
            )
        try:
            signature = encode_dss_signature(r, s)
            public.verify(signature, self._context + body, _SIGNATURE)
        except InvalidSignature:
            raise WireError(
                f"a message on {letter.path} is not as {letter.owner} sealed it",
                hint="the device that passes it on alters it, or the owner's key "
                "or household is another",
            ) from None
        self._take(letter)
        return Opened(letter.owner, letter.path, letter.data, letter.time, letter.seq)

    def _check_fresh(self, letter: _Letter, now: float) -> None:
        if letter.recipient != self._recipient:
            raise RefusedError(
                f"a message for {letter.recipient} came to {self._recipient}",
                hint="the device that passes it on sends it astray",
            )
        age_s = now - letter.time
        if age_s > self._max_age_s or letter.time < self._not_before:
            raise RefusedError(
                f"a message of {letter.owner} is {age_s:.1f} s old",
                hint="it was held back or sent again; or set the clocks",
            )
        if age_s < -self._max_ahead_s:
            raise RefusedError(
                f"a message of {letter.owner} is {-age_s:.1f} s ahead",
                hint="set the clocks of the two devices",
            )

    def _take(self, letter: _Letter) -> None:
        with self._lock:
            taken = self._taken.get(letter.owner)
            if taken is None or letter.boot > taken.boot:
                taken = self._taken[letter.owner] = _Taken(letter.boot)
            fault = taken.take(letter.boot, letter.seq)
        if fault:
            raise RefusedError(
                f"message {letter.seq} of {letter.owner} {fault}",
                hint="the device that passes it on sends it again",
            )


class _Taken:
    """Which of an owner's messages were taken: the newest, and those behind it."""

    __slots__ = ("_bits", "_newest", "boot")

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self._newest = 0
        #: bit n: the message n places behind the newest
        self._bits = 0

    def take(self, boot: int, seq: int) -> str:
        """Take a message; says why not when it cannot be."""
        behind = self._newest - seq
        if boot < self.boot:
            return "is from before its last start"
        if behind >= REORDER:
            return f"is {behind} behind the newest"
        if behind < 0:
            shift = min(-behind, REORDER)
            self._bits = ((self._bits << shift) | 1) & ((1 << REORDER) - 1)
            self._newest = seq
            return ""
        if self._bits >> behind & 1:
            return "was taken before"
        self._bits |= 1 << behind
        return ""


def _context(household: str) -> bytes:
    if household:
        check_id(household, "household name")
    return _CONTEXT + bytes([len(household)]) + household.encode()


def _read(data: bytes) -> tuple[_Letter, bytes, int, int]:
    """The parts of a sealed message, none of them believed yet."""
    if len(data) > MAX_DATA + MAX_ADDED:
        raise WireError(f"a sealed message of {len(data)} bytes is too long")
    if len(data) <= len(_HEAD) + _SIGNED:
        raise WireError(f"a sealed message of {len(data)} bytes is too short")
    if data[0] != VERSION:
        raise WireError(
            f"a sealed message of version {data[0]}, this device knows {VERSION}",
            hint="update trivet on the older of the two devices",
        )
    body, signature = data[:-_SIGNED], data[-_SIGNED:]
    try:
        letter = _decoder.decode(memoryview(body)[1:])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed sealed message: {error}") from error
    r = int.from_bytes(signature[:_NUMBER], "big")
    s = int.from_bytes(signature[_NUMBER:], "big")
    return letter, body, r, s
