"""A voter promises a seat to one device at a time, and forgets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fabric.house_stage import crash

from trivet.domain import RefusedError, SetupError
from trivet.fabric.seat import FileBook, MemoryBook, Roll, Voter
from trivet.fabric.seat.book import MAX_SEATS
from trivet.fabric.seat.fence import Fence
from trivet.fabric.seat.timing import HEIR_S, PROMISE_S
from trivet.fabric.seat.voter import MAX_LEAP
from trivet.fabric.seat.word import Bid, Denial, Promise, Release, Why

ROLL = Roll(1, ("car", "home", "phone"))
NOW = 1000.0


def voter(book: MemoryBook | FileBook | None = None) -> Voter:
    """The phone's, which has been there for a while."""
    return Voter("phone", book or MemoryBook(), ROLL, NOW - 10)


def bid(
    token: int, round: int = 1, boot: int = 7, roll: Roll = ROLL, seat: str = "engine"
) -> Bid:
    return Bid(seat, token, boot, round, roll)


def why(answer: Promise | Denial) -> Why | None:
    return answer.why if isinstance(answer, Denial) else None


def test_a_seat_is_promised_to_one_device_until_the_promise_is_over() -> None:
    phone = voter()
    assert isinstance(phone.bid("home", bid(1), NOW), Promise)
    denial = phone.bid("car", bid(2), NOW + PROMISE_S - 0.01)
    assert isinstance(denial, Denial)
    assert (denial.why, denial.holder, denial.token) == (Why.HELD, "home", 1)
    assert isinstance(phone.bid("car", bid(2), NOW + PROMISE_S), Promise)


def test_a_renewal_prolongs_the_promise() -> None:
    phone = voter()
    phone.bid("home", bid(1), NOW)
    phone.bid("home", bid(1, 2), NOW + 1.5)
    assert why(phone.bid("car", bid(2), NOW + PROMISE_S + 1)) is Why.HELD


def test_seats_are_apart() -> None:
    phone = voter()
    phone.bid("home", bid(1), NOW)
    assert isinstance(phone.bid("car", bid(1, seat="issuer"), NOW), Promise)


def test_a_token_is_never_promised_to_two_nor_a_lesser_one_after_it() -> None:
    phone = voter()
    phone.bid("home", bid(5), NOW)
    later = NOW + PROMISE_S
    assert why(phone.bid("car", bid(5), later)) is Why.OLD
    assert why(phone.bid("car", bid(4), later)) is Why.OLD
    assert why(phone.bid("home", bid(4, 2), later)) is Why.OLD
    assert isinstance(phone.bid("home", bid(5, 2), later), Promise)


def test_a_promise_outlives_a_restart_and_a_token_outlives_all(tmp_path: Path) -> None:
    book = FileBook(tmp_path / "seat.json")
    voter(book).bid("home", bid(5), NOW)
    again = Voter("phone", FileBook(tmp_path / "seat.json"), ROLL, 3.0)
    assert why(again.bid("car", bid(9), 3.0 + PROMISE_S - 0.01)) is Why.HELD
    assert why(again.bid("car", bid(5), 3.0 + PROMISE_S)) is Why.OLD
    assert isinstance(again.bid("home", bid(5), 3.1), Promise), "its holder goes on"


def test_who_held_itself_need_not_wait_for_itself_after_a_restart() -> None:
    book = MemoryBook()
    voter(book).bid("phone", bid(5), NOW)
    again = Voter("phone", book, ROLL, 3.0)
    assert isinstance(again.bid("home", bid(6), 3.0), Promise)


def test_a_book_that_was_lost_is_given_time() -> None:
    phone = Voter("phone", MemoryBook(), ROLL, NOW)
    assert why(phone.bid("home", bid(1), NOW + 0.1)) is Why.UNREADY
    assert isinstance(phone.bid("home", bid(1), NOW + PROMISE_S), Promise)


def test_a_promise_that_cannot_be_kept_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = voter(FileBook(tmp_path / "seat.json"))
    phone.bid("home", bid(1), NOW)
    with monkeypatch.context() as patch:
        crash(patch)
        with pytest.raises(SetupError, match="cannot be replaced"):
            phone.bid("car", bid(2), NOW + PROMISE_S)
    record = Voter("phone", FileBook(tmp_path / "seat.json"), ROLL, NOW).record(
        "engine"
    )
    assert record is not None
    assert (record.token, record.holder) == (1, "home")
    assert isinstance(phone.bid("home", bid(1, 2), NOW + PROMISE_S), Promise)


def test_a_damaged_book_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "seat.json"
    voter(FileBook(path)).bid("home", bid(1), NOW)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SetupError, match=r"damaged.*revoke this device"):
        voter(FileBook(path))


def test_a_question_changes_nothing() -> None:
    phone = voter()
    query = Bid("engine", 3, 7, 1, ROLL, is_query=True)
    assert isinstance(phone.bid("home", query, NOW), Promise)
    assert phone.record("engine") is None
    assert isinstance(phone.bid("car", bid(1), NOW), Promise)


