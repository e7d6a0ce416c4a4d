"""Tasks go where they are best run, and survive the loss of where that was."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest
from tests.app.allies import trust_of
from tests.fabric.offload import work
from tests.fabric.offload.work import Mark, Wish

from trivet.app.offloading import Offloader, Read, open_offloader
from trivet.app.trust import Trust
from trivet.domain import (
    Device,
    DeviceKind,
    Position,
    Purpose,
    RefusedError,
    Sample,
    TaskError,
    UnreachableError,
    UsageError,
)
from trivet.domain.sample import LOCATION
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.event import EventKind
from trivet.fabric.memory import MemoryLink
from trivet.fabric.offload.message import Condition
from trivet.fabric.offload.registry import Registry

TASKS = (
    work.grow,
    work.add,
    work.nap,
    work.echo,
    work.read,
    work.plugged,
    work.mark,
    work.once,
    work.leave,
    work.hog,
    work.says,
)
MAINS = Condition(benchmark_s=0.02, free_mb=8000)
WHERE = Sample("phone", LOCATION, 1_772_000_000.0, Position(52.61234, 8.05678))


class Cuttable(MemoryFabric):
    """A fabric whose links can all be cut: what is then sent is lost without a word."""

    is_cut = False

    def _at(self, device: str) -> MemoryLink | None:
        link = super()._at(device)
        return Deaf(link) if link is not None and self.is_cut else link  # type: ignore[return-value]

    def notice(self, *, is_alive: bool) -> None:
        """The devices see each other go, or come."""
        links = list(self._links.values())
        for link in links:
            for other in links:
                if other is not link:
                    link._see(other.device, is_alive=is_alive)


class Deaf:
    """Stands for a device that cannot be reached."""

    def __init__(self, link: MemoryLink) -> None:
        self.device = link.device
        self._listener = None
        self._desk = self

    def _arrived(self, text: str, data: bytes) -> None:
        """Nothing arrives."""

    def take(self, text: str, data: bytes, reply: object) -> None:
        """Nothing is answered."""


class Stage:
    """A fabric in memory, on which devices with tasks come and go."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.fabric = Cuttable("ours")
        self._stack = stack
        self._lives: dict[str, AsyncExitStack] = {}
        self.trusts: dict[str, Trust] = {}
        self.links: dict[str, Link] = {}

    async def join(
        self,
        device: str,
        slots: int = 1,
        condition: Condition = MAINS,
        journal: Path | str = ":memory:",
    ) -> Offloader:
        life = AsyncExitStack()
        trust = trust_of(Device(device, DeviceKind(device)))
        life.callback(trust.close)
        link = await life.enter_async_context(
            self.fabric.open_session(device, gate=trust.gate)
        )
        trust.attach(link)
        offloader = await life.enter_async_context(
            open_offloader(
                link,
                trust,
                tasks=Registry(TASKS),
                slots=slots,
                journal=journal,
                condition=lambda: condition,
            )
        )
        self._lives[device] = life
        self.trusts[device] = trust
        self.links[device] = link
        self._stack.push_async_callback(self.leave, device)
        return offloader

    async def leave(self, device: str) -> None:
        """End a device; what runs on it ends too."""
        life = self._lives.pop(device, None)
        if life is not None:
            await life.aclose()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack)


