"""A wish to forget and its answer survive the wire; anything else is told apart."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import UsageError, WireError
from trivet.domain.wire import Ack, Document, decode, encode
from trivet.fabric.history.forget import (
    Forget,
    Forgotten,
    decode_forget,
    encode_forget,
    forget_message,
    forgotten_message,
    make_forget,
    read_forget,
    read_forgotten,
)

wishes = st.builds(
    make_forget,
    st.lists(st.sampled_from(["**", "location", "Vehicle.**", "lock.*"]), min_size=1),
    st.floats(0, 1e9),
    st.floats(1.1e9, 7e9),
)
answers = st.tuples(st.integers(0, 1 << 40), st.integers(0, 9), st.booleans())


@given(wishes, answers)
def test_a_wish_and_its_answer_cross_the_wire(
    wish: Forget, counts: tuple[int, int, bool]
) -> None:
    assert read_forget(decode(encode(forget_message(wish)))) == wish
    answer = Forgotten(wish.id, *counts)
    sent = decode(encode(forgotten_message(answer)))
    assert read_forgotten(sent, wish) == answer


def test_an_answer_to_another_wish_is_none() -> None:
    one, other = make_forget(), make_forget()
    with pytest.raises(WireError, match="another wish"):
        read_forgotten(forgotten_message(Forgotten(one.id, 0, 0, True)), other)
    with pytest.raises(WireError, match="no answer"):
        read_forgotten(Ack(True), one)


def test_a_question_that_says_nothing_is_refused() -> None:
    for message in (None, Ack(True), Document("charter", b"")):
        with pytest.raises(UsageError, match="told what"):
            read_forget(message)


@pytest.mark.parametrize(
    "wish",
    [
        ("0" * 16, 5.0, 5.0, ("**",)),
        ("0" * 16, 6.0, 5.0, ("**",)),
        ("0" * 16, 0.0, 5.0, ()),
        ("0" * 16, 0.0, 5.0, ("**",) * 65),
        ("0" * 16, 0.0, 5.0, ("a b",)),
        ("0" * 16, 0.0, 5.0, ("%",)),
        ("0" * 16, -1.0, 5.0, ("**",)),
        ("0" * 16, 0.0, 1e18, ("**",)),
        ("0" * 16, float("nan"), 5.0, ("**",)),
        ("0" * 16, 0.0, float("nan"), ("**",)),
        ("../../../etc", 0.0, 5.0, ("**",)),
        ("0" * 16, 0.0, 5.0, ("**",), "more"),
        ("0" * 16, 0.0, 5.0),
    ],
)
def test_attack_a_wish_that_means_nothing(wish: tuple[object, ...]) -> None:
    with pytest.raises(WireError):
        decode_forget(msgspec.msgpack.encode(wish))


@given(st.binary(max_size=80))
def test_attack_bytes_in_place_of_a_wish(data: bytes) -> None:
    with suppress(WireError):
        wish = decode_forget(data)
        assert decode_forget(encode_forget(wish)) == wish


@given(wishes, st.data())
def test_attack_a_wish_with_bytes_altered(wish: Forget, data: st.DataObject) -> None:
    body = bytearray(encode_forget(wish))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        altered = decode_forget(bytes(body))
        assert altered.since < altered.until


def test_a_span_is_half_open() -> None:
    wish = make_forget(["lock.*"], 10.0, 20.0)
    assert wish.covers("lock.front", 10.0)
    assert not wish.covers("lock.front", 20.0)
    assert not wish.covers("lock.front", 9.9)
    assert not wish.covers("light.hall", 15.0)
    with pytest.raises(UsageError, match="no time between"):
        make_forget(since=5.0, until=5.0)
    with pytest.raises(UsageError, match="cannot be forgotten"):
        make_forget(["a..b"])
