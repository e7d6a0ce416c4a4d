r"""Updates: what a device wrote, signed by it and handed on as it is.

    byte 0      version
    then        msgpack [author, fingerprint, incarnation, start, end, previous, data]
    last 64     ECDSA P-256 signature, r and s, over
                b"trivet state 1\0" + the household's name behind its length + all of
                the above as it stands

`data` are the operations `start` to `end` of one peer, see operation.py. The peer is
the first 8 bytes of SHA-256 over the fingerprint of the author's key and the
incarnation: nobody can write as another. `previous` is the SHA-256 of the author's last
update in this incarnation, signature and all. So the signature on the last of a run
stands for the whole run, and two updates that follow one are proof of a fork.

Source: FIPS 186-5 (ECDSA).
"""

from __future__ import annotations

import secrets
from functools import cached_property, lru_cache
from hashlib import sha256
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

from trivet.domain.error import WireError
from trivet.domain.sample import DeviceId
from trivet.fabric.replica.operation import MAX_COUNT, Span, read_span
from trivet.fabric.request import fingerprint as fingerprint_of

VERSION = 1
#: Bytes of an update; one fits into a message, vector and all.
MAX_BYTES = 128 * 1024
#: What the first update of an incarnation follows.
BEGINNING = bytes(32)
_HEAD = bytes([VERSION])
_NUMBER = 32
_SIGNED = 2 * _NUMBER
_ECDSA = ec.ECDSA(hashes.SHA256())
_NO_PEER = (1 << 64) - 1
#: Order of the curve P-256: with (r, s) verifies (r, order - s) too, so of the two the
#: lower s alone is taken. Else whoever hands an update on could make a second of it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Incarnation = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Counter = Annotated[int, Meta(ge=0, le=MAX_COUNT)]


class Claim(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    """What an update says of itself; see the module.

    Attributes:
        author: id of the device that wrote it.
        fingerprint: of its key.
        incarnation: drawn anew whenever the author cannot be sure that it knows all
            that it wrote before.
        start: number of the first operation.
        end: of the one after the last.
        previous: digest of the update before it.
        data: the operations.
    """

    author: DeviceId
    fingerprint: Digest
    incarnation: Incarnation
    start: Counter
    end: Counter
    previous: Digest
    data: Annotated[bytes, Meta(max_length=MAX_BYTES)]


class Update:
    """An update as it was read; whether it is its author's is for `is_signed_by`.

    Attributes:
        claim: what it says.
        raw: its bytes, as they are handed on.
    """

    __slots__ = ("__dict__", "claim", "raw")

    def __init__(self, claim: Claim, raw: bytes) -> None:
        self.claim = claim
        self.raw = raw

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all its bytes."""
        return sha256(self.raw).digest()

    @cached_property
    def peer(self) -> int:
        """Loro's number of who wrote it."""
        return peer_of(self.claim.fingerprint, self.claim.incarnation)

    def span(self) -> Span:
        """The operations that it holds.

        Raises:
            WireError: they are malformed, or others than it says.
        """
        claim = self.claim
        return read_span(self.peer, claim.start, claim.end, claim.data)

    def is_signed_by(self, public: ec.EllipticCurvePublicKey, household: str) -> bool:
        """Whether the holder of this key signed it for this household."""
        return is_signed(public, "state", household, self.raw)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Claim)


@lru_cache(maxsize=4096)
def peer_of(fingerprint: bytes, incarnation: int) -> int:
    """Loro's number of a key in one incarnation."""
    digest = sha256(fingerprint + incarnation.to_bytes(8, "big")).digest()
    return int.from_bytes(digest[:8], "big")


def new_incarnation(fingerprint: bytes) -> int:
    """An incarnation that was never used before."""
    while True:
        drawn = secrets.randbits(63)
        if peer_of(fingerprint, drawn) != _NO_PEER:
            return drawn


def sign_update(
    private: ec.EllipticCurvePrivateKey, household: str, claim: Claim
) -> Update:
    """The claim as an update of the holder of this key."""
    body = _HEAD + _encoder.encode(claim)
    return Update(claim, sign(private, "state", household, body))


def read_update(raw: bytes) -> Update:
    """The update in `raw`, not believed yet.

    Raises:
        WireError: it is none, or contradicts itself.
    """
    if not _SIGNED + len(_HEAD) < len(raw) <= MAX_BYTES:
        raise WireError(f"an update of {len(raw)} bytes")
    if raw[0] != VERSION:
        raise WireError(
            f"an update of version {raw[0]}, this device knows {VERSION}",
            hint="update trivet on the older of the two devices",
        )
    try:
        claim = _decoder.decode(memoryview(raw)[1:-_SIGNED])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed update: {error}") from error
    made = Update(claim, raw)
    if claim.start >= claim.end or made.peer == _NO_PEER:
        raise WireError(f"an update of {claim.author} holds nothing")
    if (claim.start == 0) != (claim.previous == BEGINNING):
        raise WireError(f"an update of {claim.author} does not say what it follows")
    return made


def fingerprint_bytes(public: ec.EllipticCurvePublicKey) -> bytes:
    """The fingerprint of a key, as updates hold it."""
    return bytes.fromhex(fingerprint_of(public))


def sign(
    private: ec.EllipticCurvePrivateKey, what: str, household: str, body: bytes
) -> bytes:
    """The body with a signature behind it, as a document of the kind `what`."""
    r, s = decode_dss_signature(private.sign(_said(what, household, body), _ECDSA))
    s = min(s, _ORDER - s)
    return body + r.to_bytes(_NUMBER, "big") + s.to_bytes(_NUMBER, "big")


def is_signed(
    public: ec.EllipticCurvePublicKey, what: str, household: str, raw: bytes
) -> bool:
    """Whether `sign` gave `raw` to the holder of this key."""
    body, mark = raw[:-_SIGNED], raw[-_SIGNED:]
    r, s = (int.from_bytes(mark[i : i + _NUMBER], "big") for i in (0, _NUMBER))
    if s > _ORDER // 2:
        return False
    try:
        public.verify(encode_dss_signature(r, s), _said(what, household, body), _ECDSA)
    except InvalidSignature:
        return False
    return True


def body_of(raw: bytes) -> bytes:
    """What `sign` was given."""
    return raw[:-_SIGNED]


def _said(what: str, household: str, body: bytes) -> bytes:
    name = household.encode()
    return f"trivet {what} 1\0".encode() + bytes([len(name)]) + name + body
