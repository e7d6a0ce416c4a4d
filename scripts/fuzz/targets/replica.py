"""The replicated state: updates, operations, statements, grounds, questions.

Whoever signs an update writes into it what it likes: `state-operations` alters what is
inside, and gives it to Loro.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec
from loro import CounterSpan, IdSpan, LoroDoc
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.signed import DEVICE
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import WireError
from trivet.fabric.replica.change import Add, Move, Put, Tick
from trivet.fabric.replica.document import StateDocument
from trivet.fabric.replica.ground import read_ground, sign_ground
from trivet.fabric.replica.intake import Carried
from trivet.fabric.replica.operation import Group, Span, from_loro, read_span
from trivet.fabric.replica.protocol import (
    Batch,
    Compacted,
    Fetch,
    Part,
    Pull,
    Push,
    Standing,
    encode,
    read_answer,
    read_question,
)
from trivet.fabric.replica.store import Known
from trivet.fabric.replica.update import (
    BEGINNING,
    Claim,
    fingerprint_bytes,
    peer_of,
    read_update,
    sign,
    sign_update,
)
from trivet.fabric.replica.vector import Head, Seen, read_seen, rows_of, sign_seen

_PRINT = fingerprint_bytes(DEVICE.public_key())
_PEER = peer_of(_PRINT, 7)
_KEYS = {"phone": DEVICE.public_key()}
_CHANGES = (
    (Put("people/ada/name", "Ada"), Put("settings/heating/comfort_c", 21.5)),
    (Add("groceries", "milk"), Add("groceries", "bread"), Tick("groceries", "milk")),
    (Move("groceries", "bread", 0), Put("settings/on", True), Put("settings/n", -7)),
)


@contextmanager
def _quiet() -> Iterator[None]:
    """Loro's panics are caught; what they print would fill the screen."""
    os.environ["RUST_BACKTRACE"] = "0"  # the names in it take 50 MiB
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _written() -> tuple[tuple[Span, bytes], ...]:
    """Operations that follow each other, then all at once, then what is newer."""
    document, made = StateDocument(_PEER), []
    for edit in _CHANGES:
        written = document.write([edit])
        assert written is not None
        made.append(written)
    whole = StateDocument(_PEER).write(_CHANGES)
    assert whole is not None
    return (*made, whole, _nested())


def _updates() -> tuple[bytes, ...]:
    raws, previous = [], BEGINNING
    for span, data in _written()[:3]:
        claim = Claim("phone", _PRINT, 7, span.start, span.end, previous, data)
        update = sign_update(DEVICE, "ours", claim)
        previous = update.digest
        raws.append(update.raw)
    return tuple(raws)


def _operations(data: bytes) -> None:
    """Whatever it is, the document has it, or is made anew without it."""
    with _quiet():
        groups = msgspec.msgpack.decode(data)
        length = sum(_length(group) for group in groups)
        base = _written()[0][0]
        for first in ([], [base]):
            start = first[0].end if first else 0
            span = read_span(_PEER, start, start + length, data)
            document = StateDocument.of(_PEER, None, first)
            before = document.counters()
            with suppress(WireError):
                document.take(span)
                assert document.counters() == {**before, _PEER: span.end}
                document.values()
                document.write([(Put("settings/after", 1),)])
                StateDocument.of(_PEER, None, [*first, span])


def _length(group: object) -> int:
    """So many numbers as it takes, so that it gets past that check."""
    return msgspec.convert(group, Group).length


def _update(data: bytes) -> None:
    update = read_update(data)
    assert not update.is_signed_by(_KEYS["phone"], "ours") or data in _updates()


def _message(data: bytes) -> None:
    for read in (read_question, read_answer):
        with suppress(WireError):
            message = read(data)
            assert read(encode(message)) == message


def _statement(data: bytes) -> None:
    seen = read_seen(sign(DEVICE, "state seen", "ours", data), "ours", _KEYS)
    assert seen is None or len(seen.vector) <= len(seen.rows)


def _ground(data: bytes) -> None:
    ground = read_ground(sign(DEVICE, "state ground", "ours", data), "ours", _KEYS)
    assert all(
        peer == peer_of(known.fingerprint, known.incarnation)
        for peer, known in ground.heads.items()
    )


def _messages() -> tuple[bytes, ...]:
    rows = rows_of({_PEER: Head(3, bytes(8)), 5: Head(1, b"12345678")})
    carried = tuple(Carried(raw) for raw in _updates())
    messages = (
        Pull(rows, (bytes(90),)),
        Batch(carried, rows, True, (bytes(8),), (bytes(90),)),
        Push((*carried, Carried(carried[0].raw, bytes(64))), rows),
        Standing(rows, 3, "why"),
        Compacted(bytes(32), 1000, bytes(90)),
        Fetch(bytes(32), 100),
        Part(bytes(100)),
    )
    return tuple(encode(message) for message in messages)


def _statements() -> tuple[bytes, ...]:
    rows = rows_of({_PEER: Head(3, bytes(8)), 5: Head(1, b"12345678")})
    return (sign_seen(DEVICE, "ours", Seen("phone", 1_777_636_800_000, rows))[:-64],)


def _grounds() -> tuple[bytes, ...]:
    heads = {_PEER: Known("phone", _PRINT, 7, 2, bytes(32))}
    return (sign_ground(DEVICE, "ours", "phone", heads, bytes(100)).raw[:-64],)


def _nested() -> tuple[Span, bytes]:
    """What only a newer version would write: containers within containers."""
    document: LoroDoc = LoroDoc()  # type: ignore[no-untyped-call]
    document.peer_id = _PEER
    inner = document.get_map("settings").ensure_mergeable_map("nested")
    inner.insert("deep", {"a": [1, {"b": None}], "c": 2.5})
    document.get_text("note").insert(0, "Hello")
    document.get_list("plain").push("item")
    document.commit()
    made = IdSpan(_PEER, CounterSpan(0, document.len_ops))
    return from_loro(_PEER, 0, document.export_json_in_id_span(made))


TARGETS: Makers = {
    "state-update": lambda: Target(
        "state-update", _updates(), _update, (WireError,), MSGPACK, head=1, slowness=2
    ),
    "state-message": lambda: Target(
        "state-message", _messages(), _message, (WireError,), MSGPACK
    ),
    "state-seen": lambda: Target(
        "state-seen", _statements(), _statement, (WireError,), MSGPACK, slowness=5
    ),
    "state-ground": lambda: Target(
        "state-ground", _grounds(), _ground, (WireError,), MSGPACK, slowness=5
    ),
    "state-operations": lambda: Target(
        "state-operations",
        tuple(data for _, data in _written()),
        _operations,
        (WireError, msgspec.MsgspecError, TypeError, RecursionError, UnicodeError),
        MSGPACK,
        slowness=20,
    ),
}
