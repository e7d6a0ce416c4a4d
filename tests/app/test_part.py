"""Parts and the gatherer: what is promised comes, what is wrong is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from tests.app.allies import home_trust, trust_of

from trivet.app.gather import Gatherer
from trivet.app.part import COMMAND, Part
from trivet.app.trust import Trust
from trivet.domain import (
    Adapter,
    Device,
    DeviceKind,
    Purpose,
    Sample,
    Signal,
    UsageError,
    Value,
)
from trivet.domain.wire import Ack, Advance, Command
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.lessee import Wish

#: What the home may set in the car.
KNOB = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"


class Thermometer(Adapter):
    """One sample a second, and a knob that takes numbers alone."""

    def __init__(self) -> None:
        self._time = 0.0
        self.knob: Value = 0.0

    @property
    def device(self) -> Device:
        return Device("car", DeviceKind.CAR, signals=(Signal("Vehicle.Speed"),))

    def samples(self, until: float) -> Iterator[Sample]:
        while self._time < until:
            self._time += 1.0
            yield Sample("car", "Vehicle.Speed", self._time, 50.0)

    def command(self, path: str, value: Value, time: float) -> None:
        if not isinstance(value, float):
            raise UsageError("the knob takes a number")
        self.knob = value


class Nothing(Adapter):
    """A home in which nothing happens."""

    @property
    def device(self) -> Device:
        return Device("home", DeviceKind.HOME)

    def samples(self, until: float) -> Iterator[Sample]:
        yield from ()

    def command(self, path: str, value: Value, time: float) -> None:
        raise UsageError("there is nothing to command")


class Pair(msgspec.Struct):
    """The home of a household that has a car."""

    home: Link
    part: Part
    gatherer: Gatherer

    @property
    def trust(self) -> Trust:
        return self.gatherer._trust


async def pair(stack: AsyncExitStack) -> Pair:
    fabric, adapter = MemoryFabric("ours"), Thermometer()
    ours, theirs = home_trust(), trust_of(adapter.device)
    home = await stack.enter_async_context(fabric.open_session("home", gate=ours.gate))
    car = await stack.enter_async_context(fabric.open_session("car", gate=theirs.gate))
    ours.attach(home, (Wish("car", ("Vehicle.**",), Purpose.COMFORT),))
    theirs.attach(car)
    Part(adapter, car, theirs)
    return Pair(home, *gathering(home, ours))


def gathering(home: Link, trust: Trust) -> tuple[Part, Gatherer]:
    part, gatherer = Part(Nothing(), home, trust), Gatherer(home, trust)
    part.on_heard(gatherer.hear)
    part.on_lived(gatherer.keep)
    return part, gatherer


async def test_all_that_was_sent_has_come_when_advance_returns() -> None:
    async with AsyncExitStack() as stack:
        both = await pair(stack)
        gatherer = both.gatherer
        running = asyncio.create_task(both.part.run())
        await both.trust.tick(0.0)
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
        both = await pair(stack)
        assert "phone" in await both.gatherer.advance("phone", 10.0)


async def test_nothing_comes_without_a_lease() -> None:
    async with AsyncExitStack() as stack:
        both = await pair(stack)
        running = asyncio.create_task(both.part.run())
        assert await both.gatherer.advance("car", 10.0) == ""
        assert both.gatherer.take() == []
        assert both.gatherer.flows() == ()
        running.cancel()


async def test_a_device_cannot_speak_for_another() -> None:
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric("ours")
        home = await stack.enter_async_context(fabric.open_session("home"))
        car = await stack.enter_async_context(fabric.open_session("car"))
        ours = home_trust()
        ours.attach(home)
        part, gatherer = gathering(home, ours)
        running = asyncio.create_task(part.run())
        await car.publish("home", Sample("phone", "location", 1.0, 1.0), "location")
        await car.publish("home", Sample("car", "Vehicle.Speed", 1.0, 1.0), "x")
        await asyncio.sleep(0.05)
        assert [sample.device for sample in gatherer.take()] == ["car"]
        running.cancel()


@pytest.mark.parametrize(("value", "ok"), [(21.0, True), ("warm", False)])
async def test_a_command_is_done_or_refused_with_a_word(value: Value, ok: bool) -> None:
    async with AsyncExitStack() as stack:
        both = await pair(stack)
        reply = await both.home.ask("car", COMMAND, Command(KNOB, value, 1.0))
        assert isinstance(reply, Ack)
        assert reply.ok is ok
        assert bool(reply.error) is not ok


async def test_a_wrong_question_is_refused() -> None:
    async with AsyncExitStack() as stack:
        both = await pair(stack)
        with pytest.raises(Exception, match="wants a path"):
            await both.home.ask("car", COMMAND, Advance(1.0))
