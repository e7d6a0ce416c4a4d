"""Tasks for the tests, good and bad: found by worker processes under this name."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from trivet.domain import Sample, TaskError
from trivet.fabric.offload import Cost, task

ROOT = str(Path(__file__).parent.parent.parent.parent)
if ROOT not in sys.path:  # pytest imports by file, a worker process by name
    sys.path.append(ROOT)


class Wish(msgspec.Struct, frozen=True):
    """Where to, and how often."""

    name: str
    times: int = 1


class Grown(msgspec.Struct, frozen=True):
    name: str
    pid: int


@task(name="grow", cost=Cost.LIGHT)
def grow(wish: Wish) -> Grown:
    """Say the name so many times."""
    return Grown(wish.name * wish.times, os.getpid())


@task(name="add", cost=Cost.LIGHT)
def add(number: int) -> int:
    return number + 1


@task(name="nap", cost=Cost.LIGHT, timeout_s=30.0)
def nap(seconds: float) -> float:
    """Take that long."""
    time.sleep(seconds)
    return seconds


@task(name="echo", timeout_s=30.0)
def echo(data: bytes) -> bytes:
    return data


@task(name="read", cost=Cost.LIGHT)
def read(samples: list[Sample]) -> int:
    return len(samples)


@task(name="plugged", needs_mains=True)
def plugged(number: int) -> int:
    return number


class Mark(msgspec.Struct, frozen=True):
    """A file that a run leaves a line in, and how long it takes after that."""

    path: str
    seconds: float = 0.0


def _mark(mark: Mark) -> int:
    with Path(mark.path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(mark.seconds)
    return os.getpid()


@task(name="mark", cost=Cost.LIGHT, timeout_s=30.0)
def mark(mark: Mark) -> int:
    """Leave a trace that it ran."""
    return _mark(mark)


@task(name="once", cost=Cost.LIGHT, is_idempotent=False, timeout_s=30.0)
def once(mark: Mark) -> int:
    """Leave a trace that it ran; not to be run twice."""
    return _mark(mark)


# --- bad ones -----------------------------------------------------------------------


@task(name="bad.loop", timeout_s=0.5)
def loop(number: int) -> int:
    while True:
        number += 1


@task(name="bad.deaf", timeout_s=0.5)
def deaf(number: int) -> int:
    """Hold the interpreter in C, where no thread of Python gets a turn."""
    ctypes.PyDLL(None).sleep(60)
    return number


@task(name="bad.long_deaf", timeout_s=60.0)
def long_deaf(number: int) -> int:
    ctypes.PyDLL(None).sleep(60)
    return number


@task(name="bad.hog", memory_mb=64, timeout_s=20.0)
def hog(number: int) -> int:
    held = []
    while True:
        held.append(bytearray(8 << 20))


@task(name="bad.sly", memory_mb=64, timeout_s=20.0)
def sly(number: int) -> int:
    """Take memory that the kernel does not count as private."""
    file = os.memfd_create("sly")
    os.truncate(file, 400 << 20)
    with mmap.mmap(file, 400 << 20) as held:
        for at in range(0, 400 << 20, 4096):
            held[at] = 1
        time.sleep(15)
    return number


@task(name="bad.exit")
def leave(code: int) -> int:
    os._exit(code)


@task(name="bad.segfault")
def segfault(number: int) -> int:
    os.kill(os.getpid(), 11)
    return number


@task(name="bad.huge")
def huge(number: int) -> bytes:
    return bytes(17 << 20)


@task(name="bad.typed")
def typed(number: int) -> int:
    return "a text"  # type: ignore[return-value]


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("private detail")
        self.hook = lambda: None

    def __str__(self) -> str:
        raise ValueError("it cannot even be shown")


@task(name="bad.raises")
def raises(number: int) -> int:
    raise UnpicklableError


@task(name="bad.says")
def says(number: int) -> int:
    raise TaskError("there is no road", hint="take a boat")


@task(name="bad.quits")
def quits(number: int) -> int:
    sys.exit(4)


@task(name="bad.forks", timeout_s=0.5)
def forks(path: str) -> int:
    """Start another program that would outlive it."""
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(path).write_text(str(started.pid))
    time.sleep(60)
    return 0
