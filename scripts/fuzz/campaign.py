"""A campaign: inputs given to one target in a process of its own, which is watched.

A decoder may end the process (a panic, a stack that is used up), hang in code that no
Python signal interrupts, or take all memory: so it runs in a child, and what it was
given last is known to the parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from dataclasses import asdict, dataclass
from mmap import mmap
from types import FrameType

import psutil
from scripts.fuzz.target import Target

#: Processor time that one input may take.
LIMIT_S = 1.0
#: Resident memory that a target may grow by after its warm-up.
MAX_GROWTH = 50 * 1024 * 1024
#: Memory that one input may ask for.
MAX_ASKED = 2 * 1024**3
_TICKS = 4
#: Without progress, so many limits of processor time are a hang outside of Python, and
#: so many seconds of any time are one of something that waits.
_STUCK_LIMITS, _STUCK_S = 3.0, 120.0
_SAMPLED = 500


@dataclass(frozen=True)
class Finding:
    """What a target did that it must not.

    Attributes:
        target: its name.
        seed: of the campaign.
        number: of the input.
        kind: crash, hang, memory or death.
        what: the error with its trace, or the signal.
        data: the input in hexadecimal.
    """

    target: str
    seed: int
    number: int
    kind: str
    what: str
    data: str

    def __str__(self) -> str:
        replay = f"--target {self.target} --seed {self.seed} --number {self.number}"
        shown = self.data if len(self.data) <= 4000 else f"{self.data[:4000]}…"
        return f"{self.kind}: {self.what}\ninput {shown}\nagain: {replay}"


class OutOfTimeError(BaseException):
    """An input took longer than it may."""


def attack(
    target: Target, seed: int, numbers: range, limit_s: float = LIMIT_S
) -> Finding | None:
    """Give a target the inputs of these numbers; the first thing that is wrong, if any.

    The child forks off: this process must have one thread only.

    Args:
        target: the target.
        seed: of the campaign.
        numbers: of the inputs.
        limit_s: processor time that one input may take.
    """
    progress, (back, out) = mmap(-1, 8), os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(back)
        _live(target, seed, numbers, limit_s, progress, out)
    os.close(out)
    with os.fdopen(back, "rb") as pipe:
        fate = _watch(child, progress, limit_s)
        words = pipe.read()
    number = int.from_bytes(progress[:8], "little")
    progress.close()
    if fate == "exit 0" and words:
        return None if words == b"null" else Finding(**json.loads(words))
    kind = "hang" if fate == "stuck" else "death"
    shown = target.input(seed, number).hex()
    return Finding(target.name, seed, number, kind, f"the process: {fate}", shown)


def _live(
    target: Target,
    seed: int,
    numbers: range,
    limit_s: float,
    progress: mmap,
    out: int,
) -> None:
    """The child's life; it does not return."""
    status = 1
    warnings.simplefilter("ignore")
    try:
        _bound_memory()
        found = run(target, seed, numbers, limit_s, progress)
        words = json.dumps(found and asdict(found)).encode()
        with os.fdopen(out, "wb") as pipe:
            pipe.write(words)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _watch(child: int, progress: mmap, limit_s: float) -> str:
    """Wait for the child; ends it when it goes no further. Says how it ended."""
    process = psutil.Process(child)
    seen, since, used = b"", time.monotonic(), 0.0
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return f"exit {code}" if code >= 0 else signal.Signals(-code).name
        now, cpu = time.monotonic(), sum(process.cpu_times()[:2])
        if progress[:8] != seen:
            seen, since, used = progress[:8], now, cpu
        elif cpu - used > _STUCK_LIMITS * limit_s or now - since > _STUCK_S:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "stuck"
        time.sleep(0.02)


def _bound_memory() -> None:
    """So much memory more than there is in use, and no more."""
    size = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (size + MAX_ASKED, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Clock:
    """Interrupts an input that takes too long, in processor time.

    Attributes:
        number: of the input that is running, below 0 between two of them.
        is_late: the one that ran last was interrupted.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.number, self.is_late = -1, False
        self._seen, self._ticks = -1, 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.number < 0 or self._seen != self.number:
            self._seen, self._ticks = self.number, 0
        self._ticks += 1
        if self.number >= 0 and self._ticks > _TICKS:
            # it may be caught on its way by what catches everything
            self.is_late = True
            raise OutOfTimeError


def run(
    target: Target,
    seed: int,
    numbers: range,
    limit_s: float,
    progress: mmap | None = None,
) -> Finding | None:
    """Give a target the inputs of these numbers, in this process.

    Takes the signal SIGPROF and its timer for itself.
    """
    clock = _Clock(limit_s)
    before = signal.signal(signal.SIGPROF, clock)
    signal.setitimer(signal.ITIMER_PROF, limit_s / _TICKS, limit_s / _TICKS)
    try:
        return _run(target, seed, numbers, progress, clock)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _run(
    target: Target, seed: int, numbers: range, progress: mmap | None, clock: _Clock
) -> Finding | None:
    process, base = psutil.Process(), 0
    warm = numbers.start + min(20_000, max(1, len(numbers) // 5))
    for number in numbers:
        if progress is not None:
            progress[:8] = number.to_bytes(8, "little")
        data = target.input(seed, number)
        kind, what = _try(target, data, number, clock)
        if not kind and number >= warm and number % _SAMPLED == 0:
            rss = process.memory_info().rss
            base = base or rss
            if rss - base > MAX_GROWTH:
                kind = "memory"
                what = f"{(rss - base) >> 20} MiB more than after input {warm}"
        if kind:
            return Finding(target.name, seed, number, kind, what, data.hex())
    return None


def _try(target: Target, data: bytes, number: int, clock: _Clock) -> tuple[str, str]:
    """Give one input; what kind of failure it was and which, empty for none."""
    clock.number, clock.is_late = number, False
    try:
        target.run(data)
    except target.allowed:
        pass
    except KeyboardInterrupt:
        raise
    except OutOfTimeError:
        return "hang", f"more than {clock.limit_s} s\n{_trace()}"
    # a panic of a library in Rust is a BaseException
    except BaseException:
        return "crash", _trace()
    finally:
        clock.number = -1
    return ("hang", f"more than {clock.limit_s} s") if clock.is_late else ("", "")


def _trace() -> str:
    lines = traceback.format_exc(limit=-8).splitlines()
    return "\n".join(line[:400] for line in lines)
