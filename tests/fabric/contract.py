"""What every link promises, whatever carries it: inherit `LinkContract`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest

from trivet.domain import (
    RefusedError,
    Sample,
    UnreachableError,
    UsageError,
)
from trivet.domain.wire import MAX_BYTES, Ack, Command, Message, Watermark, encode
from trivet.fabric import Gate, Handler, Link, Listener, Liveness, OpenGate, Received


class Stage(ABC):
    """Where links are put up for a test."""

    @abstractmethod
    def open(
        self,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> AbstractAsyncContextManager[Link]:
        """Open a device's link; the first one opened listens, the others dial it."""

    @abstractmethod
    async def inject(self, recipient: Link, text: str, data: bytes) -> None:
        """Hand raw bytes to a device, as `phone` would if it had turned hostile."""


class Shut(OpenGate):
    """A gate that refuses all, one that holds all back, and one that passes less."""

    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        raise RefusedError(f"{path} may not go to {recipient}", hint="ask for a lease")

    def admits(self, asker: str, question: str, message: Message | None) -> None:
        raise RefusedError(f"{asker} may not ask {question}", hint="ask for a lease")


class Withholding(OpenGate):
    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        return None


class Rounding(OpenGate):
    def sends(self, recipient: str, path: str, message: Message) -> Message | None:
        if isinstance(message, Sample) and isinstance(message.value, float):
            return Sample(message.device, path, message.time, round(message.value))
        return message


def speed(number: float) -> Sample:
    return Sample("car", "Vehicle.Speed", 1.7e9 + number, number)


async def take(source: AsyncIterator[Received], count: int) -> list[Received]:
    async with asyncio.timeout(5):
        return [await anext(source) for _ in range(count)]


