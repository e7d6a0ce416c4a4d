"""A borrowed device is used like one's own: the same laws hold for both handles."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import msgspec
import pytest
from tests.app.allies import home_trust, trust_of

from trivet.app.borrowing import CAPACITY, Borrowing, Handle
from trivet.app.part import Part
from trivet.app.trust import Trust
from trivet.domain import (
    Adapter,
    Device,
    DeviceKind,
    Purpose,
    RefusedError,
    Sample,
    Signal,
    UnreachableError,
    UsageError,
    Value,
)
from trivet.domain.signal import SignalKind
from trivet.fabric import MemoryFabric
from trivet.fabric.background import cancel
from trivet.fabric.lessee import Standing, Wish
from trivet.fabric.letter import Received
from trivet.fabric.link import Link
from trivet.fabric.policy import Policy

SPEED = "Vehicle.Speed"
KNOB = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
NONE = """
@id("asking") @why("So that they can say no.")
permit(principal, action == Action::"ask", resource);
"""


class Car(Adapter):
    """Its speed counts seconds; its knob is what it was set to."""

    def __init__(self) -> None:
        self._time = 0.0
        self._knob: Value = 20.0
        self._signals = {
            SPEED: Signal(SPEED),
            KNOB: Signal(KNOB, SignalKind.ACTUATOR, minimum=16.0, maximum=28.0),
        }

    @property
    def device(self) -> Device:
        return Device("car", DeviceKind.CAR, signals=tuple(self._signals.values()))

    def samples(self, until: float) -> Iterator[Sample]:
        while self._time < until:
            self._time += 1.0
            yield Sample("car", SPEED, self._time, self._time)
            yield Sample("car", KNOB, self._time, self._knob)

    def command(self, path: str, value: Value, time: float) -> None:
        signal = self._signals.get(path)
        if signal is None or signal.kind is not SignalKind.ACTUATOR:
            raise UsageError(f"the car has no actuator {path}")
        signal.check(value)
        self._knob = value


class Scene(ABC):
    """A car, and a handle to it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.part: Part

    @abstractmethod
    def handle(self) -> Handle:
        """A new handle to the car."""

    async def live(self, seconds: float) -> None:
        """Let the car live on; when it returns, readers have what came."""
        self.time += seconds
        await self.part.live_on(self.time)
        for _ in range(20):
            await asyncio.sleep(0)


class Reader:
    """Reads a signal beside the test."""

    def __init__(self, samples: AsyncIterator[Sample]) -> None:
        self.got: list[Value] = []
        self.task = asyncio.ensure_future(self._read(samples))

    async def _read(self, samples: AsyncIterator[Sample]) -> None:
        async for sample in samples:
            self.got.append(sample.value)

    async def gets(self, *values: Value) -> None:
        for _ in range(500):
            if self.got == [*values]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"got {self.got}, wanted {values}")


async def begun() -> None:
    """A reader has had the time to begin."""
    await asyncio.sleep(0.1)


