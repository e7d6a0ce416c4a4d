"""Habits of leaving: what somebody does each time before the home is left empty.

A habit is a state that something has when the home was left, counted over the times
that it was otherwise shortly before: a light that was out already was not put out. Set
beside it is how often the same came to be in as long a time with somebody staying in:
what goes off by itself every ten minutes is nobody's habit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

import msgspec

from trivet.domain.sample import Sample, Value
from trivet.engine.chronicle import OCCUPANCY

#: The minutes of leaving: so long before the departure, and so long after it.
BEFORE_S, AFTER_S = 15 * 60.0, 180.0
#: An ordinary stretch at home is looked at this often: out of step with timers.
EVERY_S = 3_467.0
#: After the departure the home says by then that nobody is in.
EMPTY_S = 300.0


class Habit(msgspec.Struct, frozen=True):
    """What is done before leaving.

    Attributes:
        path: of what.
        value: the state that it is left in.
        count: departures at which it was brought to that.
        of: departures at which it was otherwise in the minutes before.
        usual: share of ordinary stretches at home, as long, in which it came to that.
    """

    path: str
    value: Value
    count: int
    of: int
    usual: float


class Timeline:
    """The states of everything in the home over time.

    Args:
        changes: oldest first; of each path, what is late is left out.
        paths: those of interest; the occupancy sensors are kept besides.
    """

    def __init__(self, changes: Sequence[Sample], paths: Collection[str]) -> None:
        self._times: dict[str, list[float]] = {}
        self._values: dict[str, list[Value]] = {}
        for sample in changes:
            if sample.path not in paths and OCCUPANCY not in sample.path:
                continue
            times = self._times.setdefault(sample.path, [])
            if not times or sample.time >= times[-1]:
                times.append(sample.time)
                self._values.setdefault(sample.path, []).append(sample.value)

    def at(self, path: str, time: float) -> Value | None:
        """The state at a time, None when none was told by then."""
        index = bisect_right(self._times.get(path, ()), time) - 1
        return self._values[path][index] if index >= 0 else None

    def within(self, path: str, start: float, end: float) -> list[Value]:
        """The states that it had from `start` to `end`, the first one included."""
        times = self._times.get(path, ())
        first = max(0, bisect_right(times, start) - 1)
        return self._values.get(path, [])[first : bisect_right(times, end)]

    def is_empty(self, time: float) -> bool:
        """Whether the home says, by some minutes after `time`, that nobody is in.

        A home that says nothing of people is taken for empty.
        """
        sensors = [path for path in self._times if OCCUPANCY in path]
        return all(self.at(path, time + EMPTY_S) != "on" for path in sensors)

    def leaving(self, path: str, departure: float) -> tuple[Value, bool] | None:
        """The state that something was left in, and whether it was otherwise before.

        None when it was not told yet.
        """
        start, end = departure - BEFORE_S, departure + AFTER_S
        if self.at(path, start) is None:
            return None
        seen = self.within(path, start, end)
        return seen[-1], any(value != seen[-1] for value in seen)

    def was_otherwise(self, path: str, value: Value, departure: float) -> bool:
        """Whether something was not `value` at some time of the minutes of leaving."""
        start, end = departure - BEFORE_S, departure + AFTER_S
        seen = self.within(path, start, end)
        return self.at(path, start) is not None and any(v != value for v in seen)


def find_habits(
    timeline: Timeline,
    paths: Collection[str],
    departures: Sequence[float],
    stays: Sequence[tuple[float, float]],
    least: tuple[int, float] = (1, 0.0),
) -> list[Habit]:
    """What is done before leaving.

    Args:
        timeline: of the home.
        paths: of what may be a habit.
        departures: event times at which the person left, oldest first; those that
            left somebody in are left away.
        stays: (arrival, departure) of their stays at home, for ordinary stretches.
        least: times, and share of the departures, from which on it counts.
    """
    left = [time for time in departures if timeline.is_empty(time)]
    ordinary = list(_ordinary(stays))
    habits = []
    for path in sorted(paths):
        ends = {
            ended[0]
            for ended in (timeline.leaving(path, time) for time in left)
            if ended is not None and ended[1]
        }
        for value in ends:
            count, of = _count(timeline, path, value, left)
            if count >= least[0] and count >= least[1] * of:
                came, seen = _count(timeline, path, value, ordinary)
                usual = came / seen if seen else 0.0
                habits.append(Habit(path, value, count, of, usual))
    return habits


def _count(
    timeline: Timeline, path: str, value: Value, times: Sequence[float]
) -> tuple[int, int]:
    """How often it came to `value`, of the times that it was otherwise before."""
    told = [time for time in times if timeline.was_otherwise(path, value, time)]
    done = [time for time in told if timeline.at(path, time + AFTER_S) == value]
    return len(done), len(told)


def _ordinary(stays: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Times in the middle of stays, far from coming and going."""
    for begin, end in stays:
        at = begin + EVERY_S + BEFORE_S
        while at + AFTER_S < end - 2 * BEFORE_S:
            yield at
            at += EVERY_S
