"""Why, on three devices: reasons, what would change it, and what policy kept back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest
from msgspec.structs import replace

from trivet.app.board_word import (
    Account,
    AskWhy,
    GiveAnswer,
    ShowForecast,
    Spokesman,
)
from trivet.app.explanation import explain
from trivet.app.hub import Hub
from trivet.app.simulation import (
    DAY_S,
    first_day,
    make_hub,
    make_part,
    make_trust,
    make_young_hub,
    simulated_household,
)
from trivet.app.unused import signal_words, unused
from trivet.devices.world import World
from trivet.domain import (
    Action,
    Answer,
    AnswerKind,
    DeviceKind,
    SetupError,
    Suggestion,
    UsageError,
)
from trivet.domain.wire import Ack
from trivet.fabric.ledger import Ledger
from trivet.fabric.memory import MemoryFabric
from trivet.fabric.policy import Policy, shipped_policy

#: What the household adds to the shipped policy: the car keeps its battery to itself,
#: and nobody knows where a phone is but to half a kilometre.
OWN = """
@id("battery-is-private") @why("How full the car is, is the driver's affair.")
forbid (principal, action == Action::"receive", resource)
when { resource.path like "Vehicle.Powertrain.*" };

@id("roughly-is-enough") @why("Half a kilometre is enough for everybody.")
forbid (principal, action == Action::"receive", resource)
when { resource.path == "location" && context.exact_m < 500 };
"""


@asynccontextmanager
async def house(policy: Policy, *, is_young: bool = False) -> AsyncIterator[Hub]:
    world = World(seed=7)
    start = first_day(world)
    household = replace(simulated_household(), policy=policy)
    async with AsyncExitStack() as stack:
        fabric = MemoryFabric("home")
        hubs, running = [], []
        for kind in (DeviceKind.HOME, DeviceKind.PHONE, DeviceKind.CAR):
            ledger = Ledger(":memory:", kind.value)
            trust = stack.enter_context(
                closing(make_trust(world, kind, household, ledger, start))
            )
            link = await stack.enter_async_context(
                fabric.open_session(kind.value, gate=trust.gate)
            )
            if kind is DeviceKind.HOME:
                make = make_young_hub if is_young else make_hub
                hubs.append(make(world, link, trust, start))
                part = hubs[0].part
            else:
                part = make_part(world, kind, link, trust, start)
            running.append(asyncio.create_task(part.run()))
        (hub,) = hubs
        await hub.reach(1.0)
        yield hub
        for task in running:
            task.cancel()


async def until(hub: Hub, is_so: Callable[[], object]) -> None:
    """Live on until something is so, a day at the most."""
    end = hub.time + DAY_S
    while not is_so():
        assert hub.time < end, "nothing of the kind happened in a day"
        await hub.step(hub.time + (15.0 if hub.mind.forecast else 60.0))


async def test_all_that_is_thought_and_said_is_accounted_for() -> None:
    async with house(shipped_policy()) as hub:
        resting = hub.why("")
        assert resting.notes[0] == "No trip is running."
        assert "Setting off now" in resting.notes[1]
        assert resting.reasons
        await until(hub, lambda: len(hub.mind.trail()) > 20)
        account = hub.why("")
        assert 0 < len(account.reasons) <= 3
        assert account.changes
        assert all("straight towards" in line for line in account.changes)
        assert account.unused == ()
        assert hub.why("") == account  # asking changes nothing
        assert explain(hub.mind, hub.time) == account  # nor does it need leases

        def would_change() -> list[Suggestion]:
            """What takes two changes has none to tell."""
            live = hub.mind.suggester.live
            return [each for each in live if hub.why(each.id).changes]

        await until(hub, would_change)
        (suggestion, *_) = would_change()
        account = hub.why(suggestion.id)
        assert account.reasons
        assert all("it would not be said" in line for line in account.changes)
        assert all("Vehicle." not in line for line in account.lines), account
        # the device that leads tells of all of it, and answers for what waits
        spokesman = Spokesman("home", hub.part.board)
        spokesman.hub = hub
        accounts = (await spokesman._tell_why(AskWhy())).accounts
        assert accounts[0].why == hub.why("")
        assert accounts[1] == Account(suggestion.need.title, account, suggestion.id)
        assert all(each.title.startswith("Not said: ") for each in accounts[2:])
        ignored = Answer(suggestion.id, AnswerKind.IGNORED, hub.time)
        with pytest.raises(UsageError, match="comes by itself"):
            await hub._answered("phone", ignored)  # no device says that for a person
        told = await spokesman._answer(GiveAnswer(suggestion.id, AnswerKind.NOT_NOW))
        assert told.title == suggestion.need.title
        assert suggestion not in hub.mind.suggester.live
        assert (await spokesman._foretell(ShowForecast())).forecast == hub.mind.forecast


async def test_an_answer_is_kept_before_it_counts_and_what_failed_is_said() -> None:
    async with house(shipped_policy()) as hub:
        await until(hub, lambda: hub.mind.suggester.live)
        (waiting, *_) = hub.mind.suggester.live
        happened: list[object] = []

        async def keep() -> None:
            happened.append("kept")
            raise SetupError("the disk is full")

        async def end(device: str, over: Answer) -> None:
            happened.append(over.kind)

        hub.remember, hub._showing.end = keep, end  # type: ignore[method-assign]
        said = await hub._answered("car", Answer(waiting.id, AnswerKind.NOT_NOW, 0.0))
        assert happened == ["kept", AnswerKind.NOT_NOW]
        full = "The answer could not be kept yet: the disk is full"
        assert said == Ack(False, full)
        failed = await hub._do(Action("boat", "switch.mast", "on", "Light the mast"))
        assert failed.startswith("Light the mast failed: boat is not there")


async def test_what_the_policy_kept_back_is_told_with_its_rule() -> None:
    policy = Policy(shipped_policy().text + OWN)
    async with house(policy, is_young=True) as hub:
        told = hub.why("").unused
        enough = "Half a kilometre is enough for everybody. (rule roughly-is-enough)"
        assert f"Where phone is was used only to 500 m: {enough}" in told
        private = (
            "How full the car is, is the driver's affair. (rule battery-is-private)"
        )
        assert f"Charge of car was not used for comfort: {private}" in told
        # of all that is kept back, what matters is told
        looked_at = [("car", "Vehicle.Powertrain.TractionBattery.Range")]
        assert unused(hub.trust, looked_at) == [
            f"Range of car was not used for comfort: {private}"
        ]
        assert unused(hub.trust, [("home", "light.kitchen")]) == []


async def test_a_wish_that_is_refused_whole_is_told_in_the_owners_words() -> None:
    rules = '@id("no-car") @why("The car tells nothing.") forbid (principal, '
    rules += 'action == Action::"receive", resource) when '
    rules += '{ resource.owner_kind == "car" };'
    policy = Policy(shipped_policy().text + rules)
    async with house(policy, is_young=True) as hub:
        words = "was not used for comfort: The car tells nothing. (rule no-car)"
        assert hub.why("").unused == (f"Vehicle.** of car {words}",)
        speed = [("car", "Vehicle.Speed")]
        assert unused(hub.trust, speed) == [f"Speed of car {words}"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Vehicle.Powertrain.TractionBattery.Range", "range of car"),
        ("Vehicle.CurrentLocation.Latitude", "where car is"),
        ("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", "driver's door of car"),
        ("Vehicle.Body.Raindetection.Intensity", "intensity of car"),
    ],
)
def test_a_signal_is_told_in_words(path: str, words: str) -> None:
    assert signal_words("car", path) == words
