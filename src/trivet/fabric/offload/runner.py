"""Drives races: starts attempts, waits, and does what the machine says. Thin, with I/O.

Which devices may have a run is its caller's to say; see app/offloading.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

from trivet.domain.error import TrivetError
from trivet.fabric.background import cancel
from trivet.fabric.link import Link
from trivet.fabric.offload.course import Course, Ran, Wanted, need_of
from trivet.fabric.offload.errand import Errands
from trivet.fabric.offload.outlook import Outlook
from trivet.fabric.offload.placement import Candidate, place
from trivet.fabric.offload.worker import Worker

log = logging.getLogger("trivet.fabric")

#: Seconds between two looks at who is there and what they offer.
LOOK_S = 1.0
#: Until a run that nobody can be given yet is looked at again, in seconds.
_RECHECK_S = 0.5


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
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changed = asyncio.Event()
        self._looking: dict[str, asyncio.Task[None]] = {}

    async def run(self, wanted: Wanted) -> tuple[Any, Ran]:
        """The decoded output of a run, and how it went.

        Raises:
            PeerError: it gave none; see Race.
        """
        course = Course(self, wanted)
        self.courses.add(course)
        try:
            # first come, first placed: nobody overtakes who waits for the same
            async with self._turns[wanted.task.name]:
                await self._await_room(wanted)
                course.begin()
            return await course.finish()
        finally:
            self.courses.discard(course)
            await course.close()

    async def _await_room(self, wanted: Wanted) -> None:
        """Wait until the device that is best for a run can be given one more."""
        await self._await_offers(wanted)
        while True:
            now, changed = self.now(), self._changed
            left_s = None if wanted.deadline is None else wanted.deadline - now
            ranked = place(
                need_of(wanted.task), self.candidates(wanted), left_s, wanted.certainty
            ).ranked
            if not ranked or self.outlook.has_room(ranked[0].device):
                return
            wait_s = _RECHECK_S
            if left_s is not None:
                quickest_s = min(each.needed_s(wanted.certainty) for each in ranked)
                wait_s = min(wait_s, left_s - quickest_s)
            if wait_s <= 0.0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await changed.wait()

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
        watching = asyncio.ensure_future(self._watch())
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
                for course in list(self.courses):
                    course.met(life.device)
            else:
                self.outlook.forget(life.device)
                self.outlook.estimates.way(life.device).lose()
                for course in list(self.courses):
                    course.lost(life.device)
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
            return
        self.outlook.learn_offer(device, offer, self.now())
        self.note_change()
