from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import UsageError, WireError
from trivet.fabric import key

ids = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
paths = st.from_regex(r"[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,9}){0,7}", fullmatch=True)
BAD_IDS = ["", "*", "**", "a/b", "a\n", "A", "-a", "a" * 64, "a?"]
BAD_PATHS = ["", ".", "a.", ".a", "a..b", "a/b", "a*", "a\n", "a" * 201]
few = settings(max_examples=60, deadline=None)


def test_a_signals_dots_become_slashes() -> None:
    text = key.stream("ours", "home", "car", "Vehicle.Speed")
    assert text == "trivet/ours/to/home/from/car/Vehicle/Speed"


@few
@given(ids, ids, ids, paths)
def test_a_key_is_read_as_it_was_built(
    household: str, recipient: str, owner: str, path: str
) -> None:
    stream = key.Stream(household, recipient, owner, path)
    assert key.parse_stream(key.stream(*stream)) == stream
    question = key.Question(household, recipient, owner, path)
    assert key.parse_question(key.question(*question)) == question
    assert key.parse_alive(key.alive(household, owner)) == (household, owner)
    pulse = key.Pulse(household, owner, recipient)
    assert key.parse_beat(key.beat(*pulse)) == pulse


@few
@given(st.text(max_size=80) | st.from_regex(r"trivet/h/(to|ask|beat)/.{0,40}"))
def test_a_key_from_outside_is_ours_or_a_wire_error(text: str) -> None:
    with suppress(WireError):
        assert key.stream(*key.parse_stream(text)) == text
    with suppress(WireError):
        assert key.question(*key.parse_question(text)) == text
    with suppress(WireError):
        assert key.alive(*key.parse_alive(text)) == text
    with suppress(WireError):
        assert key.beat(*key.parse_beat(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "trivet/h/to/home/from/car/Vehicle/Speed\n",
        "trivet/h/to/home/from/car/",
        "trivet/h/to/home/from/car",
        "trivet/h/to/home/from/car/a.b",
        "trivet/h/to/home/from/car/**",
        "trivet/h/to/*/from/car/a",
        "trivet/h/to/home/von/car/a",
        "trivet/h/to/home/from/car/" + "a/" * 300 + "a",
        "trivet/h/to/home/from/c\u00e4r/a",
        "trivet/h/to/home/from/car/\u0661",
    ],
)
def test_a_key_that_only_looks_like_ours_is_a_wire_error(text: str) -> None:
    with pytest.raises(WireError):
        key.parse_stream(text)


@pytest.mark.parametrize(
    "text",
    [
        "trivet/h/beat/car",
        "trivet/h/beat/car/to/home/",
        "trivet/h/beat/car/to/home/x",
        "trivet/h/beat/car/to/home\n",
        "trivet/h/beat/car/to/*",
        "trivet/h/beat/*/to/home",
        "trivet/h/beat/car/from/home",
        "trivet/h/beat/car/to/",
        "trivet/h/beat/car/to/" + "a" * 500,
    ],
)
def test_a_key_that_only_looks_like_a_heartbeats_is_a_wire_error(text: str) -> None:
    with pytest.raises(WireError):
        key.parse_beat(text)


@pytest.mark.parametrize("bad", BAD_IDS)
def test_a_bad_id_is_the_callers_mistake(bad: str) -> None:
    with pytest.raises(UsageError):
        key.stream(bad, "home", "car", "x")
    with pytest.raises(UsageError):
        key.stream("ours", bad, "car", "x")
    with pytest.raises(UsageError):
        key.question("ours", "home", bad, "x")
    with pytest.raises(UsageError):
        key.alive("ours", bad)
    with pytest.raises(UsageError):
        key.inbox("ours", bad)
    for parts in ((bad, "a", "b"), ("ours", bad, "b"), ("ours", "a", bad)):
        with pytest.raises(UsageError):
            key.beat(*parts)
    with pytest.raises(UsageError):
        key.beats_to("ours", bad)


@pytest.mark.parametrize("bad", BAD_PATHS)
def test_a_bad_path_is_the_callers_mistake(bad: str) -> None:
    with pytest.raises(UsageError):
        key.stream("ours", "home", "car", bad)
