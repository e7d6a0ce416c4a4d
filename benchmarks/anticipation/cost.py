"""What a long life costs: five years of history against one month, simulated.

python -m benchmarks.anticipation.cost [YEARS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date

import psutil
from benchmarks.seeded import show

from trivet.app.zone import fixed_zone
from trivet.devices.world import World
from trivet.engine import Anticipator

_MONTH_D, _YEAR_D = 30, 365
#: Days on which forecasts are asked for and timed, after what was learned.
_ASKED_D = 14
_DAY_S = 86_400.0


def rows(years: float = 5.0) -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each figure."""
    for words, days in (("a month", _MONTH_D), (f"{years:g} years", years * _YEAR_D)):
        for what, value, unit in after(int(days)):
            yield f"after {words}: {what}", value, unit


def after(days: int) -> Iterator[tuple[str, float, str]]:
    """What one learner costs that has lived so many simulated days."""
    world = World(7, date(2026, 1, 5), days + _ASKED_D)
    end = world.start_time + days * _DAY_S
    anticipator = Anticipator("ada", "phone", fixed_zone(world.zone))
    before = psutil.Process().memory_info().rss
    for sample in world.history(world.start_time, end):
        anticipator.learn_one(sample)
    added = psutil.Process().memory_info().rss - before
    yield "trips known", float(len(anticipator.trips)), ""
    yield "memory of the process added, the world's too", added / 1e6, "MB"
    yield "memory written out", len(anticipator.snapshot()) / 1e6, "MB"
    costs_ms = sorted(_asked(world, anticipator, end))
    yield "one forecast, median", costs_ms[len(costs_ms) // 2], "ms"
    yield "one forecast, 95th percentile", costs_ms[int(0.95 * len(costs_ms))], "ms"
    yield "one forecast, longest", costs_ms[-1], "ms"


def _asked(world: World, anticipator: Anticipator, since: float) -> Iterator[float]:
    for sample in world.history(since, since + _ASKED_D * _DAY_S):
        anticipator.learn_one(sample)
        start = time.thread_time()
        if anticipator.predict_one(sample.time, explains=False) is not None:
            yield 1e3 * (time.thread_time() - start)


if __name__ == "__main__":
    show(rows(*map(float, sys.argv[1:2])))
