"""What is left of an interval's samples: a summary that is right for their type.

- numbers: mean, least, greatest and how many;
- truth values and texts: every change with its time, the last one, how often it
  changed and how long each value held: a mean of on and off says nothing, and the door
  that stood open for twenty seconds is what is looked for later;
- positions: the first and the last fix, as measured. A mean lies where nobody was; the
  fix nearest to all others (the medoid) is a real place, but to find it again when a
  late sample comes needs all of them, and of a drive it tells the middle and neither
  end. First and last join with those of the intervals beside it to one track.

Summaries of one interval merge: in any order, and the result is that of all samples at
once (of changes beyond MAX_CHANGES and of what lay between two that are equal, only
nearly). What its source called wrong counts only where there is nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from math import floor, isfinite
from typing import Any, TypeAlias

import msgspec

from trivet.domain.sample import Position, Quality, Value

#: An interval that changes less often keeps every change; of more it keeps the number.
MAX_CHANGES = 32
#: Values of which an interval tells how long they held: those that held longest.
MAX_HELD = 8


class Kind(IntEnum):
    """What an interval's samples are; a signal may have several at a time."""

    NUMBER = 0
    STATE = 1
    POSITION = 2


class Point(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One sample of an interval.

    Attributes:
        time: event time.
        value: its value.
        quality: how far to trust it.
    """

    time: float
    value: Value
    quality: Quality = Quality.GOOD


class Numbers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of numbers: `count` of them, their mean, the least and the greatest."""

    count: int
    mean: float
    low: float
    high: float


class States(msgspec.Struct, frozen=True, array_like=True):
    """Of truth values or texts.

    Attributes:
        count: how many samples.
        changes: how often one differed from the one before.
        points: the first, each that differed, and the last; no more than MAX_CHANGES
            and the last.
        held: seconds that values held, from the first sample to the interval's end.
    """

    count: int
    changes: int
    points: tuple[Point, ...]
    held: tuple[tuple[bool | str, float], ...]

    @property
    def last(self) -> Point:
        """The last sample."""
        return self.points[-1]

    @property
    def is_whole(self) -> bool:
        """Whether every change is among the points."""
        return self.changes < MAX_CHANGES


class Positions(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of positions: how many, the first and the last fix."""

    count: int
    first: Point
    last: Point


Body: TypeAlias = Numbers | States | Positions


class Interval(msgspec.Struct, frozen=True):
    """The summary of one signal over one interval.

    Attributes:
        begin: event time at which it begins; it ends before `begin + every_s`.
        every_s: its length in seconds.
        quality: the worst of the samples that count.
        body: what they were.
    """

    begin: float
    every_s: int
    quality: Quality
    body: Body

    @property
    def kind(self) -> Kind:
        """What its samples were."""
        if isinstance(self.body, Numbers):
            return Kind.NUMBER
        return Kind.STATE if isinstance(self.body, States) else Kind.POSITION


def begin_of(time: float, every_s: int) -> float:
    """Event time at which the interval begins that holds `time`."""
    return float(floor(time / every_s) * every_s)


def kind_of(value: Value) -> Kind:
    """To which summary a value belongs."""
    if isinstance(value, bool | str):
        return Kind.STATE
    return Kind.POSITION if isinstance(value, Position) else Kind.NUMBER


def summarise(points: Sequence[Point], begin: float, every_s: int) -> list[Interval]:
    """Summaries of the samples of one interval, one for each kind.

    Args:
        points: all of one signal, in order of event time.
        begin: event time of the interval's begin.
        every_s: its length in seconds.
    """
    kinds: dict[Kind, list[Point]] = {}
    for point in points:
        kinds.setdefault(kind_of(point.value), []).append(point)
    return [_summary(kinds[kind], begin, every_s) for kind in sorted(kinds)]


def merge(one: Interval, other: Interval) -> Interval:
    """The summary of the samples of both, which are of one kind and one interval."""
    is_wrong = one.quality is Quality.BAD, other.quality is Quality.BAD
    if is_wrong[0] != is_wrong[1]:
        return other if is_wrong[0] else one
    quality = max(one.quality, other.quality)
    end = one.begin + one.every_s
    if isinstance(one.body, Numbers) and isinstance(other.body, Numbers):
        body: Body = _merge_numbers(one.body, other.body)
    elif isinstance(one.body, Positions) and isinstance(other.body, Positions):
        body = Positions(
            one.body.count + other.body.count,
            min(one.body.first, other.body.first, key=_time_of),
            max(one.body.last, other.body.last, key=_time_of),
        )
    elif isinstance(one.body, States) and isinstance(other.body, States):
        body = _merge_states(one.body, other.body, end)
    else:
        raise ValueError("two kinds of interval")
    return Interval(one.begin, one.every_s, quality, body)


def _summary(points: Sequence[Point], begin: float, every_s: int) -> Interval:
    used = [p for p in points if p.quality is not Quality.BAD] or points
    quality = max(point.quality for point in used)
    kind = kind_of(used[0].value)
    if kind is Kind.NUMBER:
        numbers = [float(p.value) for p in used]  # type: ignore[arg-type]
        body: Body = Numbers(len(numbers), _mean(numbers), min(numbers), max(numbers))
    elif kind is Kind.POSITION:
        body = Positions(len(used), used[0], used[-1])
    else:
        body = _states(used, len(used), begin + every_s)
    return Interval(begin, every_s, quality, body)


def _merge_numbers(one: Numbers, other: Numbers) -> Numbers:
    count = one.count + other.count
    # shares, not sums: numbers near the largest must not become infinite
    mean = one.mean * (one.count / count) + other.mean * (other.count / count)
    return Numbers(count, mean, min(one.low, other.low), max(one.high, other.high))


def _mean(numbers: Sequence[float]) -> float:
    mean = sum(numbers) / len(numbers)
    if isfinite(mean):
        return mean
    return sum(number / len(numbers) for number in numbers)


def _merge_states(one: States, other: States, end: float) -> States:
    count = one.count + other.count
    if one.is_whole and other.is_whole:
        points = sorted((*one.points, *other.points), key=_time_of)
        return _states(points, count, end)
    # where changes are missing it stays a count: those of both, and the newest last
    fuller, thinner = sorted((one, other), key=lambda s: s.changes, reverse=True)
    last = max(one.last, other.last, key=_time_of)
    return States(
        count,
        fuller.changes + thinner.changes,
        (*fuller.points[:-1], last),
        fuller.held,
    )


def _states(points: Iterable[Point], count: int, end: float) -> States:
    kept: list[Point] = []
    held: dict[bool | str, float] = {}
    changes, before = 0, None
    for point in points:
        if before is not None:
            value = _state(before)
            held[value] = held.get(value, 0.0) + point.time - before.time
        if before is None or point.value != before.value:
            changes += before is not None
            if changes < MAX_CHANGES:
                kept.append(point)
        before = point
    assert before is not None, "an interval has samples"
    held[_state(before)] = held.get(_state(before), 0.0) + end - before.time
    if kept[-1] != before:
        kept.append(before)
    longest = sorted(held.items(), key=lambda item: -item[1])[:MAX_HELD]
    return States(count, changes, tuple(kept), tuple(longest))


def _state(point: Point) -> bool | str:
    value = point.value
    return value if isinstance(value, bool) else str(value)


def _time_of(point: Point) -> float:
    return point.time


_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Kind, msgspec.msgpack.Decoder[Any]] = {
    Kind.NUMBER: msgspec.msgpack.Decoder(Numbers),
    Kind.STATE: msgspec.msgpack.Decoder(States),
    Kind.POSITION: msgspec.msgpack.Decoder(Positions),
}


def encode_body(body: Body) -> bytes:
    """A body as it stands in the file."""
    return _encoder.encode(body)


def decode_body(kind: int, data: bytes) -> Body:
    """The body in `data`.

    Raises:
        ValueError: there is none.
    """
    try:
        body: Body = _decoders[Kind(kind)].decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return body