def test_who_releases_frees_the_seat_and_its_heir_goes_first() -> None:
    phone = voter()
    phone.bid("home", bid(1), NOW)
    phone.release("home", Release("engine", 7, 1, "phone"), NOW + 0.1)
    assert why(phone.bid("car", bid(2), NOW + 0.2)) is Why.HELD
    assert isinstance(phone.bid("phone", bid(2), NOW + 0.2), Promise)
    other = voter()
    other.bid("home", bid(1), NOW)
    other.release("home", Release("engine", 7, 1, "phone"), NOW + 0.1)
    assert isinstance(other.bid("car", bid(2), NOW + 0.1 + HEIR_S), Promise)


def test_a_release_that_comes_late_ends_nothing() -> None:
    phone = voter()
    phone.bid("home", bid(1, 1), NOW)
    phone.bid("home", bid(1, 2), NOW + 0.1)
    phone.release("home", Release("engine", 7, 1), NOW + 0.2)
    assert why(phone.bid("car", bid(2), NOW + 0.3)) is Why.HELD


def test_a_bid_that_comes_after_its_release_is_promised_nothing() -> None:
    phone = voter()
    phone.release("home", Release("engine", 7, 3), NOW)
    assert why(phone.bid("home", bid(1, 3), NOW + 0.1)) is Why.LATE
    assert isinstance(phone.bid("home", bid(1, 4), NOW + 0.1), Promise)


def test_whoever_knows_another_charter_is_promised_nothing_before_it_agrees() -> None:
    phone = voter()
    phone.look(Roll(2, ROLL.devices))
    assert why(phone.bid("home", bid(1), NOW)) is Why.ROLL
    newer = Roll(3, ROLL.devices)
    assert why(phone.bid("home", bid(1, roll=newer), NOW)) is Why.ROLL


def test_a_voter_stands_by_the_roll_of_the_last_holder() -> None:
    phone = voter()
    wider = Roll(2, (*ROLL.devices, "tablet"))
    phone.look(wider)
    first = phone.bid("home", bid(1, roll=wider), NOW)
    assert isinstance(first, Promise)
    assert first.rolls == (ROLL,)
    settled = Bid("engine", 1, 7, 2, wider, is_settled=True)
    phone.bid("home", settled, NOW + 0.1)
    last = phone.bid("home", bid(1, 3, roll=wider), NOW + 0.2)
    assert isinstance(last, Promise)
    assert last.rolls == ()


# --- attacks --------------------------------------------------------------------------


def test_attack_a_guest_or_stranger_seeks_a_seat() -> None:
    phone = voter()
    wider = Roll(1, ("car", "home", "phone", "visitor"))
    assert why(phone.bid("visitor", bid(1, roll=wider), NOW)) is Why.STRANGER
    assert why(phone.bid("visitor", bid(1), NOW)) is Why.STRANGER


def test_attack_a_member_makes_up_a_roll() -> None:
    for roll in (Roll(1, ("home",)), Roll(1 << 53, ROLL.devices)):
        phone = voter()
        assert why(phone.bid("home", bid(1, roll=roll), NOW)) is Why.ROLL
        assert isinstance(phone.bid("car", bid(1), NOW), Promise)


def test_attack_a_number_that_uses_up_all_tokens() -> None:
    phone = voter()
    assert why(phone.bid("home", bid(MAX_LEAP + 1), NOW)) is Why.FAR


def test_attack_a_member_fills_the_book_with_seats() -> None:
    phone = voter()
    given = [
        isinstance(phone.bid("home", bid(1, seat=f"s{n}"), NOW), Promise)
        for n in range(MAX_SEATS + 50)
    ]
    assert sum(given) == MAX_SEATS


def test_attack_releasing_what_another_was_promised() -> None:
    phone = voter()
    phone.bid("home", bid(1), NOW)
    phone.release("car", Release("engine", 7, 1, "car"), NOW)
    assert why(phone.bid("car", bid(2), NOW)) is Why.HELD


def test_attack_a_release_of_before_the_restart_is_replayed() -> None:
    phone = voter()
    phone.bid("home", bid(1, boot=8), NOW)
    phone.release("home", Release("engine", 7, 99), NOW)
    assert why(phone.bid("car", bid(2), NOW)) is Why.HELD


def test_attack_a_stale_token_comes_to_the_fence() -> None:
    phone = voter()
    fence = Fence(phone)
    with pytest.raises(RefusedError, match="promised to nobody"):
        fence.admit("engine", 1, "home")
    phone.bid("home", bid(3), NOW)
    fence.admit("engine", 3, "home")
    phone.bid("car", bid(4), NOW + PROMISE_S)
    fence.admit("engine", 4, "car")
    with pytest.raises(RefusedError, match=r"token 3; phone has promised it to car"):
        fence.admit("engine", 3, "home")
    phone.bid("home", bid(5), NOW + 2 * PROMISE_S)
    with pytest.raises(RefusedError):
        fence.admit("engine", 3, "home")  # its own, but of before the car's
    fence.admit("engine", 5, "home")
    phone.bid("home", bid(6, 2), NOW + 2 * PROMISE_S)
    fence.admit("engine", 5, "home")  # nobody came between the two
    fence.admit("", 0, "car")  # a person asks, and no seat


def test_attack_a_holder_is_forged_at_the_fence() -> None:
    phone = voter()
    phone.bid("home", bid(3), NOW)
    for token in (0, 3, 4, 1 << 53):
        with pytest.raises(RefusedError, match="acts for the seat"):
            Fence(phone).admit("engine", token, "car")
    Fence(phone).admit("engine", 3, "home")
