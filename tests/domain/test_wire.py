"""The wire: what is sent arrives as it was; what is no message raises WireError."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf, nan
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trivet.domain.device import Device, DeviceKind
from trivet.domain.error import PeerError, UsageError, WireError
from trivet.domain.forecast import (
    MOST_PROSPECTS,
    Candidate,
    Forecast,
    Interval,
    Prospect,
    Reason,
)
from trivet.domain.lease import (
    EXACTNESS_M,
    EndReason,
    Lease,
    LeaseEnd,
    LeaseRequest,
    Purpose,
)
from trivet.domain.sample import Position, Quality, Sample
from trivet.domain.signal import Signal, SignalKind
from trivet.domain.suggestion import (
    Action,
    Answer,
    AnswerKind,
    Need,
    Suggestion,
    Surface,
)
from trivet.domain.wire import (
    MAX_BYTES,
    VERSION,
    Ack,
    Advance,
    Command,
    Document,
    Message,
    Watermark,
    decode,
    encode,
)

TIMES = st.floats(0.0, 7_258_118_400.0)
SHARES = st.floats(0.0, 1.0)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LATS, LONS = st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
DEVICES = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,20}\Z")
PATHS = st.from_regex(r"\A[A-Za-z0-9_-]{1,9}(\.[A-Za-z0-9_-]{1,9}){0,3}\Z")


PATTERNS = st.sampled_from(["**", "*", "location", "Vehicle.**", "a.*.b", "lock.*"])
LEASES = st.from_regex(r"\A[0-9a-f]{16}\Z")


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


POSITIONS = st.builds(
    Position,
    lat=LATS,
    lon=LONS,
    accuracy_m=maybe(st.floats(0.0, 1e6)),
    altitude_m=maybe(NUMBERS),
    speed_mps=maybe(st.floats(0.0, 1e3)),
    course_deg=maybe(st.floats(0.0, 360.0)),
)
VALUES = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**64 - 1), NUMBERS, TEXTS, POSITIONS
)
SIGNALS = st.builds(
    Signal,
    path=PATHS,
    kind=st.sampled_from(SignalKind),
    datatype=TEXTS,
    unit=TEXTS,
    minimum=maybe(NUMBERS),
    maximum=maybe(NUMBERS),
    allowed=some(TEXTS),
    description=TEXTS,
)
REASONS = st.builds(
    Reason,
    text=TEXTS,
    count=maybe(st.integers(0, 9999)),
    of=maybe(st.integers(0, 9999)),
)
INTERVALS = st.builds(Interval, low=TIMES, median=TIMES, high=TIMES, level=SHARES)
PROSPECTS = st.builds(
    Prospect,
    point=TEXTS,
    name=TEXTS,
    kind=TEXTS,
    lat=LATS,
    lon=LONS,
    probability=SHARES,
    count=st.integers(1, 999),
    reason=maybe(REASONS),
)
CANDIDATES = st.builds(
    Candidate,
    place=TEXTS,
    label=TEXTS,
    probability=SHARES,
    lat=maybe(LATS),
    lon=maybe(LONS),
    arrival=maybe(INTERVALS),
    reasons=some(REASONS),
    prospects=some(PROSPECTS),
)
NEEDS = st.builds(
    Need,
    skill=TEXTS,
    key=TEXTS,
    title=TEXTS,
    probability=SHARES,
    benefit=SHARES,
    reasons=some(REASONS),
    expires=TIMES,
    surfaces=some(st.sampled_from(Surface)),
    actions=some(
        st.builds(Action, device=DEVICES, path=PATHS, value=VALUES, label=TEXTS)
    ),
    details=some(TEXTS),
    is_safety=st.booleans(),
)
MESSAGES: dict[type[Any], st.SearchStrategy[Any]] = {
    Sample: st.builds(
        Sample,
        device=DEVICES,
        path=PATHS,
        time=TIMES,
        value=VALUES,
        quality=st.sampled_from(Quality),
    ),
    Device: st.builds(
        Device,
        id=DEVICES,
        kind=st.sampled_from(DeviceKind),
        name=TEXTS,
        signals=some(SIGNALS),
    ),
    Forecast: st.builds(
        Forecast,
        person=TEXTS,
        time=TIMES,
        departure=TIMES,
        origin=TEXTS,
        candidates=st.lists(CANDIDATES, min_size=1, max_size=3).map(tuple),
        arrival=maybe(INTERVALS),
        driven_m=st.floats(0.0, 1e7),
    ),
    Suggestion: st.builds(
        Suggestion,
        id=TEXTS,
        person=TEXTS,
        time=TIMES,
        need=NEEDS,
        surface=st.sampled_from(Surface),
    ),
    Answer: st.builds(
        Answer, suggestion=TEXTS, kind=st.sampled_from(AnswerKind), time=TIMES
    ),
    Command: st.builds(Command, path=PATHS, value=VALUES, time=TIMES),
    Advance: st.builds(Advance, until=TIMES),
    Watermark: st.builds(Watermark, time=TIMES, sent=st.integers(0, 2**63)),
    LeaseRequest: st.builds(
        LeaseRequest,
        paths=st.lists(PATTERNS, min_size=1, max_size=3).map(tuple),
        purpose=st.sampled_from(Purpose),
        until=TIMES,
        every_s=st.floats(0.0, 86_400.0),
        exact_m=st.sampled_from(EXACTNESS_M),
    ),
    Lease: st.builds(
        Lease,
        id=LEASES,
        owner=DEVICES,
        recipient=DEVICES,
        paths=st.lists(PATHS, min_size=1, max_size=3).map(tuple),
        purpose=st.sampled_from(Purpose),
        since=TIMES,
        until=TIMES,
        every_s=st.floats(0.0, 86_400.0),
        exact_m=st.sampled_from(EXACTNESS_M),
        rule=TEXTS,
        withheld=some(PATHS),
    ),
    LeaseEnd: st.builds(
        LeaseEnd,
        id=LEASES,
        time=TIMES,
        reason=st.sampled_from(EndReason),
        rule=TEXTS,
    ),
    Document: st.builds(Document, kind=TEXTS, body=st.binary(max_size=50)),
    Ack: st.builds(Ack, ok=st.booleans(), error=TEXTS),
}
ANY = st.one_of(*MESSAGES.values())


def test_every_message_type_is_tried_here() -> None:
    assert set(MESSAGES) == set(get_args(Message))


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: str(kind.__name__))
def test_what_is_sent_arrives_as_it_was(kind: type[Any]) -> None:
    @given(MESSAGES[kind])
    @settings(max_examples=30, deadline=None)
    def law(message: Message) -> None:
        arrived = decode(encode(message))
        assert arrived == message
        assert type(arrived) is kind

    law()


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_a_value_keeps_its_type(value: Any) -> None:
    """True stays true and is not 1; 1.0 stays a float."""
    arrived = decode(encode(Sample("car", "a", 1.0, value)))
    assert isinstance(arrived, Sample)
    assert type(arrived.value) is type(value)


def test_a_message_begins_with_the_version() -> None:
    assert encode(Ack(True))[0] == VERSION


@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_another_version_is_told_with_both_and_what_to_do(version: int) -> None:
    with pytest.raises(WireError) as caught:
        decode(bytes([version]) + encode(Ack(True))[1:])
    assert f"version {version}" in caught.value.message
    assert f"speaks {VERSION}" in caught.value.message
    assert "update trivet" in caught.value.hint


@given(st.binary(max_size=200))
@example(b"")
@example(bytes([VERSION]))
@example(bytes([VERSION]) + b"\x91" * 100_000)
@example(bytes([VERSION]) + b"\x81" * 100_000)
@example(bytes([VERSION]) + b"\xdf\xff\xff\xff\xff")
@example(bytes([VERSION]) + b"\xdb\xff\xff\xff\xff")
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_message_or_a_wire_error(data: bytes) -> None:
    for bytes_ in (data, bytes([VERSION]) + data):
        with suppress(WireError):
            assert isinstance(decode(bytes_), get_args(Message))


@given(ANY, st.data())
@settings(max_examples=200, deadline=None)
def test_a_mutated_message_is_a_message_or_a_wire_error(
    message: Message, data: st.DataObject
) -> None:
    mutant = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutant) - 1))
        what = data.draw(st.sampled_from(["flip", "cut", "drop", "double"]))
        if what == "flip":
            mutant[at] ^= data.draw(st.integers(1, 255))
        elif what == "cut":
            del mutant[max(1, at) :]
        elif what == "drop" and len(mutant) > 1:
            del mutant[at]
        else:
            mutant[at:at] = mutant[at : at + 9]
    with suppress(WireError):
        assert isinstance(decode(bytes(mutant)), get_args(Message))


@given(ANY)
@settings(max_examples=30, deadline=None)
def test_every_beginning_of_a_message_is_refused(message: Message) -> None:
    data = encode(message)
    for size in range(len(data)):
        with pytest.raises(WireError):
            decode(data[:size])


@given(ANY, st.binary(min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_what_follows_a_message_is_refused(message: Message, more: bytes) -> None:
    with pytest.raises(WireError):
        decode(encode(message) + more)


def test_a_wire_error_is_the_peers_fault() -> None:
    assert issubclass(WireError, PeerError)


def raw(**fields: Any) -> bytes:
    """A message of any fields, as a faulty peer may send it."""
    return bytes([VERSION]) + msgspec.msgpack.encode(fields)


def sample(**fields: Any) -> bytes:
    whole = {"device": "car", "path": "a", "time": 1.0, "value": 1} | fields
    return raw(type="sample", **whole)


def test_a_field_of_the_future_is_passed_over() -> None:
    assert decode(sample(colour="red")) == Sample("car", "a", 1.0, 1)


@pytest.mark.parametrize(
    "data",
    [
        raw(type="gossip"),
        raw(ok=True),
        raw(type="ack"),
        raw(type="ack", ok=1),
        raw(type="ack", ok=True, error="x" * 1001),
        raw(type="watermark", time=1.0, sent=-1),
        raw(type="advance", until=7_258_118_401.0),
        sample(device="Car"),
        sample(device=""),
        sample(device="-car"),
        sample(device="x" * 64),
        sample(path=""),
        sample(path=".a"),
        sample(path="a..b"),
        sample(path="a.b."),
        sample(path="a/b"),
        sample(path="a*"),
        sample(path="x" * 201),
        sample(time=-1.0),
        sample(time=nan),
        sample(time=inf),
        sample(time="now"),
        sample(value=None),
        sample(value=[1]),
        sample(value=nan),
        sample(value=-inf),
        sample(value="x" * 1025),
        sample(value=b"bytes"),
        sample(value={}),
        sample(value={"lat": 90.5, "lon": 0.0}),
        sample(value={"lat": 0.0, "lon": -180.5}),
        sample(value={"lat": nan, "lon": 0.0}),
        sample(value={"lat": 0.0, "lon": 0.0, "speed_mps": inf}),
        sample(value={"lat": 0.0, "lon": 0.0, "altitude_m": nan}),
        sample(value={"lat": 0.0, "lon": 0.0, "accuracy_m": -1.0}),
        sample(value={"lat": 0.0, "lon": 0.0, "course_deg": 361.0}),
        sample(quality=4),
        bytes([VERSION]) + msgspec.msgpack.encode([1, 2]),
    ],
)
def test_a_field_out_of_bounds_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


@pytest.mark.parametrize("value", [nan, inf, -inf, Position(0.0, 0.0, altitude_m=nan)])
@pytest.mark.parametrize(
    "make", [lambda v: Sample("car", "a", 1.0, v), lambda v: Command("a", v, 1.0)]
)
def test_a_number_that_is_none_is_the_senders_mistake(
    make: Callable[[Any], Message], value: Any
) -> None:
    with pytest.raises(UsageError, match="not a finite number"):
        encode(make(value))


def test_a_message_too_long_is_refused_on_both_sides() -> None:
    signals = tuple(
        Signal("a", description="x" * 1000) for _ in range(MAX_BYTES // 1000)
    )
    with pytest.raises(UsageError, match=str(MAX_BYTES)):
        encode(Device("car", DeviceKind.CAR, signals=signals))
    with pytest.raises(WireError, match=str(MAX_BYTES)):
        decode(bytes(MAX_BYTES + 1))


CANDIDATE = Candidate("home", "home", 1.0)
PROSPECT = Prospect("node/1", "Anchor", "pub", 0.0, 0.0, 0.3)
CROWD = (PROSPECT,) * (MOST_PROSPECTS + 1)
FORECAST = Forecast("ada", 1.0, 1.0, "", (CANDIDATE,))
replace = msgspec.structs.replace


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800"])
def test_what_messagepack_cannot_carry_is_the_senders_mistake(value: Any) -> None:
    with pytest.raises(UsageError):
        encode(Command("a", value, 1.0))


@pytest.mark.parametrize(
    "message",
    [
        replace(FORECAST, driven_m=nan),
        replace(FORECAST, candidates=(replace(CANDIDATE, lat=inf, lon=0.0),)),
        Device("car", DeviceKind.CAR, signals=(Signal("a", minimum=nan),)),
        Suggestion(
            "1",
            "ada",
            1.0,
            Need("s", "k", "t", 0.5, 0.5, (), 1.0, (), (Action("car", "a", nan, "x"),)),
            Surface.CAR,
        ),
    ],
    ids=lambda message: str(type(message).__name__),
)
def test_no_number_that_is_none_arrives_in_any_message(message: Message) -> None:
    data = bytes([VERSION]) + msgspec.msgpack.encode(message)
    with pytest.raises(WireError):
        decode(data)


@pytest.mark.parametrize(
    "message",
    [
        Sample("Not An Id", "a", 1.0, 1),
        Sample("car", "a", nan, 1),
        Sample("car", "a", 1.0, "x" * 1025),
        Sample("car", "a", 1.0, Position(91.0, 0.0)),
        replace(FORECAST, candidates=(replace(CANDIDATE, prospects=CROWD),)),
    ],
)
def test_what_the_other_side_refuses_is_not_sent(message: Message) -> None:
    with pytest.raises(UsageError):
        encode(message)


def test_every_forecast_that_arrives_has_a_best_candidate() -> None:
    data = bytes([VERSION]) + msgspec.msgpack.encode(replace(FORECAST, candidates=()))
    with pytest.raises(WireError):
        decode(data)
