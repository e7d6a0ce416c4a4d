"""What arrives on a link of the household: messages, keys, and both together."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.tree import MSGPACK

from trivet.domain.device import Device, DeviceKind
from trivet.domain.error import UsageError, WireError
from trivet.domain.forecast import Candidate, Forecast, Interval, Reason
from trivet.domain.lease import EndReason, Lease, LeaseEnd, LeaseRequest, Purpose
from trivet.domain.sample import Position, Quality, Sample, Value
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
    Ack,
    Advance,
    Command,
    Document,
    Message,
    Watermark,
    decode,
    encode,
)
from trivet.fabric import key
from trivet.fabric.letter import open_letter

_TIME = 1_760_000_000.5
_VALUES: tuple[Value, ...] = (
    *(True, 0, -7, 1 << 40, 21.5, "on", "x" * 1024),
    Position(60.17, 24.94, 5.0, 12.0, 13.9, 271.5),
)
_REASON = Reason("14 of 17 Tuesdays at this hour you went to work", 14, 17)
_INTERVAL = Interval(_TIME, _TIME + 60, _TIME + 90)
_NEED = Need(
    "dinner",
    "dinner/today",
    "Dinner at Toivo?",
    0.7,
    0.5,
    (_REASON,),
    _TIME + 600,
    (Surface.CAR, Surface.PHONE),
    (Action("home", "cover.garage", "closed", "Close the garage"),),
    ("5 minutes away",),
)
_SIGNAL = Signal(
    "Vehicle.Speed", SignalKind.ACTUATOR, "uint8", "km/h", 0.0, 250.0, ("a",), "speed"
)
MESSAGES: tuple[Message, ...] = (
    *(Sample("phone", "location", _TIME, v, Quality.STALE) for v in _VALUES),
    Device("car", DeviceKind.CAR, "The car", (_SIGNAL, Signal("Vehicle.Trip"))),
    Forecast(
        "ada",
        _TIME,
        _TIME - 60,
        "home",
        (Candidate("work", "Work", 0.9, 60.1, 24.9, _INTERVAL, (_REASON,)),),
        _INTERVAL,
        1200.0,
    ),
    Suggestion("s1", "ada", _TIME, _NEED, Surface.CAR),
    Answer("s1", AnswerKind.NOT_NOW, _TIME),
    Command("lock.front", "locked", _TIME),
    Advance(_TIME),
    Watermark(_TIME, 12),
    LeaseRequest(("Vehicle.**", "lock.*"), Purpose.COMFORT, _TIME, 5.0, 500),
    Lease(
        "0123456789abcdef",
        "phone",
        "car",
        ("location", "batt"),
        Purpose.NAVIGATION,
        _TIME,
        _TIME + 60,
        1.0,
        10,
        "car-navigates",
        ("transition.enter",),
    ),
    LeaseEnd("0123456789abcdef", _TIME, EndReason.CONTEXT, "car-navigates"),
    Document("charter", bytes(range(64))),
    Ack(False, "no"),
)
_ENCODED = tuple(encode(message) for message in MESSAGES)
_STREAM = key.stream("ours", "home", "phone", "Vehicle.Cabin.Door")
_KEYS = (
    _STREAM,
    key.stream("a" * 63, "b" * 63, "c" * 63, "d" * 200),
    key.question("ours", "car", "phone", "lease.request"),
    key.alive("ours", "phone"),
    key.beat("our-house-2", "car", "home"),
)
_strict = msgspec.msgpack.Decoder(Message).decode
_KEY_WORDS = b"trivet to from ask alive beat * ** $* / // ? # @ . ours".split()


def _wire(data: bytes) -> None:
    message = decode(data)
    # samples are read in a quicker way, which must not take more
    strict = _strict(data[1:])
    assert strict == message, f"{message!r:.300} is read as {strict!r:.300}"
    # what we take we could have sent: nothing is half understood
    try:
        again = decode(encode(message))
    except (UsageError, WireError) as error:
        raise AssertionError(f"{message!r:.300} cannot be sent on") from error
    assert again == message, f"{message!r:.300} became {again!r:.300}"


def _keys(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    taken = 0
    with suppress(WireError):
        stream = key.parse_stream(text)
        assert key.stream(*stream) == text
        taken += 1
    with suppress(WireError):
        question = key.parse_question(text)
        assert key.question(*question) == text
        taken += 1
    with suppress(WireError):
        assert key.alive(*key.parse_alive(text)) == text
        taken += 1
    with suppress(WireError):
        assert key.beat(*key.parse_beat(text)) == text
        taken += 1
    assert taken <= 1, f"{text!r:.300} is two kinds of key"


def _letter(data: bytes) -> None:
    text, _, body = data.partition(b"\n")
    open_letter(text.decode("utf-8", "surrogateescape"), body)


TARGETS: Makers = {
    "wire": lambda: Target(
        "wire", _ENCODED, _wire, (WireError,), codec=MSGPACK, head=1
    ),
    "key": lambda: Target(
        "key",
        tuple(text.encode() for text in _KEYS),
        _keys,
        (),
        words=tuple(_KEY_WORDS),
    ),
    "letter": lambda: Target(
        "letter",
        tuple(_STREAM.encode() + b"\n" + data for data in _ENCODED),
        _letter,
        (WireError,),
        codec=MSGPACK,
        head=len(_STREAM) + 2,
    ),
}
