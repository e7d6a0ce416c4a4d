"""A candidate counts each voter once, each answer to its own bid, and its own time."""

from __future__ import annotations

from random import Random

import pytest

from trivet.domain import RefusedError, WireError
from trivet.fabric.seat import MemoryBook, Roll, Send, Standing, Table, View
from trivet.fabric.seat.timing import HOLD_S, STABLE_S
from trivet.fabric.seat.word import Bid, Claim, Denial, Done, Promise, Release, Why

FIVE = ("car", "home", "phone", "tablet", "van")
START = 1000.0
#: When a new book has had its time.
NOW = START + 3.0


def table(*present: str, me: str = "home", roll: Roll | None = None) -> Table:
    roll = roll or Roll(1, FIVE)
    view = View(me, roll, ("home", "phone", "car"), frozenset(present))
    return Table(me, MemoryBook(), {"engine": view}, roll, Random(1), START)


def granted(send: Send, **changes: object) -> Promise:
    assert isinstance(send.word, Bid)
    bid = send.word
    return Promise(bid.seat, bid.token, bid.boot, bid.round)


def bids(sends: list[Send]) -> dict[str, Bid]:
    return {s.device: s.word for s in sends if isinstance(s.word, Bid)}


def second_round(home: Table) -> list[Send]:
    """Let everybody say yes to the question; the bids that follow."""
    asked = home.tick(NOW)
    follow: list[Send] = []
    for send in asked:
        follow += home.hear(send.device, send.word, granted(send), NOW)
    assert len(bids(follow)) == 4
    assert not any(bid.is_query for bid in bids(follow).values())
    return follow


def stands(home: Table, now: float = NOW) -> Standing:
    return home.candidate("engine").standing(now)


def test_it_holds_with_a_majority_from_the_moment_it_asked() -> None:
    home = table("car", "phone", "tablet", "van")
    first, second, *_ = second_round(home)
    home.hear(first.device, first.word, granted(first), NOW + 0.1)
    assert stands(home) is Standing.WAITING
    home.hear(second.device, second.word, granted(second), NOW + 0.2)
    assert stands(home) is Standing.HOLDING
    assert stands(home, NOW + HOLD_S - 0.01) is Standing.HOLDING
    assert stands(home, NOW + HOLD_S) is Standing.ALONE


def test_attack_a_device_votes_twice() -> None:
    home = table("car", "phone", "tablet", "van")
    first = second_round(home)[0]
    for _ in range(5):
        home.hear(first.device, first.word, granted(first), NOW)
    assert stands(home) is Standing.WAITING


def test_attack_one_that_was_not_asked_votes() -> None:
    home = table("car", "phone", "tablet", "van")
    first = second_round(home)[0]
    for device in ("visitor", "home", "thief", "guest-1"):
        home.hear(device, first.word, granted(first), NOW)
    assert stands(home) is Standing.WAITING


def test_attack_an_answer_of_before_is_replayed() -> None:
    """Neither the answer to a question nor one from before a restart is a promise."""
    home = table("car", "phone", "tablet", "van")
    asked = home.tick(NOW)
    old = [granted(send) for send in asked]
    home = table("car", "phone", "tablet", "van")
    home.candidate("engine")._boot += 1
    bid = second_round(home)
    for send, promise in zip(bid, old, strict=True):
        home.hear(send.device, send.word, promise, NOW)
    assert stands(home) is Standing.WAITING
    for send in bid[:2]:
        home.hear(send.device, send.word, granted(send), NOW + HOLD_S)
    assert stands(home, NOW + HOLD_S) is not Standing.HOLDING, "it came too late"


def test_attack_a_promise_for_another_token() -> None:
    home = table("car", "phone", "tablet", "van")
    for send in second_round(home):
        good = granted(send)
        wrong = Promise(good.seat, good.token + 1, good.boot, good.round)
        home.hear(send.device, send.word, wrong, NOW)
    assert stands(home) is Standing.WAITING


def test_what_was_promised_for_a_lost_round_goes_back() -> None:
    home = table("car", "phone", "tablet", "van")
    bid = second_round(home)
    home.hear(bid[0].device, bid[0].word, granted(bid[0]), NOW)
    sends: list[Send] = []
    for send in bid[1:]:
        assert isinstance(send.word, Bid)
        no = Denial("engine", send.word.boot, send.word.round, Why.HELD, 9, "car", 300)
        sends += home.hear(send.device, send.word, no, NOW)
    assert {send.device for send in sends} == {"car", "phone", "tablet", "van"}
    assert all(isinstance(send.word, Release) for send in sends)


def test_a_holder_that_meets_a_greater_token_takes_a_still_greater_one() -> None:
    home = table("car", "phone", "tablet", "van")
    first, second, third, _ = second_round(home)
    for send in (first, second):
        home.hear(send.device, send.word, granted(send), NOW)
    assert isinstance(third.word, Bid)
    no = Denial("engine", third.word.boot, third.word.round, Why.OLD, 40, "van", 1)
    home.hear(third.device, third.word, no, NOW)
    renewal = bids(home.tick(NOW + 0.7))
    assert {bid.token for bid in renewal.values()} == {41}
    assert stands(home, NOW + 0.7) is Standing.HOLDING


def test_it_hands_over_to_who_claims_for_some_time_and_comes_first() -> None:
    phone = table("car", "home", "tablet", "van", me="phone")
    for send in second_round(phone)[:2]:
        phone.hear(send.device, send.word, granted(send), NOW)
    assert stands(phone) is Standing.HOLDING
    held = phone.candidate("engine")
    held.tick(NOW)
    phone.answer("car", Claim("engine"), NOW)
    now = NOW
    while now < NOW + STABLE_S:
        assert not held.is_leaving(now)
        phone.answer("home", Claim("engine"), now)
        for send in phone.tick(now):
            phone.hear(send.device, send.word, granted(send), now)
        now += 0.5
    phone.answer("home", Claim("engine"), now)
    sends = phone.tick(now)
    assert {send.word.heir for send in sends if isinstance(send.word, Release)} == {
        "home"
    }
    assert stands(phone, now) is not Standing.HOLDING


def test_a_device_alone_in_its_household_holds_at_once() -> None:
    home = table(roll=Roll(1, ("home",)))
    for tick in range(20):
        home.tick(START + tick / 100)
    assert stands(home, START + 0.2) is Standing.HOLDING


def test_what_is_only_said_in_answer_is_no_question() -> None:
    with pytest.raises(WireError):
        table("car").answer("car", Done("engine"), NOW)


def test_a_seat_is_not_given_away_where_nobody_can_take_it() -> None:
    home = table(roll=Roll(1, ("home",)))
    with pytest.raises(RefusedError, match="does not hold"):
        home.candidate("engine").give_away(START)
    for tick in range(20):
        home.tick(START + tick / 100)
    with pytest.raises(RefusedError, match="nobody else"):
        home.candidate("engine").give_away(START + 0.2)
