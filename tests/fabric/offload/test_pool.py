"""A bad task ends itself and nothing else; the pool goes on as before."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest
from tests.fabric.offload import work

from trivet.fabric.offload import Task
from trivet.fabric.offload.child import Done
from trivet.fabric.offload.message import Flaw
from trivet.fabric.offload.pool import BrokenError, Pool


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with Pool(2, [work.add]) as made:
        yield made


async def run(pool: Pool, task: Task[Any, Any], value: object) -> Any:
    async with asyncio.timeout(60):
        data, took_s = await pool.run(task, task.encode_input(value))
    assert took_s >= 0.0
    return task.decode_output(data)


async def fault(pool: Pool, task: Task[Any, Any], value: object) -> BrokenError:
    with pytest.raises(BrokenError) as caught:
        await run(pool, task, value)
    return caught.value


async def test_a_task_runs_in_another_process_which_is_kept(pool: Pool) -> None:
    grown = [await run(pool, work.grow, work.Wish("ab", 2)) for _ in range(6)]
    assert {each.name for each in grown} == {"abab"}
    pids = {each.pid for each in grown}
    assert len(pids) <= 2
    assert psutil.Process().pid not in pids


async def test_sixteen_mebibytes_go_in_and_come_back(pool: Pool) -> None:
    data = bytes(range(256)) * (1 << 16)
    assert await run(pool, work.echo, data[:-64]) == data[:-64]


async def test_two_run_at_a_time_and_a_third_waits(pool: Pool) -> None:
    await asyncio.gather(*(run(pool, work.add, n) for n in range(2)))  # both are up
    began = monotonic()
    naps = [asyncio.ensure_future(run(pool, work.nap, 0.5)) for _ in range(4)]
    await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
    assert sum(nap.done() for nap in naps) <= 2
    await asyncio.gather(*naps)
    assert monotonic() - began >= 1.0


@pytest.mark.parametrize(
    ("task", "flaw", "says"),
    [
        (work.loop, Flaw.TIME, r"bad\.loop took more than its 0\.5 s"),
        (work.deaf, Flaw.TIME, r"bad\.deaf took more than its 0\.5 s"),
        (work.hog, Flaw.MEMORY, r"bad\.hog wanted more than its 64 MiB"),
        (work.sly, Flaw.MEMORY, r"bad\.sly took more than its 64 MiB"),
        (work.leave, Flaw.DIED, r"bad\.exit ended its process \(exit code 3\)"),
        (work.segfault, Flaw.DIED, r"bad\.segfault was ended by signal 11"),
        (work.huge, Flaw.RAISED, r"output of bad\.huge is \d+ bytes, the most is"),
        (work.typed, Flaw.RAISED, r"bad\.typed gave a str: Expected `int`"),
        (work.raises, Flaw.RAISED, r"bad\.raises raised UnpicklableError$"),
        (work.says, Flaw.RAISED, r"there is no road \(take a boat\)"),
        (work.quits, Flaw.RAISED, r"bad\.quits raised SystemExit"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_bad_task_ends_itself_alone(
    pool: Pool, task: Task[Any, Any], flaw: Flaw, says: str
) -> None:
    beside = asyncio.ensure_future(run(pool, work.nap, 0.3))
    error = await fault(pool, task, 3)
    assert error.flaw is flaw
    error_text = str(error)
    assert re.search(says, error_text), error_text
    assert "private" not in error_text
    assert await beside == 0.3
    assert await asyncio.gather(*(run(pool, work.add, n) for n in range(4))) == [
        *range(1, 5)
    ]


async def test_what_a_task_started_ends_with_it(pool: Pool, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    error = await fault(pool, work.forks, str(file))
    assert error.flaw is Flaw.TIME
    started = int(file.read_text())
    for _ in range(100):
        if not psutil.pid_exists(started):
            return
        if psutil.Process(started).status() == psutil.STATUS_ZOMBIE:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it lives on")


async def test_cancelling_ends_the_process_and_frees_the_seat(pool: Pool) -> None:
    grown = await run(pool, work.grow, work.Wish("a"))
    naps = [asyncio.ensure_future(run(pool, work.nap, 20.0)) for _ in range(2)]
    await asyncio.sleep(0.3)
    for nap in naps:
        nap.cancel()
    await asyncio.gather(*naps, return_exceptions=True)
    again = await run(pool, work.grow, work.Wish("a"))
    assert again.pid != grown.pid


async def test_memory_of_one_task_is_not_counted_against_the_next(pool: Pool) -> None:
    data = bytes(12 << 20)
    for _ in range(8):
        assert await run(pool, work.echo, data) == data
    assert (await fault(pool, work.hog, 1)).flaw is Flaw.MEMORY
    assert await run(pool, work.echo, data) == data


async def test_a_process_that_died_while_idle_is_replaced(pool: Pool) -> None:
    grown = await run(pool, work.grow, work.Wish("a"))
    psutil.Process(grown.pid).kill()
    await asyncio.sleep(0.2)
    for _ in range(4):
        assert (await run(pool, work.grow, work.Wish("a"))).pid != grown.pid


async def test_a_task_that_cannot_be_found_is_told_of(pool: Pool) -> None:
    gone = Task(
        work.add.function,
        name="gone",
        cost=work.add.cost,
        memory_mb=64,
        needs_mains=False,
        is_idempotent=True,
        timeout_s=5.0,
    )
    gone.target = "no.such.module:gone"
    assert (await fault(pool, gone, 1)).flaw is Flaw.DIED


@pytest.mark.parametrize("took_s", [float("nan"), float("inf"), -1.0, 1e300])
async def test_attack_a_task_that_forges_its_time_is_not_believed(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, took_s: float
) -> None:
    async def forge(*_: object) -> Done:
        return Done(took_s, b"\x02")

    monkeypatch.setattr(pool, "_talk", forge)
    began = monotonic()
    _, seen_s = await pool.run(work.add, b"\x01")
    assert 0.0 <= seen_s <= monotonic() - began


async def test_closing_ends_every_process() -> None:
    async with Pool(2, [work.add]) as pool:
        pids = {(await run(pool, work.grow, work.Wish("a"))).pid for _ in range(4)}
        napping = asyncio.ensure_future(run(pool, work.nap, 30.0))
        await asyncio.sleep(0.2)
        napping.cancel()
    await asyncio.gather(napping, return_exceptions=True)
    for pid in pids:
        assert not psutil.pid_exists(pid)


ORPHAN = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.fabric.offload import work
from trivet.fabric.offload.pool import Pool

async def main():
    async with Pool(1, [work.grow]) as pool:
        data, _ = await pool.run(work.grow, work.grow.encode_input(work.Wish("a")))
        Path(sys.argv[1]).write_text(str(work.grow.decode_output(data).pid))
        await pool.run(work.{task}, work.{task}.encode_input({value}))

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize(("task", "value"), [("nap", 60.0), ("long_deaf", 1)])
async def test_processes_do_not_outlive_a_device_that_is_killed(
    tmp_path: Path, task: str, value: float
) -> None:
    program = tmp_path / "device.py"
    program.write_text(ORPHAN.format(root=work.ROOT, task=task, value=value))
    file = tmp_path / "pid"
    device = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(file)
    )
    for _ in range(600):
        if file.exists() and file.read_text():
            break
        await asyncio.sleep(0.1)
    pid = int(file.read_text())
    await asyncio.sleep(0.5)
    device.kill()
    await device.wait()
    for _ in range(200):
        if not psutil.pid_exists(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it lives on")
