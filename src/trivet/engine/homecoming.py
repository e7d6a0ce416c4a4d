"""Homecoming: when a person will be home, from wherever they are.

Three speak. On a trip, its forecast: it goes home and arrives, or goes elsewhere, where
they stay a while first. At a place, past stays that began like this one: how long until
they were home. And everywhere the routine: past days on which they were out at this
hour, and when they were home then. What each says is a set of times with weights; two
are blended by how well each has foretold lately, and intervals are steered so that they
hold as often as they promise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo
from enum import StrEnum

import msgspec
import numpy as np

from trivet.domain.clock import hour_of_day, local
from trivet.domain.forecast import Interval
from trivet.domain.place import Stay
from trivet.engine.blend import Blend, Floats, Steering
from trivet.engine.route import Ints
from trivet.engine.times import MARKS, Times, together

LEVELS = (0.5, 0.8)
#: Estimates are put aside this often while the person is out, and on a trip, and so
#: many at the most.
CHECK_S, CHECK_TRIP_S, _MOST_CHECKS = 1800.0, 300.0, 60
#: Who has been out for longer is on a journey, of which days at home say little.
JOURNEY_S = 20 * 3600.0
#: So is who is further from home than this, from the first hour on; and nobody is home
#: from there sooner than at this speed from door to door.
FAR_M, _FLIGHT_MPS = 300_000.0, 200.0

_DAY_S = 86_400.0
_HALF_LIFE_D = 45.0
_MOST_DAYS = 180
_MOST_STAYS = 1500
_OTHER_PLACE, _OTHER_SPOT = 0.03, 0.15
_HOUR_WIDTH_H, _OTHER_HOUR = 1.2, 0.05
_SAME_KIND, _OTHER_KIND = 0.5, 0.08
_AWAY_WIDTH, _OTHER_AWAY = 0.5, 0.1
#: A delay of this length is told half by how long it took and half by the clock.
_BY_CLOCK_S = 3600.0
_STEER = 0.02
#: A phone is seen to be home this long before or after its owner is, or less.
_SEEN_S = 30.0
#: What is thought before anything is known, in hours, and how little it weighs.
_ANY_S, _ANY_WEIGHT = 3600.0 * np.array((0.3, 0.7, 1.5, 3.0, 6.0, 12.0)), 0.02
#: Likewise of who is on a journey.
_JOURNEY_S = 3600.0 * np.array((3.0, 9.0, 18.0, 30.0, 48.0, 80.0, 120.0, 180.0, 260.0))
_JOURNEY_WEIGHT = 0.5
_NEVER = Times(np.empty(0), np.empty(0))


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
        says: quantiles of each of the two experts.
        asked: for each of LEVELS, the interval that was told.
    """

    time: float
    kind: Kind
    says: list[list[float]]
    asked: list[tuple[float, float]]