class HandleContract:
    """The laws of a handle. A subclass gives the `scene` fixture."""

    async def test_it_names_its_device(self, scene: Scene) -> None:
        assert scene.handle().device == "car"

    async def test_samples_come_in_order_and_of_that_signal_alone(
        self, scene: Scene
    ) -> None:
        reader = Reader(scene.handle().signal(SPEED))
        await begun()
        await scene.live(3)
        await reader.gets(1.0, 2.0, 3.0)
        await cancel(reader.task)

    async def test_each_reader_gets_them_all_and_a_later_one_the_newest_first(
        self, scene: Scene
    ) -> None:
        handle = scene.handle()
        first = Reader(handle.signal(SPEED))
        await begun()
        await scene.live(2)
        await first.gets(1.0, 2.0)
        second = Reader(handle.signal(SPEED))
        await second.gets(2.0)
        await scene.live(1)
        await first.gets(1.0, 2.0, 3.0)
        await second.gets(2.0, 3.0)
        await cancel(first.task)
        await scene.live(1)
        await second.gets(2.0, 3.0, 4.0)
        await cancel(second.task)

    async def test_the_latest_is_known_while_it_is_read(self, scene: Scene) -> None:
        handle = scene.handle()
        assert handle.latest(SPEED) is None
        reader = Reader(handle.signal(SPEED))
        await begun()
        await scene.live(2)
        await reader.gets(1.0, 2.0)
        assert handle.latest(SPEED) == Sample("car", SPEED, 2.0, 2.0)
        assert handle.latest(KNOB) is None
        await cancel(reader.task)

    async def test_a_command_is_seen_in_later_samples(self, scene: Scene) -> None:
        handle = scene.handle()
        reader = Reader(handle.signal(KNOB))
        await begun()
        await scene.live(1)
        await handle.command(KNOB, 24.5)
        await scene.live(1)
        await reader.gets(20.0, 24.5)
        await cancel(reader.task)

    async def test_what_the_device_refuses_is_told_in_its_words(
        self, scene: Scene
    ) -> None:
        handle = scene.handle()
        with pytest.raises(RefusedError, match="the greatest is 28"):
            await handle.command(KNOB, 99.0)
        with pytest.raises(RefusedError, match=r"no actuator Vehicle\.Cabin\.HVAC\.No"):
            await handle.command("Vehicle.Cabin.HVAC.Nothing", 1.0)

    async def test_a_signal_that_is_not_there_is_refused(self, scene: Scene) -> None:
        with pytest.raises(RefusedError, match=r"no signal Vehicle\.Nothing"):
            await anext(scene.handle().signal("Vehicle.Nothing"))

    async def test_a_slow_reader_loses_the_oldest_and_no_more_memory(
        self, scene: Scene
    ) -> None:
        samples = scene.handle().signal(SPEED)
        first = asyncio.ensure_future(anext(samples))
        await begun()
        await scene.live(CAPACITY + 100)
        await asyncio.sleep(0.2)
        got = [(await first).value, (await anext(samples)).value]
        assert got[1] > 50.0  # type: ignore[operator]

    async def test_closing_ends_its_readers_and_it_serves_no_more(
        self, scene: Scene
    ) -> None:
        handle = scene.handle()
        reader = Reader(handle.signal(SPEED))
        await begun()
        await handle.close()
        await handle.close()
        await asyncio.wait_for(reader.task, 5)
        with pytest.raises(UsageError, match="closed"):
            await anext(handle.signal(SPEED))
        with pytest.raises(UsageError, match="closed"):
            await handle.command(KNOB, 20.0)


class LocalScene(Scene):
    def __init__(self, link: Link, trust: Trust) -> None:
        super().__init__()
        adapter = Car()
        self.part = Part(adapter, link, trust)
        self._adapter = adapter
        self._borrowing = Borrowing(link, trust)
        self.part.on_lived(self._borrowing.feed)

    def handle(self) -> Handle:
        return self._borrowing.own(self._adapter)


class TestLocal(HandleContract):
    @pytest.fixture
    async def scene(self) -> AsyncIterator[Scene]:
        trust = trust_of(Car().device)
        async with MemoryFabric("ours").open_session("car", gate=trust.gate) as link:
            trust.attach(link)
            yield LocalScene(link, trust)
        trust.close()

    async def test_a_command_may_go_by_whoever_checks_it(self) -> None:
        trust = trust_of(Car().device)
        async with MemoryFabric("ours").open_session("car", gate=trust.gate) as link:
            trust.attach(link)
            adapter = Car()
            part = Part(adapter, link, trust)

            def no(asker: str, command: object) -> None:
                raise RefusedError("not while somebody sleeps")

            part.on_command(no)
            handle = Borrowing(link, trust).own(
                adapter, lambda command: part.obey("car", command)
            )
            with pytest.raises(RefusedError, match="somebody sleeps"):
                await handle.command(KNOB, 20.0)
        trust.close()


