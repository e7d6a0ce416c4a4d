"""A worker's queue: bounded, its own runs first, each run its asker's alone."""

from __future__ import annotations

from itertools import product

import pytest
from tests.fabric.offload import work

from trivet.domain import RefusedError, UsageError, WireError
from trivet.fabric.offload import AnyTask
from trivet.fabric.offload.docket import (
    KEEP_S,
    MAX_ENDED,
    MAX_HELD,
    PART_S,
    TABLE,
    Docket,
    Happening,
)
from trivet.fabric.offload.message import (
    PART_BYTES,
    Failure,
    Flaw,
    Full,
    Part,
    Stage,
    Submit,
    Taken,
)
from trivet.fabric.offload.parcel import Parcel


def run_id(number: int) -> str:
    return f"{number:032x}"


def docket(slots: int = 1, max_waiting: int = 8) -> Docket:
    return Docket("phone", slots, lambda task: 2.0, max_waiting)


def submit(
    at: Docket,
    number: int,
    asker: str = "car",
    now: float = 0.0,
    size: int = 1,
    data: bytes = b"\x01",
    task: AnyTask = work.add,
) -> Taken | Full:
    word = Submit(run_id(number), task.name, task.digest, size, data)
    return at.submit(asker, word, task, now)


def stage(at: Docket, number: int, asker: str = "car") -> Stage:
    job = at.find(asker, run_id(number))
    assert job is not None
    return job.stage


def test_a_run_goes_from_queue_to_end() -> None:
    at = docket()
    assert submit(at, 1) == Taken(Stage.QUEUED, parts=1)
    job = at.begin(1.0)
    assert job is not None
    assert (job.stage, job.waited_s) == (Stage.RUNNING, 1.0)
    assert at.begin(1.0) is None
    at.end(job, 3.0, b"x", 1.5)
    assert (job.stage, job.output, job.took_s) == (Stage.ENDED, b"x", 1.5)
    assert at.undelivered("car") == [job]
    at.delivered(job)
    assert at.undelivered("car") == []
    assert job.output is None


def test_a_request_that_comes_twice_is_taken_once() -> None:
    at = docket()
    submit(at, 1)
    assert submit(at, 1) == Taken(Stage.QUEUED, parts=1)
    job = at.begin(0.0)
    assert job is not None
    assert submit(at, 1) == Taken(Stage.RUNNING, parts=1)
    at.end(job, 1.0, b"x")
    assert submit(at, 1) == Taken(Stage.ENDED)
    assert at.begin(2.0) is None


def test_a_full_queue_says_how_long() -> None:
    at = docket(max_waiting=2)
    assert submit(at, 1, "car") == Taken(Stage.QUEUED, parts=1)
    assert submit(at, 2, "home") == Taken(Stage.QUEUED, 2.0, parts=1)
    assert submit(at, 3, "watch") == Full(4.0)
    assert at.begin(0.0) is not None
    assert submit(at, 3, "watch", 1.0) == Taken(Stage.QUEUED, 3.0, parts=1)


def test_attack_one_asker_cannot_fill_the_queue() -> None:
    at = docket(max_waiting=8)
    answers = [submit(at, number) for number in range(20)]
    assert sum(isinstance(answer, Full) for answer in answers) == 14
    assert isinstance(submit(at, 99, "home"), Taken)


def test_attack_promises_of_bytes_are_held_against_the_memory() -> None:
    at = docket(max_waiting=1000)
    size, data = 16 << 20, bytes(PART_BYTES)
    answers = [submit(at, number, size=size, data=data) for number in range(9)]
    taken = [answer for answer in answers if isinstance(answer, Taken)]
    assert len(taken) == 3  # one asker may not have it all
    assert {answer.stage for answer in taken} == {Stage.RECEIVING}
    assert isinstance(submit(at, 1, "home", size=size, data=data), Taken)
    assert isinstance(submit(at, 1, "watch", size=size, data=data), Full)


def test_inputs_that_stop_coming_are_given_up() -> None:
    at = docket()
    submit(at, 1, size=PART_BYTES + 1, data=bytes(PART_BYTES))
    at.tick(PART_S)
    assert stage(at, 1) is Stage.RECEIVING
    at.tick(PART_S + 1.0)
    assert stage(at, 1) is Stage.BARRED
    late = Part(run_id(1), 1, b"x")
    assert at.part("car", late, PART_S + 2.0).stage is Stage.BARRED


def test_a_run_begins_when_its_input_is_whole() -> None:
    at = docket()
    submit(at, 1, size=PART_BYTES + 1, data=bytes(PART_BYTES))
    assert at.begin(0.0) is None
    assert at.part("car", Part(run_id(1), 1, b"x"), 1.0).stage is Stage.QUEUED
    assert at.begin(1.0) is not None


