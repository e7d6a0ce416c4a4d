"""A suggestion appears where the person is and is answered there: three processes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.real.hosts import eventually
from tests.real.test_takeover import House

from trivet.app.folder import identity_folder, state_file
from trivet.app.keeper import household_of
from trivet.app.setting import CLOCK
from trivet.app.simulation import first_day
from trivet.devices.world import World
from trivet.fabric import load_household, load_identity
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.replica import Put, Replica

pytestmark = pytest.mark.real

SEED = 7
#: Seconds after the first day's beginning: Saturday evening, on the way to dinner.
EVENING_S = 132_300.0
#: Real seconds that the home may take to learn the days before, on a busy machine.
LEARNED_S = 240.0
#: Event seconds a second: what is suggested then waits for a quarter of an hour.
SLOW = ("--speed", "20", "--days", "30")


def set_clock(folder: Path, devices: tuple[str, ...], time: float) -> None:
    """Let each device's state say that the simulated day has come so far."""
    founded = load_household(identity_folder(folder))
    household = household_of(own_charter(founded.folder))
    for device in devices:
        identity = load_identity(founded, device)
        replica = Replica(
            state_file(folder, device),
            device,
            identity.household,
            key_from_pem(identity.private_pem()),
            lambda: household,
        )
        replica.write(Put(CLOCK.format(seed=SEED), time))
        replica.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        yield House(tmp_path / "ours", stack, SLOW)


def suggested(house: House, device: str) -> list[dict[str, Any]]:
    said = house.say("suggestions", "--device", device, "--json")
    found: list[dict[str, Any]] = json.loads(said)
    return found


def test_a_suggestion_is_shown_in_the_car_and_answered_there(house: House) -> None:
    time = first_day(World(seed=SEED)) + EVENING_S
    set_clock(house.folder, ("home", "phone", "car"), time)
    home, phone, car = (house.up(device) for device in ("home", "phone", "car"))
    eventually(house.is_up, "all are up")
    asked = re.compile(r"trivet answer (\S+) yes\|no --device car")
    suggestion = eventually(
        lambda: (match := asked.search(car.said)) and match[1],
        "a suggestion in the car; it said:\n{}",
        lambda: car.said,
        LEARNED_S,
    )
    assert [each["id"] for each in suggested(house, "car")] == [suggestion]
    assert suggestion not in phone.said
    (account,) = json.loads(house.say("why", suggestion, "--device", "car", "--json"))
    assert account["why"]["reasons"]
    assert account["why"]["changes"]
    answered = house.say("answer", suggestion[:12], "no", "--device", "car")
    assert answered.startswith("Not now: Dinner near")
    assert suggested(house, "car") == []
    car.wait_for("Not now: Dinner near")
    # the home that leads has learned of it, and the household's state has it
    left = json.loads(house.say("suggestions", "--device", "home", "--json"))
    assert suggestion not in {each["id"] for each in left}
    kept = json.loads(house.say("state", "show", "feedback", "--json"))["values"]
    assert kept[f"feedback/{suggestion}/kind"] == "not_now"
    assert home.is_running
