"""What dinner says since new things on the map count, and whether they then ate out.

python -m benchmarks.anticipation.open_world_dinner [--dev] [SEED ...]

Each trip of a simulated household is looked at with every fix that comes 20 s after the
last: has the skill a need that it would not have were nothing known of what somewhere
new may be, or none for that reason? Each trip counts once. Right is a meal out that
begins in the next three hours. It is the skill that is asked, before the suggester,
which would hold back the less likely of these.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from benchmarks.seeded import Row, run
from msgspec.structs import replace

from trivet.app.mind import Mind, Roles
from trivet.app.zone import fixed_zone
from trivet.atlas import MemoryAtlas
from trivet.devices.world import World
from trivet.domain import Need
from trivet.engine.situation import Situation
from trivet.skills.dinner import Dinner

DEVELOPMENT, REPORTED = range(700, 708), range(740, 744)
DAYS, FIRST = 84, date(2026, 1, 5)
_STEP_S = 20.0
_MEALS = frozenset({"lunch", "dinner out"})
_WITHIN_S = 3 * 3600.0
ADDED, LOST = "needs that are there for the new alone", "needs that went for the new"


def judge(seeds: Sequence[int]) -> Iterator[Row]:
    """Name, value and unit of each figure."""
    times: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for seed in seeds:
        for what, is_right in live(seed):
            times[what] += 1
            right[what] += is_right
    for what in (ADDED, LOST):
        yield what, times[what], ""
        yield "  they ate out within three hours", right[what], ""


def live(seed: int) -> Iterator[tuple[str, bool]]:
    """What the new changed on each trip, and whether they then ate out."""
    world = World(seed, FIRST, DAYS)
    atlas = MemoryAtlas(world.points_of_interest, world.notice)
    mind = Mind(Roles(), fixed_zone(world.zone), (), atlas)
    meals = [
        episode.arrival
        for day in range(DAYS)
        for episode in world.plan(FIRST + timedelta(days=day)).episodes
        if episode.reason in _MEALS
    ]
    seen, last = set[tuple[str, float]](), 0.0
    for sample in world.history(world.start_time, world.end_time):
        mind.learn(sample)
        time = sample.time
        if mind.anticipator.current_trip is None or time - last < _STEP_S:
            continue
        last = time
        mind.step(time)
        if mind.forecast is None or not mind.forecast.prospects:
            continue
        what = _changed(mind.situation(time))
        key = (what, mind.forecast.departure)
        if what and key not in seen:
            seen.add(key)
            yield what, any(-60.0 < meal - time < _WITHIN_S for meal in meals)


def _changed(situation: Situation) -> str:
    forecast = situation.forecast
    assert forecast is not None
    bare = tuple(replace(each, prospects=()) for each in forecast.candidates)
    blind = replace(situation, forecast=replace(forecast, candidates=bare))
    now, before = _needs(situation), _needs(blind)
    return ADDED if now and not before else LOST if before and not now else ""


def _needs(situation: Situation) -> list[Need]:
    return list(Dinner().needs(situation))


def rows() -> Iterator[Row]:
    """What is reported."""
    yield from judge(list(REPORTED))


def main(arguments: list[str]) -> None:
    run(
        arguments,
        judge,
        development=DEVELOPMENT,
        reported=REPORTED,
        lives=f"simulated households, {DAYS} days each",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
