"""A device's end of the tasks that it runs: for others over the link, and for itself.

The docket decides, the pool runs, the journal remembers; here they meet the link.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from time import monotonic

from trivet.domain.error import (
    PeerError,
    RefusedError,
    SetupError,
    TrivetError,
    WireError,
)
from trivet.fabric.background import cancel
from trivet.fabric.link import Link
from trivet.fabric.offload.docket import Docket, Job
from trivet.fabric.offload.estimate import Estimates
from trivet.fabric.offload.journal import Journal, Record
from trivet.fabric.offload.message import (
    TASK,
    Cancel,
    Condition,
    Failure,
    Flaw,
    Full,
    Look,
    More,
    Offer,
    Offered,
    Part,
    Result,
    Stage,
    Status,
    Submit,
    Taken,
    Word,
    expect,
    pack,
    unpack,
)
from trivet.fabric.offload.parcel import Parcel, first_part, further_parts
from trivet.fabric.offload.pool import BrokenError, Pool
from trivet.fabric.offload.registry import AnyTask, Registry

log = logging.getLogger("trivet.fabric")

_TICK_S = 1.0
#: Seconds for each part of an output to be taken.
_DELIVER_S = 5.0
#: Seconds that last words and entries may take.
_END_S = 1.0
Asked = Look | Submit | Part | Status | Cancel


class Worker:
    """Runs tasks of one device.

    Args:
        link: its place on the fabric.
        registry: what it offers.
        pool: where tasks run; its end belongs to whoever made it.
        journal: what must not run twice.
        estimates: what tasks take here; learned by it.
        condition: tells how the device is.
        now: seconds of a monotonic clock.
    """

    def __init__(
        self,
        link: Link,
        registry: Registry,
        pool: Pool,
        journal: Journal,
        estimates: Estimates,
        condition: Callable[[], Condition],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._link = link
        self._registry = registry
        self._pool = pool
        self._journal = journal
        self._estimates = estimates
        self._condition = condition
        self._now = now
        self.docket = Docket(link.device, pool.size, self._expect)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._delivering: dict[int, tuple[str, asyncio.Task[None]]] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._own: dict[str, asyncio.Future[Job]] = {}
        self._is_ending = False

    # --- for others ------------------------------------------------------------

    async def answer(self, asker: str, word: Asked) -> Word:
        """Answer a word of another device.

        Raises:
            RefusedError: it cannot be done, and why.
            WireError: it is not what was due.
        """
        now = self._now()
        if self._is_ending:
            return self._answer_ending(word)
        if isinstance(word, Look):
            return self.offer()
        if isinstance(word, Submit):
            return await self._submit(asker, word)
        if isinstance(word, Part):
            taken = self.docket.part(asker, word, now)
            self._pump()
            return taken
        await self._recall(asker, word.run)
        if isinstance(word, Cancel):
            return await self._cancel(asker, word.run)
        taken = self.docket.status(asker, word.run, now)
        job = self.docket.find(asker, word.run)
        if taken.stage is Stage.BARRED:
            await self._bar(asker, word.run)
        elif job is not None and job.stage is Stage.ENDED:
            self._tell(job)
        return taken

    def _answer_ending(self, word: Asked) -> Full:
        if isinstance(word, Submit):
            return Full(_TICK_S)  # it may be back soon
        raise RefusedError(f"{self._link.device} is ending")

    def offer(self) -> Offer:
        """What is offered, and how it stands."""
        tasks = [] if not self._pool.size else list(self._registry)
        return Offer(
            tuple(self._offered(task) for task in tasks[:256]),
            self._condition(),
            self._pool.size,
            min(1e7, self.docket.wait_s(self._now())),
        )

    def _offered(self, task: AnyTask) -> Offered:
        level = self._estimates.level(self._link.device, task.name)
        if not level.count:
            return Offered(task.name, task.digest)
        spread = min(20.0, level.spread)
        return Offered(task.name, task.digest, level.median, spread, level.count)

    async def _submit(self, asker: str, word: Submit) -> Taken | Full:
        task = self._registry.find(word.task) if self._pool.size else None
        if task is not None and not task.is_idempotent:
            await self._recall(asker, word.run)
        taken = self.docket.submit(asker, word, task, self._now())
        self._pump()
        return taken

    async def _cancel(self, asker: str, run: str) -> Taken:
        now = self._now()
        job = self.docket.cancel(asker, run, now)
        running = self._running.get(id(job))
        if running is not None:
            running.cancel()
        if job.stage is Stage.BARRED:
            await self._bar(asker, run)
        return self.docket.standing(job, now)

    async def _bar(self, asker: str, run: str) -> None:
        """What is said never to begin must not, in the next life either."""
        await asyncio.to_thread(self._journal.bar, asker, run)

    async def _recall(self, asker: str, run: str) -> None:
        """Take up a run of an earlier life, if the journal knows it."""
        if self.docket.find(asker, run) is not None:
            return
        record = await asyncio.to_thread(self._journal.find, asker, run)
        if record is None or self.docket.find(asker, run) is not None:
            return
        if record.state == "barred":
            self.docket.cancel(asker, run, self._now())
            return
        end = _end_of(run, record, self._link.device)
        self._tell(self.docket.recall(asker, run, self._now(), end))

    # --- for this device itself ------------------------------------------------

    async def run_here(self, run: str, task: AnyTask, data: bytes) -> Job:
        """Run a task of this device's own; the run as it ended.

        To cancel it ends it.

        Raises:
            RefusedError: the queue is full.
        """
        me, word = (
            self._link.device,
            Submit(run, task.name, task.digest, len(data), b""),
        )
        job = self._keep_own(me, word, task, data)
        ended: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._own[run] = ended
        try:
            self._pump()
            return await ended
        finally:
            del self._own[run]
            if job.stage is not Stage.ENDED:
                self.docket.cancel(me, run, self._now())
                running = self._running.get(id(job))
                if running is not None:
                    running.cancel()
            self.docket.forget(job)

    def _keep_own(self, me: str, word: Submit, task: AnyTask, data: bytes) -> Job:
        parcel = Parcel(len(data), first_part(data))
        for index, part in further_parts(data):
            parcel.add(index, part)
        job = self.docket.own(word.run, task, parcel, self._now())
        if job is None:
            raise RefusedError(f"{me} has too many runs of its own waiting")
        return job

    # --- the work --------------------------------------------------------------

    def _pump(self) -> None:
        while (
            not self._is_ending and (job := self.docket.begin(self._now())) is not None
        ):
            working = asyncio.ensure_future(self._work(job))
            self._running[id(job)] = working
            working.add_done_callback(partial(self._ran, id(job)))

    def _ran(self, at: int, _: asyncio.Task[None]) -> None:
        self._running.pop(at, None)

    async def _work(self, job: Job) -> None:
        assert job.task is not None
        assert job.parcel is not None
        end: bytes | Failure = Failure(job.run, Flaw.LOST, "it was ended in its midst")
        took_s = 0.0
        try:
            if await self._may_begin(job, job.task):
                end, took_s = await self._pool.run(job.task, job.parcel.open())
                self._estimates.level(self._link.device, job.task.name).see(took_s)
            else:
                why = f"{job.task.name} began before under this id"
                end = Failure(job.run, Flaw.LOST, why)
        except BrokenError as error:
            end = Failure(job.run, error.flaw, error.message[:1000])
        except Exception as error:  # a fault of ours must not leave the slot taken
            log.exception("%s: %s could not be run", self._link.device, job.task.name)
            end = Failure(job.run, Flaw.DIED, f"it was not run: {type(error).__name__}")
        finally:
            self._end(job, end, took_s)

    async def _may_begin(self, job: Job, task: AnyTask) -> bool:
        if task.is_idempotent or job.asker == self._link.device:
            return True
        try:
            return await asyncio.to_thread(self._journal.begin, job.asker, job.run)
        except SetupError as error:
            log.error("%s: %s was not run: %s", self._link.device, job.run, error)
            why = f"it was not run: {error.message}"
            raise BrokenError(Flaw.UNBEGUN, why) from error

    def _end(self, job: Job, end: bytes | Failure, took_s: float) -> None:
        self.docket.end(job, self._now(), end, took_s)
        own = self._own.get(job.run) if job.asker == self._link.device else None
        if own is not None and not own.done():
            self.docket.forget(job)
            own.set_result(job)
        elif job.asker != self._link.device:
            is_known = job.failure is None or job.failure.flaw is not Flaw.LOST
            if is_known and job.task is not None and not job.task.is_idempotent:
                self._later(self._write_end(job))  # type: ignore[unused-awaitable]
            self._tell(job)
        if not self._link.is_closed:
            self._pump()

    async def _write_end(self, job: Job) -> None:
        output = job.output
        await asyncio.to_thread(self._journal.end, job.asker, job.run, output)

    # --- the answer ------------------------------------------------------------

    def _tell(self, job: Job) -> None:
        """Let the asker know how a run ended, if it is there."""
        is_mute = self._is_ending or self._link.is_closed
        is_mute = is_mute or id(job) in self._delivering
        if job.stage is Stage.ENDED and not is_mute and (job.output or job.failure):
            delivering = self._later(self._deliver(job))
            self._delivering[id(job)] = job.asker, delivering

    async def _deliver(self, job: Job) -> None:
        try:
            await self._send_end(job)
            self.docket.delivered(job)
        except (RefusedError, WireError) as error:  # it wants it no more
            log.info("%s: %s", self._link.device, error)
            self.docket.delivered(job)
        except TrivetError as error:  # until it is back
            log.info("%s: %s waits: %s", self._link.device, job.run, error)
        finally:
            self._delivering.pop(id(job), None)

    async def _send_end(self, job: Job) -> None:
        output = job.output
        if output is None:
            assert job.failure is not None
            await self._ask(job.asker, job.failure)
            return
        head = first_part(output)
        await self._ask(
            job.asker, Result(job.run, len(output), head, job.waited_s, job.took_s)
        )
        for index, data in further_parts(output):
            await self._ask(job.asker, More(job.run, index, data))

    async def _ask(self, asker: str, word: Word) -> None:
        answer = await self._link.ask(asker, TASK, pack(word), timeout_s=_DELIVER_S)
        expect(unpack(answer), Taken, asker)

    # --- its life --------------------------------------------------------------

    async def run(self) -> None:
        """Keep the docket until cancelled; then end what runs."""
        try:
            while True:
                await asyncio.sleep(_TICK_S)
                self.docket.tick(self._now())
        finally:
            self._is_ending = True
            for task in list(self._running.values()):
                await cancel(task)
            if self._others:
                await asyncio.wait(list(self._others), timeout=_END_S)
            for task in list(self._others):
                await cancel(task)

    def lost(self, device: str) -> None:
        """A device went: what it is being told in this moment it does not hear."""
        for asker, delivering in list(self._delivering.values()):
            if asker == device:
                delivering.cancel()

    def met(self, device: str) -> None:
        """A device is there again: tell it what it missed."""
        for job in self.docket.undelivered(device):
            self._tell(job)

    def _expect(self, task: AnyTask) -> float:
        me = self._link.device
        return self._estimates.work(
            me, task.name, task.cost, self._condition().benchmark_s
        ).median_s

    def _later(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._others.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._others.discard(task)
        with suppress(asyncio.CancelledError):
            error = task.exception()
            if error is not None and not isinstance(error, PeerError):
                log.error("%s: a run's end failed", self._link.device, exc_info=error)


def _end_of(run: str, record: Record, device: str) -> bytes | Failure:
    if record.output is not None:
        return record.output
    if record.state == "ended":
        return Failure(run, Flaw.LOST, f"it ended on {device}; its result is not kept")
    return Failure(run, Flaw.LOST, f"{device} ended in its midst")
