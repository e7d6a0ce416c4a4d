"""Asks for tasks with deadlines, and carries out those of others.

Whoever carries one out appends its run to one file that all devices share, before it
gives a result. Of the two tasks one may run again, the other once at most.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import Random

import msgspec
from scripts.chaos.check.task import AGAIN, ONCE
from scripts.chaos.journal import Answered, Asked, Journal, Ran, Refused, append
from scripts.chaos.work.sabotage import Sabotage
from scripts.chaos.work.setting import Settings

from trivet.app.offloading import Offloader
from trivet.domain import TrivetError
from trivet.fabric.offload.message import Condition
from trivet.fabric.offload.task import Cost, task

#: Mean seconds between two tasks that a device asks for, and how many wait at most.
ASK_EVERY_S, MOST_WAITING = 0.7, 4
#: Longest that a task works, and the deadlines that are given.
WORK_S, DEADLINES_S = 0.3, (0.5, 4.0)
#: As every device of a run has it: a calculation would tell them apart by chance.
CONDITION = Condition(benchmark_s=0.1, free_mb=4096)
RUNS = "runs.jsonl"
_VARIABLE = "CHAOS_DEVICE"


class Wish(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        run: tells this wish from all others.
        file: where its run is written down.
        work_s: how long it takes.
        times: how often it is written down; once, but for sabotage.
    """

    run: str
    file: str
    work_s: float
    times: int = 1


@task(name=AGAIN, cost=Cost.LIGHT, memory_mb=64, timeout_s=10.0)
def run_again(wish: Wish) -> str:
    """Work that does no harm when it is done twice."""
    return _work(wish, AGAIN)


@task(name=ONCE, cost=Cost.LIGHT, memory_mb=64, timeout_s=10.0, is_idempotent=False)
def run_once(wish: Wish) -> str:
    """Work that must not be done twice, such as opening a door."""
    return _work(wish, ONCE)


def _work(wish: Wish, name: str) -> str:
    by = os.environ[_VARIABLE]
    for _ in range(wish.times):
        append(Path(wish.file), Ran(run=wish.run, task=name, by=by))
    time.sleep(wish.work_s)
    return by


def slots_of(settings: Settings) -> int:
    """How many tasks a device runs at a time: every second one runs none."""
    return 1 - settings.devices.index(settings.device) % 2


class TaskWork:
    """What one node asks for.

    Args:
        settings: the node's.
        offloader: runs it.
        journal: where it is written down.
    """

    def __init__(
        self, settings: Settings, offloader: Offloader, journal: Journal
    ) -> None:
        self._me, self._life = settings.device, settings.life
        self._offloader, self._journal = offloader, journal
        self._file = str(Path(settings.journal).parent.parent / RUNS)
        self._random = Random(settings.seed * 1000 + settings.life)
        self._times = 2 if Sabotage.TWICE in settings.sabotage else 1
        self._is_quiet = False
        self._waiting: set[asyncio.Task[None]] = set()
        self._count = 0

    def set_quiet(self, is_quiet: bool) -> None:
        """Ask for nothing any more, or go on."""
        self._is_quiet = is_quiet

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(1.0 / ASK_EVERY_S))
            if not self._is_quiet and len(self._waiting) < MOST_WAITING:
                asking = asyncio.ensure_future(self._ask())
                self._waiting.add(asking)
                asking.add_done_callback(self._waiting.discard)

    async def _ask(self) -> None:
        self._count += 1
        run = f"{self._me}.{self._life}.{self._count}"
        chosen = self._random.choice((run_again, run_once))
        work_s = self._random.uniform(0.0, WORK_S)
        wish = Wish(run, self._file, work_s, self._times)
        deadline_s = self._random.uniform(*DEADLINES_S)
        self._journal.add(Asked(run=run, task=chosen.name))
        try:
            by = await self._offloader.run(chosen, wish, deadline_s=deadline_s)
        except TrivetError as error:
            what = f"{type(error).__name__} {run}"
            self._journal.add(Refused(what=what, why=str(error)[:200]))
        else:
            self._journal.add(Answered(run=run, by=by))


def name_device(device: str) -> None:
    """Let whatever this process starts know whose it is."""
    os.environ[_VARIABLE] = device
