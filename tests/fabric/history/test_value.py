"""A value comes back from its cell as what it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import Position, UsageError, Value
from trivet.fabric.history.value import from_cell, to_cell

finite = st.floats(allow_nan=False, allow_infinity=False)
positions = st.builds(
    Position,
    st.floats(-90, 90),
    st.floats(-180, 180),
    *(st.none() | st.floats(0, 360) for _ in range(4)),
)
values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    finite,
    st.text(st.characters(codec="utf-8"), max_size=100),
    positions,
)


@given(values)
def test_a_value_is_the_same_and_of_the_same_type_after_sqlite(value: Value) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (cell ANY NOT NULL) STRICT")
        db.execute("INSERT INTO t VALUES (?)", [to_cell(value)])
        again = from_cell(db.execute("SELECT cell FROM t").fetchone()[0])
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 1 << 64, -(1 << 63) - 1, "\ud800", None, b"x"],
)
def test_what_no_message_can_carry_is_refused(value: Value) -> None:
    with pytest.raises(UsageError):
        to_cell(value)
    with pytest.raises(UsageError):
        to_cell(Position(1.0, float("nan")))


@given(st.binary(max_size=60))
def test_bytes_that_are_no_cell_are_told_apart(data: bytes) -> None:
    with suppress(ValueError):
        assert to_cell(from_cell(data)) == data or data[:1] == b"u"


def test_nothing_is_no_value() -> None:
    for cell in (None, b"", b"\2", b"\x40", b"\xff" * 17):
        with pytest.raises(ValueError, match="is"):
            from_cell(cell)