class RemoteScene(Scene):
    """The home borrows the car."""

    def __init__(self, car: Link, ours: Trust, home: Link, theirs: Trust) -> None:
        super().__init__()
        self.part = Part(Car(), car, ours)
        self.car_trust = ours
        self.home = home
        self.home_trust = theirs
        self.borrowing = Borrowing(home, theirs)

    def handle(self, purpose: Purpose = Purpose.COMFORT) -> Handle:
        return self.borrowing.borrow("car", purpose)

    async def read(self) -> None:
        async for received in self.home.subscribe():
            heard = await self.home_trust.hear(received)
            if heard is not None:
                self.borrowing.hear(heard)


class TestRemote(HandleContract):
    @pytest.fixture
    async def scene(self) -> AsyncIterator[RemoteScene]:
        async with AsyncExitStack() as stack:
            fabric = MemoryFabric("ours")
            ours, theirs = trust_of(Car().device), home_trust()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            car = await stack.enter_async_context(
                fabric.open_session("car", gate=ours.gate)
            )
            home = await stack.enter_async_context(
                fabric.open_session("home", gate=theirs.gate)
            )
            ours.attach(car)
            theirs.attach(home)
            scene = RemoteScene(car, ours, home, theirs)
            reading = asyncio.ensure_future(scene.read())
            stack.push_async_callback(cancel, reading)
            yield scene

    async def test_it_is_leased_while_it_is_read(self, scene: RemoteScene) -> None:
        handle = scene.handle()
        assert not scene.car_trust.book.leases
        reader = Reader(handle.signal(SPEED))
        await begun()
        lease = scene.car_trust.book.leases[0]
        assert (lease.recipient, lease.paths) == ("home", (SPEED,))
        await cancel(reader.task)
        await begun()
        assert not scene.car_trust.book.leases
        assert scene.home_trust.lessee.standing == {}

    async def test_what_the_policy_refuses_is_refused(self, scene: RemoteScene) -> None:
        with pytest.raises(RefusedError, match="for navigation"):
            await anext(scene.handle(Purpose.NAVIGATION).signal(SPEED))
        with pytest.raises(RefusedError, match="may not ask car to set"):
            await scene.handle().command("Vehicle.Body.Horn.IsActive", True)
        assert scene.home_trust.lessee.standing == {}

    async def test_what_may_not_be_had_any_longer_ends_with_the_reason(
        self, scene: RemoteScene
    ) -> None:
        reader = Reader(scene.handle().signal(SPEED))
        await begun()
        await scene.live(1)
        await reader.gets(1.0)
        household = scene.car_trust.household
        await scene.car_trust.agree(
            msgspec.structs.replace(household, policy=Policy(NONE))
        )
        with pytest.raises(RefusedError, match="car ended it: policy"):
            await asyncio.wait_for(reader.task, 10)

    async def test_a_lease_that_is_there_serves(self, scene: RemoteScene) -> None:
        own = Wish("car", ("Vehicle.**",), Purpose.COMFORT)
        scene.home_trust.lessee.standing[own] = Standing()
        reader = Reader(scene.handle().signal(SPEED))
        await begun()
        await scene.live(1)
        await reader.gets(1.0)
        await cancel(reader.task)
        assert [*scene.home_trust.lessee.standing] == [own]

    async def test_a_device_that_is_not_there_is_told(self, scene: RemoteScene) -> None:
        handle = scene.borrowing.borrow("phone", Purpose.ARRIVAL)
        with pytest.raises(UnreachableError, match="phone is not there"):
            await anext(handle.signal("location"))
        with pytest.raises(UnreachableError):
            await handle.command("x", 1.0)

    async def test_attack_a_sample_in_the_name_of_the_car_is_not_taken(
        self, scene: RemoteScene
    ) -> None:
        handle = scene.handle()
        reader = Reader(handle.signal(SPEED))
        await begun()
        forged = Sample("car", SPEED, 9.0, 999.0)
        scene.borrowing.hear(Received("phone", SPEED, forged))
        await scene.live(1)
        await reader.gets(1.0)
        await cancel(reader.task)
