"""Worker processes: a few, kept warm, each with one task at a time.

A process that its task ended, that ran too long or took too much is replaced; nothing
that a task does reaches further. Processes come from a fork server, a small process
that was forked before this one had threads, so that a new one is there in milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from time import monotonic
from types import ModuleType
from typing import Any

import msgspec
import psutil

from trivet.domain.error import TaskError
from trivet.fabric.background import cancel, in_thread
from trivet.fabric.offload import child
from trivet.fabric.offload.child import Broken, Done, Order, Ready, Saying
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.registry import AnyTask

log = logging.getLogger("trivet.fabric")

#: Seconds between two looks at what a running task takes.
LOOK_S = 0.05
#: A process may take this much beyond what its task may, for its own sake, in MiB.
_OWN_MB = 64
#: A process is replaced after so many tasks: what they leaked ends with it.
MAX_TASKS = 1000
#: Seconds that a process may take to come up, and a task to be imported.
_START_S = 30.0
_MIB = 1 << 20


class BrokenError(TaskError):
    """A task began and gave nothing.

    Attributes:
        flaw: how it ended.
    """

    def __init__(self, flaw: Flaw, why: str) -> None:
        super().__init__(why)
        self.flaw = flaw


class _Process:
    """One worker process, and the socket to it."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._modules = modules
        self._process: ForkServerProcess | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.runs = 0
        self.base_rss = 0

    @property
    def pid(self) -> int:
        pid = self._process.pid if self._process is not None else None
        return pid or 0

    async def start(self) -> None:
        ours, theirs = socket.socketpair()
        context = multiprocessing.get_context("forkserver")
        # it holds for the first process alone, which brings up the fork server
        context.set_forkserver_preload([*self._modules, *_modules_of_main()])
        process = context.Process(
            target=child.serve,
            args=(theirs, self._modules),
            name="trivet-task",
            daemon=True,
        )
        try:
            await _uncut(in_thread(process.start))
        except BaseException:
            ours.close()
            raise
        finally:
            self._process = process if process.pid else None
            theirs.close()
        self._reader, self._writer = await asyncio.open_connection(
            sock=ours, limit=256 * 1024
        )
        async with asyncio.timeout(_START_S):
            await self.hear()
        self.base_rss = self.rss()

    async def say(self, order: Order) -> None:
        assert self._writer is not None
        self._writer.write(child.frame(order))
        await self._writer.drain()

    async def hear(self) -> Saying:
        """What the process says next; EOFError if it ended, ValueError if nonsense."""
        assert self._reader is not None
        head = await self._reader.readexactly(child.HEAD.size)
        (length,) = child.HEAD.unpack(head)
        if length > child.MAX_FRAME:
            raise ValueError(f"a frame of {length} bytes")
        body = await self._reader.readexactly(length)
        said: Saying = child.sayings.decode(body)
        return said

    def rss(self) -> int:
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def exit_code(self) -> int | None:
        """How it ended, once it has; waits a moment for that."""
        for _ in range(40):
            if self._process is None or self._process.exitcode is not None:
                break
            await asyncio.sleep(0.025)
        return None if self._process is None else self._process.exitcode

    def kill(self) -> None:
        """End it at once, and all that it started. Calling it twice is allowed."""
        if self._writer is not None:
            self._writer.close()
        if self._process is None:
            return
        if self._process.exitcode is None and self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        self.kill()
        if self._writer is not None:
            with suppress(OSError):
                await self._writer.wait_closed()
        await self.exit_code()
        if self._process is not None and self._process.exitcode is not None:
            self._process.close()
            self._process = None


