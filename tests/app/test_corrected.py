"""What a person corrects, the next forecast shows: names, a forgotten day, no learning.

Said to the device as a person says it, and seen in the forecast and its reasons.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.app.test_remembering import Minded, minded
from tests.engine.life import HOME, WORK, commute, drive, monday
from tests.engine.life import stay as stay_at
from tests.fabric.replica.household import House

from trivet.app import remembering
from trivet.app.hub import Hub
from trivet.app.place_view import CorrectPlace, Doing
from trivet.domain import DeviceKind, PlaceRole, Sample
from trivet.domain.why import Why
from trivet.fabric.history.forget import make_forget
from trivet.fabric.memory import MemoryFabric

#: Five weeks; it goes on with a Monday.
DAYS = 35
EVERY = "5 of 5 trips from home between 07:00 and 09:00 on Mondays ended at work."


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(remembering, "LOOK_S", 0.01)
    return House(tmp_path)


def live(hub: Hub, samples: Iterable[Sample]) -> None:
    for sample in samples:
        hub.mind.learn(sample)
        hub.time = sample.time


def setting_off(device: Minded, day: int = DAYS) -> Why:
    """Why, two minutes into the way to work at eight, which is lived."""
    hub = device.hub
    live(hub, stay_at(monday(0, day), HOME, 8 * 3600 - 60, 600))
    live(hub, drive(monday(8, day), HOME, WORK)[:12])
    hub.mind.forecast = None
    hub.mind.step(hub.time)
    return hub.why("")


async def test_a_place_is_called_in_the_next_forecast_what_they_call_it(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        live(home.hub, commute(DAYS))
        before = setting_off(home)
        assert EVERY in before.reasons
        assert any(line.endswith("to work.") for line in before.notes)
        await home.hub.correct(CorrectPlace("work", Doing.NAME, "the mill"))
        home.hub.mind.forecast = None
        home.hub.mind.step(home.hub.time)
        after = home.hub.why("")
        assert EVERY.replace("work", "the mill") in after.reasons
        assert any(line.endswith("to the mill.") for line in after.notes)
        assert not any("work" in line for line in after.lines)


async def test_a_role_that_is_chosen_holds_in_what_is_known(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        live(home.hub, commute(14))
        await home.hub.correct(CorrectPlace("home", Doing.ROLE, "work"))
        roles = {place.role for place in home.hub.mind.anticipator.places.values()}
        assert PlaceRole.WORK in roles
        assert home.hub.mind.situation(home.hub.time).place_of(PlaceRole.WORK)


async def test_a_day_that_is_forgotten_is_counted_no_more(house: House) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        live(home.hub, commute(DAYS))
        a_monday = make_forget(("location",), monday(0, 14), monday(0, 15))
        await home.hub.forget("phone", a_monday)
        reasons = setting_off(home).reasons
        assert EVERY.replace("5 of 5", "4 of 4") in reasons
        assert EVERY not in reasons


async def test_what_happens_while_learning_is_off_is_counted_no_more(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        live(home.hub, commute(DAYS))
        trips = len(home.hub.mind.anticipator.trips)
        await home.hub.set_learning(False)
        assert home.replicating.state.get("settings/learning/on", True) is False
        live(home.hub, commute(7, DAYS))
        assert len(home.hub.mind.anticipator.trips) == trips
        # it predicts all the same, from what it knew
        assert EVERY in setting_off(home, DAYS + 7).reasons
        await home.hub.set_learning(True)
        live(home.hub, commute(7, DAYS + 14))
        more = EVERY.replace("5 of 5", "6 of 6")
        assert more in setting_off(home, DAYS + 21).reasons


async def test_a_corrected_place_is_so_on_the_device_that_takes_over(
    house: House,
) -> None:
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as home:
        live(home.hub, commute(DAYS))
        await home.hub.correct(CorrectPlace("work", Doing.NAME, "the mill"))
        past = home.hub.mind.snapshot()
    async with minded(house, MemoryFabric(), DeviceKind.HOME) as again:
        again.hub.mind.recall(past)
        again.hub.time = monday(0, DAYS)
        why = setting_off(again)
        assert any(line.endswith("to the mill.") for line in why.notes)
