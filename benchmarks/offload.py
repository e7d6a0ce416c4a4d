"""Tasks over a link that is cut, a batch over two workers, and what it all costs.

    python -m benchmarks.offload

The link is one in memory, with real worker processes at both ends. Every two seconds
it is cut for one, and nobody is told at first: what is under way is lost without a
word, and the devices see each other go a quarter of a second later.

What work takes is slept and not calculated, so that a busy machine does not decide who
is quicker: the car's version of the task takes four times as long as the phone's.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from random import Random
from statistics import median
from typing import Any

from trivet.app.offloading import Offloader, open_offloader
from trivet.app.simulation import simulated_household
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind, TrivetError
from trivet.domain.wire import Ack, Message
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.desk import Reply
from trivet.fabric.ledger import Ledger
from trivet.fabric.memory import MemoryLink
from trivet.fabric.offload.message import Condition
from trivet.fabric.offload.registry import Registry
from trivet.fabric.offload.task import Cost, Task, task

#: Runs with a deadline, and seconds from one to the next.
RUNS, EVERY_S = 1000, 0.2
DEADLINE_S = 1.0
#: Seconds between two cuts, of a cut, and until it is noticed.
CUT_EVERY_S, CUT_S, NOTICED_S = 2.0, 1.0, 0.25
#: Seconds of work of a run on the phone, and how many times that in the car.
WORK_S, SLOWNESS = 0.06, 4
BATCH = 120
NOOPS = 400


@task(name="bench.work", cost=Cost.MEDIUM)
def work_on_phone(work_s: float) -> float:
    time.sleep(work_s)
    return work_s


@task(name="bench.work", cost=Cost.MEDIUM)
def work_in_car(work_s: float) -> float:
    """The same task, by another program for another processor."""
    time.sleep(work_s * SLOWNESS)
    return work_s


@task(name="bench.nothing", cost=Cost.LIGHT)
def do_nothing(nothing: None) -> None:
    return nothing


class Cuttable(MemoryFabric):
    """A fabric of two devices whose link can be cut and mended."""

    is_cut = False

    def _at(self, device: str) -> MemoryLink | None:
        link = super()._at(device)
        if link is None or not self.is_cut:
            return link
        return _Deaf(link)  # type: ignore[return-value]

    async def cut(self) -> None:
        """Cut it, and mend it; the devices notice the cut after a while."""
        self.is_cut = True
        await asyncio.sleep(NOTICED_S)
        self._see_each_other(is_alive=False)
        await asyncio.sleep(CUT_S - NOTICED_S)
        self.is_cut = False
        self._see_each_other(is_alive=True)

    def _see_each_other(self, *, is_alive: bool) -> None:
        links = list(self._links.values())
        for link in links:
            for other in links:
                if other is not link:
                    link._see(other.device, is_alive=is_alive)


class _Deaf:
    """Stands for a device that cannot be reached: what is sent to it is lost."""

    def __init__(self, link: MemoryLink) -> None:
        self.device = link.device
        self._listener = None
        self._desk = self

    def _arrived(self, text: str, data: bytes) -> None:
        """Nothing arrives."""

    def take(self, text: str, data: bytes, reply: Callable[[Reply], None]) -> None:
        """Nothing is answered."""


class House:
    """A car and a phone that offer the same task, each with a process or two."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.fabric = Cuttable("bench")
        self._stack = stack
        self.links: dict[str, Link] = {}

    async def join(
        self, device: str, work: Task[float, float], slots: int
    ) -> Offloader:
        here = Condition(0.02 if device == "phone" else 0.02 * SLOWNESS, 4000)
        trust = Trust(
            Device(device, DeviceKind(device)),
            simulated_household(),
            Ledger(":memory:", device),
        )
        self._stack.callback(trust.close)
        link = await self._stack.enter_async_context(
            self.fabric.open_session(device, gate=trust.gate)
        )
        trust.attach(link)
        self.links[device] = link
        opened = open_offloader(
            link,
            trust,
            tasks=Registry((work, do_nothing)),
            slots=slots,
            condition=lambda: here,
        )
        return await self._stack.enter_async_context(opened)


# --- deadlines ----------------------------------------------------------------------


