"""A person sees which tasks there are, and has one run where that is best."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from tests.app.test_offloading import Stage
from tests.app.test_replicating import until

from trivet.app.control import Control, open_control, tell
from trivet.app.offloading import Offloader
from trivet.app.task_word import Done, Offers, RunTask, Tasks, take_task_words
from trivet.domain import UsageError

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)


@asynccontextmanager
async def told(path: Path) -> AsyncIterator[tuple[Stage, Offloader]]:
    """A car without a process of its own, and a phone with one."""
    async with AsyncExitStack() as stack:
        stage = Stage(stack)
        car = await stage.join("car", slots=0)
        await stage.join("phone")
        control = Control()
        take_task_words(control, car)
        await stack.enter_async_context(open_control(path, control))
        yield stage, car


async def said(path: Path, word: msgspec.Struct, answer: type[AnswerT]) -> AnswerT:
    return await asyncio.to_thread(tell, path, word, answer, 20.0)


async def test_tasks_are_listed_with_where_they_run(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with told(path) as (_, car):
        await until(lambda: "phone" in car.offers())
        places = (await said(path, Tasks(), Offers)).places
        # a device without a process for tasks offers none
        assert {(place.device, place.slots) for place in places} == {("phone", 1)}


async def test_a_task_is_run_where_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with told(path):
        value = msgspec.Raw(b"\n 41\n")  # as a person may have written it in a file
        done = await said(path, RunTask("add", value), Done)
        assert (bytes(done.output), done.devices) == (b"42", ("phone",))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("add", b'"a"', "it takes"), ("fly", b"1", "knows no task")],
)
async def test_what_cannot_be_run_is_told(
    tmp_path: Path, name: str, value: bytes, why: str
) -> None:
    path = tmp_path / "control.sock"
    async with told(path):
        with pytest.raises(UsageError, match=why):
            await said(path, RunTask(name, msgspec.Raw(value)), Done)