async def until(is_true: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for; fails after 5 s."""
    for _ in range(500):
        if is_true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


class LinkContract:
    """The laws. A subclass gives the `stage` fixture."""

    async def pair(
        self, stack: AsyncExitStack, stage: Stage, **car: object
    ) -> tuple[Link, Link]:
        home = await stack.enter_async_context(stage.open("home"))
        link = await stack.enter_async_context(stage.open("car", **car))  # type: ignore[arg-type]
        await home.reach("car", 5)
        await link.reach("home", 5)
        return home, link

    async def test_messages_arrive_whole_and_in_order(self, stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            for number in range(200):
                await car.publish("home", speed(number), "Vehicle.Speed")
            got = await take(home.subscribe(), 200)
            assert [g.message for g in got] == [speed(n) for n in range(200)]
            assert {(g.owner, g.path) for g in got} == {("car", "Vehicle.Speed")}
            assert home.dropped == home.malformed == 0

    async def test_only_the_addressee_receives(self, stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            await car.publish("phone", speed(1), "Vehicle.Speed")
            await car.publish("home", speed(2), "Vehicle.Speed")
            await home.publish("car", Watermark(3.0), "watermark")
            assert [g.message for g in await take(home.subscribe(), 1)] == [speed(2)]
            assert [g.message for g in await take(car.subscribe(), 1)] == [
                Watermark(3.0)
            ]

    async def test_what_nobody_is_there_to_receive_is_counted(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            await home.publish("car", speed(1), "Vehicle.Speed")
            await home.publish("phone", speed(1), "Vehicle.Speed")
            assert (home.unsent, car.unsent) == (1, 0)

    async def test_one_recipients_signals_keep_order_across_paths(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            paths = [f"a.b{number % 7}" for number in range(70)]
            for path in paths:
                await car.publish("home", Ack(True), path)
            assert [g.path for g in await take(home.subscribe(), 70)] == paths

    async def test_an_asker_gets_the_handlers_answer(self, stage: Stage) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return Ack(message is None, asker)

        async with AsyncExitStack() as stack:
            home, _ = await self.pair(stack, stage, answers={"who.is.there": handle})
            answer = await home.ask("car", "who.is.there")
            assert answer == Ack(True, "home")
            assert await home.ask("car", "who.is.there", speed(1)) == Ack(False, "home")

    async def test_a_device_that_is_not_there_is_unreachable(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, _ = await self.pair(stack, stage)
            with pytest.raises(UnreachableError) as caught:
                await home.ask("phone", "anything", timeout_s=1)
            assert caught.value.hint
            with pytest.raises(UnreachableError) as caught:
                await home.reach("phone", 0.05)
            assert caught.value.hint

    async def test_an_answer_that_takes_too_long_is_unreachable(
        self, stage: Stage
    ) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            await asyncio.sleep(60)
            return Ack(True)

        async with AsyncExitStack() as stack:
            home, _ = await self.pair(stack, stage, answers={"slow": handle})
            with pytest.raises(UnreachableError, match=r"slow.*0\.1 s"):
                await home.ask("car", "slow", timeout_s=0.1)

    async def test_the_asker_learns_what_the_handler_raised(self, stage: Stage) -> None:
        async def refuse(asker: str, message: Message | None) -> Message:
            raise RefusedError("the car is moving", hint="stop first")

        async def fail(asker: str, message: Message | None) -> Message:
            raise KeyError("private detail")

        answers = {"refuse": refuse, "fail": fail}
        async with AsyncExitStack() as stack:
            home, _ = await self.pair(stack, stage, answers=answers)
            with pytest.raises(RefusedError, match=r"car is moving.*stop first"):
                await home.ask("car", "refuse")
            with pytest.raises(RefusedError, match="KeyError") as caught:
                await home.ask("car", "fail")
            assert "private" not in str(caught.value)
            with pytest.raises(RefusedError, match="no answer is offered"):
                await home.ask("car", "unheard.of")

    async def test_who_just_came_is_asked_before_it_offers_an_answer(
        self, stage: Stage
    ) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return Ack(True)

        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            asking = asyncio.ensure_future(home.ask("car", "state", timeout_s=30.0))
            while not car._desk._tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            car.answer("other", handle)
            car.answer("state", handle)
            assert await asking == Ack(True)

    async def test_a_question_is_answered_by_one_handler(self, stage: Stage) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return Ack(True)

        async with stage.open("home", answers={"state": handle}) as home:
            with pytest.raises(UsageError, match="already"):
                home.answer("state", handle)
            with pytest.raises(UsageError, match="question"):
                home.answer("state/**", handle)

    async def test_devices_are_seen_coming_and_going(self, stage: Stage) -> None:
        async with stage.open("home") as home:
            early = home.watch()
            async with stage.open("car") as car, asyncio.timeout(5):
                assert await anext(early) == Liveness("car", True)
                assert await anext(car.watch()) == Liveness("home", True)
                assert await anext(home.watch()) == Liveness("car", True)
                assert home.alive == {"car"}
            async with asyncio.timeout(5):
                assert await anext(early) == Liveness("car", False)
            assert home.alive == frozenset()

    async def test_a_device_that_comes_back_is_reached_again(
        self, stage: Stage
    ) -> None:
        async with stage.open("home") as home:
            for number in range(2):
                async with stage.open("car") as car:
                    await car.reach("home", 5)
                    await car.publish("home", speed(number), "Vehicle.Speed")
                    got = await take(home.subscribe(), 1)
                    assert got[0].message == speed(number)

    async def test_close_ends_iterators_and_may_be_repeated(self, stage: Stage) -> None:
        async with stage.open("home") as home:
            reader = asyncio.ensure_future(anext(home.subscribe(), None))
            watcher = asyncio.ensure_future(anext(home.watch(), None))
            await asyncio.sleep(0)
            await asyncio.gather(home.close(), home.close())
            await home.close()
            assert await reader is None
            assert await watcher is None
            assert [life async for life in home.watch()] == []
            assert [got async for got in home.subscribe()] == []
            with pytest.raises(UsageError, match="closed"):
                await home.publish("car", speed(1), "Vehicle.Speed")
            with pytest.raises(UsageError, match="closed"):
                await home.ask("car", "state")

    async def test_closing_ends_a_handler_under_way(self, stage: Stage) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def handle(asker: str, message: Message | None) -> Message:
            begun.set()
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            return Ack(True)

        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage, answers={"slow": handle})
            asking = asyncio.ensure_future(home.ask("car", "slow", timeout_s=5))
            await begun.wait()
            await car.close()
            assert ended.is_set()
            with pytest.raises((RefusedError, UnreachableError)):
                await asking

    async def test_hostile_bytes_are_counted_and_the_rest_goes_on(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            reading = asyncio.ensure_future(take(home.subscribe(), 1))
            head = f"trivet/{home.household}/to/home/from/phone"
            await stage.inject(home, f"{head}/a", b"")
            await stage.inject(home, f"{head}/a", b"\x02\xc1")
            await stage.inject(home, f"{head}/a..b", encode(speed(1)))
            await stage.inject(home, f"{head}/a", b"\x03" + encode(speed(1))[1:])
            await stage.inject(home, f"{head}/a", encode(speed(1)) + b"\x00")
            await stage.inject(home, f"{head}/a", b"\x02" * (MAX_BYTES + 1))
            await until(lambda: home.malformed == 6)
            await car.publish("home", speed(1), "Vehicle.Speed")
            assert [g.message for g in await reading] == [speed(1)]
            assert home.malformed == 6

    async def test_an_answer_that_is_no_message_is_not_sent(self, stage: Stage) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return 5  # type: ignore[return-value]

        async with AsyncExitStack() as stack:
            home, _ = await self.pair(stack, stage, answers={"odd": handle})
            with pytest.raises(RefusedError, match="odd"):
                await home.ask("car", "odd")
            assert home.malformed == 0

    async def test_a_listener_gets_all_in_order_and_answers_whatever_it_raises(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        def echo(link: Link, received: Received) -> None:
            link.publish_nowait("home", received.message, received.path)
            if received.message == speed(0):
                raise ValueError("the first one is too much")

        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage, on_message=echo)
            for number in range(200):
                await home.publish("car", speed(number), "Vehicle.Speed")
            got = await take(home.subscribe(), 200)
            assert [g.message for g in got] == [speed(n) for n in range(200)]
            assert caplog.text.count("ValueError: the first one") == 1
            with pytest.raises(UsageError, match="on_message"):
                car.subscribe()

    async def test_a_reader_that_never_waits_lets_others_have_their_turn(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage)
            for number in range(300):
                await car.publish("home", speed(number), "Vehicle.Speed")
            turns: list[int] = []
            asyncio.get_running_loop().call_later(0, turns.append, 1)
            source = home.subscribe()
            async with asyncio.timeout(5):
                for _ in range(300):
                    await anext(source)
            assert turns

    async def test_overflow_drops_the_oldest_and_counts_them(
        self, stage: Stage
    ) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage, capacity=8)
            for number in range(20):
                await home.publish("car", speed(number), "Vehicle.Speed")
            await until(lambda: car.dropped == 12)  # all twenty have come
            got = await take(car.subscribe(), 8)
            assert [g.message for g in got] == [speed(n) for n in range(12, 20)]
            assert car.dropped == 12

    async def test_the_gate_stops_signals_questions_and_answers(
        self, stage: Stage
    ) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return Ack(True)

        async with AsyncExitStack() as stack:
            home, car = await self.pair(
                stack, stage, gate=Shut(), answers={"state": handle}
            )
            with pytest.raises(RefusedError):
                await car.publish("home", speed(1), "Vehicle.Speed")
            with pytest.raises(RefusedError):
                await car.ask("home", "state", speed(1))
            with pytest.raises(RefusedError, match="may not ask"):
                await home.ask("car", "state", Command("a", True, 1.0))
            with pytest.raises(RefusedError, match="may not ask"):
                await home.ask("car", "state")

    async def test_what_the_gate_holds_back_is_counted(self, stage: Stage) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return speed(5)

        async with AsyncExitStack() as stack:
            gate, answers = Withholding(), {"state": handle}
            home, car = await self.pair(stack, stage, gate=gate, answers=answers)
            await car.publish("home", speed(1), "Vehicle.Speed")
            assert car.withheld == 1
            with pytest.raises(RefusedError, match="the answer may not go"):
                await home.ask("car", "state")

    async def test_who_is_barred_is_neither_heard_nor_told(self, stage: Stage) -> None:
        async def handle(asker: str, message: Message | None) -> Message:
            return Ack(True)

        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage, answers={"state": handle})
            watch = car.watch()
            assert await anext(watch) == Liveness("home", True)
            reading = car.subscribe()
            await home.publish("car", speed(1), "Vehicle.Speed")
            await take(reading, 1)
            await home.publish("car", speed(2), "Vehicle.Speed")  # waits to be read
            car.bar("home")
            assert await anext(watch) == Liveness("home", False)
            assert "home" not in car.alive
            with pytest.raises(RefusedError, match="shut out"):
                await car.publish("home", speed(1), "Vehicle.Speed")
            with pytest.raises(RefusedError, match="shut out"):
                await car.ask("home", "state")
            with pytest.raises(RefusedError, match="shut out"):
                await home.ask("car", "state")
            await home.publish("car", speed(3), "Vehicle.Speed")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await anext(reading)

    async def test_the_gate_may_pass_less(self, stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            home, car = await self.pair(stack, stage, gate=Rounding())
            await car.publish("home", Sample("car", "x", 1.0, 49.6), "x")
            got = await take(home.subscribe(), 1)
            assert got[0].message == Sample("car", "x", 1.0, 50)

    async def test_bad_names_are_the_callers_mistake(self, stage: Stage) -> None:
        async with stage.open("home") as home:
            for recipient, path in [("car/*", "x"), ("car", "x/**"), ("", "x")]:
                with pytest.raises(UsageError):
                    await home.publish(recipient, speed(1), path)
                with pytest.raises(UsageError):
                    await home.ask(recipient, path)

    async def test_two_readers_of_one_inbox_are_refused(self, stage: Stage) -> None:
        async with stage.open("home") as home:
            first = asyncio.ensure_future(anext(home.subscribe(), None))
            await asyncio.sleep(0)
            with pytest.raises(UsageError, match="two readers"):
                await anext(home.subscribe())
            await home.close()
            assert await first is None
