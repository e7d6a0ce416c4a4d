"""Leases between devices: asked, granted, flowing, ended, on a fabric in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from tests.fabric.contract import take, until
from tests.fabric.test_lease import NOW, PARTIES, SIGNALS, Rules

from trivet.domain import (
    EndReason,
    Forecast,
    LeaseEnd,
    LeaseRequest,
    Position,
    Purpose,
    RefusedError,
    Sample,
    SetupError,
    Signal,
    UsageError,
)
from trivet.domain.forecast import Candidate
from trivet.domain.wire import Ack, Command, Message
from trivet.fabric import Handler, Link, MemoryFabric
from trivet.fabric.access import Access, Circumstances, Verb
from trivet.fabric.event import Event, EventKind
from trivet.fabric.lease import LeaseBook
from trivet.fabric.lease_gate import LeaseGate
from trivet.fabric.lessee import AWAY_S, MAX_BY_HAND, RETRY_S, Lessee, Wish
from trivet.fabric.lessor import Lessor

HERE = Position(52.6, 8.0, 4.0)
FORECAST = Forecast("ada", NOW, NOW, "p1", (Candidate("p2", "gym", 1.0),))


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        return self.time


class Book(list[tuple[str, str, float]]):
    """A witness that keeps all: recipient, path, event time."""

    def note(
        self,
        lease: str,
        peer: str,
        path: str,
        purpose: str,
        exact_m: int,
        time: float,
        now: float,
    ) -> None:
        self.append((peer, path, time))


class Owner(msgspec.Struct):
    """A device that grants leases, and what it wrote down."""

    link: Link
    book: LeaseBook
    lessor: Lessor
    clock: Clock
    given: Book
    events: list[Event]


def everything(access: Access) -> str:
    return "all"


@asynccontextmanager
async def owner(
    fabric: MemoryFabric,
    device: str = "phone",
    allows: Callable[[Access], str | None] = everything,
    signals: tuple[Signal, ...] = SIGNALS,
    answers: dict[str, Handler] | None = None,
) -> AsyncIterator[Owner]:
    clock, given, policy = Clock(), Book(), Rules(allows)
    events: list[Event] = []
    book = LeaseBook(PARTIES[device], signals, policy, PARTIES.get, events.append)
    gate = LeaseGate(book, PARTIES.get, given, events.append, clock)
    async with fabric.open_session(device, gate=gate, answers=answers) as link:
        lessor = Lessor(link, book, clock)
        yield Owner(link, book, lessor, clock, given, events)


def at(time: float) -> Sample:
    return Sample("phone", "location", NOW + time, HERE)


def wish(path: str = "location", **terms: float) -> LeaseRequest:
    return LeaseRequest((path,), Purpose.ARRIVAL, NOW + 600, **terms)  # type: ignore[arg-type]


async def test_what_is_leased_reaches_its_recipient_and_nobody_else() -> None:
    fabric = MemoryFabric()
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(owner(fabric))
        home = await stack.enter_async_context(fabric.open_session("home"))
        car = await stack.enter_async_context(fabric.open_session("car"))
        assert await phone.lessor.give(at(0)) == []
        await home.ask("phone", "lease", wish())
        assert await phone.lessor.give(at(1)) == ["home"]
        got = await take(home.subscribe(), 1)
        assert got[0].message == at(1)
        assert phone.given == [("home", "location", NOW + 1)]
        [(at_, (_, count, last))] = phone.lessor.given.items()
        assert (at_, count, last) == (("home", "location"), 1, NOW + 1)
        with pytest.raises(RefusedError, match="car has no lease on location"):
            await phone.link.publish("car", at(2), "location")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(car.subscribe())


async def test_attack_a_signal_under_another_signals_name() -> None:
    """The lease is looked up by what the sample is, not by what it is sent as."""
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("home") as home:
        await home.ask("phone", "lease", wish("batt"))
        with pytest.raises(RefusedError, match="no lease on location"):
            await phone.link.publish("home", at(1), "batt")


async def test_attack_reading_a_signal_by_a_question() -> None:
    async def answer(asker: str, message: Message | None) -> Message:
        return at(0)

    fabric = MemoryFabric()
    async with (
        owner(fabric, answers={"where": answer}) as phone,
        fabric.open_session("home") as home,
    ):
        with pytest.raises(RefusedError, match="no lease on location"):
            await home.ask("phone", "where")
        await home.ask("phone", "lease", wish())
        assert await home.ask("phone", "where") == at(0)
        assert phone.given == [("home", "location", NOW)]


async def test_attack_passing_on_what_another_device_told() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("home") as home:
        await home.ask("phone", "lease", wish())
        hers = Sample("car", "location", NOW, HERE)
        with pytest.raises(RefusedError, match="does not pass on what car told it"):
            await phone.link.publish("home", hers, "location")


async def test_a_lease_gives_no_more_often_and_no_more_exactly_than_it_says() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("home") as home:
        await home.ask("phone", "lease", wish(every_s=10.0, exact_m=500))
        given = [bool(await phone.lessor.give(at(s))) for s in range(0, 30, 4)]
        assert given == [True, False, False, True, False, False, True, False]
        got = await take(home.subscribe(), 3)
        for received in got:
            assert isinstance(received.message, Sample)
            assert isinstance(received.message.value, Position)
            assert received.message.value.accuracy_m == 500.0
        assert len(phone.given) == 3


async def test_what_is_made_of_samples_is_leased_too() -> None:
    fabric = MemoryFabric()
    signals = (*SIGNALS, Signal("forecast"))
    async with (
        owner(fabric, signals=signals) as phone,
        fabric.open_session("home") as home,
    ):
        assert not await phone.lessor.show("home", FORECAST, "forecast")
        with pytest.raises(RefusedError, match="no lease on forecast"):
            await phone.link.publish("home", FORECAST, "anything")
        await home.ask("phone", "lease", wish("forecast"))
        assert await phone.lessor.show("home", FORECAST, "forecast")


async def test_a_lease_ends_with_the_circumstances_and_the_recipient_is_told() -> None:
    fabric = MemoryFabric()

    def while_driving(access: Access) -> str | None:
        return "r" if access.verb is Verb.ASK or access.circumstances.driving else None

    async with (
        owner(fabric, allows=while_driving) as phone,
        fabric.open_session("home") as home,
    ):
        with pytest.raises(RefusedError, match="it is a test"):
            await home.ask("phone", "lease", wish())
        await phone.lessor.set_circumstances(Circumstances(driving=True))
        await home.ask("phone", "lease", wish())
        await phone.lessor.set_circumstances(Circumstances())
        assert await phone.lessor.give(at(1)) == []
        [told] = await take(home.subscribe(), 1)
        assert isinstance(told.message, LeaseEnd)
        assert told.message.reason is EndReason.CONTEXT


async def test_time_ends_a_lease_at_the_gate_even_before_the_book_looks() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("home") as home:
        await home.ask("phone", "lease", wish())
        phone.clock.time = NOW + 600
        assert await phone.lessor.give(at(600)) == []


async def test_a_command_passes_the_policy_and_is_written_down() -> None:
    async def obey(asker: str, message: Message | None) -> Message:
        return Ack(True)

    def locks_alone(access: Access) -> str | None:
        return "lock" if access.value == "locked" else None

    fabric = MemoryFabric()
    async with (
        owner(fabric, allows=locks_alone, answers={"command": obey}) as phone,
        fabric.open_session("car") as car,
    ):
        lock = Command("lock.front_door", "locked", NOW)
        assert await car.ask("phone", "command", lock) == Ack(True)
        unlock = Command("lock.front_door", "unlocked", NOW)
        with pytest.raises(RefusedError, match="front_door to unlocked"):
            await car.ask("phone", "command", unlock)
        assert [(e.kind, e.detail) for e in phone.events] == [
            (EventKind.COMMAND, "locked allowed"),
            (EventKind.COMMAND, "unlocked refused"),
        ]


async def test_attack_a_question_without_words_passes_the_policy_too() -> None:
    fabric = MemoryFabric()
    async with (
        owner(fabric, allows=lambda access: None) as phone,
        fabric.open_session("car") as car,
    ):
        with pytest.raises(RefusedError, match="may not ask phone to lease"):
            await car.ask("phone", "lease")
        assert phone.events[-1].kind is EventKind.REFUSAL


async def test_attack_a_flood_of_requests_is_slowed_and_fills_no_ledger() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("car") as car:
        errors = []
        for _ in range(200):
            with pytest.raises(RefusedError) as caught:
                await car.ask("phone", "lease", wish("nothing.of.that"))
            errors.append(caught.value.message)
        assert "too many" in errors[-1]
        assert len(phone.events) < 80


async def test_a_lessee_asks_learns_of_the_end_and_asks_again() -> None:
    fabric = MemoryFabric()
    driving = {"now": False}

    def rule(access: Access) -> str | None:
        return "r" if access.verb is Verb.ASK or driving["now"] else None

    async with owner(fabric, allows=rule) as phone, fabric.open_session("car") as car:
        clock = Clock()
        want = Wish("phone", ("location",), Purpose.NAVIGATION, term_s=100)
        lessee = Lessee(car, (want,), clock)
        await lessee.tick()
        assert lessee.standing[want].lease is None
        assert "it is a test" in lessee.standing[want].error
        driving["now"] = True
        await lessee.tick()
        assert lessee.standing[want].lease is None, "not asked for again at once"
        lessee.ask_anew()
        clock.time += 5
        await lessee.tick()
        first = lessee.standing[want].lease
        assert first is not None
        clock.time += 79
        await lessee.tick()
        assert lessee.standing[want].lease == first
        clock.time += 20  # most of its time is over
        await lessee.tick()
        second = lessee.standing[want].lease
        assert second is not None
        assert second.id != first.id
        assert phone.book.leases == (second,)
        await phone.lessor.end(second.id)
        [told] = await take(car.subscribe(), 1)
        assert isinstance(told.message, LeaseEnd)
        lessee.ended("home", told.message)
        assert lessee.standing[want].lease == second, "home cannot end phone's lease"
        lessee.ended(told.owner, told.message)
        assert lessee.standing[want].lease is None
        lessee.forget("phone")
        await lessee.tick()
        assert lessee.standing[want].lease is not None
        await lessee.give_back()
        assert not phone.book.leases


async def test_an_owner_whose_disk_is_full_refuses_nothing_and_is_asked_soon() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("car") as car:
        clock = Clock()
        want = Wish("phone", ("location",), Purpose.NAVIGATION)
        lessee = Lessee(car, (want,), clock)

        def fail(event: Event) -> None:
            raise SetupError("the disk is full")

        record, phone.book._record = phone.book._record, fail
        await lessee.tick()
        standing = lessee.standing[want]
        assert standing.lease is None
        assert "phone can grant nothing now: the disk is full" in standing.error
        phone.book._record = record
        clock.time += AWAY_S
        await lessee.tick()
        assert standing.lease is not None
        assert standing.error == ""


async def test_who_is_shut_out_hears_nothing_from_that_moment() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("home") as home:
        await home.ask("phone", "lease", wish())
        await phone.lessor.shut_out("home")
        assert await phone.lessor.give(at(1)) == []
        with pytest.raises(RefusedError, match="shut out"):
            await home.ask("phone", "lease", wish())
        await until(lambda: "home" not in phone.link.alive)


async def test_a_wish_that_is_dropped_while_it_is_asked_for_is_given_back() -> None:
    fabric = MemoryFabric()
    async with owner(fabric) as phone, fabric.open_session("car") as car:
        want = Wish("phone", ("location",), Purpose.NAVIGATION)
        lessee = Lessee(car, (), Clock())
        asking = asyncio.ensure_future(lessee.want(want))
        await asyncio.sleep(0)
        await lessee.drop((want,))
        await asking
        assert lessee.standing == {}
        assert phone.book.leases == ()


async def test_no_more_is_wanted_by_hand_than_a_person_can_look_over() -> None:
    async with MemoryFabric().open_session("car") as car:
        lessee = Lessee(car, (), Clock())
        for number in range(MAX_BY_HAND):
            await lessee.want(Wish(f"d{number}", ("location",), Purpose.DISPLAY))
        with pytest.raises(UsageError, match="are the most"):
            await lessee.want(Wish("phone", ("location",), Purpose.DISPLAY))
        await lessee.want(Wish("d0", ("location",), Purpose.DISPLAY, every_s=9.0))


async def test_who_refused_and_now_cannot_say_is_not_said_to_refuse() -> None:
    fabric, clock, says = MemoryFabric(), Clock(), ["no"]

    async def grant(asker: str, message: Message | None) -> Message:
        if says == ["no"]:
            raise RefusedError("not you")
        return Ack(False, "the disk is full")

    async with (
        fabric.open_session("phone", answers={"lease": grant}),
        fabric.open_session("home") as home,
    ):
        wanted = Wish("phone", ("location",), Purpose.ARRIVAL)
        lessee = Lessee(home, (wanted,), clock)
        await lessee.tick()
        assert lessee.standing[wanted].is_refused
        says.clear()
        clock.time += RETRY_S
        await lessee.tick()
        assert "the disk is full" in lessee.standing[wanted].error
        assert not lessee.standing[wanted].is_refused