async def until(is_true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def runs_of(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


# --- where it runs ------------------------------------------------------------------


async def test_a_device_without_processes_has_its_task_run_by_another(
    stage: Stage,
) -> None:
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    assert (await car.run(work.grow, Wish("ab", 3))).name == "ababab"
    assert [(ran.devices, ran.winner) for ran in car.past] == [(("phone",), "phone")]


async def test_a_device_alone_runs_it_itself(stage: Stage) -> None:
    car = await stage.join("car")
    assert await car.run(work.add, 1) == 2
    assert car.past[-1].winner == "car"


async def test_the_quicker_device_gets_it(stage: Stage) -> None:
    car = await stage.join("car", condition=Condition(benchmark_s=2.0, free_mb=8000))
    await stage.join("phone")
    assert await car.run(work.nap, 0.01) == 0.01
    assert car.past[-1].devices == ("phone",)


async def test_what_a_task_takes_is_known_after_a_restart(
    stage: Stage, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.db"
    car = await stage.join("car", journal=journal)
    await car.run(work.add, 1)
    assert runs_here(car) == 1
    await stage.leave("car")
    assert runs_here(await stage.join("car", journal=journal)) == 1
    await stage.leave("car")
    with closing(sqlite3.connect(journal)) as base:
        base.execute("update learned set estimates = x'c1'")
        base.commit()
    assert runs_here(await stage.join("car", journal=journal)) == 0


def runs_here(car: Offloader) -> int:
    """On how many runs here rests what `add` takes here."""
    offered = {task.name: task.runs for task in car.offers()["car"].tasks}
    return offered["add"]


async def test_a_device_that_is_low_on_charge_or_off_mains_is_spared(
    stage: Stage,
) -> None:
    low = Condition(benchmark_s=0.001, free_mb=8000, is_on_mains=False, charge=0.1)
    car = await stage.join("car", slots=0)
    await stage.join("phone", condition=low)
    with pytest.raises(RefusedError, match=r"phone: its battery is at 10%"):
        await car.run(work.add, 1)
    await stage.leave("phone")
    await stage.join("phone", condition=msgspec.structs.replace(low, charge=0.9))
    assert await car.run(work.add, 1) == 2
    with pytest.raises(RefusedError, match="phone: it is not on mains power"):
        await car.run(work.plugged, 1)


async def test_sixteen_mebibytes_go_over_the_link_and_come_back(stage: Stage) -> None:
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    data = bytes(range(256)) * (1 << 16)
    assert await car.run(work.echo, data[:-64]) == data[:-64]


async def test_an_input_that_does_not_fit_is_its_callers_fault(stage: Stage) -> None:
    car = await stage.join("car")
    with pytest.raises(UsageError, match=r"input of add cannot be 'x'.*takes int"):
        await car.run(work.add, "x")  # type: ignore[misc]
    with pytest.raises(UsageError, match="the most is"):
        await car.run(work.echo, bytes(17 << 20))
    with pytest.raises(UsageError, match="past"):
        await car.run(work.add, 1, deadline_s=0.0)


@pytest.mark.parametrize("slots", [0, 1], ids=["on another", "here"])
async def test_a_bad_task_is_an_error_of_that_task_alone(
    stage: Stage, slots: int
) -> None:
    car = await stage.join("car", slots=slots)
    if not slots:
        await stage.join("phone")
    with pytest.raises(TaskError, match="there is no road"):
        await car.run(work.says, 1)
    with pytest.raises(TaskError, match="exit code 3"):
        await car.run(work.leave, 3)
    with pytest.raises(TaskError, match="more than its 64 MiB"):
        await car.run(work.hog, 1)
    assert await car.run(work.add, 1) == 2


async def test_cancelling_ends_it_where_it_runs(stage: Stage, tmp_path: Path) -> None:
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    file = tmp_path / "marks"
    running = asyncio.ensure_future(car.run(work.mark, Mark(str(file), 25.0)))
    await until(lambda: runs_of(file) == 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    async with asyncio.timeout(20):  # the one process is free again
        assert await car.run(work.add, 1) == 2


# --- late and lost ------------------------------------------------------------------


async def test_it_survives_the_death_of_its_worker_in_its_midst(
    stage: Stage, tmp_path: Path
) -> None:
    car = await stage.join("car", condition=Condition(benchmark_s=2.0, free_mb=8000))
    await stage.join("phone")
    file = tmp_path / "marks"
    running = asyncio.ensure_future(
        car.run(work.mark, Mark(str(file), 1.0), deadline_s=20.0)
    )
    await until(lambda: runs_of(file) == 1)
    await stage.leave("phone")
    assert await running
    assert runs_of(file) == 2
    assert (car.past[-1].devices, car.past[-1].winner) == (("phone", "car"), "car")


async def test_a_hedge_starts_in_time_and_the_slower_one_is_ended(
    stage: Stage, tmp_path: Path
) -> None:
    """The phone takes the work and then says no more, and nobody sees it go."""
    car = await stage.join("car", condition=Condition(benchmark_s=0.2, free_mb=8000))
    for _ in range(8):
        await car.run(work.nap, 0.05)  # what it takes here is known
    phone = await stage.join("phone")
    stop = asyncio.Event()

    async def never(*_: object) -> None:
        stop.set()
        await asyncio.Event().wait()

    phone._runner.worker._work = never  # type: ignore[assignment]
    async with asyncio.timeout(20):
        assert await car.run(work.nap, 0.05, deadline_s=4.0) == 0.05
    if stop.is_set():
        assert car.past[-1].devices == ("phone", "car")
        assert car.past[-1].seconds < 4.0
    assert car.past[-1].winner == "car"


async def test_a_deadline_that_nobody_makes_is_told(stage: Stage) -> None:
    car = await stage.join("car")
    with pytest.raises(UnreachableError, match="not done by its deadline on car"):
        await car.run(work.nap, 20.0, deadline_s=0.5)
    async with asyncio.timeout(20):
        assert await car.run(work.add, 1) == 2  # it was ended


async def test_what_must_not_run_twice_says_that_it_may_have_run(
    stage: Stage, tmp_path: Path
) -> None:
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    file = tmp_path / "marks"
    running = asyncio.ensure_future(
        car.run(work.once, Mark(str(file), 20.0), deadline_s=3.0)
    )
    await until(lambda: runs_of(file) == 1)
    await stage.leave("phone")
    await stage.join("home")
    with pytest.raises(UnreachableError, match="may have run"):
        await running
    assert runs_of(file) == 1


async def test_what_must_not_run_twice_is_not_run_again_by_a_worker_that_is_back(
    stage: Stage, tmp_path: Path
) -> None:
    car = await stage.join("car", slots=0)
    journal, file = tmp_path / "journal.db", tmp_path / "marks"
    await stage.join("phone", journal=journal)
    running = asyncio.ensure_future(
        car.run(work.once, Mark(str(file), 20.0), deadline_s=20.0)
    )
    await until(lambda: runs_of(file) == 1)
    await stage.leave("phone")
    await stage.join("phone", journal=journal)
    with pytest.raises(UnreachableError, match="may have run"):
        await running
    assert runs_of(file) == 1


@pytest.mark.parametrize("seconds", [0.5, 1.5], ids=["ended meanwhile", "goes on"])
async def test_what_must_not_run_twice_gives_its_result_after_a_break(
    stage: Stage, tmp_path: Path, seconds: float
) -> None:
    """Its result is on its way into nowhere when the break is noticed."""
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    file = tmp_path / "marks"
    running = asyncio.ensure_future(
        car.run(work.once, Mark(str(file), seconds), deadline_s=30.0)
    )
    await until(lambda: runs_of(file) == 1)
    stage.fabric.is_cut = True
    await asyncio.sleep(1.0)
    stage.fabric.notice(is_alive=False)
    await asyncio.sleep(0.2)
    stage.fabric.is_cut = False
    stage.fabric.notice(is_alive=True)
    began = monotonic()
    assert await running
    assert monotonic() - began < 3.0  # sooner than what was asked in the break fails
    assert runs_of(file) == 1


async def test_a_request_that_was_lost_in_a_break_is_made_again(
    stage: Stage, tmp_path: Path
) -> None:
    car = await stage.join("car", slots=0)
    await stage.join("phone")
    await car.run(work.add, 1)
    stage.fabric.is_cut = True
    file = tmp_path / "marks"
    running = asyncio.ensure_future(
        car.run(work.once, Mark(str(file)), deadline_s=30.0)
    )
    await asyncio.sleep(0.2)
    stage.fabric.notice(is_alive=False)
    await asyncio.sleep(0.2)
    stage.fabric.is_cut = False
    stage.fabric.notice(is_alive=True)
    assert await running
    assert runs_of(file) == 1
    assert car.past[-1].devices == ("phone", "phone")


# --- who may have it ----------------------------------------------------------------


async def test_an_input_stays_where_the_policy_lets_its_signals_be(
    stage: Stage,
) -> None:
    """A car may not know exactly where the phone is, unless it drives."""
    phone = await stage.join(
        "phone", condition=msgspec.structs.replace(MAINS, benchmark_s=5.0)
    )
    await stage.join("car")
    await asyncio.sleep(0.1)
    rough = Read("phone", LOCATION, Purpose.NAVIGATION, exact_m=500)
    assert await phone.run(work.read, [WHERE], reads=[rough]) == 1
    assert phone.past[-1].devices == ("car",)
    exact = Read("phone", LOCATION, Purpose.NAVIGATION)
    assert await phone.run(work.read, [WHERE], reads=[exact]) == 1
    assert phone.past[-1].devices == ("phone",)
    told = [
        (e.event.peer, e.event.paths, e.event.purpose, e.event.exact_m)
        for e in stage.trusts["phone"].ledger.entries()
        if e.event.kind is EventKind.DISCLOSING
    ]
    assert told == [("car", (LOCATION,), "navigation", 500)]


async def test_an_input_that_no_device_may_have_is_refused_by_its_rule(
    stage: Stage,
) -> None:
    phone = await stage.join("phone", slots=0)
    await stage.join("car")
    await asyncio.sleep(0.1)
    exact = Read("home", "lock.front", Purpose.DIAGNOSTICS)
    with pytest.raises(RefusedError) as caught:
        await phone.run(work.add, 1, reads=[exact])
    assert "phone may not have lock.front of home for diagnostics" in str(caught.value)
    assert "car may not have lock.front of home" in str(caught.value)
    refused = [
        (e.event.peer, e.event.paths)
        for e in stage.trusts["phone"].ledger.entries()
        if e.event.kind is EventKind.REFUSAL
    ]
    assert sorted(refused) == [
        ("car", ("home.lock.front",)),
        ("phone", ("home.lock.front",)),
    ]


async def test_a_sample_in_an_input_must_be_named(stage: Stage) -> None:
    phone = await stage.join("phone")
    with pytest.raises(UsageError, match=r"holds location of phone.*add Read"):
        await phone.run(work.read, [WHERE])


# --- streams ------------------------------------------------------------------------


async def collect(outputs: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in outputs]


async def test_a_stream_keeps_its_order_over_several_workers(stage: Stage) -> None:
    car = await stage.join("car", slots=1)
    await stage.join("phone", slots=2)
    naps = [0.02 if number % 3 else 0.1 for number in range(40)]
    assert await collect(car.stream(work.nap, naps)) == naps
    assert len({ran.winner for ran in car.past}) == 2


async def test_a_slow_taker_slows_the_source_down(stage: Stage) -> None:
    car = await stage.join("car")
    asked = 0

    async def source() -> AsyncIterator[int]:
        nonlocal asked
        for number in range(30):
            asked += 1
            yield number

    outputs = car.stream(work.add, source(), window=4)
    assert [await anext(outputs) for _ in range(3)] == [1, 2, 3]
    await asyncio.sleep(0.5)
    assert asked <= 3 + 4 + 1
    assert await collect(outputs) == [*range(4, 31)]


async def test_a_result_does_not_wait_for_the_next_input(stage: Stage) -> None:
    car = await stage.join("car")

    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(60)

    outputs = car.stream(work.add, source())
    async with asyncio.timeout(20):
        assert await anext(outputs) == 2
    await outputs.aclose()  # type: ignore[attr-defined]


async def test_a_stream_survives_the_loss_of_its_worker(stage: Stage) -> None:
    car = await stage.join("car", condition=Condition(benchmark_s=0.2, free_mb=8000))
    await stage.join("phone", slots=2)
    got = []
    async with asyncio.timeout(60):
        async for each in car.stream(work.nap, [0.05 + n / 1e6 for n in range(30)]):
            got.append(each)
            if len(got) == 8:
                await stage.leave("phone")
    assert got == [0.05 + n / 1e6 for n in range(30)]


async def test_an_error_ends_a_stream_in_its_turn(stage: Stage) -> None:
    car = await stage.join("car")
    with pytest.raises(TaskError, match="exit code 0"):
        await collect(car.stream(work.leave, [0, 0]))

    async def source() -> AsyncIterator[int]:
        yield 1
        raise ValueError("the camera broke")

    outputs = car.stream(work.add, source())
    assert await anext(outputs) == 2
    with pytest.raises(ValueError, match="camera"):
        await anext(outputs)


# --- a batch ------------------------------------------------------------------------


async def test_many_runs_at_once_are_shared_out(stage: Stage) -> None:
    car = await stage.join("car", slots=1)
    await stage.join("phone", slots=1)
    async with asyncio.timeout(60):
        await asyncio.gather(*(car.run(work.nap, 0.05) for _ in range(40)))
    winners = [ran.winner for ran in car.past]
    assert 10 <= winners.count("phone") <= 30
