"""Words about seats: as they are read, and as a device answers whoever may say them."""

from __future__ import annotations

from contextlib import suppress
from random import Random

from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import RefusedError, WireError
from trivet.domain.wire import Document
from trivet.fabric.seat import MemoryBook, Roll, Table, View, pack, unpack
from trivet.fabric.seat.timing import PROMISE_S
from trivet.fabric.seat.word import (
    Bid,
    Claim,
    Denial,
    Done,
    Promise,
    Release,
    Why,
    Word,
)

_DEVICES = ("car", "home", "phone", "visitor")
_ROLL = Roll(3, _DEVICES[:3])
_WIDER = Roll(4, (*_DEVICES[:3], "tablet"))
_WORDS: tuple[Word, ...] = (
    Bid("engine", 2, 7, 1, _ROLL),
    Bid("engine", 1, 9, 4, _ROLL, True),
    Bid("issuer", 1, 9, 4, _WIDER, False, True),
    Promise("engine", 1, 9, 4, (_ROLL, _WIDER)),
    Denial("engine.ada", 9, 4, Why.HELD, 1, "home", 1500),
    Release("engine", 9, 4, "phone"),
    Claim("engine"),
    Done("issuer"),
)
_BODIES = tuple(pack(word).body for word in _WORDS)
_START, _NOW = 1000.0, 1010.0


def _word(data: bytes) -> None:
    word = unpack(Document("seat", data))
    # what is taken could have been sent: nothing is half understood
    assert unpack(pack(word)) == word


def _answer(data: bytes) -> None:
    """First byte: who says it, to a phone that has promised the home the engine."""
    asker, body = _DEVICES[(data[:1] or b"\0")[0] % 4], data[1:]
    view = View("phone", _ROLL, ("home", "phone", "car"), frozenset(_ROLL.devices))
    book, views = MemoryBook(), {"engine": view}
    phone = Table("phone", book, views, _ROLL, Random(1), _START)
    phone.answer("home", Bid("engine", 1, 9, 4, _ROLL, True), _NOW)
    word = unpack(Document("seat", body))
    with suppress(RefusedError):
        pack(phone.answer(asker, word, _NOW + 0.1))
    phone.tick(_NOW + 0.2)
    running = phone.voter.running("engine", _NOW + 0.2)
    if asker != "home":
        assert running is not None, "another ended the home's promise"
        assert running.device == "home", "promised to two at once"
        phone.fence.admit("engine", 1, "home")
    # whatever was said, what is kept can be read again, and the seat is not lost
    again = Table("phone", book, views, _ROLL, Random(1), _START)
    assert again.voter.record("engine") == phone.voter.record("engine")
    record = again.voter.record("engine")
    assert record is not None
    bid = Bid("engine", record.token + 1, 1, 1, _ROLL)
    assert isinstance(again.voter.bid("car", bid, _START + PROMISE_S + 0.1), Promise)


TARGETS: Makers = {
    "seat-word": lambda: Target(
        "seat-word", _BODIES, _word, (WireError,), codec=MSGPACK
    ),
    "seat-answer": lambda: Target(
        "seat-answer",
        tuple(bytes([at]) + body for at in range(4) for body in _BODIES),
        _answer,
        (WireError,),
        codec=MSGPACK,
        head=1,
        slowness=2,
    ),
}