def test_the_devices_own_runs_go_first_and_are_not_shut_out_by_others() -> None:
    at = docket(max_waiting=2)
    submit(at, 1, "car", 0.0)
    submit(at, 2, "home", 1.0)
    own = at.own(run_id(3), work.add, Parcel(1, b"\x01"), 2.0)
    assert own is not None
    assert at.begin(3.0) is own


def test_attack_a_run_is_its_askers_alone() -> None:
    at = docket()
    submit(at, 1, "car", size=PART_BYTES + 1, data=bytes(PART_BYTES))
    with pytest.raises(RefusedError, match="home has no run"):
        at.part("home", Part(run_id(1), 1, b"x"), 0.0)
    assert at.status("home", run_id(1), 0.0).stage is Stage.BARRED
    assert at.cancel("home", run_id(1), 0.0).asker == "home"
    assert stage(at, 1) is Stage.RECEIVING


def test_attack_a_first_part_of_the_wrong_length_is_not_taken() -> None:
    at = docket()
    with pytest.raises(WireError):
        submit(at, 1, size=9, data=b"\x01")
    assert at.find("car", run_id(1)) is None


def test_another_task_under_the_same_name_is_refused() -> None:
    at = docket()
    word = Submit(run_id(1), "add", "0" * 16, 1, b"\x01")
    with pytest.raises(RefusedError, match="its types differ"):
        at.submit("car", word, work.add, 0.0)
    with pytest.raises(RefusedError, match="does not offer add"):
        at.submit("car", word, None, 0.0)


def test_what_was_never_heard_of_is_barred_when_it_is_asked_after() -> None:
    at = docket()
    assert at.status("car", run_id(1), 0.0).stage is Stage.BARRED
    assert submit(at, 1) == Taken(Stage.BARRED)
    assert at.begin(0.0) is None


@pytest.mark.parametrize("begins", [False, True])
def test_what_is_cancelled_is_over(begins: bool) -> None:
    at = docket()
    submit(at, 1)
    job = at.begin(0.0) if begins else None
    ended = at.cancel("car", run_id(1), 1.0)
    assert ended.stage is (Stage.ENDED if begins else Stage.BARRED)
    assert at.undelivered("car") == []
    if job is not None:
        at.end(job, 2.0, b"late")
        assert job.output is None
    submit(at, 2)
    assert at.begin(2.0) is not None


def test_results_that_nobody_takes_are_given_up() -> None:
    at = docket()
    submit(at, 1)
    job = at.begin(0.0)
    assert job is not None
    at.end(job, 1.0, b"x")
    at.tick(KEEP_S + 2.0)
    assert job.output is None
    assert job.failure == Failure(
        run_id(1), Flaw.LOST, "its result was not fetched in time"
    )


def test_attack_what_is_remembered_is_bounded() -> None:
    at = docket()
    for number in range(3 * MAX_ENDED):
        at.status("car", run_id(number), 0.0)
    assert len(at._jobs) <= MAX_ENDED + 1
    assert submit(at, 10**6) == Taken(Stage.QUEUED, parts=1)


def test_results_that_nobody_takes_do_not_fill_the_memory() -> None:
    at = docket(slots=8)
    jobs = []
    for number in range(8):
        submit(at, number, asker=f"d{number}")
        job = at.begin(0.0)
        assert job is not None
        jobs.append(job)
    for job in jobs:
        at.end(job, 0.0, bytes(16 << 20))
    held = [job for job in jobs if job.output is not None]
    assert sum(len(job.output or b"") for job in held) <= MAX_HELD
    assert jobs[-1].output is not None
    # and what is asked for anew is more than what nobody took
    big = submit(at, 99, size=16 << 20, data=bytes(PART_BYTES))
    assert isinstance(big, Taken)
    assert (
        sum(job.held for job in [*jobs, at.find("car", run_id(99))] if job) <= MAX_HELD
    )


def test_what_cannot_happen_is_the_callers_fault() -> None:
    at = docket()
    submit(at, 1)
    job = at.find("car", run_id(1))
    assert job is not None
    with pytest.raises(UsageError, match="queued cannot end"):
        at.end(job, 1.0, b"x")
    over = {Stage.ENDED, Stage.BARRED}
    for at_stage, what in product(over, Happening):
        assert TABLE.get((at_stage, what), at_stage) is at_stage


def test_attack_one_askers_flood_does_not_push_out_anothers_result() -> None:
    at = docket()
    submit(at, 1, asker="watch")
    job = at.begin(0.0)
    assert job is not None
    at.end(job, 1.0, b"x")
    for number in range(2 * MAX_ENDED):
        at.status("car", run_id(number), 1.0)
    assert at.undelivered("watch") == [job]
