"""A suggestion is shown where the person is, when it is safe, until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from msgspec.structs import replace
from tests.app.allies import home_trust, trust_of, trusted

from trivet.app.board import ANSWER, FRESH_S, IS_MOVING
from trivet.app.mind import Roles
from trivet.app.part import WISHES, Part
from trivet.app.showing import Showing
from trivet.app.simulation import first_day, make_part
from trivet.devices.world import World
from trivet.devices.world.phone import PHONE
from trivet.devices.world.vehicle import CAR
from trivet.domain import (
    Adapter,
    Answer,
    AnswerKind,
    Device,
    DeviceKind,
    Forecast,
    Need,
    Position,
    Reason,
    Sample,
    Suggestion,
    Surface,
    UsageError,
    Value,
)
from trivet.domain.forecast import Candidate
from trivet.domain.why import Why
from trivet.domain.wire import Ack, Message
from trivet.engine.explain import reason_lines
from trivet.fabric import Link, MemoryFabric
from trivet.fabric.lease_gate import SUGGESTION
from trivet.fabric.letter import Received

NOW = 1_772_200_000.0
NEED = Need(
    "preheat",
    "room",
    "Heat the room?",
    0.9,
    0.9,
    (Reason("You come home at this hour", 9, 11),),
    NOW + 1800.0,
    surfaces=(Surface.CAR, Surface.PHONE),
)
GIVEN = Suggestion("preheat-1", "ada", NOW, NEED, Surface.CAR)
SAFE = replace(
    GIVEN, id="left-2", need=replace(NEED, key="stove", title="Stove!", is_safety=True)
)
WHY = Why(("Often.",), ("A turn.",))


class Still(Adapter):
    """A device to which nothing happens."""

    def __init__(self, device: Device) -> None:
        self._device = device

    @property
    def device(self) -> Device:
        return self._device

    def samples(self, until: float):  # type: ignore[no-untyped-def]
        yield from ()

    def command(self, path: str, value: Value, time: float) -> None:
        raise UsageError("there is nothing to command")


class House(msgspec.Struct):
    """Three parts that have their leases; the home leads."""

    home: Link
    parts: dict[str, Part]
    answers: list[Answer]
    showing: Showing
    #: what the home says to an answer
    ack: Ack = Ack(True)

    @property
    def car(self) -> Part:
        return self.parts["car"]

    @property
    def phone(self) -> Part:
        return self.parts["phone"]

    async def settle(self) -> None:
        """Let what was sent arrive."""
        for _ in range(20):
            await asyncio.sleep(0)


@asynccontextmanager
async def house(*, wishes: bool = True) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric("ours")
        parts, running = {}, []
        for kind, trust in (
            (DeviceKind.HOME, home_trust()),
            (DeviceKind.PHONE, trust_of(PHONE)),
            (DeviceKind.CAR, trust_of(CAR)),
        ):
            link = await stack.enter_async_context(
                fabric.open_session(kind.value, gate=trust.gate)
            )
            trust.attach(link, WISHES[kind] if wishes else ())
            device = {"phone": PHONE, "car": CAR}.get(kind.value)
            parts[kind.value] = Part(
                Still(device or Device("home", DeviceKind.HOME)), link, trust
            )
            running.append(asyncio.create_task(parts[kind.value].run()))
        home = parts["home"]
        showing = Showing(home, Roles(), lambda _: WHY)
        ours = House(home.link, parts, [], showing)

        async def hear(asker: str, message: Message | None) -> Message:
            assert isinstance(message, Answer)
            ours.answers.append(message)
            return ours.ack

        home.link.answer(ANSWER, hear)
        for part in parts.values():
            await part.live_on(NOW)
        yield ours
        for task in running:
            task.cancel()


def speed(kph: float, time: float = NOW) -> Sample:
    return Sample("car", "Vehicle.Speed", time, kph)


def carried(kph: float, time: float = NOW) -> Sample:
    return Sample("phone", "location", time, Position(49, 8, speed_mps=kph / 3.6))


async def test_it_is_shown_in_the_car_with_its_account_and_answered_there() -> None:
    async with house() as ours:
        told: list[Suggestion] = []
        ours.car.board.on_show(told.append)
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        assert told == ours.car.board.shown == [replace(GIVEN, why=WHY)]
        assert ours.phone.board.shown == []
        assert await ours.car.board.answer(GIVEN.id, AnswerKind.YES) == []
        assert ours.answers == [Answer(GIVEN.id, AnswerKind.YES, NOW)]
        assert ours.car.board.shown == []
        with pytest.raises(UsageError, match="no suggestion 'preheat-1'"):
            await ours.car.board.answer(GIVEN.id, AnswerKind.YES)


async def test_the_answer_goes_to_who_leads_now() -> None:
    async with house() as ours:
        heard: list[str] = []

        async def hear(asker: str, message: Message | None) -> Message:
            heard.append(asker)
            return Ack(True)

        ours.phone.link.answer(ANSWER, hear)
        for leader in ("phone", "", "car"):  # nobody known, and this device itself
            ours.car.board.leader = lambda leader=leader: leader  # type: ignore[misc]
            ours.car.board.put(GIVEN, "home")
            await ours.car.board.answer(GIVEN.id, AnswerKind.YES)
        assert heard == ["car"]
        assert len(ours.answers) == 2  # the home gave it


async def test_without_a_lease_nothing_is_shown() -> None:
    async with house(wishes=False) as ours:
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        assert (ours.car.board.shown, ours.phone.board.shown) == ([], [])


async def test_where_the_car_has_no_lease_the_phone_shows_it() -> None:
    async with house() as ours:
        home = ours.parts["home"]
        (lease,) = (x for x in home.trust.book.leases if x.recipient == "car")
        await home.trust.lessor.end(lease.id)
        await ours.showing.suggest(GIVEN)
        await ours.settle()
        assert ours.car.board.shown == []
        assert [s.surface for s in ours.phone.board.shown] == [Surface.PHONE]


async def test_under_high_load_only_safety_is_shown() -> None:
    async with house() as ours:
        board, told = ours.car.board, list[str]()
        board.on_show(lambda suggestion: told.append(suggestion.id))
        board.learn(speed(130.0))
        await ours.showing.suggest(GIVEN)
        await ours.showing.suggest(SAFE)
        await ours.settle()
        assert told == [SAFE.id]
        assert ([s.id for s in board.shown], board.held) == ([SAFE.id], 1)
        with pytest.raises(UsageError):
            await board.answer(GIVEN.id, AnswerKind.YES)
        board.learn(speed(60.0, NOW + 10.0))
        await ours.car.live_on(NOW + 10.0)
        assert told == [SAFE.id, GIVEN.id]
        assert board.held == 0
        board.learn(speed(130.0, NOW + 20.0))  # what was shown is hidden again
        assert [s.id for s in board.shown] == [SAFE.id]


async def test_rain_makes_the_load_high_at_a_lower_speed() -> None:
    async with house() as ours:
        board = ours.car.board
        board.put(GIVEN, "home")
        board.learn(speed(90.0))
        assert board.shown == [GIVEN]
        wet = "Vehicle.Body.Raindetection.Intensity"
        board.learn(Sample("car", wet, NOW, 40.0))
        assert board.shown == []


async def test_the_phone_of_who_drives_shows_nothing_but_safety() -> None:
    async with house() as ours:
        board, on_phone = ours.phone.board, replace(GIVEN, surface=Surface.PHONE)
        board.put(on_phone, "home")
        board.put(replace(SAFE, surface=Surface.PHONE), "home")
        assert len(board.shown) == 2
        board.learn(carried(50.0))
        board.learn(Sample("car", IS_MOVING, NOW, True))
        assert [s.id for s in board.shown] == [SAFE.id]
        board.learn(carried(50.0, NOW + 1))  # on a train while the car is parked
        board.learn(Sample("car", IS_MOVING, NOW + 1, False))
        assert len(board.shown) == 2
        board.learn(Sample("car", IS_MOVING, NOW + 2, True))
        board.learn(carried(0.0, NOW + 2))  # somebody else drives the car
        assert len(board.shown) == 2
        board.learn(carried(50.0, NOW + 3))
        assert len(board.shown) == 1
        board.learn(carried(50.0, NOW + 3 + FRESH_S))
        await ours.phone.live_on(NOW + 3 + FRESH_S)  # nobody heard of the car since
        assert len(board.shown) == 2


async def test_what_is_over_is_taken_away() -> None:
    async with house() as ours:
        await ours.showing.suggest(GIVEN)
        await ours.showing.suggest(SAFE)
        await ours.settle()
        board = ours.car.board
        assert len(board.shown) == 2
        # answered elsewhere, or no longer so
        await ours.showing.settle([SAFE], NOW)
        await ours.settle()
        assert [s.id for s in board.shown] == [SAFE.id]
        await ours.car.live_on(NEED.expires)
        assert board.shown == []


async def test_only_who_gave_a_suggestion_takes_it_away() -> None:
    async with house() as ours:
        board = ours.car.board
        board.put(GIVEN, "home")
        over = Answer(GIVEN.id, AnswerKind.IGNORED, NOW)
        board.hear(Received("phone", SUGGESTION, over))
        board.hear(Received("home", "elsewhere", over))
        assert board.shown == [GIVEN]
        board.hear(Received("home", SUGGESTION, over))
        assert board.shown == []


async def test_a_flood_of_suggestions_drops_the_oldest() -> None:
    async with house() as ours:
        for number in range(100):
            ours.car.board.put(replace(GIVEN, id=f"s-{number}"), "home")
        assert [s.id for s in ours.car.board.shown][:1] == ["s-36"]


async def test_what_was_shown_and_pushed_out_is_told_to_be_over() -> None:
    async with house() as ours:
        over: list[str] = []
        ours.car.board.on_over(lambda suggestion, _: over.append(suggestion.id))
        for number in range(66):
            ours.car.board.put(replace(GIVEN, id=f"s-{number}"), "home")
        assert over == ["s-0", "s-1"]


async def test_what_is_told_twice_is_shown_once() -> None:
    async with house() as ours:
        board, told = ours.car.board, list[str]()
        board.on_show(lambda suggestion: told.append(suggestion.need.title))
        board.put(GIVEN, "home")
        board.put(replace(GIVEN, need=replace(NEED, title="Warmer?")), "home")
        assert told == ["Heat the room?"]
        assert [each.need.title for each in board.shown] == ["Warmer?"]


async def test_what_is_over_is_not_held_back() -> None:
    async with house() as ours:
        board = ours.car.board
        board.learn(speed(130.0, NEED.expires))
        board.put(GIVEN, "home")
        await ours.car.trust.tick(NEED.expires)
        assert board.held == 0


async def test_what_a_device_gave_that_leads_no_longer_goes() -> None:
    async with house() as ours:
        board, over, leaders = ours.car.board, list[str](), ["home"]
        board.leader = lambda: leaders[-1]
        board.on_over(lambda suggestion, _: over.append(suggestion.id))
        board.put(GIVEN, "home")
        # it may be heard of a suggestion before who leads is
        board.put(SAFE, "phone")
        leaders.append("")
        assert board.shown == [GIVEN, SAFE]  # nobody does yet
        leaders.append("phone")
        assert board.shown == [SAFE]
        assert over == [GIVEN.id]


async def test_what_cannot_be_sent_keeps_nothing_else_from_being_shown() -> None:
    async with house() as ours:
        long = replace(NEED, title="x" * 201)
        await ours.showing.suggest(replace(GIVEN, need=long))
        await ours.showing.suggest(SAFE)
        await ours.settle()
        assert [each.id for each in ours.car.board.shown] == [SAFE.id]


async def test_the_longest_reason_can_be_sent() -> None:
    async with house() as ours:
        need = replace(NEED, reasons=(Reason("x" * 500, 9, 11),))
        ours.showing._why = lambda _: Why(reason_lines(need.reasons))
        await ours.showing.suggest(replace(GIVEN, need=need))
        await ours.settle()
        assert [each.id for each in ours.car.board.shown] == [GIVEN.id]


async def test_a_phone_that_leads_shows_in_the_car() -> None:
    world = World(seed=7)
    start = first_day(world)
    fabric = MemoryFabric("ours")
    async with (
        trusted(fabric, world, DeviceKind.PHONE, start) as (link, trust),
        trusted(fabric, world, DeviceKind.CAR, start) as (there, theirs),
    ):
        phone = make_part(world, DeviceKind.PHONE, link, trust, start)
        car = make_part(world, DeviceKind.CAR, there, theirs, start)
        running = asyncio.create_task(car.run())
        await theirs.tick(start)
        later = replace(NEED, expires=start + 1800.0)
        given = replace(GIVEN, time=start, need=later)
        await Showing(phone, Roles(), lambda _: WHY).suggest(given)
        for _ in range(20):
            await asyncio.sleep(0)
        assert [each.id for each in car.board.shown] == [GIVEN.id]
        assert phone.board.shown == []
        running.cancel()


async def test_a_forecast_of_a_trip_that_is_over_is_none() -> None:
    async with house() as ours:
        board = ours.phone.board
        found = Forecast("ada", NOW, NOW, "", (Candidate("", "somewhere new", 1.0),))
        await ours.showing.tell(found)
        await ours.settle()
        assert board.forecast == found
        await ours.phone.live_on(NOW + 600.0)
        assert board.forecast is None
