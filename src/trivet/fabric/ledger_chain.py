r"""The chain of a ledger as values: each entry's hash binds all before it; no I/O.

    genesis   SHA-256(b"trivet ledger 1\0" + msgpack [device, created, salt])
    entry n   SHA-256(hash of n - 1 + n as 8 bytes + msgpack of the event)
    head      ECDSA P-256 of b"trivet ledger head 1\0" + msgpack [device, n, hash]

An event's encoding is canonical: fields in their order, those at their default left
out, so a field that is added later changes no hash of what is there.

Source: RFC 9162 (logs whose heads others witness), FIPS 180-4 (SHA-256), FIPS 186-5
(ECDSA).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from math import isfinite
from typing import Annotated, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import UsageError
from trivet.domain.sample import DeviceId
from trivet.fabric.event import Event

#: The most that one event may take, in bytes: room for a lease of 1024 long paths.
MAX_BYTES = 256 * 1024
_LEDGER = b"trivet ledger 1\0"
_HEAD = b"trivet ledger head 1\0"
_HEAD_TEXT = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})", re.ASCII)
_SIGNATURE = ec.ECDSA(hashes.SHA256())

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)

#: Signs and checks heads; with a public one they can only be checked.
Key: TypeAlias = ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey


class Entry(msgspec.Struct, frozen=True):
    """One event in its place.

    Attributes:
        seq: its number, from 1 on, without gaps.
        event: what happened.
        hash: SHA-256 over the hash before, the number and the event, in hex.
    """

    seq: int
    event: Event
    hash: str


class Head(msgspec.Struct, frozen=True):
    """Where a ledger ends; held by another device, it is a witness.

    Attributes:
        seq: number of the last entry, 0 for none.
        hash: hash of the last entry, or of the beginning, in hex.
        count: entries up to there.
    """

    seq: int
    hash: str
    count: int

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


class SignedHead(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True
):
    """A device's word on one entry of its ledger, that others can check and keep.

    Attributes:
        device: whose ledger.
        seq: number of the entry, 0 for the beginning.
        hash: its hash, 32 bytes.
        signature: the device's, as it stands beside the head in its file.
    """

    device: DeviceId
    seq: Annotated[int, Meta(ge=0, le=1 << 53)]
    hash: Annotated[bytes, Meta(min_length=32, max_length=32)]
    signature: Annotated[bytes, Meta(min_length=1, max_length=80)]

    @property
    def head(self) -> Head:
        """The same without a signature."""
        return Head(self.seq, self.hash.hex(), self.seq)

    def is_by(self, key: Key | None) -> bool:
        """Whether the holder of this key signed it; nobody's key signed nothing."""
        return key is not None and is_head_signed(
            key, self.device, self.seq, self.hash, self.signature
        )


class Verdict(msgspec.Struct, frozen=True):
    """What a look at a whole ledger found.

    Attributes:
        is_sound: nothing speaks against it.
        entries: entries that hold, up to the first that does not.
        fault: the first thing that is wrong, empty when nothing is.
        seq: number of the entry that it was found at, 0 for none.
    """

    is_sound: bool
    entries: int
    fault: str = ""
    seq: int = 0


def parse_head(text: str) -> Head:
    """The head that `str()` wrote as `SEQ:HASH`.

    Raises:
        UsageError: it is none.
    """
    match = _HEAD_TEXT.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text[:100]!r} is no head of a ledger",
            hint="give it as `trivet ledger head` prints it: SEQ:HASH",
        )
    seq = int(match[1])
    return Head(seq, match[2], seq)


def encode_event(event: Event) -> bytes:
    """The event in its one canonical form.

    Raises:
        UsageError: a field is of another type, not finite, or it is too long.
    """
    try:
        # an int where a float belongs becomes one, so that equal events are equal bytes
        event = _decoder.decode(_encoder.encode(event))
        data = _encoder.encode(event)
    except (msgspec.MsgspecError, OverflowError, UnicodeError, TypeError) as error:
        raise UsageError(f"the event cannot be kept: {error}") from error
    for number in (event.time, event.first, event.last):
        if not isfinite(number):
            raise UsageError(f"the event cannot be kept: a time of {number}")
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"an event of {len(data)} bytes cannot be kept: the most is {MAX_BYTES}"
        )
    return data


