"""How wrong estimates turn out, whatever they were, and what intervals make of it."""

from __future__ import annotations

from math import exp, inf, log

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import UsageError
from trivet.engine.misjudgement import (
    LEVEL,
    MIDDLE,
    NEW,
    PHASES,
    SOURCES,
    SPEEDS,
    Calibration,
    Errors,
    bucket_of,
    doubt_of,
    parts_of,
    residual,
    speed_kind,
)
from trivet.engine.snapshot import State, dump, load
from trivet.engine.times import MARKS
from trivet.engine.trip import Judgement

ANY = st.floats(allow_nan=True, allow_infinity=True)
BUCKETS = st.integers(0, SOURCES * PHASES * SPEEDS - 1)


def taught(errors: list[float], bucket: int = 0) -> Errors:
    found = Errors(Calibration())
    for error in errors:
        found.learn(Judgement(True, bucket, error, in_middle=True))
    return found


@given(ANY, ANY)
def test_whatever_was_estimated_an_error_is_a_number(a: float, b: float) -> None:
    assert isinstance(residual(a, b), float)


def test_an_arrival_before_the_estimate_counts_as_then() -> None:
    assert residual(60.0, -1e6) == residual(60.0, 0.0) == pytest.approx(log(30 / 90))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(BUCKETS, ANY, st.booleans()), max_size=60))
def test_errors_are_in_order_whatever_was_learned(
    judged: list[tuple[int, float, bool]],
) -> None:
    calibration = Calibration()
    errors = Errors(calibration)
    for bucket, error, covered in judged:
        errors.learn(Judgement(covered, bucket, error, 1, covered))
    for bucket in {bucket for bucket, _, _ in judged} | {0}:
        for found in (errors.spread(bucket), errors.reach(bucket)):
            assert np.isfinite(found).all()
            assert (np.diff(found) >= 0).all()
    assert MIDDLE - 0.3 <= errors.level(MIDDLE, 1) < errors.level(LEVEL, 1) + 0.3
    again = msgspec.msgpack.decode(
        msgspec.msgpack.encode(calibration), type=Calibration
    )
    assert (Errors(again).spread(0) == errors.spread(0)).all()


@given(BUCKETS)
def test_a_bucket_is_its_parts(bucket: int) -> None:
    assert bucket_of(*parts_of(bucket)) == bucket


def test_what_is_always_as_wrong_is_taken_into_account() -> None:
    errors = taught([log(2.0)] * 60)
    assert exp(float(np.interp(0.5, MARKS, errors.spread(0)))) == pytest.approx(2.0)
    # who is as fast arrives as late, wherever they go
    elsewhere = bucket_of(NEW, 2, 0)
    assert errors.reach(elsewhere)[20] > 0.5
    # and so does, as far as is known, who is faster
    assert errors.reach(bucket_of(0, 0, 4))[20] > 0.5
    # but nobody has seen how late others are where that was never so
    assert abs(errors.spread(bucket_of(1, 0, 0))[20]) < 0.1


def test_a_bucket_that_saw_little_is_as_the_one_above_it() -> None:
    errors = taught([log(2.0)] * 60, bucket_of(0, 0, 1))
    near = errors.spread(bucket_of(0, 0, 2))
    assert exp(float(np.interp(0.5, MARKS, near))) == pytest.approx(2.0, rel=0.05)


def test_who_misses_is_given_a_wider_interval_and_back() -> None:
    errors = Errors(Calibration())
    before = errors.level(LEVEL, 0)
    for _ in range(10):
        errors.learn(Judgement(False, in_middle=False))
    assert errors.level(LEVEL, 0) > before
    assert errors.level(LEVEL, 2) == before, "of doubtful trips nothing was learned"
    for _ in range(500):
        errors.learn(Judgement(True, in_middle=True))
    assert errors.level(LEVEL, 0) == pytest.approx(LEVEL - 0.3)
    assert errors.level(MIDDLE, 0) == pytest.approx(MIDDLE - 0.3)


def test_asking_teaches_nothing() -> None:
    calibration = Calibration()
    errors = Errors(calibration)
    errors.level(LEVEL, 0), errors.spread(3), errors.reach(3)
    assert calibration == Calibration()


@pytest.mark.parametrize("error", [inf, -inf, float("nan"), 1e9])
def test_a_snapshot_with_an_impossible_error_is_damaged(error: float) -> None:
    state = State(calibration=Calibration({1: [0.0]}))
    state.calibration.residuals[1].append(error)
    with pytest.raises(UsageError, match="damaged snapshot: errors of bucket 1"):
        load(dump(state))


def test_kinds_are_in_order() -> None:
    assert [doubt_of(new) for new in (0.0, 0.3, 0.9)] == [0, 1, 2]
    assert [speed_kind(mps) for mps in (None, 0.1, 1.0, 2.0, 20.0)] == [0, 1, 2, 3, 4]
