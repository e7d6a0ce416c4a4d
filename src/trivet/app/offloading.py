"""Work runs where it is best run: tasks of the household, for whoever calls.

    async with open_offloader(link, trust, tasks=(plan,), journal=path) as household:
        route = await household.run(plan, wish, deadline_s=2.0, reads=(...))

What a task is given may hold what other devices told this one. It goes only where the
household's policy would let it go as signals, and the ledger says where it went.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
)
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

from trivet.app.trust import Trust
from trivet.domain import TrivetError, UsageError
from trivet.fabric.background import cancel, keep_up
from trivet.fabric.link import Link
from trivet.fabric.offload.condition import measure_benchmark, read_condition
from trivet.fabric.offload.course import Ran, Wanted
from trivet.fabric.offload.custody import Custody, Read, check_named
from trivet.fabric.offload.errand import Errands
from trivet.fabric.offload.estimate import Estimates
from trivet.fabric.offload.exchange import Exchange
from trivet.fabric.offload.journal import Journal
from trivet.fabric.offload.message import Condition, Offer
from trivet.fabric.offload.outlook import Outlook
from trivet.fabric.offload.placement import CERTAINTY
from trivet.fabric.offload.pool import Pool
from trivet.fabric.offload.registry import Registry, load_registry
from trivet.fabric.offload.runner import Runner
from trivet.fabric.offload.task import In, Out, Task
from trivet.fabric.offload.worker import Worker

__all__ = ["Offloader", "Ran", "Read", "open_offloader"]

log = logging.getLogger("trivet.app")

#: Items of a stream that are under way at a time.
WINDOW = 8
#: How this device is is read anew after so many seconds.
_CONDITION_S = 5.0
#: What was learned is written down after so many seconds.
_KEEP_S = 60.0
_Item = TypeVar("_Item")
_Source = TypeVar("_Source")


class Offloader:
    """Runs tasks for its caller, wherever in the household that is best.

    Args:
        runner: what carries them.
        custody: who may have what.
        registry: the tasks that this device knows.
    """

    def __init__(self, runner: Runner, custody: Custody, registry: Registry) -> None:
        self.registry = registry
        self._runner = runner
        self._custody = custody

    @property
    def past(self) -> tuple[Ran, ...]:
        """How the latest runs went, newest last."""
        return tuple(self._runner.past)

    @property
    def under_way(self) -> tuple[Ran, ...]:
        """How the runs that are not over go so far."""
        return tuple(course.ran for course in self._runner.courses)

    async def run(
        self,
        task: Task[In, Out],
        value: In,
        *,
        deadline_s: float | None = None,
        reads: Iterable[Read] = (),
        certainty: float = CERTAINTY,
    ) -> Out:
        """Run a task on an input, on this device or another.

        Args:
            task: what to run.
            value: its input.
            deadline_s: seconds in which the result is wanted; None if it may take what
                it takes.
            reads: the signals that are in the input.
            certainty: wanted chance to make the deadline.

        Raises:
            UsageError: the input is not of the task's type, holds a sample that is not
                in `reads`, or the deadline is none.
            RefusedError: no device may have the input, or none can run it.
            TaskError: it ran, and gave no result.
            UnreachableError: no result came in time; for a task that is not idempotent
                it says whether it may have run.
        """
        if deadline_s is not None and not deadline_s > 0.0:
            raise UsageError(f"a deadline in {deadline_s:g} s is past")
        reads = tuple(reads)
        data = task.encode_input(value)
        check_named(value, reads)  # it has an end: it could be encoded
        link, custody, now = self._runner.link, self._custody, self._runner.now()
        custody.check(task.name, (link.device, *sorted(link.alive)), reads)
        wanted = Wanted(
            task,
            data,
            lambda device: custody.allows(device, reads),
            lambda device: custody.hand(task.name, device, reads),
            None if deadline_s is None else now + deadline_s,
            certainty,
        )
        result: Out = await self._runner.run(wanted)
        return result

    def offers(self) -> dict[str, Offer]:
        """What each device in reach offered last, this one too."""
        return self._runner.outlook.offers(self._runner.link.alive)

    async def stream(
        self,
        task: Task[In, Out],
        values: AsyncIterable[In] | Iterable[In],
        *,
        deadline_s: float | None = None,
        reads: Iterable[Read] = (),
        window: int = WINDOW,
    ) -> AsyncIterator[Out]:
        """Run a task on each of many inputs; the outputs in the same order.

        No more than `window` are under way or wait to be taken: who takes slowly slows
        the source down. What is under way on a device that is lost goes on on another.
        The first error ends it, in its turn.

        Args:
            task: what to run.
            values: its inputs: frames, pieces of sound.
            deadline_s: seconds in which each one's result is wanted.
            reads: the signals that are in the inputs.
            window: see above.

        Raises:
            as `run`.
        """
        if window < 1:
            raise UsageError(f"a window of {window} lets nothing through")
        reads, flow = tuple(reads), _Flow[Out](window)

        def start(value: In) -> asyncio.Task[Out]:
            run = self.run(task, value, deadline_s=deadline_s, reads=reads)
            return asyncio.ensure_future(run)

        feeding = asyncio.ensure_future(flow.feed(values, start))
        try:
            while (one := await flow.order.get()) is not None:
                yield await one
                flow.room.release()
            await feeding  # what the source raised comes after what it gave
        finally:
            await cancel(feeding)
            for each in list(flow.running):
                await cancel(each)


class _Flow(Generic[_Item]):
    """A stream on its way: runs in the order of their inputs, a window of them."""

    def __init__(self, window: int) -> None:
        self.room = asyncio.Semaphore(window)
        self.order: asyncio.Queue[asyncio.Task[_Item] | None] = asyncio.Queue()
        self.running: set[asyncio.Task[_Item]] = set()

    async def feed(
        self,
        source: AsyncIterable[_Source] | Iterable[_Source],
        start: Callable[[_Source], asyncio.Task[_Item]],
    ) -> None:
        """Start a run for each input, as soon as there is room for one."""
        values = _each(source)
        try:
            while True:
                await self.room.acquire()
                one = start(await anext(values))
                self.running.add(one)
                one.add_done_callback(self._ran)
                self.order.put_nowait(one)
        except StopAsyncIteration:
            pass
        finally:
            self.order.put_nowait(None)
            await values.aclose()

    def _ran(self, one: asyncio.Task[_Item]) -> None:
        self.running.discard(one)
        if not one.cancelled():
            one.exception()  # an earlier one may have ended the stream


async def _each(
    values: AsyncIterable[_Source] | Iterable[_Source],
) -> AsyncGenerator[_Source, None]:
    if isinstance(values, AsyncIterable):
        async for value in values:
            yield value
        return
    for value in values:
        yield value


class _Here:
    """How this device is, read anew every few seconds."""

    def __init__(self, benchmark_s: float) -> None:
        self._benchmark_s = benchmark_s
        self._time = float("-inf")
        self._condition: Condition | None = None

    def __call__(self) -> Condition:
        if self._condition is None or monotonic() - self._time > _CONDITION_S:
            self._condition = read_condition(self._benchmark_s)
            self._time = monotonic()
        return self._condition


def _custody_of(trust: Trust) -> Custody:
    me = trust.book.me
    return Custody(
        me,
        lambda device: trust.household.members.get(device),
        lambda: trust.household.policy,
        lambda: trust.book.circumstances,
        trust.witness,
        trust.ledger.append,
        lambda: trust.time,
    )


@asynccontextmanager
async def open_offloader(
    link: Link,
    trust: Trust,
    *,
    tasks: Iterable[Task[Any, Any]] | Registry = (),
    slots: int | None = None,
    journal: Path | str = ":memory:",
    condition: Callable[[], Condition] | None = None,
) -> AsyncIterator[Offloader]:
    """Offer tasks to the household, and run some of one's own, until the end.

    Answers the question `task` on the link, with processes that run what is asked.

    Args:
        link: the device's place on the fabric.
        trust: who may have what; its ledger takes down where inputs went.
        tasks: what this program offers, besides what packages bring; a Registry to
            offer that and no more.
        slots: tasks that run here at a time; None for one less than there are cores,
            0 for a device that runs none.
        journal: file that keeps what must not run twice; `:memory:` for a device that
            is not started again.
        condition: tells how this device is; None to read it from the system.

    Raises:
        UsageError: two tasks have one name, or a task is badly annotated.
        SetupError: the journal cannot be opened.
    """
    registry = tasks if isinstance(tasks, Registry) else load_registry(tasks)
    size = max(1, (os.cpu_count() or 2) - 1) if slots is None else slots
    if condition is None:
        condition = _Here(await asyncio.to_thread(measure_benchmark))
    with closing(Journal(journal)) as kept:
        async with Pool(size, registry) as pool:
            estimates = _recall(link.device, kept)
            runner = _wire(link, registry, pool, kept, estimates, condition)
            keep = partial(_keep_learned, kept, estimates)
            lives = [
                keep_up(life(), f"{link.device}: its tasks")
                for life in (runner.worker.run, runner.serve, keep)
            ]
            try:
                yield Offloader(runner, _custody_of(trust), registry)
            finally:
                for life in lives:
                    await cancel(life)
                await runner.errands.close()


def _recall(device: str, journal: Journal) -> Estimates:
    try:
        return Estimates.restore(journal.learned())
    except TrivetError as error:
        log.warning("%s learns anew what tasks take: %s", device, error)
        return Estimates()


async def _keep_learned(journal: Journal, estimates: Estimates) -> None:
    """Write down now and then what was learned, and at the end."""

    def keep(data: bytes) -> None:
        try:
            journal.keep_learned(data)
        except TrivetError as error:
            log.warning("what tasks take is not kept: %s", error)

    try:
        while True:
            await asyncio.sleep(_KEEP_S)
            await asyncio.to_thread(keep, estimates.to_bytes())
    finally:
        keep(estimates.to_bytes())


def _wire(
    link: Link,
    registry: Registry,
    pool: Pool,
    journal: Journal,
    estimates: Estimates,
    condition: Callable[[], Condition],
) -> Runner:
    errands = Errands(link)
    worker = Worker(link, registry, pool, journal, estimates, condition)
    Exchange(link, worker, errands)
    outlook = Outlook(link.device, estimates, worker.offer)
    return Runner(link, worker, errands, outlook)