class Pool:
    """Runs tasks, each in a process of its own, `size` at a time.

    Use it as an async context; at its end all processes are gone.

    Args:
        size: processes; 0 for a device that runs nothing.
        tasks: what will be run: their modules are imported beforehand.
    """

    def __init__(self, size: int, tasks: Iterable[AnyTask] = ()) -> None:
        self.size = size
        targets = {each.target.partition(":")[0]: None for each in tasks}
        self._modules = (child.__name__, *targets)
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._seats = asyncio.Semaphore(size)
        self._starting = asyncio.Lock()
        self._warming: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def __aenter__(self) -> Pool:
        for _ in range(self.size):
            self._warm()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_closed = True
        for task in list(self._warming):
            await cancel(task)
        await asyncio.gather(*(self._discard(each) for each in list(self._all)))

    async def run(self, task: AnyTask, data: bytes) -> tuple[bytes, float]:
        """Run a task on an encoded input; its encoded output, and seconds of work.

        To cancel it kills its process.

        Raises:
            BrokenError: it gave none; that is the task's own end and nobody else's.
        """
        async with self._seats:
            process = await self._take()
            is_sound = False
            try:
                done = await self._order(process, task, data)
                is_sound = True
                return done
            except BrokenError as error:
                is_sound = error.flaw is Flaw.RAISED
                raise
            finally:
                self._put_back(process, is_sound)

    # --- one task --------------------------------------------------------------

    async def _order(
        self, process: _Process, task: AnyTask, data: bytes
    ) -> tuple[bytes, float]:
        process.runs += 1
        order = Order(task.target, data, task.memory_mb, task.timeout_s)
        talking = asyncio.ensure_future(self._talk(process, order))
        began, limit = monotonic(), process.base_rss + (task.memory_mb + _OWN_MB) * _MIB
        try:
            while not talking.done():
                await asyncio.wait([talking], timeout=LOOK_S)
                if talking.done():
                    break
                if monotonic() - began > task.timeout_s:
                    why = f"{task.name} took more than its {task.timeout_s:g} s"
                    raise BrokenError(Flaw.TIME, why)
                if process.rss() > limit:
                    why = f"{task.name} took more than its {task.memory_mb} MiB"
                    raise BrokenError(Flaw.MEMORY, why)
            said = talking.result()
        except (EOFError, OSError):
            code = await process.exit_code()
            raise BrokenError(Flaw.DIED, _how(task.name, code)) from None
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            why = f"the process of {task.name} spoke nonsense: {error}"
            raise BrokenError(Flaw.DIED, why) from None
        finally:
            await cancel(talking)
        if isinstance(said, Broken):
            raise BrokenError(said.flaw, said.why)
        # a task could forge what its process says: others' placements rest on it
        return said.data, min(max(0.0, said.took_s), monotonic() - began)

    async def _talk(self, process: _Process, order: Order) -> Done | Broken:
        await process.say(order)
        while isinstance(said := await process.hear(), Ready):
            continue
        return said

    # --- the processes ---------------------------------------------------------

    async def _take(self) -> _Process:
        while self._idle:
            process = self._idle.pop()
            if process.pid and psutil.pid_exists(process.pid):
                return process
            await self._discard(process)
        return await self._new()

    async def _new(self) -> _Process:
        if self._is_closed:
            raise BrokenError(Flaw.DIED, "the device is ending")
        process = _Process(self._modules)
        self._all.add(process)
        try:
            async with self._starting:
                await process.start()
        except BaseException as error:
            await self._discard(process)
            if isinstance(error, EOFError | OSError | TimeoutError):
                why = f"no process could be started: {error!r}"
                raise BrokenError(Flaw.DIED, why) from error
            raise
        return process

    def _put_back(self, process: _Process, is_sound: bool) -> None:
        if is_sound and process.runs < MAX_TASKS and not self._is_closed:
            self._idle.append(process)
            return
        process.kill()
        if not self._is_closed:
            self._later(self._replace(process))

    async def _replace(self, process: _Process) -> None:
        await self._discard(process)
        await self._add_idle()

    async def _add_idle(self) -> None:
        try:
            process = await self._new()
        except BrokenError as error:
            log.error("%s", error)
            return
        self._idle.append(process)

    async def _discard(self, process: _Process) -> None:
        self._all.discard(process)
        await process.close()

    def _warm(self) -> None:
        self._later(self._add_idle())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)


async def _uncut(work: Coroutine[Any, Any, None]) -> None:
    """Wait for `work` even when cancelled, then be so.

    A start that is broken off in its midst would take the fork server with it.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _modules_of_main() -> list[str]:
    """Where the program's own names come from.

    Each new process reads the program's main module; what that imports is then there.
    """
    names = vars(sys.modules["__main__"]).values()
    modules = {getattr(each, "__module__", None) for each in names}
    modules |= {each.__name__ for each in names if isinstance(each, ModuleType)}
    return sorted(
        module
        for module in modules
        if isinstance(module, str) and module not in ("__main__", "builtins")
    )


def _how(name: str, code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process of {name} was ended by signal {-code}"
    return f"{name} ended its process (exit code {code})"
