"""What is expected of each device: from what it offers, what it has, what it did."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fabric.offload import work

from trivet.fabric.offload.estimate import Estimates
from trivet.fabric.offload.message import (
    Condition,
    Offer,
    Offered,
    expect,
    pack,
    unpack,
)
from trivet.fabric.offload.outlook import AHEAD, REFRESH_S, Outlook
from trivet.fabric.offload.placement import Candidate, Need, best_hedge, place

HERE = Condition(benchmark_s=0.02, free_mb=4000)
ALIVE = frozenset({"phone", "home"})


def offer(slots: int = 1, wait_s: float = 0.0, digest: str = "") -> Offer:
    task = Offered("add", digest or work.add.digest)
    return Offer((task,), HERE, slots, wait_s)


def outlook(mine: Offer | None = None) -> Outlook:
    made = mine or offer()
    return Outlook("car", Estimates(), lambda: made)


def names(found: tuple[Candidate, ...]) -> list[str]:
    return sorted(each.device for each in found)


def test_those_who_offer_the_same_task_and_may_have_it_are_candidates() -> None:
    at = outlook()
    at.learn_offer("phone", offer(), 0.0)
    at.learn_offer("home", offer(), 0.0)
    assert names(at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)) == [
        "car",
        "home",
        "phone",
    ]
    only = at.candidates(work.add, 1, lambda d: d != "car", frozenset({"home"}), 0.0)
    assert names(only) == ["home"]
    assert names(at.candidates(work.nap, 1, lambda d: d != "car", ALIVE, 0.0)) == []


def test_other_types_no_slots_and_who_went_are_none() -> None:
    at = outlook(offer(slots=0))
    at.learn_offer("phone", offer(digest="0" * 16), 0.0)
    at.learn_offer("home", offer(slots=0), 0.0)
    assert at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0) == ()
    at.learn_offer("phone", offer(), 0.0)
    assert names(at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)) == ["phone"]
    assert at.candidates(work.add, 1, lambda _: True, frozenset(), 0.0) == ()


def test_what_others_have_waiting_there_goes_on_meanwhile() -> None:
    at = outlook(offer(slots=0))
    at.learn_offer("phone", offer(wait_s=5.0), 0.0)
    for now, wait_s in ((0.0, 5.0), (2.0, 3.0), (9.0, 0.0)):
        (found,) = at.candidates(work.add, 1, lambda _: True, ALIVE, now)
        assert found.wait_s == pytest.approx(wait_s)


@given(
    wait_s=st.sampled_from([0.0, 1e-300, 1e7]),
    median_s=st.sampled_from([0.0, 5e-324, 1e7]),
    spread=st.sampled_from([0.0, 20.0]),
    runs=st.sampled_from([0, 1, 1 << 40]),
    benchmark_s=st.sampled_from([1e-6, 1e4]),
    left_s=st.sampled_from([None, 1e-6, 1.0, 1e9]),
)
def test_attack_whatever_a_device_may_offer_the_others_still_place(
    wait_s: float,
    median_s: float,
    spread: float,
    runs: int,
    benchmark_s: float,
    left_s: float | None,
) -> None:
    at = outlook()
    task = Offered("add", work.add.digest, median_s, spread, runs)
    how = Condition(benchmark_s=benchmark_s, free_mb=1 << 30)
    said = unpack(pack(Offer((task,), how, 1, wait_s)))
    at.learn_offer("phone", expect(said, Offer, "phone"), 0.0)
    for _ in range(20):
        at.estimates.way("phone").lose()
    found = at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)
    placed = place(Need(), found, left_s)
    assert sorted(each.device for each in placed.ranked) == ["car", "phone"]
    best_hedge(found)
    for each in found:
        assert 0.0 <= each.chance(1.0) <= 1.0
        assert isfinite(each.finish_s)


def test_what_was_given_to_a_device_is_waited_for() -> None:
    at = outlook(offer(slots=0))
    at.learn_offer("phone", offer(), 0.0)
    (before,) = at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)
    carried = [at.carry(before, 0.0) for _ in range(1 + AHEAD)]
    assert not at.has_room("phone")
    (after,) = at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)
    assert after.wait_s == pytest.approx((1 + AHEAD) * before.work_s)
    for each in carried:
        at.put_down(each)
        at.put_down(each)
    assert at.has_room("phone")
    (again,) = at.candidates(work.add, 1, lambda _: True, ALIVE, 0.0)
    assert again.wait_s == 0.0


def test_what_was_seen_is_expected_again() -> None:
    at = outlook(offer(slots=0))
    at.learn_offer("phone", offer(), 0.0)
    for _ in range(20):
        at.learn("phone", work.add, 100, 2.0, 1.5, 1.2)
    (found,) = at.candidates(work.add, 100, lambda _: True, ALIVE, 0.0)
    assert found.work_s == pytest.approx(1.2, rel=0.05)
    assert found.transfer_s == pytest.approx(0.5, rel=0.05)


def test_an_offer_is_asked_for_anew_after_a_while() -> None:
    at = outlook()
    assert at.is_due("phone", 0.0)
    at.learn_offer("phone", offer(), 0.0)
    assert at.is_known("phone")
    assert not at.is_due("phone", REFRESH_S)
    assert at.is_due("phone", REFRESH_S + 1.0)
    assert not at.has_room("stranger")
    at.learn_offer("phone", offer(wait_s=9.0), 100.0)
    at.doubt("phone")
    at.doubt("stranger")
    assert at.is_due("phone", 100.0)
    here = at.candidates(work.add, 1, lambda d: d == "phone", ALIVE, 100.0)
    assert [(each.device, each.wait_s) for each in here] == [("phone", 0.0)]


def test_a_device_on_which_it_broke_rests_unless_there_is_no_other() -> None:
    at = outlook(offer(slots=0))
    at.learn_offer("phone", offer(), 0.0)
    at.learn_offer("home", offer(), 0.0)

    def now_at(now: float) -> list[str]:
        return names(at.candidates(work.add, 1, lambda _: True, ALIVE, now))

    at.learn_failure("phone", work.add, 0.0)
    assert now_at(1.0) == ["home"]
    assert now_at(6.0) == ["home", "phone"]
    at.learn_failure("phone", work.add, 6.0)
    assert now_at(12.0) == ["home"]
    at.learn_failure("home", work.add, 12.0)
    assert now_at(12.0) == ["home", "phone"]
    at.learn("phone", work.add, 1, 0.1, 0.1, 0.1)
    assert now_at(12.0) == ["phone"]
