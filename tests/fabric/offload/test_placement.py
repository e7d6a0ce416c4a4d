"""Where a run goes: the quickest, the cheapest in time, the fit."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.fabric.offload.placement import (
    CERTAINTY,
    Candidate,
    Need,
    Placement,
    best_hedge,
    place,
)


def ranked(placement: Placement) -> list[str]:
    return [each.device for each in placement.ranked]


def test_without_a_deadline_the_soonest_comes_first() -> None:
    near = Candidate("near", transfer_s=0.01, work_s=3.0)
    far = Candidate("far", transfer_s=0.5, work_s=1.0)
    queued = Candidate("queued", wait_s=9.0, work_s=0.1)
    assert ranked(place(Need(), (queued, near, far))) == ["far", "near", "queued"]


def test_with_time_to_spare_the_battery_is_spared() -> None:
    phone = Candidate("phone", work_s=1.0, is_on_mains=False, charge=0.4)
    home = Candidate("home", work_s=2.0)
    assert ranked(place(Need(), (phone, home), left_s=60.0))[0] == "home"
    assert ranked(place(Need(), (phone, home), left_s=2.5))[0] == "phone"


def test_a_hot_device_costs_more() -> None:
    hot = Candidate("hot", work_s=1.0, heat=0.95)
    cool = Candidate("cool", work_s=1.1, heat=0.5)
    assert ranked(place(Need(), (hot, cool))) == ["cool", "hot"]


@pytest.mark.parametrize(
    ("candidate", "need", "why"),
    [
        (Candidate("a", is_on_mains=False), Need(needs_mains=True), "not on mains"),
        (Candidate("a", is_on_mains=False, charge=0.19), Need(), "battery is at 19%"),
        (Candidate("a", heat=1.0), Need(), "too hot"),
        (Candidate("a", free_mb=100), Need(memory_mb=200), "100 MiB free of 200"),
    ],
)
def test_a_device_that_is_not_fit_is_left_out_and_said_why(
    candidate: Candidate, need: Need, why: str
) -> None:
    placement = place(need, (candidate,))
    assert placement.ranked == ()
    assert why in placement.unfit["a"]


def test_a_low_battery_on_mains_does_no_harm() -> None:
    assert place(Need(), (Candidate("a", charge=0.05),)).ranked


def test_a_device_that_is_often_lost_goes_first_if_another_can_still_save_it() -> None:
    shaky = Candidate("shaky", work_s=0.1, spread=0.1, loss_per_s=0.5)
    here = Candidate("here", is_here=True, work_s=1.0, spread=0.1)
    assert shaky.needed_s() == inf
    assert ranked(place(Need(), (shaky, here), left_s=5.0)) == ["shaky", "here"]
    # too late to try it first: only one of them is certain
    assert ranked(place(Need(), (shaky, here), left_s=1.4)) == ["here", "shaky"]


def test_where_nobody_is_certain_the_likeliest_comes_first() -> None:
    slow = Candidate("slow", work_s=9.0)
    quick = Candidate("quick", work_s=2.0)
    assert ranked(place(Need(), (slow, quick), left_s=1.0)) == ["quick", "slow"]


def test_the_hedge_is_the_one_that_can_wait_longest() -> None:
    sure = Candidate("sure", work_s=1.0, spread=0.05)
    vague = Candidate("vague", work_s=0.5, spread=1.5)
    shaky = Candidate("shaky", work_s=0.01, loss_per_s=1.0)
    found = best_hedge((vague, sure, shaky))
    assert found is not None
    assert found[0] is sure
    assert found[1] == pytest.approx(sure.needed_s())
    assert best_hedge((shaky,)) is None


_TIMES = st.floats(0.0, 100.0)
_CANDIDATES = st.builds(
    Candidate,
    device=st.sampled_from("abcdef"),
    wait_s=_TIMES,
    transfer_s=_TIMES,
    work_s=_TIMES,
    spread=st.floats(0.05, 3.0),
    loss_per_s=st.floats(0.0, 2.0),
    is_on_mains=st.booleans(),
    charge=st.none() | st.floats(0.0, 1.0),
    heat=st.none() | st.floats(0.0, 1.5),
    free_mb=st.integers(0, 1000),
)


@given(candidate=_CANDIDATES, left_s=st.floats(0.001, 1000.0))
def test_chance_grows_with_time_and_what_is_needed_suffices(
    candidate: Candidate, left_s: float
) -> None:
    chance = candidate.chance(left_s)
    assert 0.0 <= chance <= 1.0
    needed_s = candidate.needed_s()
    if needed_s < inf:
        assert candidate.chance(needed_s * 1.001) >= CERTAINTY - 1e-6


@given(
    candidates=st.lists(_CANDIDATES, max_size=6, unique_by=lambda c: c.device),
    left_s=st.none() | st.floats(0.001, 1000.0),
    needs_mains=st.booleans(),
)
def test_everybody_is_ranked_or_said_why_not(
    candidates: list[Candidate], left_s: float | None, needs_mains: bool
) -> None:
    need = Need(memory_mb=200, needs_mains=needs_mains)
    placement = place(need, candidates, left_s)
    assert sorted([*ranked(placement), *placement.unfit]) == sorted(
        c.device for c in candidates
    )
    again = place(need, reversed(candidates), left_s)
    assert ranked(again) == ranked(placement)
