"""A mind and the state keep even: an answer outlives the device that heard it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from math import isfinite
from pathlib import Path

import pytest
from tests.app.allies import trusted
from tests.app.test_replicating import until
from tests.fabric.replica.household import House

from trivet.app import remembering, setting
from trivet.app.correction import corrections_of
from trivet.app.hub import Hub
from trivet.app.place_view import CorrectPlace, Doing
from trivet.app.remembering import Remembering, begun
from trivet.app.replicating import Replicating
from trivet.app.simulation import first_day, make_hub_of, make_part
from trivet.devices.world import World
from trivet.domain import (
    AnswerKind,
    DeviceKind,
    Need,
    Position,
    Sample,
    SetupError,
    Suggestion,
    Surface,
)
from trivet.engine.feedback import KEPT_S, Feedback, Lesson, Tally
from trivet.fabric.history.forget import make_forget
from trivet.fabric.memory import MemoryFabric
from trivet.fabric.replica import Add, Put, Remove, State, Tick

SEED = 7


class Minded:
    """A device whose mind is kept even with the state."""

    def __init__(self, hub: Hub, replicating: Replicating) -> None:
        self.hub = hub
        self.replicating = replicating

    @property
    def feedback(self) -> Feedback:
        return self.hub.mind.suggester.feedback


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(remembering, "LOOK_S", 0.01)
    return House(tmp_path)


@asynccontextmanager
async def minded(
    house: House, fabric: MemoryFabric, kind: DeviceKind
) -> AsyncIterator[Minded]:
    world = World(seed=SEED)
    start = first_day(world)
    async with AsyncExitStack() as stack:
        replica = stack.enter_context(house.open(kind.value))
        link, trust = await stack.enter_async_context(
            trusted(fabric, world, kind, start)
        )
        hub = make_hub_of(make_part(world, kind, link, trust, start), world, start)
        replicating = Replicating(link, replica, lambda: house.roll)
        lives = [replicating.run(), Remembering(replicating, hub, SEED).run()]
        running = [asyncio.ensure_future(life) for life in lives]
        try:
            yield Minded(hub, replicating)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def learn(device: Minded, suggestion: str, kind: AnswerKind) -> None:
    """As if a person answered a suggestion on this device."""
    suggester = device.hub.mind.suggester
    lesson = Lesson(suggestion, "ada", "dinner", "mall", kind, 5.0, 18.0, until=60.0)
    suggester.feedback.take_up(lesson)
    suggester._lessons.append(lesson)


async def test_an_answer_is_known_after_a_restart(house: House) -> None:
    fabric = MemoryFabric()
    async with minded(house, fabric, DeviceKind.HOME) as home:
        learn(home, "dinner-1", AnswerKind.NOT_NOW)
        before = home.feedback.snapshot()
        await until(lambda: bool(home.replicating.state.feedback))
    async with minded(house, fabric, DeviceKind.HOME) as again:
        assert again.feedback.snapshot() == before


async def test_an_answer_is_kept_before_it_is_acknowledged(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "LOOK_S", 3600.0)
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:

        def answer(suggestion: str, kind: AnswerKind, time: float) -> Suggestion:
            learn(home, suggestion, kind)
            need = Need("dinner", "mall", "Dinner?", 0.9, 0.9, (), time + 60.0)
            return Suggestion(suggestion, "ada", time, need, Surface.HOME)

        monkeypatch.setattr(home.hub.mind, "answer", answer)
        await home.hub.answer("dinner-1", AnswerKind.NOT_NOW)
        assert [kept.id for kept in home.replicating.state.feedback] == ["dinner-1"]


async def test_an_answer_that_cannot_be_kept_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        write = home.replicating.write

        async def fail(*changes: object) -> None:
            raise SetupError("the disk is full")

        monkeypatch.setattr(home.replicating, "write", fail)
        learn(home, "dinner-1", AnswerKind.NOT_NOW)
        with pytest.raises(SetupError, match="full"):
            await home.hub.remember()
        assert not home.replicating.state.feedback
        monkeypatch.setattr(home.replicating, "write", write)
        await until(lambda: bool(home.replicating.state.feedback))


async def test_answers_that_no_longer_matter_leave_the_state(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        learn(home, "dinner-1", AnswerKind.YES)
        learn(home, "dinner-2", AnswerKind.NOT_NOW)
        await home.hub.remember()
        suggester = home.hub.mind.suggester
        suggester._lessons.append(
            Lesson("dinner-3", "ada", "dinner", "x", AnswerKind.YES, KEPT_S + 6.0, 9.0)
        )
        await home.hub.remember()
        kept = [kept.id for kept in home.replicating.state.feedback]
        assert kept == ["dinner-2", "dinner-3"]


async def test_an_answer_on_one_device_teaches_the_other_once(house: House) -> None:
    fabric = MemoryFabric()
    async with (
        minded(house, fabric, DeviceKind.HOME) as home,
        minded(house, fabric, DeviceKind.PHONE) as phone,
    ):
        learn(home, "dinner-1", AnswerKind.YES)
        await until(lambda: phone.feedback.tally("dinner").asked == 1)
        learn(phone, "dinner-2", AnswerKind.NOT_NOW)
        await until(lambda: home.feedback.tally("dinner").asked == 2)
        both = Tally(yes=1, not_now=1)
        assert home.feedback.tally("dinner") == phone.feedback.tally("dinner") == both


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), True])
@pytest.mark.parametrize("field", ["time", "hour", "until", "event", "chance"])
def test_attack_an_answer_of_what_is_no_number_teaches_no_nonsense(
    field: str, odd: float
) -> None:
    said = {"person": "ada", "skill": "dinner", "kind": "not_now", "time": 5.0}
    state = State({"feedback": {f"x/{k}": v for k, v in {**said, field: odd}.items()}})
    feedback = Feedback.of(map(remembering._lesson, state.feedback))
    found, hush = feedback.acceptance("dinner", 18.0, 10.0), feedback.hush("dinner", "")
    assert hush is not None
    assert all(map(isfinite, (found.alpha, found.beta, hush.until)))


async def test_a_skill_that_is_switched_off_says_nothing_until_it_is_on(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        suggester = home.hub.mind.suggester
        names = [skill.name for skill in suggester.skills]
        await home.replicating.write(Put("skills/dinner/on", False))
        assert [s.name for s in suggester.skills] == [n for n in names if n != "dinner"]
        await home.replicating.write(Put("skills/dinner/on", True))
        assert [skill.name for skill in suggester.skills] == names


async def test_the_household_says_how_many_suggestions_a_day(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        await home.replicating.write(Put(setting.MOST, 1))
        assert home.hub.mind.suggester.max_per_day == 1


async def test_learning_stops_and_goes_on_when_the_household_says_so(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        anticipator = home.hub.mind.anticipator
        await home.replicating.write(Put(setting.LEARNS, False))
        await until(lambda: anticipator.is_frozen)
        await home.replicating.write(Put(setting.LEARNS, True))
        await until(lambda: not anticipator.is_frozen)


async def test_the_routine_is_kept_or_not_as_the_household_says(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        foresight = home.hub.mind.foresight
        await home.replicating.write(Put(setting.ROUTINE, False))
        await until(lambda: not foresight.is_on)
        assert not home.hub.frame().outlook.is_on  # type: ignore[union-attr]
        await home.replicating.write(Put(setting.ROUTINE, True))
        await until(lambda: foresight.is_on)


async def test_a_person_stops_learning_on_the_page(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        await home.hub.set_learning(False)
        assert home.hub.mind.anticipator.is_frozen
        assert home.replicating.state.settings["learning/on"] is False
        await home.hub.set_learning(True)
        assert not home.hub.mind.anticipator.is_frozen


def stay_somewhere(device: Minded) -> str:
    """As if the phone lay somewhere for an hour; id of the place."""
    mind = device.hub.mind
    for minute in range(60):
        time = device.hub.time + 60.0 * minute
        mind.learn(Sample("phone", "location", time, Position(60.0, 24.0)))
    (place,) = mind.anticipator.places
    return place


async def test_what_a_place_is_called_is_known_on_every_device_and_after_a_restart(
    house: House,
) -> None:
    fabric = MemoryFabric()
    async with (
        minded(house, fabric, DeviceKind.HOME) as home,
        minded(house, fabric, DeviceKind.PHONE) as phone,
    ):
        place = stay_somewhere(home)
        stay_somewhere(phone)
        done = await home.hub.correct(CorrectPlace(place, Doing.NAME, "The hut"))
        assert done.endswith("is The hut")
        assert [row.label for row in home.hub.places()] == ["The hut"]
        await until(lambda: phone.hub.places()[0].label == "The hut")
    async with minded(house, fabric, DeviceKind.HOME) as again:
        stay_somewhere(again)
        again.hub.mind.step(again.hub.time + 3600.0)
        assert again.hub.places()[0].label == "The hut"


async def test_the_simulated_household_goes_on_at_its_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "CLOCK_S", 0.0)
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        home.hub.time += 7200.0
        time, state = home.hub.time, home.replicating
        await until(lambda: begun(state.state, SEED, 0.0) == time)
        assert begun(state.state, SEED + 1, 3.0) == 3.0


async def test_who_stands_by_does_not_set_the_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "CLOCK_S", 0.0)
    async with minded(house, MemoryFabric(), DeviceKind.PHONE) as phone:
        phone.hub.is_leading = False
        learn(phone, "dinner-1", AnswerKind.YES)
        await until(lambda: bool(phone.replicating.state.feedback))
        assert begun(phone.replicating.state, SEED, 0.0) == 0.0


async def test_what_is_forgotten_is_in_no_line_and_no_frame(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        hub = home.hub
        begin = hub.time
        for _ in range(4):
            hub.mind.note(hub.time, "something", [])
            hub.album.keep(hub.frame())
            hub.time += 60.0
        await hub.forget("phone", make_forget(("location",), begin, begin + 120.0))
        times = [line.time for line in hub.timeline()]
        assert times == [begin + 120.0, begin + 180.0]
        assert hub.span() == (begin + 120.0, begin + 180.0)
        await hub.forget("car", make_forget(("Vehicle.**",), begin, hub.time))
        assert len(hub.timeline()) == 2


async def test_what_was_said_of_a_place_goes_with_the_place(house: House) -> None:
    """A place that is known from the forgotten span alone is named no longer."""
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        mind, begin = home.hub.mind, home.hub.time - 4 * 3600.0
        for hour, lat in enumerate((51.0, 51.1, 51.0)):
            for minute in range(0, 60, 2):
                time = begin + 3600.0 * hour + 60.0 * minute
                mind.learn(Sample("phone", "location", time, Position(lat, 9.0)))
        shop, usual = (
            next(p for p in mind.anticipator.places.values() if p.lat == lat)
            for lat in (51.1, 51.0)
        )
        for place, name in ((shop, "Clinic"), (usual, "Nest")):
            await home.replicating.write(
                Put(f"places/{place.id}/name", name),
                Put(f"places/{place.id}/lat", place.lat or 0.0),
                Put(f"places/{place.id}/lon", place.lon or 0.0),
            )
        await until(lambda: len(mind.corrector.wanted) == 2)
        span = begin + 3600.0, begin + 2 * 3600.0
        await home.hub.forget("phone", make_forget(("location",), *span))
        assert [c.name for c in mind.corrector.wanted] == ["Nest"]
        assert "Clinic" not in str(home.replicating.state.root("places"))
        assert usual.id in mind.anticipator.places


async def test_attack_what_stands_under_an_odd_id_does_not_keep_a_day_from_going(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        mind, begin = home.hub.mind, home.hub.time - 7200.0
        for minute in range(0, 60, 2):
            at = Position(51.0, 9.0)
            mind.learn(Sample("phone", "location", begin + 60.0 * minute, at))
        said = {"name": "Clinic", "lat": 51.0, "lon": 9.0}
        ids = ("\x00", "x" * 200, "p1")
        mind.correct(
            corrections_of({f"{id}/{k}": v for id in ids for k, v in said.items()})
        )
        await home.hub.forget("phone", make_forget(("location",), begin, home.hub.time))
        assert home.hub._unsaid == []


async def test_what_is_forgotten_while_the_disk_is_busy_is_taken_off_as_well(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        hub, busy = home.hub, asyncio.Event()
        first, later = Remove("places/p1"), Remove("places/p2")
        written: list[Remove] = []

        async def write(*changes: Remove) -> None:
            await busy.wait()
            written.extend(changes)

        hub.write, hub._unsaid = write, [first]
        wish = make_forget(("location",), 0.0, 1.0)
        forgetting = asyncio.ensure_future(hub.forget("car", wish))
        await asyncio.sleep(0)
        hub._unsaid.append(later)
        busy.set()
        await forgetting
        assert written == [first, later]


async def test_what_was_said_goes_later_if_it_cannot_be_written_now(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        begin, fails = home.hub.time - 7200.0, [True]
        for minute in range(0, 60, 2):
            at = Position(51.0, 9.0)
            home.hub.mind.learn(Sample("phone", "location", begin + 60.0 * minute, at))
        await home.replicating.write(
            Put("places/p1/name", "Clinic"),
            Put("places/p1/lat", 51.0),
            Put("places/p1/lon", 9.0),
        )
        await until(lambda: bool(home.hub.mind.corrector.wanted))
        write = home.hub.write

        async def refuse(*changes: object) -> None:
            if fails.pop() if fails else False:
                raise SetupError("the disk is full")
            await write(*changes)

        home.hub.write = refuse
        wish = make_forget(("location",), begin, home.hub.time)
        with pytest.raises(SetupError):
            await home.hub.forget("phone", wish)
        await home.hub.forget("phone", wish)
        assert not home.hub.mind.corrector.wanted


@pytest.mark.parametrize("path", ["person.ada", "binary_sensor.occupancy"])
async def test_who_was_in_is_forgotten_when_only_that_is_named(
    house: House, path: str
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        mind, begin = home.hub.mind, home.hub.time - 3600.0
        for hour, state in enumerate(("on", "off", "on")):
            mind.learn(Sample("home", path, begin + 900.0 * hour, state))
        routine = mind.foresight.routine
        was_in = routine._occupancy["" if path.startswith("binary") else "ada"]
        assert len(was_in.state.changes) >= 2
        await home.hub.forget("home", make_forget((path,), begin, home.hub.time))
        # kept is who was in at its end
        assert len(was_in.state.changes) <= 1


async def test_what_is_forgotten_of_the_home_is_out_of_its_routine(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        mind, begin = home.hub.mind, home.hub.time - 600.0
        for minute, state in enumerate(("off", "on", "off", "on")):
            time = begin + 60.0 * minute
            mind.learn(Sample("home", "light.kitchen", time, state))
        wish = make_forget(("climate.**",), begin, home.hub.time)
        await home.hub.forget("home", wish)
        assert len(mind.foresight.routine.events) == 3
        await home.hub.forget("home", make_forget(("light.*",), begin, begin + 90.0))
        assert len(mind.foresight.routine.events) == 2


def test_nothing_written_means_the_beginning() -> None:
    assert begun(State({}), SEED, 9.0) == 9.0


async def test_what_is_on_a_list_and_open_reaches_the_mind(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        await home.replicating.write(Add("groceries", "milk"), Add("groceries", "tea"))
        await home.replicating.write(Tick("groceries", "tea"))
        situation = home.hub.mind.situation(home.hub.time)
        assert situation.lists == {"groceries": ["milk"]}
