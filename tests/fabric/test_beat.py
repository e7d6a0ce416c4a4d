"""The bytes of a heartbeat come from a peer: read strictly, or not at all."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import WireError
from trivet.fabric.beat import LENGTH, MAX_SENT, NEVER_MS, Beat, decode, encode

runs = st.integers(1, 0xFFFF_FFFF)
beats = st.builds(
    Beat,
    runs,
    st.just(0) | runs,
    st.integers(0, MAX_SENT),
    st.integers(0, NEVER_MS),
    st.booleans(),
    st.booleans(),
)
few = settings(max_examples=80, deadline=None)


@few
@given(beats)
def test_a_beat_is_read_as_it_was_written(beat: Beat) -> None:
    data = encode(beat)
    assert len(data) == LENGTH <= 20
    assert decode(data) == beat


@few
@given(st.binary(max_size=2 * LENGTH) | st.binary(min_size=LENGTH, max_size=LENGTH))
def test_what_is_taken_could_have_been_sent(data: bytes) -> None:
    with suppress(WireError):
        assert encode(decode(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode(Beat(7)) + b"\0",
        encode(Beat(7))[:-1],
        b"\x02" + encode(Beat(7))[1:],
        b"\x01\x04" + encode(Beat(7))[2:],
        b"\x01\x00" + bytes(LENGTH - 2),
        encode(Beat(7))[:10] + b"\xff" * 8 + b"\0\0",
    ],
)
def test_a_beat_that_cannot_be_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


def test_attack_no_mutated_beat_does_more_than_be_refused_or_be_another() -> None:
    rng, valid = Random(5), encode(Beat(0xABCDEF, 77, 1234, 400, True, True))
    for _ in range(20_000):
        data = bytearray(valid)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        with suppress(WireError):
            assert encode(decode(bytes(data))) == bytes(data)
