"""Vectors: how far a replica knows each peer, and a device's signed word on its own.

With the number of operations goes the start of the digest of the update that ends
there: two devices that hold different updates of one peer see it when they compare,
even if both have as many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import WireError
from trivet.domain.sample import DeviceId
from trivet.fabric.replica.operation import MAX_COUNT
from trivet.fabric.replica.update import (
    body_of,
    is_signed,
    sign,
)

#: Peers of a household's state, all incarnations of all devices there ever were.
MAX_PEERS = 2048
MAX_BYTES = MAX_PEERS * 24 + 512
_MARK = 8


class Head(NamedTuple):
    """How far a peer is known.

    Attributes:
        end: number of its next operation.
        mark: the first bytes of the digest of its last update that is known.
    """

    end: Annotated[int, Meta(ge=1, le=MAX_COUNT)]
    mark: Annotated[bytes, Meta(min_length=_MARK, max_length=_MARK)]


Vector: TypeAlias = Mapping[int, Head]
#: A vector on the wire: (peer, end, mark); the peer in 8 bytes, big endian.
Row: TypeAlias = tuple[
    Annotated[bytes, Meta(min_length=8, max_length=8)],
    Annotated[int, Meta(ge=1, le=MAX_COUNT)],
    Annotated[bytes, Meta(min_length=_MARK, max_length=_MARK)],
]
Rows: TypeAlias = Annotated[tuple[Row, ...], Meta(max_length=MAX_PEERS)]


class Seen(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device's word on what it has; it holds until its next one.

    Attributes:
        device: its id.
        made: when, in milliseconds since 1970-01-01 UTC by its clock.
        rows: its vector.
    """

    device: DeviceId
    made: Annotated[int, Meta(ge=0, le=1 << 53)]
    rows: Rows

    @property
    def vector(self) -> dict[int, Head]:
        """The vector."""
        return read_rows(self.rows)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Seen)


def mark_of(digest: bytes) -> bytes:
    """What stands for an update in a vector."""
    return digest[:_MARK]


def rows_of(vector: Vector) -> Rows:
    """The vector for the wire."""
    return tuple(
        (peer.to_bytes(8, "big"), head.end, head.mark)
        for peer, head in sorted(vector.items())
    )


def read_rows(rows: Rows) -> dict[int, Head]:
    """The vector from the wire."""
    return {int.from_bytes(peer, "big"): Head(end, mark) for peer, end, mark in rows}


def counters_of(vector: Vector) -> dict[int, int]:
    """The vector without its marks."""
    return {peer: head.end for peer, head in vector.items()}


def covers(mine: Vector, theirs: Vector) -> bool:
    """Whether all of `theirs` is in `mine`."""
    return all(
        peer in mine and mine[peer].end >= head.end for peer, head in theirs.items()
    )


def meet(vectors: Iterable[Vector]) -> dict[int, int]:
    """What all of them have."""
    known: dict[int, int] | None = None
    for vector in vectors:
        ends = counters_of(vector)
        if known is None:
            known = ends
        known = {p: min(end, ends[p]) for p, end in known.items() if p in ends}
    return known or {}


def sign_seen(private: ec.EllipticCurvePrivateKey, household: str, seen: Seen) -> bytes:
    """The statement as bytes, signed by its device."""
    return sign(private, "state seen", household, _encoder.encode(seen))


def read_seen(
    raw: bytes, household: str, keys: Mapping[str, ec.EllipticCurvePublicKey]
) -> Seen | None:
    """The statement in `raw`; None if its device is not of the household now.

    Raises:
        WireError: it is none, or not signed by its device.
    """
    if not 64 < len(raw) <= MAX_BYTES:
        raise WireError(f"a statement of {len(raw)} bytes")
    try:
        seen = _decoder.decode(body_of(raw))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed statement: {error}") from error
    public = keys.get(seen.device)
    if public is None:
        return None
    if not is_signed(public, "state seen", household, raw):
        raise WireError(f"what {seen.device} has is not its own word")
    return seen
