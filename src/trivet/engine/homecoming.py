"""Homecoming: when a person will be home, from wherever they are.

Three speak (see `way_home`). What each says is a set of times with weights; they are
blended by how well each has foretold lately, and intervals are steered so that they
hold as often as they promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from trivet.domain.forecast import Interval
from trivet.engine.blend import Blend, Steering
from trivet.engine.times import MARKS, Times, together

LEVELS = (0.5, 0.8)
#: Estimates are put aside this often while the person is out, and on a trip, and so
#: many at the most.
CHECK_S, CHECK_TRIP_S, _MOST_CHECKS = 1800.0, 300.0, 60
#: They are the rarer the more stays are known, twice as rare with so many, and never
#: rarer than this.
_RARER, _RAREST = 250, 4.0
#: A trip costs a forecast each time, so of trips one in so many is looked at: every
#: second with so many stays, and no fewer than one in so many.
_TRIPS_RARER, _TRIPS_RAREST = 250, 8.0
_GOLDEN = (5**0.5 - 1.0) / 2
#: Past stays, those much alike, and the routine.
EXPERTS = 3
_STEER = 0.02
#: A phone is seen to be home this long before or after its owner is, or less.
_SEEN_S = 30.0


class HomeForecast(msgspec.Struct, frozen=True):
    """When a person is home.

    Attributes:
        person: who.
        time: event time at which this was known.
        is_home: they are home now; then all times are now.
        middle: arrival at home with the interval that holds half of the cases.
        arrival: likewise with that for 80 %.
        quantiles: event times at 40 even levels.
    """

    person: str
    time: float
    is_home: bool
    middle: Interval
    arrival: Interval
    quantiles: tuple[float, ...]

    def chance_by(self, time: float) -> float:
        """Chance that they are home by an event time."""
        if self.is_home:
            return float(time >= self.time)
        low, high = self.quantiles[0], self.quantiles[-1]
        if time < low or high <= low:
            return float(time >= high) if high <= low else 0.0
        return float(np.interp(time, self.quantiles, MARKS, right=1.0))


class Kind(StrEnum):
    """Where the person is on the way home."""

    STAY = "stay"
    TRIP = "trip"
    #: out for most of a day, or longer
    JOURNEY = "journey"


class HomeCheck(msgspec.Struct, frozen=True):
    """Estimates put aside while out, to be judged at home.

    Attributes:
        time: event time.
        kind: where the person was.
        says: quantiles of each of the experts.
        asked: for each of LEVELS, the interval that was told.
    """

    time: float
    kind: Kind
    says: list[list[float]]
    asked: list[tuple[float, float]]


class HomeState(msgspec.Struct):
    """All that homecomings taught; written to disk as it is.

    Attributes:
        blends: trust in the experts: past stays, or the trip; those much alike; and the
            routine. One of other experts counts for nothing.
        steerings: levels to ask for.
        checks: estimates made since they left home.
        next_check: event time of the next one.
    """

    blends: dict[Kind, Blend] = {}
    steerings: dict[Kind, Steering] = {}
    checks: list[HomeCheck] = []
    next_check: float = 0.0

    def blend(self, kind: Kind) -> Blend:
        """Trust in the experts, even at first."""
        blend = self.blends.get(kind)
        if blend is None or len(blend.weights) != EXPERTS:
            blend = self.blends[kind] = Blend.even(EXPERTS)
        return blend

    def steering(self, kind: Kind) -> Steering:
        """Levels to ask for, those that are promised at first."""
        return self.steerings.setdefault(kind, Steering())

    def forget(self, since: float, until: float) -> None:
        """Forget the estimates of a span, or into it; what they taught is kept."""

        def is_of(made: HomeCheck) -> bool:
            told = [made.time, *(time for ends in made.asked for time in ends)]
            told += [time for one in made.says for time in one]
            return any(since <= time < until for time in told)

        self.checks = [made for made in self.checks if not is_of(made)]
        if self.next_check >= since:
            self.next_check = 0.0


def forecast(
    person: str, time: float, says: Sequence[Times], state: HomeState, kind: Kind
) -> HomeForecast:
    """The forecast of the experts, with intervals that are steered."""
    blend, steering = state.blend(kind), state.steering(kind)
    whole = together([s.scaled(w) for s, w in zip(says, blend.weights, strict=True)])
    wanted: list[float] = []
    for level in LEVELS:
        asked = steering.level(level)
        wanted += (1.0 - asked) / 2, 0.5, (1.0 + asked) / 2
    found = whole.quantiles([*wanted, *MARKS.tolist()])
    intervals = []
    for level in LEVELS:
        low, median, high, *found = found
        low, high = max(time, low - _SEEN_S), max(time, high) + _SEEN_S
        intervals.append(Interval(low, max(time, median), high, level))
    return HomeForecast(person, time, False, intervals[0], intervals[1], tuple(found))


def home_now(person: str, time: float) -> HomeForecast:
    """They are home."""
    middle, arrival = (Interval(time, time, time, level) for level in LEVELS)
    return HomeForecast(person, time, True, middle, arrival, (time,) * len(MARKS))


def check(found: HomeForecast, says: Sequence[Times], kind: Kind) -> HomeCheck:
    """Put a forecast aside."""
    return HomeCheck(
        found.time,
        kind,
        [one.quantiles(MARKS.tolist()) for one in says],
        [(i.low, i.high) for i in (found.middle, found.arrival)],
    )


def is_looked_at(departure: float, stays: int) -> bool:
    """Whether estimates are put aside on a trip that left at an event time.

    Which trips, goes by multiples of the golden section for each minute, so that none
    of the day's or the week's is always left out.
    """
    share = departure // 60.0 * _GOLDEN % 1.0
    return share * min(_TRIPS_RAREST, 1.0 + stays / _TRIPS_RARER) < 1.0


def add_check(state: HomeState, made: HomeCheck, stays: int) -> None:
    """Keep an estimate, thinner the longer they are out.

    Args:
        state: to keep it in.
        made: the estimate.
        stays: how many are known.
    """
    state.checks.append(made)
    if len(state.checks) > _MOST_CHECKS:
        del state.checks[1::2]
    period = CHECK_TRIP_S if made.kind is Kind.TRIP else CHECK_S
    state.next_check = made.time + period * min(_RAREST, 1.0 + stays / _RARER)


def judge(state: HomeState, arrival: float) -> None:
    """They are home since `arrival`: learn from what was put aside."""
    for made in state.checks:
        if made.time >= arrival or len(made.says) != EXPERTS:
            continue
        blend, steering = state.blend(made.kind), state.steering(made.kind)
        even = np.ones(len(MARKS))
        blend.learn(
            [Times(np.array(s), even).density(arrival, made.time) for s in made.says],
            0.3,
        )
        for level, (low, high) in zip(LEVELS, made.asked, strict=True):
            steering.learn(level, low <= arrival <= high, _STEER)
    state.checks, state.next_check = [], 0.0


def first(forecasts: Sequence[HomeForecast]) -> HomeForecast | None:
    """When somebody is home, whoever comes first; None of nobody.

    They are taken to come by themselves: who comes together comes as late as one.
    """
    if not forecasts:
        return None
    home = next((found for found in forecasts if found.is_home), None)
    if home is not None or len(forecasts) == 1:
        return home or forecasts[0]
    time = max(found.time for found in forecasts)
    told = [np.maximum(time, found.quantiles) for found in forecasts]
    grid = np.unique(np.concatenate(told))
    nobody = np.ones(len(grid))
    for times in told:
        nobody *= 1.0 - np.searchsorted(times, grid, side="right") / len(times)

    def by(levels: Sequence[float]) -> list[float]:
        """The first times by which somebody is home with such a chance."""
        reached = np.searchsorted(1.0 - nobody, np.array(levels) - 1e-9)
        found: list[float] = grid[np.minimum(reached, len(grid) - 1)].tolist()
        return found

    intervals = []
    for level in LEVELS:
        low, median, high = by(((1.0 - level) / 2, 0.5, (1.0 + level) / 2))
        intervals.append(Interval(low, median, high, level))
    people = " or ".join(found.person for found in forecasts)
    marks = tuple(by(MARKS.tolist()))
    return HomeForecast(people, time, False, intervals[0], intervals[1], marks)
