"""What is learned of durations: it settles, adapts, is not thrown by one."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import InputError
from trivet.fabric.offload.estimate import (
    PRIOR_S,
    REFERENCE_S,
    Estimates,
    Level,
    Way,
    Work,
)
from trivet.fabric.offload.placement import Candidate
from trivet.fabric.offload.task import Cost


def test_it_settles_on_what_it_sees() -> None:
    rng, level = Random(1), Level()
    for _ in range(300):
        level.see(rng.lognormvariate(-1.0, 0.3))
    assert level.median == pytest.approx(0.368, rel=0.25)
    assert 0.15 < level.spread < 0.6


def test_one_odd_run_moves_it_little() -> None:
    level = Level()
    for _ in range(50):
        level.see(0.1)
    level.see(100.0)
    assert level.median < 0.12


def test_it_follows_a_device_that_became_slower() -> None:
    level = Level()
    for _ in range(50):
        level.see(0.1)
    for _ in range(60):
        level.see(0.8)
    assert level.median == pytest.approx(0.8, rel=0.15)


def test_a_run_that_was_given_up_counts_only_upward() -> None:
    level = Level()
    for _ in range(5):
        level.see(1.0)
    level.see_at_least(0.1)
    assert level.median == pytest.approx(1.0)
    level.see_at_least(9.0)
    assert level.median > 1.0


def test_what_it_calls_certain_is_as_often_kept() -> None:
    rng, level, kept = Random(2), Level(), 0
    for _ in range(50):
        level.see(rng.lognormvariate(0.0, 0.4))
    for _ in range(2000):
        value = rng.lognormvariate(0.0, 0.4)
        here = Candidate("here", work_s=level.median, spread=level.spread)
        kept += value <= here.needed_s(0.99)
        level.see(value)
    assert kept / 2000 > 0.97


def test_the_unknown_is_guessed_by_class_and_processor() -> None:
    estimates = Estimates()
    slow = estimates.work("phone", "plan", Cost.HEAVY, 4 * REFERENCE_S)
    assert slow.median_s == pytest.approx(4 * PRIOR_S[Cost.HEAVY])
    quick = estimates.work("home", "plan", Cost.LIGHT, REFERENCE_S)
    assert quick.median_s == pytest.approx(PRIOR_S[Cost.LIGHT])


def test_what_is_known_here_is_carried_over_by_the_processors() -> None:
    estimates, here = Estimates(), [(Work(2.0, 0.1), 0.04), (Work(9.0, 0.9), 0.04)]
    there = estimates.work("home", "plan", Cost.LIGHT, 0.01, None, here)
    assert there.median_s == pytest.approx(0.5)
    told = estimates.work("home", "plan", Cost.LIGHT, 0.01, Work(0.7, 0.1), here)
    assert told.median_s == 0.7
    estimates.level("home", "plan").see(0.9)
    seen = estimates.work("home", "plan", Cost.LIGHT, 0.01, Work(0.7, 0.1))
    assert seen.median_s == pytest.approx(0.9)


def test_large_inputs_cost_by_the_byte_and_small_ones_by_the_trip() -> None:
    way = Way(Level(), Level())
    for _ in range(20):
        way.see(100, 0.005)
        way.see(8 << 20, 2.005)
    assert way.transfer_s(100) == pytest.approx(0.005, rel=0.1)
    assert way.transfer_s(4 << 20) == pytest.approx(1.005, rel=0.1)


def test_losses_are_learned_and_forgotten() -> None:
    way = Way(Level(), Level())
    assert way.loss_per_s < 0.001
    for _ in range(30):
        way.watch(2.0)
        way.lose()
    assert 0.2 < way.loss_per_s < 1.2
    for _ in range(10_000):
        way.watch(1.0)
    assert way.loss_per_s < 0.005


def test_what_is_known_is_bounded() -> None:
    estimates = Estimates()
    for number in range(10_000):
        estimates.level("phone", f"task{number}").see(1.0)
    assert len(estimates._work) <= 4096


def taught() -> Estimates:
    made = Estimates()
    for seconds in (0.2, 0.25, 0.22):
        made.level("phone", "plan").see(seconds)
    made.level("car", "never")
    made.way("phone").see(100, 0.01)
    made.way("phone").watch(60.0)
    made.way("phone").lose()
    return made


def test_what_was_learned_outlives_a_restart() -> None:
    made = taught()
    again = Estimates.restore(made.to_bytes())
    assert again.level("phone", "plan") == made.level("phone", "plan")
    assert again.way("phone") == made.way("phone")
    assert again.level("car", "never").count == 0
    assert again.to_bytes() == made.to_bytes()
    assert Estimates.restore(b"").level("phone", "plan").count == 0


@pytest.mark.parametrize(
    "level", [(float("nan"), 0.1, 1), (0.0, -1.0, 1), (1e9, 0.0, 1), (0.0, 0.0, -1)]
)
def test_what_nothing_can_have_taught_is_refused(
    level: tuple[float, float, int],
) -> None:
    mean, deviation, count = level
    worn = {"mean": mean, "deviation": deviation, "count": count}
    data = msgspec.msgpack.encode({"work": [["phone", "plan", worn]], "ways": {}})
    with pytest.raises(InputError, match="nothing can have taught"):
        Estimates.restore(data)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 400), byte=st.integers(0, 255), is_cut=st.booleans())
def test_damaged_estimates_are_an_input_error_or_sound(
    at: int, byte: int, is_cut: bool
) -> None:
    data = bytearray(taught().to_bytes())
    at %= len(data)
    data[at] = byte
    try:
        made = Estimates.restore(bytes(data[:at]) if is_cut else bytes(data))
    except InputError:
        return
    assert made.work("phone", "plan", Cost.LIGHT, REFERENCE_S).median_s > 0.0
    assert made.way("phone").transfer_s(10**6) > 0.0
