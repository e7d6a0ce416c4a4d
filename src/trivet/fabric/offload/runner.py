"""Drives races: starts attempts, waits, and does what the machine says. Thin, with I/O.

Which devices may have a run is its caller's to say; see app/offloading.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

from trivet.domain.error import TrivetError
from trivet.fabric.background import cancel, keep_up
from trivet.fabric.link import Link
from trivet.fabric.offload.course import Course, Ran, Wanted, need_of
from trivet.fabric.offload.errand import Errands
from trivet.fabric.offload.message import Condition, Offer
from trivet.fabric.offload.outlook import Outlook
from trivet.fabric.offload.placement import Candidate, place
from trivet.fabric.offload.worker import Worker

log = logging.getLogger("trivet.fabric")

#: Seconds between two looks at who is there and what they offer.
LOOK_S = 1.0
#: Until a run that nobody can be given yet is looked at again, in seconds.
_RECHECK_S = 0.5
#: What a device offers that does not say what it does.
NO_OFFER = Offer((), Condition(benchmark_s=1.0, free_mb=0), 0, 0.0)


class Runner:
    """Runs tasks where they are best run.

    Args:
        link: the device's place on the fabric.
        worker: what runs here.
        errands: what others run.
        outlook: what to expect of whom.
        now: seconds of a monotonic clock.
    """

    def __init__(
        self,
        link: Link,
        worker: Worker,
        errands: Errands,
        outlook: Outlook,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.link = link
        self.worker = worker
        self.errands = errands
        self.outlook = outlook
        self.now = now
        self.courses: set[Course] = set()
        #: how the latest runs went, newest last
        self.past: deque[Ran] = deque(maxlen=256)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._looking: dict[str, asyncio.Task[None]] = {}

    async def run(self, wanted: Wanted) -> Any:
        """The decoded output of a run.

        Raises:
            PeerError: it gave none; see Race.
        """
        course = Course(self, wanted)
        self.courses.add(course)
        try:
            # first come, first placed: nobody overtakes who waits for the same
            course.begin(await self._await_turn(wanted))
            return await course.finish()
        finally:
            self.courses.discard(course)
            ran = course.ran
            try:
                await course.close()
            finally:
                self.past.append(ran)  # last of all: its caller finds it the newest

    async def _await_turn(self, wanted: Wanted) -> str:
        """Wait for one's turn among those who want the same; the device to begin on.

        Empty if its deadline came first.
        """
        name, deadline = wanted.task.name, wanted.deadline
        left_s = None if deadline is None else deadline - self.now()
        self._waiting[name] += 1
        try:
            async with asyncio.timeout(left_s), self._turns[name]:
                return await self._await_room(wanted)
        except TimeoutError:
            return ""
        finally:
            self._waiting[name] -= 1
            self._waiting += Counter()  # forgets what nobody waits for

    async def _await_room(self, wanted: Wanted) -> str:
        """Wait until a device that is good for a run can be given one more; which."""
        await self._await_offers(wanted)
        while True:
            now, changed = self.now(), self._changed
            left_s = None if wanted.deadline is None else wanted.deadline - now
            ranked = place(
                need_of(wanted.task), self.candidates(wanted), left_s, wanted.certainty
            ).ranked
            device = self._with_room(ranked, wanted.task.name, left_s)
            if not ranked or device:
                return device
            wait_s = _RECHECK_S
            if left_s is not None:
                quickest_s = min(each.needed_s(wanted.certainty) for each in ranked)
                wait_s = min(wait_s, left_s - quickest_s)
            if wait_s <= 0.0:
                return ranked[0].device
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await changed.wait()

    def _with_room(
        self, ranked: tuple[Candidate, ...], name: str, left_s: float | None
    ) -> str:
        """The device that is to be given a run now, empty if it is better to wait.

        The best one, if it has room. Else another one that has, if that is done before
        the best one would be with all who wait.
        """
        if not ranked:
            return ""
        best = ranked[0]
        if self.outlook.has_room(best.device):
            return best.device
        line_s = (
            self._waiting[name] * best.work_s / max(1, self.outlook.slots(best.device))
        )
        for other in ranked[1:]:
            is_soon = other.finish_s <= best.finish_s + line_s
            is_sure = left_s is None or other.chance(left_s) >= best.chance(left_s)
            if is_soon and is_sure and self.outlook.has_room(other.device):
                return other.device
        return ""

    async def _await_offers(self, wanted: Wanted) -> None:
        """Give devices that just came the time to say what they offer."""
        new = [
            device
            for device in self.link.alive
            if not self.outlook.is_known(device) and wanted.allowed(device)
        ]
        for device in new:
            self._look(device)
        looking = [self._looking[device] for device in new if device in self._looking]
        if looking:
            left_s = inf if wanted.deadline is None else wanted.deadline - self.now()
            await asyncio.wait(looking, timeout=max(0.0, min(1.0, left_s / 10)))

    def candidates(self, wanted: Wanted) -> tuple[Candidate, ...]:
        """Who could have a run now."""
        return self.outlook.candidates(
            wanted.task, len(wanted.data), wanted.allowed, self.link.alive, self.now()
        )

    def note_change(self) -> None:
        """Somebody may have room now."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # --- its life --------------------------------------------------------------

    async def serve(self) -> None:
        """Watch who comes and goes until cancelled."""
        watching = keep_up(self._watch(), f"{self.link.device}: tasks of others")
        try:
            while True:
                for device in self.link.alive:
                    self.outlook.estimates.way(device).watch(LOOK_S)
                    self._look(device)
                await asyncio.sleep(LOOK_S)
        finally:
            await cancel(watching)
            for task in list(self._looking.values()):
                await cancel(task)

    async def _watch(self) -> None:
        async for life in self.link.watch():
            if life.is_alive:
                self._look(life.device)
                self.worker.met(life.device)
                self.errands.met(life.device)
                for course in list(self.courses):
                    course.met(life.device)
            else:
                self.outlook.doubt(life.device)
                self.outlook.estimates.way(life.device).lose()
                for course in list(self.courses):
                    course.lost(life.device)
                self.errands.lost(life.device)
                self.worker.lost(life.device)
            self.note_change()

    def _look(self, device: str) -> None:
        """Ask a device what it offers, if that is due."""
        if device not in self._looking and self.outlook.is_due(device, self.now()):
            task = asyncio.ensure_future(self._learn(device))
            self._looking[device] = task
            task.add_done_callback(lambda _: self._looking.pop(device, None))

    async def _learn(self, device: str) -> None:
        try:
            offer = await self.errands.look(device)
        except TrivetError as error:
            log.info("%s: %s offers nothing: %s", self.link.device, device, error)
            offer = NO_OFFER  # until it is asked again
        self.outlook.learn_offer(device, offer, self.now())
        for course in list(self.courses):
            course.met(device)
        self.note_change()
