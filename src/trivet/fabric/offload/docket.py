"""What a device was asked to run: a bounded queue with what came, runs and ended.

No I/O and no clock. Each run belongs to its asker; the table below says how it goes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec

from trivet.domain.error import RefusedError, UsageError
from trivet.fabric.offload.message import (
    Failure,
    Flaw,
    Full,
    Part,
    Stage,
    Submit,
    Taken,
)
from trivet.fabric.offload.parcel import Parcel
from trivet.fabric.offload.registry import AnyTask

#: Runs of others that wait, receiving ones included; one more is refused.
MAX_WAITING = 32
#: Share of that, and of the bytes below, which one asker may fill.
_ASKER_SHARE = 0.75
#: Runs of this device itself that wait.
MAX_OWN = 1024
#: Bytes of inputs and outputs that are held at a time.
MAX_HELD = 64 * 1024 * 1024
#: Seconds that the next part of an input, and an asker for a result, are waited for.
PART_S, KEEP_S = 20.0, 120.0
#: Runs that are remembered once they ended.
MAX_ENDED = 1024


class Happening(StrEnum):
    """What can happen to a run."""

    WHOLE = "whole"
    BEGIN = "begin"
    END = "end"
    CANCEL = "cancel"


TABLE: Final[dict[tuple[Stage, Happening], Stage]] = {
    (Stage.RECEIVING, Happening.WHOLE): Stage.QUEUED,
    (Stage.RECEIVING, Happening.CANCEL): Stage.BARRED,
    (Stage.QUEUED, Happening.BEGIN): Stage.RUNNING,
    (Stage.QUEUED, Happening.CANCEL): Stage.BARRED,
    (Stage.RUNNING, Happening.END): Stage.ENDED,
    (Stage.RUNNING, Happening.CANCEL): Stage.ENDED,
    (Stage.ENDED, Happening.CANCEL): Stage.ENDED,
    # its process may end in the moment in which it is cancelled
    (Stage.ENDED, Happening.END): Stage.ENDED,
    (Stage.BARRED, Happening.CANCEL): Stage.BARRED,
}


_OVER = (Stage.ENDED, Stage.BARRED)


class Job(msgspec.Struct):
    """A run at its worker.

    Attributes:
        asker: whose it is.
        run: its id.
        task: what is run; None of a run that is only remembered.
        parcel: its input, until it begins.
        stage: where it stands.
        since: time at which it came there.
        waited_s: seconds in the queue.
        took_s: seconds of work.
        output: what it gave.
        failure: or why it gave nothing.
        is_told: whether its asker knows how it ended, or does not want to.
    """

    asker: str
    run: str
    task: AnyTask | None
    parcel: Parcel | None
    stage: Stage
    since: float
    waited_s: float = 0.0
    took_s: float = 0.0
    output: bytes | None = None
    failure: Failure | None = None
    is_told: bool = False

    @property
    def held(self) -> int:
        """Bytes that it holds, or has a promise of."""
        size = self.parcel.size if self.parcel is not None else 0
        return size + len(self.output or b"")


class Docket:
    """The runs of one device.

    Args:
        me: its id: its own runs go first.
        slots: how many may run at a time.
        expect: seconds that a task takes here, about.
        max_waiting: see MAX_WAITING.
    """

    def __init__(
        self,
        me: str,
        slots: int,
        expect: Callable[[AnyTask], float],
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._me = me
        self.slots = slots
        self._expect = expect
        self._max_waiting = max_waiting
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
        # those that are not over, and those whose output is held: looked through often
        self._live: dict[tuple[str, str], Job] = {}
        self._full: dict[tuple[str, str], Job] = {}

    # --- what is asked ---------------------------------------------------------

    def find(self, asker: str, run: str) -> Job | None:
        """A run of that asker, None if it is not known."""
        return self._jobs.get((asker, run))

    def submit(
        self, asker: str, word: Submit, task: AnyTask | None, now: float
    ) -> Taken | Full:
        """Take a run in; one that came before is not taken twice.

        Raises:
            RefusedError: the task is not offered, or is another under the same name.
            WireError: its first part is not what was announced.
        """
        known = self.find(asker, word.run)
        if known is not None:
            return self.standing(known, now)
        if task is None:
            raise RefusedError(f"{self._me} does not offer {word.task}")
        if task.digest != word.digest:
            raise RefusedError(
                f"{self._me} has another {word.task}: its types differ",
                hint="update trivet on the older of the two devices",
            )
        if not self._has_room(asker, word.size):
            return Full(max(self.wait_s(now), 0.05))
        parcel = Parcel(word.size, word.data)
        stage = Stage.QUEUED if parcel.is_whole else Stage.RECEIVING
        job = Job(asker, word.run, task, parcel, stage, now)
        self._keep(job)
        return self.standing(job, now)

    def own(self, run: str, task: AnyTask, parcel: Parcel, now: float) -> Job | None:
        """Take a run of this device itself in; None if too many wait."""
        if not self._has_room(self._me, parcel.size):
            return None
        job = Job(self._me, run, task, parcel, Stage.QUEUED, now)
        self._keep(job)
        return job

    def part(self, asker: str, word: Part, now: float) -> Taken:
        """Take a further part of an input in.

        Raises:
            RefusedError: no input of that asker is awaited under that id.
            WireError: it is not the part that is due.
        """
        job = self.find(asker, word.run)
        if job is None:
            raise RefusedError(f"{asker} has no run {word.run} here")
        if job.stage is Stage.RECEIVING and job.parcel is not None:
            job.parcel.add(word.index, word.data)
            job.since = now
            if job.parcel.is_whole:
                self._step(job, Happening.WHOLE, now)
        return self.standing(job, now)

    def cancel(self, asker: str, run: str, now: float) -> Job:
        """Want a run no more; if it has not begun, it never will."""
        job = self.find(asker, run) or self._bar(asker, run, now)
        self._step(job, Happening.CANCEL, now)
        self._let_go(job)
        job.parcel, job.is_told = None, True
        if job.stage is Stage.ENDED and job.failure is None:
            job.failure = Failure(run, Flaw.LOST, "it was cancelled")
        return job

    def status(self, asker: str, run: str, now: float) -> Taken:
        """Where a run stands; one that was never heard of is barred."""
        return self.standing(self.find(asker, run) or self._bar(asker, run, now), now)

    def standing(self, job: Job, now: float) -> Taken:
        """Where it stands, as a word to its asker."""
        is_waiting = job.stage in (Stage.RECEIVING, Stage.QUEUED)
        return Taken(
            job.stage,
            wait_s=self.wait_s(now, job) if is_waiting else 0.0,
            ran_s=max(0.0, now - job.since) if job.stage is Stage.RUNNING else 0.0,
            parts=job.parcel.count if job.parcel is not None else 0,
        )

    # --- what is run -----------------------------------------------------------

    def begin(self, now: float) -> Job | None:
        """The run that is to begin now, if one waits and there is a free slot."""
        queued = [j for j in self._live.values() if j.stage is Stage.QUEUED]
        if not self.free_slots or not queued:
            return None
        job = min(queued, key=lambda j: (j.asker != self._me, j.since))
        job.waited_s = max(0.0, now - job.since)
        self._step(job, Happening.BEGIN, now)
        return job

    def end(
        self, job: Job, now: float, end: bytes | Failure, took_s: float = 0.0
    ) -> None:
        """It ended, with an output or without."""
        was_running = job.stage is Stage.RUNNING
        self._step(job, Happening.END, now)
        if not was_running:  # it was cancelled meanwhile
            return
        job.parcel, job.took_s = None, took_s
        if isinstance(end, Failure):
            job.failure = end
        else:
            self._hold(job, end)
        self._make_room()

    def recall(self, asker: str, run: str, now: float, end: bytes | Failure) -> Job:
        """A run of an earlier life of this device, as its journal tells."""
        job = Job(asker, run, None, None, Stage.ENDED, now)
        if isinstance(end, Failure):
            job.failure = end
        else:
            self._hold(job, end)
        self._keep(job)
        return job

    def forget(self, job: Job) -> None:
        """It is over, and nobody will ask after it."""
        for jobs in (self._jobs, self._live, self._full):
            jobs.pop((job.asker, job.run), None)

    def delivered(self, job: Job) -> None:
        """Its asker knows how it ended: the output need not be held."""
        job.is_told = True
        if job.output is not None:
            self._let_go(job)
            job.failure = Failure(job.run, Flaw.LOST, "its result was given already")

    def undelivered(self, asker: str) -> list[Job]:
        """Runs of an asker that ended and were not told yet."""
        return [
            job
            for job in self._jobs.values()
            if job.asker == asker and job.stage is Stage.ENDED and not job.is_told
        ]

    def tick(self, now: float) -> None:
        """Give up inputs that stopped coming, and results that nobody takes."""
        for job in list(self._live.values()):
            if job.stage is Stage.RECEIVING and now - job.since > PART_S:
                self._step(job, Happening.CANCEL, now)
                job.parcel = None
        for job in list(self._full.values()):
            if now - job.since > KEEP_S:
                self._give_up(job)

    def wait_s(self, now: float, before: Job | None = None) -> float:
        """Seconds until a run would begin: a new one, or one that waits."""
        ahead = 0.0
        for job in self._live.values():
            if job is before:
                break
            if job.task is None:
                continue
            if job.stage is Stage.RUNNING:
                ahead += max(0.0, self._expect(job.task) - (now - job.since))
            elif job.stage in (Stage.QUEUED, Stage.RECEIVING):
                ahead += self._expect(job.task)
        return ahead / max(self.slots, 1)

    @property
    def free_slots(self) -> int:
        """Slots in which nothing runs."""
        busy = sum(j.stage is Stage.RUNNING for j in self._live.values())
        return max(0, self.slots - busy)

    # --- keeping ---------------------------------------------------------------

    def _step(self, job: Job, what: Happening, now: float) -> None:
        stage = TABLE.get((job.stage, what))
        if stage is None:
            raise UsageError(f"a run that is {job.stage} cannot {what}")
        if stage is not job.stage:
            job.stage, job.since = stage, now
        if stage in _OVER:
            self._live.pop((job.asker, job.run), None)

    def _bar(self, asker: str, run: str, now: float) -> Job:
        job = Job(asker, run, None, None, Stage.BARRED, now)
        self._keep(job)
        return job

    def _has_room(self, asker: str, size: int) -> bool:
        waiting = [
            job.asker
            for job in self._live.values()
            if job.stage in (Stage.QUEUED, Stage.RECEIVING)
        ]
        own = waiting.count(asker)
        if asker == self._me:
            return own < MAX_OWN
        others = len(waiting) - waiting.count(self._me)
        if others >= self._max_waiting or own >= self._max_waiting * _ASKER_SHARE:
            return False
        promised = [(j.asker, j.parcel.size) for j in self._live.values() if j.parcel]
        mine = sum(held for whose, held in promised if whose == asker)
        total = sum(held for _, held in promised)
        return mine + size <= MAX_HELD * _ASKER_SHARE and total + size <= MAX_HELD

    def _keep(self, job: Job) -> None:
        self._jobs[job.asker, job.run] = job
        if job.stage not in _OVER:
            self._live[job.asker, job.run] = job
            self._make_room()
        excess = len(self._jobs) - len(self._live) - MAX_ENDED
        if excess > 0:
            self._forget_oldest(excess)

    def _forget_oldest(self, excess: int) -> None:
        """Of whoever has most: one asker's flood is not at the others' cost."""
        done = [job for job in self._jobs.values() if job.stage in _OVER]
        ((most, _),) = Counter(job.asker for job in done).most_common(1)
        for job in list(islice((j for j in done if j.asker == most), excess)):
            self.forget(job)

    def _make_room(self) -> None:
        """Give up the oldest results that nobody took, where bytes are needed."""
        for job in list(self._full.values()):
            if self._held() <= MAX_HELD:
                return
            self._give_up(job)

    def _held(self) -> int:
        jobs = self._live | self._full
        return sum(job.held for job in jobs.values())

    def _hold(self, job: Job, output: bytes) -> None:
        job.output = output
        self._full[job.asker, job.run] = job

    def _let_go(self, job: Job) -> None:
        job.output = None
        self._full.pop((job.asker, job.run), None)

    def _give_up(self, job: Job) -> None:
        self._let_go(job)
        job.failure = Failure(job.run, Flaw.LOST, "its result was not fetched in time")
