"""Who is placed where, while others wait for the same."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.fabric.offload import work

from trivet.domain import RefusedError, UnreachableError
from trivet.domain.wire import Message
from trivet.fabric import MemoryFabric
from trivet.fabric.offload import TASK
from trivet.fabric.offload.course import Course, Wanted
from trivet.fabric.offload.errand import Errands
from trivet.fabric.offload.estimate import Estimates
from trivet.fabric.offload.journal import Journal
from trivet.fabric.offload.message import Condition, Offer, Offered
from trivet.fabric.offload.outlook import Outlook
from trivet.fabric.offload.placement import CERTAINTY, Candidate
from trivet.fabric.offload.pool import Pool
from trivet.fabric.offload.registry import AnyTask, Registry
from trivet.fabric.offload.runner import Runner
from trivet.fabric.offload.worker import Worker

HERE = Condition(benchmark_s=0.02, free_mb=4000)
QUICK = Candidate("phone", work_s=0.1, spread=0.1)
SLOW = Candidate("car", is_here=True, work_s=0.4, spread=0.1)


async def runner(stack: AsyncExitStack, fabric: MemoryFabric) -> Runner:
    link = await stack.enter_async_context(fabric.open_session("car"))
    pool = await stack.enter_async_context(Pool(1))
    journal, estimates, errands = Journal(), Estimates(), Errands(link)
    stack.callback(journal.close)
    worker = Worker(link, Registry(), pool, journal, estimates, lambda: HERE)
    outlook = Outlook("car", estimates, worker.offer)
    task = Offered("add", work.add.digest)
    outlook.learn_offer("phone", Offer((task,), HERE, 1, 0.0), 0.0)
    return Runner(link, worker, errands, outlook)


def wanted(deadline: float | None = None) -> Wanted:
    return Wanted(
        work.add, b"\x01", lambda _: True, lambda _: None, deadline, CERTAINTY
    )


@pytest.mark.parametrize(
    ("waiting", "device"), [(1, ""), (2, ""), (4, "car"), (40, "car")]
)
async def test_a_slow_device_is_used_when_it_is_done_before_the_line_is(
    waiting: int, device: str
) -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        for _ in range(2):
            at.outlook.carry(QUICK, 0.0)
        at._waiting["add"] = waiting
        assert at._with_room((QUICK, SLOW), "add", None) == device


async def test_the_best_device_is_used_while_it_has_room() -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        assert at._with_room((QUICK, SLOW), "add", None) == "phone"
        assert at._with_room((), "add", None) == ""


async def test_a_run_with_a_deadline_is_not_put_where_it_would_miss_it() -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        for _ in range(2):
            at.outlook.carry(QUICK, 0.0)
        at._waiting["add"] = 40
        assert at._with_room((QUICK, SLOW), "add", 10.0) == "car"
        assert at._with_room((QUICK, SLOW), "add", 0.3) == ""


async def test_a_device_that_offers_nothing_is_not_asked_at_every_run() -> None:
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric()
        at = await runner(stack, fabric)
        home = await stack.enter_async_context(fabric.open_session("home"))
        asked = 0

        async def refuse(asker: str, message: Message | None) -> Message:
            nonlocal asked
            asked += 1
            raise RefusedError("I do no work")

        home.answer(TASK, refuse)
        for _ in range(5):
            await at._await_offers(wanted())
        assert asked == 1
        assert [each.device for each in at.candidates(wanted())] == ["car"]


async def test_who_waits_in_line_behind_others_is_told_at_its_deadline() -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        await at._turns["add"].acquire()  # somebody with all the time waits before it
        async with asyncio.timeout(20.0):
            with pytest.raises(UnreachableError, match="by its deadline"):
                await at.run(wanted(at.now() + 0.1))
        assert not at._waiting["add"]


async def test_who_has_waited_finds_how_its_own_run_went_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        close = Course.close

        async def close_slowly(course: Course) -> None:
            if course.ran.task == "nap":
                await run_refused(work.add)  # another one begins and ends meanwhile
            await close(course)

        async def run_refused(task: AnyTask) -> None:
            with pytest.raises(RefusedError):
                await at.run(
                    Wanted(task, b"", lambda _: False, lambda _: None, None, CERTAINTY)
                )

        monkeypatch.setattr(Course, "close", close_slowly)
        await run_refused(work.nap)
        assert [ran.task for ran in at.past] == ["add", "nap"]


async def test_how_a_run_went_is_kept_even_if_it_failed() -> None:
    async with AsyncExitStack() as stack:
        at = await runner(stack, MemoryFabric())
        with pytest.raises(RefusedError):
            await at.run(
                Wanted(
                    work.add, b"\x01", lambda _: False, lambda _: None, None, CERTAINTY
                )
            )
        assert [(ran.task, ran.devices, ran.winner) for ran in at.past] == [
            ("add", (), "")
        ]


async def test_a_fault_of_ours_reaches_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with AsyncExitStack() as stack:
        made = await runner(stack, MemoryFabric())

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Course, "_happen", fail)
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10):
                await made.run(wanted())
