"""A device's end of what it asks others to run: inputs go out, outputs come in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from math import inf
from typing import Any

import msgspec

from trivet.domain.error import (
    PeerError,
    RefusedError,
    TrivetError,
    UnreachableError,
    WireError,
)
from trivet.fabric.link import Link
from trivet.fabric.offload.message import (
    TASK,
    Cancel,
    Failure,
    Flaw,
    Full,
    Look,
    More,
    Offer,
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
from trivet.fabric.offload.pool import BrokenError
from trivet.fabric.offload.registry import AnyTask

log = logging.getLogger("trivet.fabric")

#: Seconds until a run that says nothing is asked after, and for any one answer.
POLL_S, ANSWER_S = 3.0, 5.0
Told = Result | More | Failure


class NotBegunError(PeerError):
    """A run did not begin on a device, and never will.

    Attributes:
        error: why, as it is to be shown.
        wait_s: seconds until there may be room; inf where that is not the reason.
    """

    def __init__(self, error: PeerError, wait_s: float = inf) -> None:
        super().__init__(error.message, hint=error.hint)
        self.error = error
        self.wait_s = wait_s


class Finished(msgspec.Struct, frozen=True):
    """A run's end: its encoded output, and what it took there, in seconds."""

    data: bytes
    waited_s: float
    took_s: float


class _Awaited(msgspec.Struct):
    """A result that is awaited of a device."""

    end: asyncio.Future[Finished]
    parcel: Parcel | None = None
    result: Result | None = None
    stirred: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    gone: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def end_with(self, end: Finished | BrokenError | NotBegunError) -> None:
        """It ended so."""
        if isinstance(end, Finished):
            self.end.set_result(end)
        else:
            self.end.set_exception(end)
        self.stirred.set()


