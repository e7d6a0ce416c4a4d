"""What can be known of a simulated way home: a bound for `benchmarks.homecoming`.

Who knows the schedule's distribution, the kind of the day and all stops so far can say
no more than what followed on other days of that kind that went like this one until now.
Such days are drawn from worlds of other seeds; the rest is chance. It knows more than
any phone does: whether the day is one of sickness, and when each stop truly began.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np

from trivet.devices.world import World
from trivet.devices.world.plan import DayPlan
from trivet.devices.world.town import HOME

SEEDS = range(900, 920)
#: Days on which the stop or the way began so much earlier or later count less.
_STAY_S, _WAY_S = 600.0, 240.0
_LEAST_DAYS = 8

#: Place, and seconds from the start of the day at which it was come to and left.
_Stop = tuple[str, float, float]


def _stops(plan: DayPlan) -> list[_Stop]:
    start = plan.episodes[0].arrival
    return [(e.place, e.arrival - start, e.departure - start) for e in plan.episodes]


def _so_far(stops: Sequence[_Stop], time: float) -> tuple[tuple[str, ...], bool, float]:
    """Places until `time`, whether on the way, and since when."""
    done = [stop for stop in stops if stop[1] <= time]
    places, (_, came, left) = tuple(stop[0] for stop in done), done[-1]
    on_way = time >= left
    return places, on_way, left if on_way else came


class Bound:
    """Days of other worlds by weekday and kind."""

    def __init__(self, first: date, days: int, seeds: Iterable[int] = SEEDS) -> None:
        self._days = defaultdict[tuple[int, str], list[list[_Stop]]](list)
        for seed in seeds:
            world = World(seed=seed, start=first, days=days)
            for number in range(days):
                plan = world.plan(first + timedelta(days=number))
                self._days[plan.day.weekday(), plan.kind].append(_stops(plan))

    def median(self, plans: Sequence[DayPlan], time: float) -> float | None:
        """Median of when she is home; None where too few days went like this one.

        Args:
            plans: of all days of the world that is asked about.
            time: event time of the question.
        """
        starts = [plan.episodes[0].arrival for plan in plans]
        plan = plans[bisect_right(starts, time) - 1]
        start = plan.episodes[0].arrival
        places, on_way, since = _so_far(_stops(plan), time - start)
        width, came, weight = _WAY_S if on_way else _STAY_S, [], []
        for stops in self._days[plan.day.weekday(), plan.kind]:
            then = _so_far(stops, time - start)
            homes = [stop[1] for stop in stops if stop[0] == HOME]
            home = next((at for at in homes if at > time - start), None)
            if then[:2] == (places, on_way) and home is not None:
                came.append(home)
                weight.append(np.exp(-0.5 * ((then[2] - since) / width) ** 2) + 1e-6)
        if len(came) < _LEAST_DAYS:
            return None
        order = np.argsort(came)
        reached = np.cumsum(np.array(weight)[order])
        return start + float(
            np.interp(0.5, reached / reached[-1], np.array(came)[order])
        )
