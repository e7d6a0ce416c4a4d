"""Words about tasks: what is taken is what was said, and nothing else is taken."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import UsageError, WireError
from trivet.domain.wire import Ack, Document, decode, encode
from trivet.fabric.offload.message import (
    MAX_PARTS,
    PART_BYTES,
    Cancel,
    Condition,
    Failure,
    Flaw,
    Full,
    Look,
    More,
    Offer,
    Offered,
    Part,
    Result,
    Stage,
    Status,
    Submit,
    Taken,
    Word,
    expect,
    pack,
    unpack,
)
from trivet.fabric.offload.parcel import Parcel, first_part, further_parts

RUN = "0123456789abcdef0123456789abcdef"
DIGEST = "0123456789abcdef"
WORDS: tuple[Word, ...] = (
    Look(),
    Offer((Offered("add", DIGEST, 0.1, 0.2, 3),), Condition(0.02, 900), 2, 1.5),
    Offer((), Condition(0.02, 900, False, 0.5, 0.7), 0, 0.0),
    Submit(RUN, "add", DIGEST, 1, b"\x01"),
    Part(RUN, 1, b"x"),
    More(RUN, 1, b"x"),
    Status(RUN),
    Cancel(RUN),
    Taken(Stage.QUEUED, 1.0, 0.0, 1),
    Full(2.0),
    Result(RUN, 1, b"\x02", 0.1, 0.2),
    Failure(RUN, Flaw.DIED, "it ended"),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_a_word_crosses_the_wire_as_it_is(word: Word) -> None:
    assert unpack(decode(encode(pack(word)))) == word


def test_the_largest_part_fits_into_one_message() -> None:
    data = bytes(PART_BYTES)
    for word in (Submit(RUN, "a" * 64, DIGEST, 1 << 24, data), More(RUN, 1, data)):
        assert unpack(decode(encode(pack(word)))) == word


@pytest.mark.parametrize(
    "word",
    [
        Status("x"),
        Status(RUN.upper()),
        Status(RUN + "0"),
        Submit(RUN, "Add", DIGEST, 0, b""),
        Submit(RUN, "add", DIGEST, (16 << 20) + 1, b""),
        Submit(RUN, "add", DIGEST, -1, b""),
        Submit(RUN, "add", DIGEST, 1, bytes(PART_BYTES + 1)),
        Part(RUN, MAX_PARTS, b""),
        Full(-1.0),
        Full(float("inf")),
        Taken(Stage.QUEUED, parts=-1),
        Failure(RUN, Flaw.DIED, "x" * 1001),
        Offer((), Condition(0.0, 1), 1, 0.0),
        Offer((), Condition(5e-324, 1), 1, 0.0),
        Offer((), Condition(1.0, 1, charge=1.5), 1, 0.0),
    ],
    ids=lambda word: type(word).__name__,
)
def test_attack_a_word_that_may_not_be_is_neither_sent_nor_taken(word: Word) -> None:
    with pytest.raises(UsageError):
        pack(word)
    kind = f"task.{type(word).__name__.lower()}"
    with pytest.raises(WireError, match=f"malformed {kind}"):
        unpack(Document(kind, msgspec.msgpack.encode(word)))


def test_attack_a_number_that_is_none_is_not_taken() -> None:
    body = msgspec.msgpack.encode({"wait_s": float("nan")})
    with pytest.raises(WireError):
        unpack(Document("task.full", body))


@pytest.mark.parametrize(
    "message", [None, Ack(True), Document("task"), Document("charter", b"\x80")]
)
def test_attack_what_is_no_word_is_not_taken(message: Ack | Document | None) -> None:
    with pytest.raises(WireError, match="no word about a task"):
        unpack(message)


@given(kind=st.sampled_from([pack(word).kind for word in WORDS]), body=st.binary())
def test_attack_any_bytes_are_a_word_or_an_error(kind: str, body: bytes) -> None:
    try:
        word = unpack(Document(kind, body))
    except WireError:
        return
    assert unpack(pack(word)) == word


def test_an_answer_of_another_kind_is_its_senders_fault() -> None:
    assert expect(Full(1.0), Full, "phone") == Full(1.0)
    with pytest.raises(WireError, match="phone answered a look"):
        expect(Look(), Taken, "phone")


# --- parcels ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES]
)
def test_parts_make_the_whole(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    parcel = Parcel(size, first_part(data))
    for index, part in further_parts(data):
        assert not parcel.is_whole
        assert parcel.add(index, part)
    assert parcel.is_whole
    assert parcel.open() == data


def test_a_part_that_comes_twice_is_taken_once() -> None:
    parcel = Parcel(PART_BYTES + 2, bytes(PART_BYTES))
    assert not parcel.add(0, bytes(PART_BYTES))
    assert parcel.add(1, b"ab")
    assert not parcel.add(1, b"ab")
    assert parcel.open() == bytes(PART_BYTES) + b"ab"


@pytest.mark.parametrize(
    ("index", "data", "says"),
    [
        (0, b"another", "came twice, and not the same"),
        (1, b"abc", "has 3 bytes, 2 were due"),
        (1, b"", "has 0 bytes, 2 were due"),
        (2, b"ab", "came where 1 was due"),
    ],
)
def test_attack_a_part_that_is_not_due_is_not_taken(
    index: int, data: bytes, says: str
) -> None:
    parcel = Parcel(PART_BYTES + 2, bytes(PART_BYTES))
    with pytest.raises(WireError, match=says):
        parcel.add(index, data)


def test_attack_a_whole_that_is_more_than_announced_is_not_taken() -> None:
    with pytest.raises(WireError):
        Parcel(1, b"ab")
    with pytest.raises(WireError):
        Parcel(3, b"ab")
    with pytest.raises(WireError):
        Parcel(1, b"a").add(1, b"")


@given(
    size=st.integers(0, 1000),
    parts=st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=300)), max_size=9),
)
def test_attack_no_parts_make_it_hold_more_than_announced(
    size: int, parts: list[tuple[int, bytes]]
) -> None:
    try:
        parcel = Parcel(size, bytes(size))
        for index, data in parts:
            parcel.add(index, data)
    except WireError:
        return
    assert parcel.open() == bytes(size)