class Errands:
    """Runs of this device on others.

    Args:
        link: its place on the fabric.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._awaited: dict[tuple[str, str], _Awaited] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    async def look(self, device: str, timeout_s: float = ANSWER_S) -> Offer:
        """What a device offers.

        Raises:
            PeerError: it does not say.
        """
        return expect(await self._ask(device, Look(), timeout_s), Offer, device)

    async def run(
        self,
        device: str,
        run: str,
        task: AnyTask,
        data: bytes,
        on_taken: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> Finished:
        """Have a run done by a device, however long that takes.

        To cancel it tells the device that it is needed no more.

        Args:
            device: the device.
            run: the run's id.
            task: what is run.
            data: the encoded input.
            on_taken: called when the device has it, and when it is back with it.
            on_lost: called when it went, or may have gone, with it.

        Raises:
            NotBegunError: it did not begin there, and never will.
            BrokenError: it began and gave nothing.
        """
        awaited = _Awaited(asyncio.get_running_loop().create_future())
        self._awaited[device, run] = awaited
        try:
            await self._send(awaited, device, run, task, data, on_taken, on_lost)
            return await self._wait(device, run, awaited, on_taken, on_lost)
        except asyncio.CancelledError:
            self._bid_farewell(device, run)
            raise
        finally:
            del self._awaited[device, run]
            if not awaited.end.done():
                awaited.end.cancel()
            elif not awaited.end.cancelled():
                awaited.end.exception()  # it may never have been looked at

    async def _send(
        self,
        awaited: _Awaited,
        device: str,
        run: str,
        task: AnyTask,
        data: bytes,
        on_taken: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        if device not in self._link.alive:
            raise NotBegunError(UnreachableError(f"{device} is not there"), 1.0)
        word: Submit | Part = Submit(
            run, task.name, task.digest, len(data), first_part(data)
        )
        rest = list(further_parts(data))
        try:
            taken = await self._hand(awaited, device, word, is_last=not rest)
            for index, part in rest:
                word, is_last = Part(run, index, part), index == len(rest)
                taken = await self._hand(awaited, device, word, is_last)
        except UnreachableError:
            on_lost()
            return
        if taken.stage is Stage.BARRED:
            raise NotBegunError(RefusedError(f"{device} will not run it any more"))
        on_taken()

    async def _hand(
        self, awaited: _Awaited, device: str, word: Submit | Part, is_last: bool
    ) -> Taken:
        """Hand one part over. Until the last one was sent, nothing can have begun."""
        try:
            answer = await _while_there(awaited, self._ask(device, word), device)
            if isinstance(answer, Full):
                full = RefusedError(
                    f"{device} is full", hint=f"try in {answer.wait_s:.1f} s"
                )
                raise NotBegunError(full, answer.wait_s)
            return expect(answer, Taken, device)
        except UnreachableError as error:
            if is_last:
                raise
            raise NotBegunError(error, 1.0) from error
        except (RefusedError, WireError) as error:
            self._bid_farewell(device, word.run)
            raise NotBegunError(error) from error

    async def _wait(
        self,
        device: str,
        run: str,
        awaited: _Awaited,
        on_taken: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> Finished:
        """Wait for what the device says of it; ask after it where it says nothing."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await awaited.stirred.wait()
            awaited.stirred.clear()
            if awaited.end.done():
                return awaited.end.result()
            if device not in self._link.alive:
                continue
            await self._ask_after(awaited, device, run, on_taken, on_lost)

    async def _ask_after(
        self,
        awaited: _Awaited,
        device: str,
        run: str,
        on_taken: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Ask where a run stands.

        Raises:
            NotBegunError: it did not begin there, and never will.
        """
        try:
            asking = self._ask(device, Status(run))
            answer = await _while_there(awaited, asking, device)
            stage = expect(answer, Taken, device).stage
        except UnreachableError:
            on_lost()
            return
        except PeerError as error:
            log.warning("%s: %s", self._link.device, error)
            return
        if stage is Stage.RECEIVING:  # it broke off in the middle
            self._bid_farewell(device, run)
        if stage in (Stage.RECEIVING, Stage.BARRED):
            lost = UnreachableError(f"{device} did not get it whole")
            raise NotBegunError(lost, 0.0)
        on_taken()

    def lost(self, device: str) -> None:
        """A device went: what it was asked in this moment it will not answer."""
        for (whose, _), awaited in self._awaited.items():
            if whose == device:
                awaited.gone.set()

    def met(self, device: str) -> None:
        """A device is there again: ask after what it has."""
        for (whose, _), awaited in self._awaited.items():
            if whose == device:
                awaited.gone.clear()
                awaited.stirred.set()

    # --- what comes back -------------------------------------------------------

    def answer(self, sender: str, word: Told) -> Taken:
        """Take in what a device says of a run.

        Raises:
            RefusedError: nothing of it is awaited of that device.
            WireError: it is not what was due.
        """
        awaited = self._awaited.get((sender, word.run))
        if awaited is None or awaited.end.done():
            raise RefusedError(f"nothing of the run {word.run} is awaited of {sender}")
        if isinstance(word, Failure):
            awaited.end_with(_error_of(sender, word))
        elif isinstance(word, Result):
            awaited.result = word
            awaited.parcel = Parcel(word.size, word.data)
        elif awaited.parcel is None:
            raise WireError(f"part {word.index} of {word.run} came before its first")
        else:
            awaited.parcel.add(word.index, word.data)
        parcel, result = awaited.parcel, awaited.result
        if parcel is not None and result is not None and parcel.is_whole:
            end = Finished(parcel.open(), result.waited_s, result.took_s)
            awaited.end_with(end)
        return Taken(Stage.ENDED)

    # --- the link --------------------------------------------------------------

    def _bid_farewell(self, device: str, run: str) -> None:
        if device not in self._link.alive or self._link.is_closed:
            return
        task = asyncio.ensure_future(self._cancel(device, run))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _cancel(self, device: str, run: str) -> None:
        try:
            await self._ask(device, Cancel(run))
        except TrivetError as error:
            log.info("%s: %s", self._link.device, error)

    async def _ask(self, device: str, word: Word, timeout_s: float = ANSWER_S) -> Word:
        return unpack(await self._link.ask(device, TASK, pack(word), timeout_s))

    async def close(self) -> None:
        """Let the last words out, or drop them when they take too long."""
        if self._farewells:
            _, late = await asyncio.wait(list(self._farewells), timeout=0.5)
            for task in late:
                task.cancel()


def _error_of(sender: str, word: Failure) -> BrokenError | NotBegunError:
    why = f"{sender}: {word.why}"
    if word.flaw is Flaw.UNBEGUN:
        return NotBegunError(RefusedError(why))
    return BrokenError(word.flaw, why)


async def _while_there(
    awaited: _Awaited, asking: Coroutine[Any, Any, Word], device: str
) -> Word:
    """The answer to a question, as long as the device does not go meanwhile.

    Raises:
        UnreachableError: it went.
    """
    answer = asyncio.ensure_future(asking)
    gone = asyncio.ensure_future(awaited.gone.wait())
    try:
        both: list[asyncio.Future[Any]] = [answer, gone]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise UnreachableError(f"{device} went meanwhile")
    finally:
        for waiting in (answer, gone):
            waiting.cancel()
        await asyncio.gather(answer, gone, return_exceptions=True)
