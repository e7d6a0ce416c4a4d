"""Words about seats are read strictly, whatever bytes come."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import UsageError, WireError
from trivet.domain.wire import Command, Document, decode, encode
from trivet.fabric.seat import Roll, check_seat, pack, unpack
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

ROLL = Roll(3, ("car", "home"))
WORDS: tuple[Word, ...] = (
    Bid("engine", 1, 2, 3, ROLL, True),
    Promise("engine", 1, 2, 3, (ROLL,)),
    Denial("engine.ada", 2, 3, Why.HELD, 1, "home", 1500),
    Release("engine", 2, 3, "phone"),
    Claim("issuer"),
    Done("issuer"),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_is_read_as_it_was_said(word: Word) -> None:
    assert unpack(decode(encode(pack(word)))) == word


@given(st.binary(max_size=200))
def test_other_bytes_are_none(data: bytes) -> None:
    with contextlib.suppress(WireError):
        unpack(Document("seat", data))


@pytest.mark.parametrize(
    "fields",
    [
        ["bid", "engine", 0, 2, 3, [1, ["home"]]],
        ["bid", "engine", 1, 2, 3, [1, []]],
        ["bid", "engine", 1, 2, 3, [1, ["Home"]]],
        ["bid", "engine", 1.5, 2, 3, [1, ["home"]]],
        ["bid", "engine", 1 << 54, 2, 3, [1, ["home"]]],
        ["bid", "engine", 1, -2, 3, [1, ["home"]]],
        ["bid", "Engine", 1, 2, 3, [1, ["home"]]],
        ["bid", "engine", 1, 2, 3, [1, ["home"]], False, False, 1],
        ["denial", "engine", 1, 2, "tired"],
        ["denial", "engine", 1, 2, "held", 1, "home", 60_001],
        ["claim", "engine", 1],
        ["king", "engine"],
    ],
)
def test_attack_words_out_of_range(fields: list[object]) -> None:
    with pytest.raises(WireError, match="no word about a seat"):
        unpack(Document("seat", msgspec.msgpack.encode(fields)))


def test_a_seat_has_a_name_of_one() -> None:
    assert check_seat("engine.ada") == "engine.ada"
    for name in ("", "Engine", "a/b", "x" * 64, "engine\n"):
        with pytest.raises(UsageError, match="no name of a seat"):
            check_seat(name)


# --- a command that says for which seat -----------------------------------------------


class OldCommand(msgspec.Struct, frozen=True, tag="command"):
    """As devices know it that know of no seats."""

    path: str
    value: bool
    time: float


def test_an_older_device_reads_a_command_with_a_seat() -> None:
    data = encode(Command("lock.front", True, 1.0, "engine", 7))
    old = msgspec.msgpack.decode(data[1:], type=OldCommand)
    assert old == OldCommand("lock.front", True, 1.0)


def test_an_older_devices_command_is_a_persons() -> None:
    body = msgspec.msgpack.encode(OldCommand("lock.front", True, 1.0))
    command = decode(encode(Command("a", 1, 1.0))[:1] + body)
    assert command == Command("lock.front", True, 1.0)
    assert isinstance(command, Command)
    assert (command.seat, command.token) == ("", 0)


@pytest.mark.parametrize(
    ("seat", "token"), [("engine", -1), ("engine", 1 << 54), ("No Seat", 1)]
)
def test_attack_a_command_with_a_seat_or_token_out_of_range(
    seat: str, token: int
) -> None:
    with pytest.raises(UsageError):
        encode(Command("lock.front", True, 1.0, seat, token))
