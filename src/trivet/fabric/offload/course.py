"""One race on its way: does what the machine says, and tells it what happens. Thin."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from math import inf
from secrets import token_hex
from time import time
from typing import Any, Protocol

import msgspec

from trivet.domain.error import PeerError, RefusedError, TrivetError, WireError
from trivet.fabric.background import cancel
from trivet.fabric.offload.attempt import Attempt, Step
from trivet.fabric.offload.errand import Errands, Finished, NotBegunError
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.outlook import Outlook
from trivet.fabric.offload.placement import Candidate, Need
from trivet.fabric.offload.pool import BrokenError
from trivet.fabric.offload.race import (
    Action,
    Deliver,
    Drop,
    Fail,
    Race,
    Start,
)
from trivet.fabric.offload.registry import AnyTask
from trivet.fabric.offload.worker import Worker

log = logging.getLogger("trivet.fabric")


class Wanted(msgspec.Struct, frozen=True):
    """A run as its caller wants it.

    Attributes:
        task: what to run.
        data: the encoded input.
        allowed: whether a device may have the input, by its id.
        hand: told of each device before it gets the input; what it raises keeps the
            device from getting it.
        deadline: time by which the result is wanted; None if there is none.
        certainty: wanted chance to make it.
    """

    task: AnyTask
    data: bytes
    allowed: Callable[[str], bool]
    hand: Callable[[str], None]
    deadline: float | None
    certainty: float


class Ran(msgspec.Struct, frozen=True):
    """How a run went.

    Attributes:
        task: its name.
        devices: those that were tried, in order.
        winner: the one whose answer was taken, empty if none was.
        seconds: how long it took in all.
    """

    task: str
    devices: tuple[str, ...]
    winner: str
    seconds: float


def new_run_id() -> str:
    """An id that is later in the alphabet than those before; see RunId."""
    return f"{int(time() * 1000) & 0xFFFFFFFFFFFF:012x}{token_hex(10)}"


class Track(Protocol):
    """What a race runs on; see Runner."""

    worker: Worker
    errands: Errands
    outlook: Outlook
    now: Callable[[], float]

    def candidates(self, wanted: Wanted) -> tuple[Candidate, ...]:
        """Who could have a run now."""
        ...

    def note_change(self) -> None:
        """Somebody may have room now."""
        ...


class Course:
    """One race on its way."""

    def __init__(self, track: Track, wanted: Wanted) -> None:
        self._track = track
        self._wanted = wanted
        self._race = Race(
            wanted.task.name,
            need_of(wanted.task),
            is_idempotent=wanted.task.is_idempotent,
            deadline=wanted.deadline,
            certainty=wanted.certainty,
        )
        self._began = track.now()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._outputs: dict[int, Any] = {}
        self._end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._stirred = asyncio.Event()
        self._winner = ""

    def begin(self, first: str = "") -> None:
        """Start the first attempt; on the device `first`, if that can have it."""
        self._look()
        self._act(self._race.begin(self._track.now(), first))

    async def finish(self) -> Any:
        """Wait for the end, and do what is due meanwhile."""
        while not self._end.done():
            self._stirred.clear()
            wait_s = self._race.wake - self._track.now()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait_s == inf else wait_s):
                    await self._stirred.wait()
            if not self._end.done() and self._race.wake <= self._track.now():
                self._look()
                self._act(self._race.tick(self._track.now()))
        return self._end.result()

    @property
    def ran(self) -> Ran:
        """How it went so far."""
        devices = tuple(attempt.device for attempt in self._race.attempts)
        seconds = self._track.now() - self._began
        return Ran(self._wanted.task.name, devices, self._winner, seconds)

    def lost(self, device: str) -> None:
        """A device went."""
        for attempt in self._live_on(device):
            self._happen(self._race.lost, attempt)

    def met(self, device: str) -> None:
        """A device is there; it may be one that was waited for."""
        if not self._race.is_over and self._race.attempts:
            self._look()
            self._act(self._race.tick(self._track.now()))

    async def close(self) -> None:
        """Nobody waits any more: end what is under way."""
        if not self._race.is_over:
            self._act(self._race.drop())
        for task in list(self._tasks.values()):
            await cancel(task)
        if self._end.done() and not self._end.cancelled():
            self._end.exception()

    # --- attempts --------------------------------------------------------------

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Start):
                self._start(action.attempt)
            elif isinstance(action, Drop):
                self._drop(action.attempt)
            elif isinstance(action, Deliver) and not self._end.done():
                self._winner = action.attempt.device
                self._end.set_result(self._outputs[action.attempt.number])
            elif isinstance(action, Fail) and not self._end.done():
                self._end.set_exception(action.error)
        self._stirred.set()

    def _start(self, attempt: Attempt) -> None:
        # at once: whoever is placed next must see that it is there
        outlook, now = self._track.outlook, self._track.now()
        carried = outlook.carry(attempt.candidate, now)
        trying = asyncio.ensure_future(self._try(attempt))
        self._tasks[attempt.number] = trying

        def put_down(tried: asyncio.Task[None]) -> None:
            outlook.put_down(carried)
            self._track.note_change()
            error = None if tried.cancelled() else tried.exception()
            if error is not None and not self._end.done():
                self._end.set_exception(error)  # a fault of ours: its caller hears it
                self._stirred.set()

        trying.add_done_callback(put_down)

    def _drop(self, attempt: Attempt) -> None:
        task = self._tasks.get(attempt.number)
        if task is not None:
            task.cancel()
        spent_s = self._track.now() - attempt.since - attempt.candidate.transfer_s
        level = self._track.outlook.estimates.level(
            attempt.device, self._wanted.task.name
        )
        level.see_at_least(spent_s - attempt.candidate.wait_s)

    async def _try(self, attempt: Attempt) -> None:
        track, race = self._track, self._race
        try:
            data = await self._work(attempt)
        except NotBegunError as error:
            self._happen(race.refused, attempt, error.error, error.wait_s)
        except BrokenError as error:
            if error.flaw is not Flaw.RAISED:
                task, now = self._wanted.task, track.now()
                track.outlook.learn_failure(attempt.device, task, now)
            self._happen(race.failed, attempt, error.flaw, error)
        except (RefusedError, WireError) as error:
            self._happen(race.refused, attempt, error)
        except Exception as error:  # a fault of ours must not leave its caller waiting
            log.exception("a run on %s failed", attempt.device)
            why = f"a run on {attempt.device} failed: {type(error).__name__}"
            self._happen(race.failed, attempt, Flaw.DIED, BrokenError(Flaw.DIED, why))
        else:
            self._happen(race.finished, attempt, data)

    async def _work(self, attempt: Attempt) -> bytes:
        """Have it done; the encoded output."""
        wanted, device = self._wanted, attempt.device
        try:
            wanted.hand(device)
        except PeerError as error:
            raise NotBegunError(error) from error
        except TrivetError as error:  # what cannot be written down must stay
            stays = RefusedError(f"it stays here: {error.message}", hint=error.hint)
            raise NotBegunError(stays) from error
        if attempt.candidate.is_here:
            job = await self._track.worker.run_here(
                new_run_id(), wanted.task, wanted.data
            )
            if job.output is None:
                assert job.failure is not None
                raise BrokenError(job.failure.flaw, job.failure.why)
            data = job.output
        else:
            data = (await self._send(attempt)).data
        try:
            self._outputs[attempt.number] = wanted.task.decode_output(data)
        except WireError as error:  # another device may do better
            raise BrokenError(Flaw.DIED, f"{device}: {error.message}") from error
        return data

    async def _send(self, attempt: Attempt) -> Finished:
        wanted, track, device = self._wanted, self._track, attempt.device
        began = track.now()
        was_away = False

        def taken() -> None:
            self._happen(self._race.accepted, attempt)

        def lost() -> None:
            nonlocal was_away
            was_away = True
            self._happen(self._race.lost, attempt)

        end = await track.errands.run(
            device, new_run_id(), wanted.task, wanted.data, taken, lost
        )
        size = len(wanted.data) + len(end.data)
        whole_s, there_s = track.now() - began, end.waited_s + end.took_s
        if was_away or attempt.step is Step.AWAY:  # that was not the way's doing
            whole_s = there_s
        track.outlook.learn(device, wanted.task, size, whole_s, there_s, end.took_s)
        return end

    def _live_on(self, device: str) -> list[Attempt]:
        return [
            attempt
            for attempt in self._race.attempts
            if attempt.device == device
            and attempt.is_live
            and not attempt.candidate.is_here
        ]

    def _happen(
        self, event: Callable[..., list[Action]], attempt: Attempt, *more: Any
    ) -> None:
        self._look()
        self._act(event(attempt, self._track.now(), *more))

    def _look(self) -> None:
        if not self._race.is_over:
            self._race.candidates = self._track.candidates(self._wanted)


def need_of(task: AnyTask) -> Need:
    """What a task needs of a device."""
    return Need(task.memory_mb, task.needs_mains)