class HomeState(msgspec.Struct):
    """All that homecomings taught; written to disk as it is.

    Attributes:
        blends: trust in the two experts: past stays, or the trip; and the routine.
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
        return self.blends.setdefault(kind, Blend.even(2))

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


class Homecomings:
    """Past stays as columns, and what they say of when a person is home.

    Args:
        stays: oldest first.
        homes: ids of the places that are home.
        zone: where the person is.
    """

    def __init__(
        self, stays: Sequence[Stay], homes: Collection[str], zone: tzinfo
    ) -> None:
        self._zone = zone
        stays = stays[-_MOST_STAYS:]
        self._places = [stay.place for stay in stays]
        self._arrival: Floats = np.array([s.arrival for s in stays], dtype=float)
        self._departure: Floats = np.array([s.departure for s in stays], dtype=float)
        self._is_home = np.array([s.place in homes for s in stays], dtype=bool)
        codes = {place: n for n, place in enumerate(dict.fromkeys(self._places))}
        self._codes = codes
        self._code: Ints = np.array([codes[p] for p in self._places], dtype=np.int64)
        self._came: Floats = self._arrival[self._is_home]
        self._left: Floats = self._departure[self._is_home]
        back = np.searchsorted(self._came, self._arrival, side="left")
        known = np.append(self._came, np.nan)
        home_at: Floats = known[np.minimum(back, len(self._came))]
        # of who is out, in the order in which they were home
        out = np.flatnonzero(~self._is_home)
        there = [local(float(time), zone) for time in self._arrival[out]]
        self._out_hour = np.array([t.hour + t.minute / 60 for t in there], dtype=float)
        self._out_weekday = np.array([t.weekday() for t in there], dtype=np.int64)
        self._out_code = self._code[out]
        self._out_arrival = self._arrival[out]
        self._out_stay_s = self._departure[out] - self._out_arrival
        self._out_home_at = home_at[out]
        self._out_home_s = self._out_home_at - self._out_arrival

    @property
    def last_left(self) -> float | None:
        """Event time at which they were last seen at home, None if never."""
        return float(self._left[-1]) if len(self._left) else None

    def from_stay(
        self, place: str, arrival: float, time: float, away_m: float = 0.0
    ) -> Times:
        """When they are home, from past stays like one that began at `arrival`.

        Args:
            place: id of the place, empty if not known.
            arrival: event time at which they came.
            time: event time now.
            away_m: how far from home they are. From afar other places say nothing.
        """
        known = int(np.searchsorted(self._out_home_at, time, side="right"))
        if not known:
            return self._or_any(_NEVER, time, away_m)
        hour, there = hour_of_day(arrival, self._zone), local(arrival, self._zone)
        turned = (self._out_hour[:known] - hour + 12.0) % 24.0 - 12.0
        ago = np.maximum(0.0, time - self._out_arrival[:known])
        weights = 0.5 ** (ago / _DAY_S / _HALF_LIFE_D)
        near = np.exp(-0.5 * (turned / _HOUR_WIDTH_H) ** 2)
        weights *= _OTHER_HOUR + (1.0 - _OTHER_HOUR) * near
        weights *= _alike(self._out_weekday[:known], there.weekday())
        if place or away_m > FAR_M:
            same = self._out_code[:known] == self._codes.get(place, -1)
            weights *= np.where(same, 1.0, 0.0 if away_m > FAR_M else _OTHER_PLACE)

        def laid(delay: Floats) -> Floats:
            by_clock = delay / (delay + _BY_CLOCK_S)
            times: Floats = arrival + np.maximum(
                delay + by_clock * turned * 3600.0, 0.3 * delay
            )
            return times

        leaves = laid(self._out_stay_s[:known])
        comes = laid(self._out_home_s[:known])
        weights = np.where(leaves > time, weights, 0.02 * weights)
        weights = np.where(comes > time, weights, 0.0)
        return self._or_any(Times(np.maximum(comes, time), weights), time, away_m)

    def from_routine(self, place: str, time: float, away_m: float = 0.0) -> Times:
        """When they were home on past days on which they were out at this hour."""
        if not len(self._came):
            return self._or_any(_NEVER, time, away_m)
        oldest = (time - self._arrival[0]) / _DAY_S
        days = np.arange(1, min(_MOST_DAYS, int(oldest)) + 1)
        moments = time - days * _DAY_S
        back = np.searchsorted(self._left, moments, side="right")
        known = back < len(self._came)
        back = np.minimum(back, len(self._came) - 1)
        came = self._came[back]
        out = known & (came > moments) & (came <= time)
        wait = np.where(out, came - moments, 0.0)
        weekday = (local(time, self._zone).weekday() - days) % 7
        weights = 0.5 ** (days / _HALF_LIFE_D) * out
        weights = weights * _alike(weekday, local(time, self._zone).weekday())
        was = np.searchsorted(self._arrival, moments, side="right") - 1
        was = np.maximum(was, 0)
        there = (self._departure[was] >= moments) & (
            self._code[was] == self._codes.get(place, -1)
        )
        weights *= np.where(there, 1.0, 0.0 if away_m > FAR_M else _OTHER_SPOT)
        if self.last_left is not None:
            mine = max(0.0, time - self.last_left)
            gone = moments - np.where(back > 0, self._left[back - 1], moments)
            apart = np.log((mine + 1800.0) / (np.maximum(0.0, gone) + 1800.0))
            near = np.exp(-0.5 * (apart / _AWAY_WIDTH) ** 2)
            weights *= _OTHER_AWAY + (1.0 - _OTHER_AWAY) * near
        return self._or_any(Times(time + wait, weights), time, away_m)

    def kind(self, time: float, *, is_trip: bool, away_m: float = 0.0) -> Kind:
        """Where the person is on the way home."""
        left = self.last_left
        if away_m > FAR_M or (left is not None and time - left > JOURNEY_S):
            return Kind.JOURNEY
        return Kind.TRIP if is_trip else Kind.STAY

    def _or_any(self, found: Times, time: float, away_m: float) -> Times:
        """With what is thought before anything is known, weighing little."""
        kind = self.kind(time, is_trip=False, away_m=away_m)
        both = together([found, _anytime(time, is_journey=kind is Kind.JOURNEY)])
        if away_m <= FAR_M:
            return both
        return both.not_before(time + away_m / _FLIGHT_MPS)


def _alike(past: Ints, now: int) -> Floats:
    """How much a past weekday says about this one, Monday being 0."""
    kind = np.where((past >= 5) == (now >= 5), _SAME_KIND, _OTHER_KIND)
    return np.where(past == now, 1.0, kind)


def _anytime(time: float, *, is_journey: bool = False) -> Times:
    ahead = _JOURNEY_S if is_journey else _ANY_S
    weight = _JOURNEY_WEIGHT if is_journey else _ANY_WEIGHT
    return Times(time + ahead, np.full(len(ahead), weight / len(ahead)))


def forecast(
    person: str, time: float, says: Sequence[Times], state: HomeState, kind: Kind
) -> HomeForecast:
    """The forecast of two experts, with intervals that are steered."""
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


def add_check(state: HomeState, made: HomeCheck) -> None:
    """Keep an estimate, thinner the longer they are out."""
    state.checks.append(made)
    if len(state.checks) > _MOST_CHECKS:
        del state.checks[1::2]
    is_trip = made.kind is Kind.TRIP
    state.next_check = made.time + (CHECK_TRIP_S if is_trip else CHECK_S)


def judge(state: HomeState, arrival: float) -> None:
    """They are home since `arrival`: learn from what was put aside."""
    for made in state.checks:
        if made.time >= arrival:
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
