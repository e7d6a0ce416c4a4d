"""One run as its asker sees it, with a fake clock and two workers that are a list."""

from __future__ import annotations

from itertools import product
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.domain import (
    PeerError,
    RefusedError,
    TaskError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.offload.attempt import TABLE, Attempt, Step, What
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.placement import Candidate, Need
from trivet.fabric.offload.race import (
    MAX_ATTEMPTS,
    PATIENCE_S,
    Action,
    Deliver,
    Drop,
    Fail,
    Race,
    Start,
)

PHONE = Candidate("phone", work_s=0.2, spread=0.1)
HOME = Candidate("home", work_s=0.5, spread=0.1)
HERE = Candidate("car", is_here=True, work_s=1.0, spread=0.1)
AWAY = UnreachableError("phone is not there")


def race(
    *candidates: Candidate, is_idempotent: bool = True, deadline: float | None = None
) -> Race:
    made = Race("plan", Need(), is_idempotent=is_idempotent, deadline=deadline)
    made.candidates = candidates
    return made


def only_start(actions: list[Action]) -> Attempt:
    (start,) = actions
    assert isinstance(start, Start)
    return start.attempt


def error_of(actions: list[Action]) -> PeerError:
    assert isinstance(actions[-1], Fail)
    assert all(isinstance(action, Drop) for action in actions[:-1])
    return actions[-1].error


def test_the_best_one_has_it_and_its_answer_is_delivered() -> None:
    run = race(HERE, PHONE, HOME)
    attempt = only_start(run.begin(0.0))
    assert attempt.device == "phone"
    assert run.accepted(attempt, 0.1) == []
    assert run.finished(attempt, 0.2, b"x") == [Deliver(attempt, b"x")]
    assert run.is_over
    assert run.wake == inf


def test_who_places_it_may_choose_the_first_device_if_it_is_fit() -> None:
    low = Candidate("low", is_on_mains=False, charge=0.1)
    assert only_start(race(PHONE, HERE).begin(0.0, "car")).device == "car"
    assert only_start(race(PHONE, low).begin(0.0, "low")).device == "phone"
    assert only_start(race(PHONE).begin(0.0, "stranger")).device == "phone"


def test_an_answer_may_overtake_the_word_that_it_was_taken() -> None:
    run = race(PHONE)
    attempt = only_start(run.begin(0.0))
    assert run.finished(attempt, 0.2, b"x") == [Deliver(attempt, b"x")]


def test_a_hedge_starts_at_the_last_moment_at_which_it_is_certain() -> None:
    run = race(PHONE, HERE, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    assert attempt.device == "phone"
    assert run.accepted(attempt, 0.1) == []
    assert run.wake == pytest.approx(10.0 - HERE.needed_s())
    assert run.tick(run.wake - 0.01) == []
    hedge = only_start(run.tick(run.wake))
    assert hedge.device == "car"
    done = run.finished(hedge, 9.9, b"x")
    assert done == [Drop(attempt), Deliver(hedge, b"x")]


def test_the_first_answer_wins_and_the_hedge_is_dropped() -> None:
    run = race(PHONE, HERE, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    hedge = only_start(run.tick(9.0))
    assert run.finished(attempt, 9.2, b"x") == [Drop(hedge), Deliver(attempt, b"x")]
    assert run.finished(hedge, 9.3, b"y") == []
    assert run.failed(hedge, 9.4, Flaw.DIED, TaskError("late")) == []


def test_a_lost_device_is_hedged_at_once() -> None:
    run = race(PHONE, HERE, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    hedge = only_start(run.lost(attempt, 1.0))
    assert hedge.device == "car"
    # the phone comes back with it after all, and is first
    assert run.accepted(attempt, 1.5) == []
    assert run.finished(attempt, 1.6, b"x") == [Drop(hedge), Deliver(attempt, b"x")]


def test_a_first_one_that_is_certain_enough_needs_no_hedge_that_is_not() -> None:
    slow = Candidate("car", is_here=True, work_s=30.0, spread=0.1)
    run = race(PHONE, slow, deadline=5.0)
    attempt = only_start(run.begin(0.0))
    assert run.tick(0.2) == []
    # when it is overdue, what little chance there is is taken
    assert only_start(run.tick(3.0)).device == "car"
    assert attempt.step is Step.SENT


def test_at_the_deadline_all_is_dropped_and_told() -> None:
    run = race(PHONE, HERE, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    hedge = only_start(run.tick(9.0))
    actions = run.tick(10.0)
    assert actions[:2] == [Drop(attempt), Drop(hedge)]
    assert "plan was not done by its deadline on phone, car" in str(error_of(actions))


def test_a_full_device_is_tried_again_when_it_has_room() -> None:
    run = race(PHONE)
    attempt = only_start(run.begin(0.0))
    assert run.refused(attempt, 0.1, RefusedError("phone is full"), 2.0) == []
    assert run.wake == pytest.approx(2.1)
    assert run.tick(2.0) == []
    again = only_start(run.tick(2.1))
    assert again.device == "phone"
    assert again.number == 1


def test_a_refusal_for_good_goes_to_the_next_and_at_last_to_the_caller() -> None:
    run = race(PHONE, HERE)
    attempt = only_start(run.begin(0.0))
    refusal = RefusedError("phone may not have it", hint="ask its owner")
    other = only_start(run.refused(attempt, 0.1, refusal))
    assert other.device == "car"
    assert error_of(run.refused(other, 0.2, refusal)) is refusal


def test_what_a_function_raises_is_not_tried_elsewhere() -> None:
    run = race(PHONE, HERE)
    attempt = only_start(run.begin(0.0))
    error = TaskError("no road")
    assert error_of(run.failed(attempt, 0.1, Flaw.RAISED, error)) is error


@pytest.mark.parametrize("flaw", [Flaw.DIED, Flaw.MEMORY, Flaw.TIME, Flaw.LOST])
def test_what_one_device_could_not_do_another_may(flaw: Flaw) -> None:
    run = race(PHONE, HERE)
    attempt = only_start(run.begin(0.0))
    other = only_start(run.failed(attempt, 0.1, flaw, TaskError("died")))
    assert other.device == "car"
    assert error_of(run.failed(other, 0.2, flaw, TaskError("again"))).message == "again"


def test_nobody_fit_is_told_with_reasons() -> None:
    low = Candidate("phone", is_on_mains=False, charge=0.1)
    error = error_of(race(low).begin(0.0))
    assert isinstance(error, RefusedError)
    assert "phone: its battery is at 10%" in str(error)
    assert "none that is there offers it" in str(error_of(race().begin(0.0)))


def test_with_a_deadline_a_device_that_may_come_is_waited_for() -> None:
    run = race(deadline=5.0)
    assert run.begin(0.0) == []
    assert run.wake == pytest.approx(0.5)
    assert run.tick(0.5) == []
    run.candidates = (PHONE,)
    assert only_start(run.tick(0.7)).device == "phone"
    low = Candidate("phone", is_on_mains=False, charge=0.1)
    late = race(low, deadline=1.0)
    assert late.begin(0.0) == []
    error = error_of(late.tick(1.0))
    assert isinstance(error, UnreachableError)
    assert "by its deadline on any device: phone: its battery is at 10%" in str(error)


def test_without_a_deadline_a_lost_device_is_waited_for_a_while() -> None:
    run = race(PHONE)
    attempt = only_start(run.begin(0.0))
    assert run.lost(attempt, 1.0) == []
    assert run.wake == 1.0 + PATIENCE_S
    error = error_of(run.tick(1.0 + PATIENCE_S))
    assert isinstance(error, UnreachableError)
    assert "phone went in the middle of plan" in str(error)
    assert "may have run" not in str(error)


def test_a_device_that_comes_while_one_is_lost_is_tried() -> None:
    run = race(PHONE, deadline=60.0)
    attempt = only_start(run.begin(0.0))
    assert run.lost(attempt, 1.0) == []
    run.candidates = (HOME,)
    assert only_start(run.tick(2.0)).device == "home"


# --- at most once -------------------------------------------------------------------


def test_what_must_not_run_twice_is_not_hedged() -> None:
    run = race(PHONE, HERE, is_idempotent=False, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    assert run.accepted(attempt, 0.1) == []
    for time in (1.0, 8.0, 9.9):
        assert run.tick(time) == []
    error = error_of(run.tick(10.0))
    assert isinstance(error, UnreachableError)
    assert "it may have run" in str(error)
    assert len(run.attempts) == 1


def test_what_must_not_run_twice_waits_for_a_lost_device() -> None:
    run = race(PHONE, HERE, is_idempotent=False)
    attempt = only_start(run.begin(0.0))
    assert run.lost(attempt, 1.0) == []
    assert run.accepted(attempt, 5.0) == []
    assert run.finished(attempt, 6.0, b"x") == [Deliver(attempt, b"x")]


def test_what_is_known_not_to_have_begun_may_begin_elsewhere() -> None:
    run = race(PHONE, HERE, is_idempotent=False)
    attempt = only_start(run.begin(0.0))
    assert only_start(run.refused(attempt, 0.1, AWAY)).device == "car"


def test_what_was_lost_and_turns_out_not_to_have_begun_begins_elsewhere() -> None:
    run = race(PHONE, HERE, is_idempotent=False, deadline=10.0)
    attempt = only_start(run.begin(0.0))
    assert run.lost(attempt, 1.0) == []
    assert only_start(run.refused(attempt, 2.0, AWAY)).device == "car"


@pytest.mark.parametrize("flaw", [Flaw.DIED, Flaw.LOST])
def test_what_must_not_run_twice_says_that_it_may_have_run(flaw: Flaw) -> None:
    run = race(PHONE, HERE, is_idempotent=False)
    attempt = only_start(run.begin(0.0))
    error = error_of(run.failed(attempt, 1.0, flaw, TaskError("phone: it ended")))
    assert "it may have run" in str(error)
    assert isinstance(error, UnreachableError) is (flaw is Flaw.LOST)


# --- whatever happens ---------------------------------------------------------------

EVENTS = ("accepted", "refused", "full", "lost", "failed", "raised", "finished", "tick")


def happen(run: Race, event: str, attempt: Attempt, now: float) -> list[Action]:
    if event == "tick":
        return run.tick(now)
    if event == "accepted":
        return run.accepted(attempt, now)
    if event == "lost":
        return run.lost(attempt, now)
    if event == "finished":
        return run.finished(attempt, now, b"x")
    if event in ("refused", "full"):
        wait_s = 0.5 if event == "full" else inf
        return run.refused(attempt, now, RefusedError("no"), wait_s)
    flaw = Flaw.RAISED if event == "raised" else Flaw.DIED
    return run.failed(attempt, now, flaw, TaskError("it failed"))


@given(
    events=st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 7)), max_size=60),
    is_idempotent=st.booleans(),
    deadline=st.none() | st.floats(0.1, 20.0),
    data=st.data(),
)
def test_whatever_happens_it_ends_once_and_runs_no_more_than_it_may(
    events: list[tuple[str, int]],
    is_idempotent: bool,
    deadline: float | None,
    data: st.DataObject,
) -> None:
    run = race(PHONE, HOME, HERE, is_idempotent=is_idempotent, deadline=deadline)
    now, seen = 0.0, list(run.begin(0.0))
    may_have_begun: set[int] = set()
    for event, which in events:
        now += data.draw(st.floats(0.0, 1.0))
        attempt = run.attempts[which % len(run.attempts)]
        if (attempt.step, event) not in POSSIBLE:
            continue
        if event in ("lost", "failed", "raised", "finished") and attempt.is_live:
            may_have_begun.add(attempt.number)
        if event in ("refused", "full"):
            may_have_begun.discard(attempt.number)  # it is certain that it did not
        seen += happen(run, event, attempt, now)
    ends = [a for a in seen if isinstance(a, Deliver | Fail)]
    assert len(ends) == int(run.is_over)
    assert len(run.attempts) <= MAX_ATTEMPTS
    live = [a for a in run.attempts if a.is_live]
    assert len(live) <= (3 if is_idempotent else 1)
    assert not (run.is_over and live)
    assert len({a.device for a in live}) == len(live)
    if not is_idempotent:
        assert len(may_have_begun) <= 1
    if deadline is not None and not run.is_over:
        assert run.wake <= deadline or now >= deadline


#: What can come of an attempt: what the link may tell of it, late or not.
POSSIBLE = {
    (step, event) for step, event in product(Step, EVENTS) if step is not Step.WON
}


def test_every_step_of_a_live_attempt_has_a_place_in_the_table() -> None:
    for step, what in product((Step.SENT, Step.HELD, Step.AWAY), What):
        assert (step, what) in TABLE
    assert {TABLE[Step.OVER, what] for what in What} == {Step.OVER}
    assert not [at for at in TABLE if at[0] is Step.WON]


def test_what_cannot_happen_is_the_callers_fault() -> None:
    run = race(PHONE)
    attempt = only_start(run.begin(0.0))
    run.finished(attempt, 1.0, b"x")
    with pytest.raises(UsageError, match="won cannot be lost"):
        run.lost(attempt, 2.0)
    with pytest.raises(UsageError, match="begun already"):
        run.begin(3.0)
