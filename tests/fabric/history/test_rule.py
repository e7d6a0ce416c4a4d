"""Rules say what they mean, and the one that says most about a signal holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import UsageError
from trivet.fabric.history.rule import (
    DEFAULT,
    FOREVER_S,
    Rule,
    duration_text,
    make_rule,
    parse_duration,
    rule_of,
)


def test_the_rule_that_says_most_about_a_signal_holds() -> None:
    rules = [
        make_rule(pattern, 60, 0, 0)
        for pattern in ("**", "Vehicle.**", "Vehicle.Cabin.**", "Vehicle.*", "lock.*")
    ]
    exact = make_rule("Vehicle.Cabin.Door", 60, 0, 0)
    by_path = {
        "Vehicle.Cabin.Seat": "Vehicle.Cabin.**",
        "Vehicle.Powertrain.Range": "Vehicle.**",
        "lock.front": "lock.*",
        "location": "**",
    }
    for path, pattern in by_path.items():
        assert rule_of(rules, path).pattern == pattern
        assert rule_of(rules[::-1], path).pattern == pattern
    assert rule_of([*rules, exact], "Vehicle.Cabin.Door") is exact
    assert rule_of([], "location") is DEFAULT
    assert rule_of([exact], "location") is DEFAULT


@pytest.mark.parametrize(
    ("pattern", "raw", "every", "for_", "why"),
    [
        ("a b", 1, 0, 0, "pattern"),
        ("Vehicle.**.Door", 1, 0, 0, "pattern"),
        ("x" * 201, 1, 0, 0, "cannot be kept so"),
        ("a", 100, 60, 50, "cannot be gone after"),
        ("a", 100, 0, 200, "nothing to keep"),
        ("a", -1, 0, 0, "cannot be kept so"),
        ("a", 1, 86_401, 10, "cannot be kept so"),
        ("a", FOREVER_S + 1, 0, 0, "cannot be kept so"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    pattern: str, raw: int, every: int, for_: int, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        make_rule(pattern, raw, every, for_)


def test_without_means_what_is_raw_is_all() -> None:
    assert make_rule("location", 60, 0, 0) == Rule("location", 60, 0, 60)


@given(st.integers(0, FOREVER_S))
def test_a_duration_is_read_as_it_was_written(seconds: int) -> None:
    text = duration_text(seconds)
    if seconds and seconds % 60 and seconds > 999_999_999:
        return  # more digits than a duration has
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "-5m", "5 m", "5x", "1e3s", "٥m", "9999y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration(text)
