"""Parts and the gatherer: what is promised comes, what is wrong is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from trivet.app.gather import Gatherer
from trivet.app.part import COMMAND, Part
from trivet.domain import Adapter, Device, DeviceKind, Sample, UsageError, Value
from trivet.domain.wire import Ack, Advance, Command
from trivet.fabric import Link, MemoryFabric


class Thermometer(Adapter):
    """One sample a second, and a knob that takes numbers alone."""

    def __init__(self) -> None:
        self._time = 0.0
        self.knob: Value = 0.0

    @property
    def device(self) -> Device:
        return Device("car", DeviceKind.CAR)

    def samples(self, until: float) -> Iterator[Sample]:
        while self._time < until:
            self._time += 1.0
            yield Sample("car", "Vehicle.Speed", self._time, 50.0)

    def command(self, path: str, value: Value, time: float) -> None:
        if not isinstance(value, float):
            raise UsageError("the knob takes a number")
        self.knob = value


async def pair(stack: AsyncExitStack) -> tuple[Link, Link]:
    fabric = MemoryFabric("ours")
    home = await stack.enter_async_context(fabric.open_session("home"))
    return home, await stack.enter_async_context(fabric.open_session("car"))


async def test_all_that_was_sent_has_come_when_advance_returns() -> None:
    async with AsyncExitStack() as stack:
        home, car = await pair(stack)
        Part(Thermometer(), car)
        gatherer = Gatherer(home)
        running = asyncio.create_task(gatherer.run())
        for until in (10.0, 500.0, 500.0):
            assert await gatherer.advance("car", until) == ""
        assert len(gatherer.take()) == 500
        assert gatherer.take() == []
        assert [(f.owner, f.count, f.last) for f in gatherer.flows()] == [
            ("car", 500, 500.0)
        ]
        running.cancel()


async def test_a_device_that_is_not_there_is_told_of() -> None:
    async with AsyncExitStack() as stack:
        home, _ = await pair(stack)
        assert "phone" in await Gatherer(home).advance("phone", 10.0)


async def test_a_device_cannot_speak_for_another() -> None:
    async with AsyncExitStack() as stack:
        home, car = await pair(stack)
        gatherer = Gatherer(home)
        running = asyncio.create_task(gatherer.run())
        await car.publish("home", Sample("phone", "location", 1.0, 1.0), "location")
        await car.publish("home", Sample("car", "Vehicle.Speed", 1.0, 1.0), "x")
        await asyncio.sleep(0.05)
        assert [sample.device for sample in gatherer.take()] == ["car"]
        running.cancel()


@pytest.mark.parametrize(("value", "ok"), [(21.0, True), ("warm", False)])
async def test_a_command_is_done_or_refused_with_a_word(value: Value, ok: bool) -> None:
    async with AsyncExitStack() as stack:
        home, car = await pair(stack)
        Part(Thermometer(), car)
        reply = await home.ask("car", COMMAND, Command("knob", value, 1.0))
        assert isinstance(reply, Ack)
        assert reply.ok is ok
        assert bool(reply.error) is not ok


async def test_a_wrong_question_is_refused() -> None:
    async with AsyncExitStack() as stack:
        home, car = await pair(stack)
        Part(Thermometer(), car)
        with pytest.raises(Exception, match="wants a path"):
            await home.ask("car", COMMAND, Advance(1.0))
