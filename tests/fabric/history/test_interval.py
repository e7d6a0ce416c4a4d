"""A summary is right for its type, and the same however its samples came."""

from __future__ import annotations

from functools import reduce
from math import isclose, isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import Position, Value
from trivet.domain.sample import Quality
from trivet.fabric.history.interval import (
    MAX_CHANGES,
    Interval,
    Kind,
    Numbers,
    Point,
    Positions,
    States,
    begin_of,
    decode_body,
    encode_body,
    merge,
    summarise,
)

EVERY_S = 300
values = st.one_of(
    st.booleans(),
    st.sampled_from(["open", "closed", "locked"]),
    st.floats(-1e6, 1e6),
    st.integers(-1000, 1000),
    st.builds(Position, st.floats(-90, 90), st.floats(-180, 180)),
)
points = st.lists(
    st.builds(Point, st.integers(0, 299).map(float), values, st.sampled_from(Quality)),
    min_size=1,
    max_size=MAX_CHANGES - 2,
    unique_by=lambda point: point.time,
).map(lambda found: sorted(found, key=lambda point: point.time))


def one(*samples: tuple[float, Value], quality: Quality = Quality.GOOD) -> Interval:
    (interval,) = summarise([Point(t, v, quality) for t, v in samples], 0.0, EVERY_S)
    return interval


def test_of_numbers_it_keeps_mean_least_greatest_and_count() -> None:
    assert one((0, 1), (1, 4.0), (2, -2.0)).body == Numbers(3, 1.0, -2.0, 4.0)


def test_numbers_near_the_largest_have_a_finite_mean() -> None:
    big = one((0, 1.7e308), (1, 1.7e308))
    body = merge(big, one((2, 1.7e308))).body
    assert isinstance(body, Numbers)
    assert isfinite(body.mean)
    assert isclose(body.mean, 1.7e308)


def test_of_a_state_it_keeps_every_change_the_last_and_how_long_each_held() -> None:
    body = one((0, False), (60, False), (90, True), (110, False), (200, False)).body
    assert isinstance(body, States)
    assert [(p.time, p.value) for p in body.points] == [
        (0, False),
        (90, True),
        (110, False),
        (200, False),
    ]
    assert (body.count, body.changes, body.last.value) == (5, 2, False)
    assert dict(body.held) == {False: 280.0, True: 20.0}


def test_of_a_state_that_chatters_it_keeps_how_often() -> None:
    body = one(*((t, t % 2 == 0) for t in range(250))).body
    assert isinstance(body, States)
    assert body.changes == 249
    assert len(body.points) <= MAX_CHANGES + 1
    assert body.last == Point(249, False)
    assert dict(body.held) == {True: 125.0, False: 175.0}


def test_of_positions_it_keeps_two_that_were_measured() -> None:
    fixes = [Position(60.0 + t / 1000, 24.0) for t in range(4)]
    body = one(*enumerate(fixes)).body
    assert body == Positions(4, Point(0, fixes[0]), Point(3, fixes[3]))


def test_what_is_called_wrong_counts_only_alone() -> None:
    bad = Point(0.0, 999.0, Quality.BAD)
    (both,) = summarise([bad, Point(1.0, 21.0, Quality.STALE)], 0.0, EVERY_S)
    assert both.body == Numbers(1, 21.0, 21.0, 21.0)
    assert both.quality is Quality.STALE
    (alone,) = summarise([bad], 0.0, EVERY_S)
    assert alone.quality is Quality.BAD
    assert merge(alone, both) == merge(both, alone) == both


def test_a_signal_of_two_types_has_two_summaries() -> None:
    found = summarise([Point(0, 21.5), Point(1, "unavailable")], 0.0, EVERY_S)
    assert [interval.kind for interval in found] == [Kind.NUMBER, Kind.STATE]
    with pytest.raises(ValueError, match="two kinds"):
        merge(*found)


@given(points, st.data())
def test_summaries_of_parts_merge_to_that_of_all(
    found: list[Point], data: st.DataObject
) -> None:
    """In any split and order, but for repeats of a state that were dropped."""
    parts = data.draw(
        st.lists(st.integers(0, 2), min_size=len(found), max_size=len(found))
    )
    merged: dict[Kind, Interval] = {}
    for number in data.draw(st.permutations(range(3))):
        part = [p for p, at in zip(found, parts, strict=True) if at == number]
        for interval in summarise(part, 0.0, EVERY_S):
            there = merged.get(interval.kind)
            merged[interval.kind] = merge(there, interval) if there else interval
    for whole in summarise(found, 0.0, EVERY_S):
        got = merged[whole.kind]
        assert got.quality == whole.quality
        assert got.body.count == whole.body.count
        if isinstance(whole.body, Numbers) and isinstance(got.body, Numbers):
            assert isclose(got.body.mean, whole.body.mean, abs_tol=1e-6)
            ends = whole.body.low, whole.body.high
            assert (got.body.low, got.body.high) == ends
        elif isinstance(whole.body, Positions):
            assert got.body == whole.body
        elif isinstance(whole.body, States) and isinstance(got.body, States):
            assert got.body.last == whole.body.last
            assert got.body.points[0] == whole.body.points[0]


@given(points)
def test_late_changes_find_their_place(found: list[Point]) -> None:
    """Changes one by one, whatever their order, are those of all at once."""
    states: list[Point] = []
    for p in found:
        if isinstance(p.value, bool) and (not states or p.value != states[-1].value):
            states.append(Point(p.time, p.value))
    if not states:
        return
    (whole,) = summarise(states, 0.0, EVERY_S)
    singles = [summarise([point], 0.0, EVERY_S)[0] for point in reversed(states)]
    assert reduce(merge, singles) == whole


@given(points)
def test_a_summary_is_read_as_it_was_written(found: list[Point]) -> None:
    for interval in summarise(found, 0.0, EVERY_S):
        data = encode_body(interval.body)
        assert decode_body(interval.kind, data) == interval.body


@given(st.integers(0, 9), st.binary(max_size=60))
def test_what_is_no_summary_is_told_apart(kind: int, data: bytes) -> None:
    try:
        decode_body(kind, data)
    except ValueError:
        return
    assert kind in list(Kind)


@given(st.floats(0, 7e9), st.integers(1, 86_400))
def test_intervals_begin_at_whole_multiples(time: float, every_s: int) -> None:
    begin = begin_of(time, every_s)
    assert begin <= time < begin + every_s
    assert begin % every_s == 0
    assert begin_of(begin, every_s) == begin
