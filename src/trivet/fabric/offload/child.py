"""The inside of a worker process: takes a task, runs it, says how it ended.

It stands apart from the device that started it: in a session of its own, so that what
it starts ends with it; with less claim on the processor; and never outliving its
parent. What comes back is framed and bounded, so that a task that misbehaves can break
nothing but itself.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from io import BufferedReader
from multiprocessing import forkserver
from multiprocessing.connection import wait
from threading import Thread
from time import perf_counter
from typing import TypeAlias

import msgspec

from trivet.domain.error import TaskError, TrivetError, WireError
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.task import MAX_BYTES, Task

log = logging.getLogger("trivet.fabric")

#: Length of a frame, before it.
HEAD = struct.Struct("!I")
#: A frame holds an input or an output, and a little more.
MAX_FRAME = MAX_BYTES + 4096
_NICENESS = 5
_PR_SET_PDEATHSIG = 1
#: Seconds, also of the processor, beyond its time limit after which the kernel ends a
#: process that nobody else ended.
_SLACK_S = 5
_MIB = 1 << 20
_MAX_WHY = 500


class Order(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """Run this.

    Attributes:
        target: the task, `module:name`.
        data: its input.
        memory_mb: what it may take beyond what the process holds, in MiB.
        timeout_s: after which it will be killed.
    """

    target: str
    data: bytes
    memory_mb: int
    timeout_s: float


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """The process is up, or the task is found and its input read: work begins."""


class Done(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """It gave an output, after so many seconds of work."""

    took_s: float
    data: bytes


class Broken(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """It gave none."""

    flaw: Flaw
    why: str


Saying: TypeAlias = Ready | Done | Broken
_encoder = msgspec.msgpack.Encoder()
_orders = msgspec.msgpack.Decoder(Order)
sayings = msgspec.msgpack.Decoder(Saying)


def frame(word: Order | Saying) -> bytes:
    """A word as bytes for the other end of the socket."""
    body = _encoder.encode(word)
    return HEAD.pack(len(body)) + body


def serve(end: socket.socket, modules: tuple[str, ...]) -> None:
    """Run what comes in at `end` until it closes: the life of a worker process.

    Args:
        end: a socket to the parent.
        modules: what to import before the first task comes.
    """
    _stand_apart()
    for module in modules:
        try:
            import_module(module)
        except Exception:
            log.exception("%s cannot be imported in a worker process", module)
    end.setblocking(True)
    # a parent that is gone, or done with this process, closed its end
    with suppress(BrokenPipeError, ConnectionResetError), end:
        orders = end.makefile("rb")
        end.sendall(frame(Ready()))
        while (order := _read(orders)) is not None:
            end.sendall(frame(_run(order, end)))


def _stand_apart() -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _end_with_fork_server()
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        Thread(target=_end_with, args=(sentinel,), daemon=True).start()


def _end_with_fork_server() -> None:
    """Have the kernel end this process when its fork server ends, as with its parent.

    It holds for a task that lets no thread run either. The fork server ends when nobody
    holds its pipe any more; each process is given that too, and has no use for it.
    Source: prctl(2), Linux; CPython, `Lib/multiprocessing/forkserver.py`.
    """
    server = getattr(forkserver, "_forkserver", None)
    pipe = getattr(server, "_forkserver_alive_fd", None)
    if isinstance(pipe, int):
        os.close(pipe)
        server._forkserver_alive_fd = None  # type: ignore[union-attr]
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (AttributeError, OSError):
        return


def _end_with(sentinel: int) -> None:
    """End this process, and all that it started, as soon as its parent ends."""
    wait([sentinel])
    os.killpg(0, signal.SIGKILL)


def _read(orders: BufferedReader) -> Order | None:
    head = orders.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    (length,) = HEAD.unpack(head)
    body = orders.read(length)
    return _orders.decode(body) if len(body) == length else None


def _run(order: Order, end: socket.socket) -> Saying:
    try:
        task = find(order.target)
        value = task.decode_input(order.data)
    except WireError as error:
        return Broken(Flaw.RAISED, str(error)[:_MAX_WHY])
    except Exception as error:
        log.exception("%s cannot be run here", order.target)
        why = f"{order.target} cannot be loaded: {type(error).__name__}"
        return Broken(Flaw.DIED, why[:_MAX_WHY])
    end.sendall(frame(Ready()))
    with Limits(order):
        began = perf_counter()
        return _work(task, value, began)


def _work(task: Task[object, object], value: object, began: float) -> Saying:
    try:
        output = task.encode_output(task.function(value))
        return Done(perf_counter() - began, output)
    except MemoryError:
        return Broken(
            Flaw.MEMORY, f"{task.name} wanted more than its {task.memory_mb} MiB"
        )
    except TaskError as error:
        return Broken(Flaw.RAISED, str(error)[:_MAX_WHY])
    except TrivetError as error:
        return Broken(Flaw.RAISED, f"{task.name}: {error}"[:_MAX_WHY])
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        # its text may hold what the other device must not know: only its kind goes
        _log(task.name)
        return Broken(Flaw.RAISED, f"{task.name} raised {type(error).__name__}")


def _log(name: str) -> None:
    try:
        log.exception("the task %s failed", name)
    except Exception:  # an error that cannot even be shown
        sys.stderr.write(f"the task {name} failed with an error that fails itself\n")


def find(target: str) -> Task[object, object]:
    """The task `module:name`.

    Raises:
        TaskError: there is none.
    """
    module, _, name = target.partition(":")
    found: object = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, Task):
        raise TaskError(f"{target} is a {type(found).__name__}, not a task")
    return found


class Limits:
    """Bounds on memory and time while one task runs, kept by the kernel.

    What the kernel counts is private memory that can be written: Linux, RLIMIT_DATA.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._before = {
            which: resource.getrlimit(which)
            for which in (resource.RLIMIT_DATA, resource.RLIMIT_CPU)
        }

    def __enter__(self) -> None:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = spent.ru_utime + spent.ru_stime + self._order.timeout_s * _cores()
        data = private_bytes()
        if data is not None:
            self._limit(resource.RLIMIT_DATA, data + self._order.memory_mb * _MIB)
        self._limit(resource.RLIMIT_CPU, int(cpu_s) + _SLACK_S)
        # ends it by its default action, whatever the interpreter is busy with
        signal.setitimer(signal.ITIMER_REAL, self._order.timeout_s + _SLACK_S)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        for which, before in self._before.items():
            resource.setrlimit(which, before)
        _trim()

    def _limit(self, which: int, value: int) -> None:
        _, hard = self._before[which]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(which, (value, hard))


def private_bytes() -> int | None:
    """Private memory of this process that can be written; None where unknown."""
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[5])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize()


def _cores() -> int:
    return os.cpu_count() or 1


def _trim() -> None:
    """Give memory back to the system after a task, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
