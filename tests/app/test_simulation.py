"""Three devices on one fabric live through a simulated day."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.app.allies import trusted

from trivet.app.hub import Hub
from trivet.app.leading import run_through
from trivet.app.simulation import first_day, make_hub, make_part
from trivet.devices.world import World
from trivet.domain import AnswerKind, DeviceKind, Sample, UsageError
from trivet.domain.sample import Position
from trivet.fabric.letter import Received
from trivet.fabric.memory import MemoryFabric


async def lived(hours: float, answer: AnswerKind | None = None) -> Hub:
    world = World(seed=7)
    start = first_day(world)
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric("home")
        hub: Hub | None = None
        running = []
        for kind in (DeviceKind.HOME, DeviceKind.PHONE, DeviceKind.CAR):
            link, trust = await stack.enter_async_context(
                trusted(fabric, world, kind, start)
            )
            if kind is DeviceKind.HOME:
                hub = make_hub(world, link, trust, start)
                running.append(asyncio.create_task(hub.part.run()))
            else:
                part = make_part(world, kind, link, trust, start)
                running.append(asyncio.create_task(part.run()))
        assert hub is not None
        await hub.reach(1.0)
        await run_through(hub, start + hours * 3600, answer)
        for task in running:
            task.cancel()
    return hub


async def test_a_day_is_lived_and_nothing_is_lost() -> None:
    hub = await lived(18.0)
    kinds = {line.kind for line in hub.timeline()}
    assert {"departure", "arrival"} <= kinds
    assert hub.gatherer.lost == 0
    assert hub.mind.suggester.faults == {}
    owners = {flow.owner for flow in hub.frame().flows}
    assert owners == {"phone", "car", "home"}


async def test_the_same_seed_is_the_same_day() -> None:
    one, two = await lived(14.0), await lived(14.0)
    assert one.timeline() == two.timeline()
    assert one.frame() == two.frame()


async def test_forecasts_are_distributions() -> None:
    hub = await lived(18.0)
    forecasts = [
        frame.forecast
        for frame in map(hub.frame_at, range(int(hub.span()[0]), int(hub.time), 60))
        if frame.forecast
    ]
    assert forecasts
    for forecast in forecasts:
        assert sum(c.probability for c in forecast.candidates) == pytest.approx(1.0)
        assert any(not c.place for c in forecast.candidates)


async def test_an_answer_to_nothing_is_refused() -> None:
    hub = await lived(1.0)
    with pytest.raises(UsageError, match="no suggestion"):
        await hub.answer("nothing", AnswerKind.YES)


async def test_a_clock_that_runs_hours_ahead_teaches_nothing() -> None:
    hub = await lived(1.0)
    before = hub.mind.anticipator.snapshot()
    for ahead_s in (7200.0, 7260.0, 7320.0):
        there = Sample("phone", "location", hub.time + ahead_s, Position(60.0, 24.0))
        hub.gatherer.hear(Received("phone", "location", there))
    hub.follow()
    assert hub.mind.anticipator.snapshot() == before
    assert "phone's clock is 2.0 h ahead" in [line.text for line in hub.timeline()]
