"""What replicas ask each other, and answer, as bytes within a Document.

pull     what I have                -> batch      what you lack of mine, a part of it
-> compacted  that was forgotten: fetch a ground
push     here is what you lack      -> standing   what I have now
fetch    a part of a ground         -> part       its bytes
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.error import WireError
from trivet.fabric.replica import ground, vector
from trivet.fabric.replica.intake import Carried
from trivet.fabric.replica.update import Digest
from trivet.fabric.replica.vector import Rows

#: Bytes of what is carried in one message, the vector included.
MAX_BODY = 200 * 1024
#: Bytes of a ground in one message.
MAX_PART = 192 * 1024
#: Statements in one message; what has no room goes with the next.
MAX_SEEN = 256

_Statements = Annotated[
    tuple[Annotated[bytes, Meta(max_length=vector.MAX_BYTES)], ...],
    Meta(max_length=MAX_SEEN),
]
_Updates = Annotated[tuple[Carried, ...], Meta(max_length=4096)]
_Peer = Annotated[bytes, Meta(min_length=8, max_length=8)]


class Pull(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="pull",
):
    """Give me what I lack.

    Attributes:
        rows: what the asker has.
        seen: what devices said that they have; the asker's own word among them.
    """

    rows: Rows
    seen: _Statements = ()


class Batch(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="batch",
):
    """A part of what the asker lacks.

    Attributes:
        updates: in the order in which they are to be taken in.
        rows: what the answerer has.
        has_more: whether this is not all.
        forked: peers of which the two have different updates.
        seen: what devices said that they have.
    """

    updates: _Updates
    rows: Rows
    has_more: bool = False
    forked: Annotated[tuple[_Peer, ...], Meta(max_length=vector.MAX_PEERS)] = ()
    seen: _Statements = ()


class Push(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="push",
):
    """Take what you lack.

    Attributes:
        updates: in the order in which they are to be taken in.
        rows: what the asker has.
    """

    updates: _Updates
    rows: Rows


class Standing(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="standing",
):
    """What the answerer has now, on its disk.

    Attributes:
        rows: its vector.
        taken: how many updates it took in.
        fault: why it refused one, if it did.
    """

    rows: Rows
    taken: Annotated[int, Meta(ge=0)]
    fault: Annotated[str, Meta(max_length=1000)] = ""


class Compacted(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="compacted",
):
    """What the asker lacks was forgotten; a ground stands for it.

    Attributes:
        digest: of the ground.
        size: its bytes.
        proof: the asker's own word that it had all of that once, if there is one.
    """

    digest: Digest
    size: Annotated[int, Meta(ge=1, le=ground.MAX_BYTES)]
    proof: Annotated[bytes, Meta(max_length=vector.MAX_BYTES)] = b""


class Fetch(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="fetch",
):
    """Give me a part of a ground, from `offset` on."""

    digest: Digest
    offset: Annotated[int, Meta(ge=0, le=ground.MAX_BYTES)]


class Part(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    forbid_unknown_fields=True,
    tag="part",
):
    """A part of a ground; empty when that ground is there no more."""

    data: Annotated[bytes, Meta(max_length=MAX_PART)]


Question: TypeAlias = Pull | Push | Fetch
Answer: TypeAlias = Batch | Standing | Compacted | Part

_encoder = msgspec.msgpack.Encoder()
_questions = msgspec.msgpack.Decoder(Question)
_answers = msgspec.msgpack.Decoder(Answer)


def encode(message: Question | Answer) -> bytes:
    """The message as bytes."""
    return _encoder.encode(message)


def read_question(data: bytes) -> Question:
    """The question in `data`.

    Raises:
        WireError: it is none.
    """
    try:
        question: Question = _questions.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed question about the state: {error}") from error
    return question


def read_answer(data: bytes) -> Answer:
    """The answer in `data`.

    Raises:
        WireError: it is none.
    """
    try:
        answer: Answer = _answers.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed answer about the state: {error}") from error
    return answer


def room_for(rows: Rows, seen: tuple[bytes, ...] = ()) -> int:
    """Bytes that are left for updates beside these."""
    return MAX_BODY - 24 * len(rows) - sum(len(raw) + 8 for raw in seen)


def fitting(statements: dict[str, bytes], first: str) -> tuple[bytes, ...]:
    """As many statements as there is room for, that of the device `first` first."""
    left = MAX_BODY // 4
    chosen: list[bytes] = []
    for device in sorted(statements, key=lambda one: (one != first, one)):
        raw = statements[device]
        if len(raw) <= left and len(chosen) < MAX_SEEN:
            chosen.append(raw)
            left -= len(raw)
    return tuple(chosen)
