"""A device that stands by learns, and goes on where the other left off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from math import inf

from msgspec.structs import replace
from tests.app.allies import trusted
from tests.engine.test_held import NOON, found, suggester

from trivet.app.hub import Hub
from trivet.app.leading import REST_STEP_S, TICK_S, Pace, lead
from trivet.app.part import Part
from trivet.app.simulation import first_day, make_hub_of, make_part
from trivet.devices.world import World
from trivet.domain import DeviceKind
from trivet.fabric.memory import MemoryFabric

HOUR_S = 3600.0


class Stage:
    """Home and phone may lead; `leader` says who does."""

    def __init__(self) -> None:
        self.leader = "home"
        self.hubs: dict[str, Hub] = {}
        self._moved = asyncio.Event()

    def leads(self, device: str) -> Callable[[], bool]:
        return lambda: device == self.leader

    def progress(self, _: float) -> None:
        self._moved.set()

    async def reach(self, time: float) -> None:
        """Wait until all of them have come to an event time, and know who leads."""
        await asyncio.sleep(3 * TICK_S)
        while any(hub.time < time for hub in self.hubs.values()):
            self._moved.clear()
            await self._moved.wait()


async def lived(*turns: tuple[str, float]) -> Stage:
    """Live as many hours under each leader as `turns` say."""
    stage = Stage()
    world = World(seed=7)
    start = first_day(world)
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric("home")
        running = []
        for kind in (DeviceKind.HOME, DeviceKind.PHONE, DeviceKind.CAR):
            link, trust = await stack.enter_async_context(
                trusted(fabric, world, kind, start)
            )
            part: Part = make_part(world, kind, link, trust, start)
            running.append(asyncio.ensure_future(part.run()))
            if kind is not DeviceKind.CAR:
                hub = stage.hubs[kind.value] = make_hub_of(part, world, start)
                pace = Pace(True, stage.leads(kind.value), stage.progress)
                running.append(asyncio.ensure_future(lead(hub, inf, pace)))
        time = start
        for leader, hours in turns:
            stage.leader, time = leader, time + hours * HOUR_S
            async with asyncio.timeout(60):
                await stage.reach(time)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for device, hub in stage.hubs.items():
        if device != stage.leader:
            hub.follow()
    return stage


async def test_who_stands_by_sees_time_pass_and_says_nothing() -> None:
    stage = await lived(("home", 1.0))
    home, phone = stage.hubs["home"], stage.hubs["phone"]
    assert abs(phone.time - home.time) <= REST_STEP_S
    assert phone.timeline() == ()


async def test_the_next_leader_goes_on_where_the_other_left_off() -> None:
    stage = await lived(("home", 2.0), ("phone", 2.0), ("home", 1.0))
    home, phone = stage.hubs["home"], stage.hubs["phone"]
    assert abs(phone.time - home.time) <= REST_STEP_S
    texts = [line.text for line in phone.timeline()]
    assert "phone leads now" in texts
    assert "phone stands by: another device leads" in texts
    # what was lived under the other is in the mind of each
    for hub in (home, phone):
        assert hub.mind.anticipator.stays


async def test_a_device_that_leads_again_says_so_once() -> None:
    stage = await lived(("home", 0.5), ("phone", 0.5), ("home", 0.5))
    said = [line.text for line in stage.hubs["home"].timeline()]
    assert said.count("home leads now") == 1


async def test_who_leads_no_longer_takes_back_what_waits_and_learns_nothing() -> None:
    asked = suggester()
    (later,) = found(asked, NOON)
    assert asked.suggest(replace(NOON, time=later.time))
    learned = asked.feedback.snapshot()
    hub = (await lived(("home", 0.1))).hubs["home"]
    hub.mind.suggester = asked
    leads = iter((True, False, False))
    pace = Pace(True, lambda: next(leads), lambda _: setattr(hub, "time", inf))
    await lead(hub, hub.time + HOUR_S, pace)
    assert hub.timeline()[-1].text == "home stands by: another device leads"
    assert asked.live == []
    assert asked.feedback.snapshot() == learned