async def meet_deadlines(car_slots: int, phone_slots: int) -> float:
    """Share of runs with a deadline that meet it, over a link that is cut, in %."""
    rng, met = Random(5), 0
    async with AsyncExitStack() as stack:
        house = House(stack)
        car = await house.join("car", work_in_car, car_slots)
        await house.join("phone", work_on_phone, phone_slots)
        await asyncio.sleep(2.0)  # the processes are up

        async def one(work_s: float) -> None:
            nonlocal met
            began = time.perf_counter()
            with suppress(TrivetError):
                await car.run(work_in_car, work_s, deadline_s=DEADLINE_S)
                met += time.perf_counter() - began <= DEADLINE_S

        cutting = asyncio.ensure_future(_cut(house.fabric))
        runs = []
        for _ in range(RUNS):
            work_s = WORK_S * rng.lognormvariate(0.0, 0.2)
            runs.append(asyncio.ensure_future(one(work_s)))
            await asyncio.sleep(EVERY_S)
        await asyncio.gather(*runs)
        cutting.cancel()
    return 100.0 * met / RUNS


async def _cut(fabric: Cuttable) -> None:
    while True:
        await asyncio.sleep(CUT_EVERY_S - CUT_S)
        await fabric.cut()


# --- a batch ------------------------------------------------------------------------


async def make_batch() -> tuple[float, float]:
    """Seconds of a batch over both devices, and of the best fixed split of it."""
    async with AsyncExitStack() as stack:
        house = House(stack)
        car = await house.join("car", work_in_car, 1)
        phone = await house.join("phone", work_on_phone, 1)
        await asyncio.sleep(2.0)
        # each one's own pace, with all that it costs, by itself
        phone_s = await _timed(_batch(phone, work_on_phone, 20)) / 20
        await phone._runner.worker._pool.run(
            work_on_phone, work_on_phone.encode_input(0.0)
        )
        alone = [await _timed(_here(car, work_in_car)) for _ in range(10)]
        car_s = median(alone)
        best_s = min(
            max(count * phone_s, (BATCH - count) * car_s) for count in range(BATCH + 1)
        )
        return await _timed(_batch(car, work_in_car, BATCH)), best_s


async def _batch(device: Offloader, work: Task[float, float], count: int) -> None:
    await asyncio.gather(*(device.run(work, WORK_S) for _ in range(count)))


async def _here(device: Offloader, work: Task[float, float]) -> None:
    pool = device._runner.worker._pool
    await pool.run(work, work.encode_input(WORK_S))


async def _timed(work: Coroutine[Any, Any, None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


# --- nothing at all -----------------------------------------------------------------


async def do_noops() -> tuple[float, float]:
    """Median seconds of a run that does nothing elsewhere, and of a plain question."""

    async def answer(asker: str, message: Message | None) -> Message:
        return Ack(True)

    async with AsyncExitStack() as stack:
        house = House(stack)
        car = await house.join("car", work_in_car, 0)
        await house.join("phone", work_on_phone, 1)
        house.links["phone"].answer("state", answer)
        runs, asks = [], []
        for _ in range(NOOPS):
            began = time.perf_counter()
            await car.run(do_nothing, None)
            between = time.perf_counter()
            await house.links["car"].ask("phone", "state")
            runs.append(between - began)
            asks.append(time.perf_counter() - between)
        return median(runs[20:]), median(asks[20:])


def rows() -> list[tuple[str, float, str]]:
    """Name, value and unit of each figure."""

    async def measure() -> tuple[
        tuple[float, ...], tuple[float, float], tuple[float, float]
    ]:
        shares = await asyncio.gather(
            meet_deadlines(1, 1), meet_deadlines(1, 0), meet_deadlines(0, 1)
        )
        return shares, await make_batch(), await do_noops()

    (ours, local, remote), (batch_s, best_s), (noop_s, ask_s) = asyncio.run(measure())
    return [
        ("offload deadlines met, link cut every 2 s", ours, "%"),
        ("offload deadlines met, always local", local, "%"),
        ("offload deadlines met, always remote", remote, "%"),
        ("offload batch over two workers", batch_s, "s"),
        ("offload batch, best fixed split", best_s, "s"),
        ("offload batch / best fixed split", batch_s / best_s, "x"),
        ("offload of nothing p50", 1e3 * noop_s, "ms"),
        ("offload, a plain question p50", 1e3 * ask_s, "ms"),
        ("offload of nothing, beyond a question", 1e3 * (noop_s - ask_s), "ms"),
    ]


def main() -> None:
    for name, value, unit in rows():
        sys.stdout.write(f"{name:44} {value:12,.3f} {unit}\n")


if __name__ == "__main__":
    main()
