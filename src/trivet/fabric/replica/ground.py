"""Grounds: a snapshot that stands for the updates that everybody has seen.

It is signed by who gives it: a new device takes the giver's word for what was before
the updates that it is given with their authors' signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import WireError
from trivet.domain.sample import DeviceId
from trivet.fabric.replica.store import Known
from trivet.fabric.replica.update import (
    Counter,
    Digest,
    Incarnation,
    body_of,
    is_signed,
    peer_of,
    sign,
)
from trivet.fabric.replica.vector import MAX_PEERS

#: Bytes of a ground; a household's state is far less.
MAX_BYTES = 32 * 1024 * 1024


class _Head(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    author: DeviceId
    fingerprint: Digest
    incarnation: Incarnation
    end: Counter
    digest: Digest


_Heads = Annotated[tuple[_Head, ...], Meta(max_length=MAX_PEERS)]


class _Ground(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    giver: DeviceId
    heads: _Heads
    data: Annotated[bytes, Meta(max_length=MAX_BYTES)]


class Ground:
    """A ground as it is given.

    Attributes:
        giver: the device whose word it is.
        heads: what it covers, by peer.
        data: Loro's shallow snapshot.
        raw: its bytes, signed.
    """

    def __init__(
        self, giver: str, heads: dict[int, Known], data: bytes, raw: bytes
    ) -> None:
        self.giver = giver
        self.heads = heads
        self.data = data
        self.raw = raw

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of its bytes."""
        return sha256(self.raw).digest()


_encoder = msgspec.msgpack.Encoder()
_heads_decoder = msgspec.msgpack.Decoder(_Heads)
_decoder = msgspec.msgpack.Decoder(_Ground)


def heads_to_bytes(heads: Mapping[int, Known]) -> bytes:
    """Heads as they are kept."""
    return _encoder.encode(_rows(heads))


def heads_from_bytes(data: bytes) -> dict[int, Known]:
    """Heads as they were kept.

    Raises:
        WireError: they are none.
    """
    try:
        return _by_peer(_heads_decoder.decode(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed heads: {error}") from error


def sign_ground(
    private: ec.EllipticCurvePrivateKey,
    household: str,
    giver: str,
    heads: Mapping[int, Known],
    data: bytes,
) -> Ground:
    """What `giver` gives to a device that has nothing."""
    body = _encoder.encode(_Ground(giver, _rows(heads), data))
    raw = sign(private, "state ground", household, body)
    return Ground(giver, dict(heads), data, raw)


def read_ground(
    raw: bytes, household: str, keys: Mapping[str, ec.EllipticCurvePublicKey]
) -> Ground:
    """The ground in `raw`, signed by its giver.

    Raises:
        WireError: it is none, or not its giver's word.
    """
    if not 64 < len(raw) <= MAX_BYTES:
        raise WireError(f"a ground of {len(raw)} bytes")
    try:
        read = _decoder.decode(body_of(raw))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed ground: {error}") from error
    public = keys.get(read.giver)
    if public is None or not is_signed(public, "state ground", household, raw):
        raise WireError(f"the ground is not the word of {read.giver}")
    return Ground(read.giver, _by_peer(read.heads), read.data, raw)


def _rows(heads: Mapping[int, Known]) -> _Heads:
    return tuple(_Head(*known) for _, known in sorted(heads.items()))


def _by_peer(rows: _Heads) -> dict[int, Known]:
    found = {}
    for row in rows:
        known = Known(row.author, row.fingerprint, row.incarnation, row.end, row.digest)
        found[peer_of(row.fingerprint, row.incarnation)] = known
    if len(found) != len(rows) or any(not known.end for known in found.values()):
        raise WireError("heads that contradict each other")
    return found
