"""Sorting without holding everything."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.devices.replay.order import sort_samples
from trivet.domain import Position, Sample, SetupError

VALUES = st.one_of(
    st.booleans(),
    st.integers(-100, 100),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.builds(Position, st.floats(-90, 90), st.floats(-180, 180)),
)
SAMPLES = st.lists(
    st.builds(Sample, st.just("home"), st.just("a.b"), st.integers(0, 9), VALUES),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(SAMPLES, st.integers(1, 10))
def test_runs_on_disk_sort_as_memory_does(samples: list[Sample], run: int) -> None:
    assert list(sort_samples(samples, run)) == sorted(samples, key=lambda s: s.time)


def test_a_full_disk_is_said(monkeypatch: Any) -> None:
    def full(prefix: str) -> Any:
        return open("/dev/full", "w+b", buffering=0)

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    samples = [Sample("home", "a.b", float(n), n) for n in range(4)]
    with pytest.raises(SetupError, match="TMPDIR"):
        list(sort_samples(samples, 2))
