"""The short way through the wire: it says yes only where the long way does."""

from __future__ import annotations

from contextlib import suppress
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.domain.test_wire import MESSAGES, PATHS, VALUES

from trivet.domain import wire
from trivet.domain.error import UsageError, WireError
from trivet.domain.sample import Position, Sample
from trivet.domain.wire import Message, decode, encode

ANY_NUMBER = st.floats() | st.integers(-(2**64), 2**65) | st.booleans()
ANY_POSITION = st.builds(
    Position,
    lat=st.floats(),
    lon=st.floats(),
    accuracy_m=st.none() | st.floats(),
    altitude_m=st.none() | st.floats(),
    speed_mps=st.none() | st.floats(),
    course_deg=st.none() | st.floats(),
)
ANY_SAMPLE = st.builds(
    Sample,
    device=st.sampled_from(["car", "Car", "", "car\n", "-"]) | st.text(max_size=5),
    path=PATHS | st.text(max_size=5) | st.sampled_from(["a\n", "x" * 201]),
    time=st.sampled_from([0, 1.0, -1.0, nan, inf, 7_258_118_401.0]),
    value=VALUES | ANY_NUMBER | ANY_POSITION | st.just("x" * 1025),
    quality=st.sampled_from([0, 1, 3, 4]),
)


def long_way(body: bytes) -> Message | None:
    """What a message is without the short way, None if it is none."""
    try:
        message: Message = wire._decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return None if wire._not_finite(message) else message


def same(one: object, other: object) -> bool:
    """Equal, and of the same types: True is not 1, nor 1 the same as 1.0."""
    return repr(one) == repr(other)


@given(ANY_SAMPLE)
@settings(max_examples=300, deadline=None)
@example(Sample("car", "a", 1.0, Position(0.0, 0.0, altitude_m=nan)))
@example(Sample("car", "a", 1.0, Position(0.0, 0.0, 1.7e308, 1.7e308)))
@example(Sample("car", "a", 1.0, Position(0.0, 0.0, inf, -inf)))
def test_a_sample_is_sent_exactly_if_the_long_way_would_take_it(message: Any) -> None:
    try:
        body = msgspec.msgpack.encode(message)
    except (OverflowError, UnicodeError):
        return
    expected = long_way(body)
    try:
        sent = encode(message)
    except UsageError:
        assert expected is None
    else:
        assert sent[1:] == body
        assert same(decode(sent), expected)


@given(MESSAGES[Sample], st.data())
@settings(max_examples=300, deadline=None)
def test_a_mutated_sample_is_read_as_by_the_long_way(
    message: Sample, data: st.DataObject
) -> None:
    mutant = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        mutant[data.draw(st.integers(1, len(mutant) - 1))] ^= data.draw(
            st.integers(1, 255)
        )
    read: Message | None = None
    with suppress(WireError):
        read = decode(bytes(mutant))
    assert same(read, long_way(bytes(mutant[1:])))


def test_a_field_twice_is_read_as_by_the_long_way() -> None:
    whole = msgspec.msgpack.encode(
        {"type": "sample", "device": "car", "path": "a", "time": 1.0, "value": 1}
    )
    for key, value in (("device", "Car"), ("path", "b"), ("type", "ack")):
        more = msgspec.msgpack.encode(key) + msgspec.msgpack.encode(value)
        body = bytes([whole[0] + 1]) + whole[1:] + more
        read: Message | None = None
        with suppress(WireError):
            read = decode(bytes([wire.VERSION]) + body)
        assert same(read, long_way(body))


def test_attack_filling_the_memory_with_names_that_are_none() -> None:
    before = wire._check_names.cache_info().currsize
    for number in range(50):
        body = {"device": "Car" * 1000, "path": f"a/{number}", "time": 1.0, "value": 1}
        with suppress(WireError):
            decode(bytes([wire.VERSION]) + msgspec.msgpack.encode(body))
        with suppress(WireError):
            tagged = {"type": "sample", **body}
            decode(bytes([wire.VERSION]) + msgspec.msgpack.encode(tagged))
    assert wire._check_names.cache_info().currsize == before


def test_attack_a_field_twice_the_first_one_malformed() -> None:
    twice = (
        b"\x02\x86\xa4type\xa6sample\xa6device\xa2A!\xa6device\xa3car"
        b"\xa4path\xa1x\xa4time\x01\xa5value\x02"
    )
    with pytest.raises(WireError, match="malformed"):
        decode(twice)
