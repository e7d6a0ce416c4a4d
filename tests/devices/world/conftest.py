from __future__ import annotations

from datetime import date

import pytest

from trivet.devices.world import DayPlan, World

YEAR = 364


@pytest.fixture(scope="session")
def world() -> World:
    return World(days=YEAR)


@pytest.fixture(scope="session")
def year(world: World) -> list[DayPlan]:
    first = date(2026, 1, 5).toordinal()
    return [world.plan(date.fromordinal(first + i)) for i in range(YEAR)]