def decode_event(data: bytes) -> Event:
    """The event in `data`; ValueError when there is none."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def genesis(device: str, created: float, salt: bytes) -> bytes:
    """The hash that a ledger begins with: whose it is and since when.

    Args:
        device: id of the device that it belongs to.
        created: time of its making, in seconds since 1970-01-01 UTC.
        salt: random bytes, so that no two ledgers begin alike.
    """
    return sha256(_LEDGER + _encoder.encode((device, created, salt))).digest()


def link(previous: bytes, seq: int, data: bytes) -> bytes:
    """Hash of the entry `seq` that holds `data` and follows the hash `previous`."""
    return sha256(previous + seq.to_bytes(8, "big", signed=True) + data).digest()


def sign_head(key: Key | None, device: str, seq: int, digest: bytes) -> bytes:
    """The device's signature under where its ledger ends; empty without a key.

    Raises:
        UsageError: the key is a public one.
    """
    if key is None:
        return b""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError(
            f"with a public key the ledger of {device} can only be read",
            hint=f"append to it on {device}",
        )
    return key.sign(_head_bytes(device, seq, digest), _SIGNATURE)


def is_head_signed(
    key: Key, device: str, seq: int, digest: bytes, signature: bytes
) -> bool:
    """Whether `signature` is the device's own under that head."""
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    try:
        public.verify(signature, _head_bytes(device, seq, digest), _SIGNATURE)
    except InvalidSignature:
        return False
    return True


def _head_bytes(device: str, seq: int, digest: bytes) -> bytes:
    return _HEAD + _encoder.encode((device, seq, digest))


class Walk:
    """Checks entries one after the other, from the beginning to the head.

    What it is given may come from anywhere: it is judged, not trusted.

    Attributes:
        seq: number of the last entry that holds.
        hash: its hash.
        fault: the first thing that is wrong, empty while nothing is.
        at: number of the entry that is wrong.
    """

    def __init__(self, start: bytes, witnesses: Iterable[Head] = ()) -> None:
        """Begin before the first entry.

        Args:
            start: the hash that the ledger begins with.
            witnesses: heads that other devices saw.
        """
        self._seen: dict[int, set[str]] = {}
        for head in witnesses:
            self._seen.setdefault(head.seq, set()).add(head.hash)
        self.seq, self.hash = 0, start
        self.fault, self.at = "", 0
        self._ask_witnesses(0, start)

    def step(self, seq: object, data: object, digest: object) -> bool:
        """Take the next entry; False when the walk has found a fault."""
        if self.fault:
            return False
        wanted = self.seq + 1
        found = link(self.hash, wanted, data) if isinstance(data, bytes) else b""
        if seq != wanted:
            is_gap = isinstance(seq, int) and seq > wanted
            self._fail(wanted, "is missing" if is_gap else "is preceded by another")
        elif not isinstance(data, bytes) or digest != found:
            self._fail(wanted, "is not what was written there")
        elif fault := _unreadable(data):
            self._fail(wanted, f"is no event: {fault}")
        else:
            self._ask_witnesses(wanted, found)
        if self.fault:
            return False
        self.seq, self.hash = wanted, found
        return True

    def end(self, seq: object, digest: object) -> None:
        """Compare where the entries end with the head that is kept beside them."""
        if self.fault:
            return
        if isinstance(seq, int) and seq > self.seq:
            self._fail(self.seq + 1, f"is missing: {seq} were written")
        elif isinstance(seq, int) and seq < self.seq:
            self._fail(self.seq, f"was added behind the end, which is at {seq}")
        elif (seq, digest) != (self.seq, self.hash):
            self._fail(self.seq, "does not fit the end that is kept beside it")
        elif (last := max(self._seen, default=0)) > self.seq:
            self._fail(
                self.seq + 1,
                f"is missing: the witness saw {last}, so the end is cut "
                "off or an older copy was put in the ledger's place",
            )

    def _ask_witnesses(self, seq: int, digest: bytes) -> None:
        if self._seen.get(seq, set()) - {digest.hex()}:
            self._fail(
                seq,
                "is not the one that the witness saw: the past was written anew, or "
                "this is another ledger",
            )

    def _fail(self, seq: int, what: str) -> None:
        self.fault, self.at = f"entry {seq} {what}", seq


def _unreadable(data: bytes) -> str:
    try:
        decode_event(data)
    except ValueError as error:
        return str(error)
    return ""
