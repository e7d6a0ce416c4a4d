"""The way home: what past days say of when a person is home, from wherever they are.

Three speak. On a trip, its forecast: it goes home and arrives, or goes elsewhere, where
they stay a while first. At a place, past stays that began like this one: how long until
they were home; once of all stays, and once of those on the same weekday and after the
same place. And everywhere the routine: past days on which they were out at this hour,
and when they were home then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo
from functools import lru_cache

import numpy as np

from trivet.domain.clock import hour_of_day, local
from trivet.domain.place import Stay
from trivet.engine.homecoming import Kind
from trivet.engine.route import Floats, Ints
from trivet.engine.times import Times, together

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
#: Likewise of who looks at the same weekday, the same hour and the same way there.
_NEAR_KIND, _NEAR_OTHER, _NEAR_BEFORE, _NEAR_HOUR_H = 0.05, 0.01, 0.1, 0.9
_AWAY_WIDTH, _OTHER_AWAY = 0.5, 0.1
#: A delay of this length is told half by how long it took and half by the clock.
_BY_CLOCK_S = 3600.0
#: What is thought before anything is known, in hours, and how little it weighs.
_ANY = 3600.0 * np.array((0.3, 0.7, 1.5, 3.0, 6.0, 12.0)), np.full(6, 0.02 / 6)
#: Likewise of who is on a journey.
_JOURNEY = (
    3600.0 * np.array((3.0, 9.0, 18.0, 30.0, 48.0, 80.0, 120.0, 180.0, 260.0)),
    np.full(9, 0.5 / 9),
)
#: Past days, the day before first, and how much each weighs.
_DAYS = np.arange(1, _MOST_DAYS + 1)
_DAYS_WEIGHT = 0.5 ** (_DAYS / _HALF_LIFE_D)
_NEVER = Times(np.empty(0), np.empty(0))


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
        places = [stay.place for stay in stays]
        self._arrival: Floats = np.array([s.arrival for s in stays], dtype=float)
        self._departure: Floats = np.array([s.departure for s in stays], dtype=float)
        codes = {place: n for n, place in enumerate(dict.fromkeys(places))}
        self._codes = codes
        self._code: Ints = np.array([codes[p] for p in places], dtype=np.int64)
        is_home = np.isin(self._code, [codes[home] for home in homes if home in codes])
        self._came: Floats = self._arrival[is_home]
        self._left: Floats = self._departure[is_home]
        back = np.searchsorted(self._came, self._arrival, side="left")
        known = np.append(self._came, np.nan)
        home_at: Floats = known[np.minimum(back, len(self._came))]
        # of who is out, in the order in which they were home
        out = np.flatnonzero(~is_home)
        there = [_hour_and_day(time, zone) for time in self._arrival[out].tolist()]
        self._out_hour = np.array([hour for hour, _ in there], dtype=float)
        self._out_weekday = np.array([day for _, day in there], dtype=np.int64)
        self._out_code = self._code[out]
        self._out_before = np.append(-1, self._code)[out]
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
    ) -> list[Times]:
        """When they are home, from past stays like one that began at `arrival`.

        Args:
            place: id of the place, empty if not known.
            arrival: event time at which they came.
            time: event time now.
            away_m: how far from home they are. From afar other places say nothing.

        Returns:
            By all stays, and by those much alike.
        """
        [found] = self.from_stays([(place, arrival, time)], away_m)
        return found

    def from_stays(
        self, asked: Sequence[tuple[str, float, float]], away_m: float = 0.0
    ) -> list[list[Times]]:
        """`from_stay` of several at once: place, arrival and event time of each."""
        times = [time for _, _, time in asked]
        every = set(np.searchsorted(self._out_home_at, times, side="right").tolist())
        if len(every) > 1:  # not the same past is known at all of them
            return [found for one in asked for found in self.from_stays([one], away_m)]
        if not any(every):
            return [[self._or_any(_NEVER, time, away_m)] * 2 for time in times]
        comes, *both = self._laid(every.pop(), asked, away_m)
        return [
            [self._or_any(Times(comes[n], each[n]), time, away_m) for each in both]
            for n, time in enumerate(times)
        ]

    def _laid(
        self, known: int, asked: Sequence[tuple[str, float, float]], away_m: float
    ) -> tuple[Floats, Floats, Floats]:
        """The first `known` stays laid on others, a row for each of these.

        Returns:
            When they would be home, and the weights by all and by those much alike.
        """
        arrival, time = np.array([one[1:] for one in asked]).T[:, :, None]
        weights = self._recent(known, [place for place, _, _ in asked], time, away_m)
        hour = np.array([[hour_of_day(one[1], self._zone)] for one in asked])
        today = np.array([[local(one[1], self._zone).weekday()] for one in asked])
        turned = (self._out_hour[:known] - hour + 12.0) % 24.0 - 12.0

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
        past = self._out_weekday[:known]
        alike = _at_hour(turned, _HOUR_WIDTH_H)
        alike *= _alike(past, today, _SAME_KIND, _OTHER_KIND)
        much = _at_hour(turned, _NEAR_HOUR_H)
        much *= _alike(past, today, _NEAR_KIND, _NEAR_OTHER)
        before = np.array([[self._before(one[1])] for one in asked])
        much *= np.where(self._out_before[:known] == before, 1.0, _NEAR_BEFORE)
        return np.maximum(comes, time), weights * alike, weights * much

    def _recent(
        self, known: int, places: Sequence[str], time: Floats, away_m: float
    ) -> Floats:
        """How much past stays say by how long ago they were, and where."""
        ago = np.maximum(0.0, time - self._out_arrival[:known])
        codes = np.array([[self._codes.get(place, -1)] for place in places])
        other = [0.0 if away_m > FAR_M else _OTHER_PLACE if p else 1.0 for p in places]
        where = np.where(self._out_code[:known] == codes, 1.0, np.array(other)[:, None])
        weights: Floats = 0.5 ** (ago / _DAY_S / _HALF_LIFE_D) * where
        return weights

    def _before(self, arrival: float) -> int:
        """Code of the last place that they came to before `arrival`."""
        index = int(np.searchsorted(self._arrival, arrival, side="left")) - 1
        return int(self._code[index]) if index >= 0 else -1

    def from_routine(self, place: str, time: float, away_m: float = 0.0) -> Times:
        """When they were home on past days on which they were out at this hour."""
        if not len(self._came):
            return self._or_any(_NEVER, time, away_m)
        oldest = (time - self._arrival[0]) / _DAY_S
        days = _DAYS[: max(0, min(_MOST_DAYS, int(oldest)))]
        moments = time - days * _DAY_S
        back = np.searchsorted(self._left, moments, side="right")
        known = back < len(self._came)
        back = np.minimum(back, len(self._came) - 1)
        came = self._came[back]
        out = known & (came > moments) & (came <= time)
        wait = np.where(out, came - moments, 0.0)
        today = local(time, self._zone).weekday()
        weights = _DAYS_WEIGHT[: len(days)] * out
        weights = weights * _SAME_DAY[today][: len(days)]
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


@lru_cache(maxsize=8192)
def _hour_and_day(time: float, zone: tzinfo) -> tuple[float, int]:
    """Local hour to the minute, and weekday, of a past stay."""
    there = local(time, zone)
    return there.hour + there.minute / 60, there.weekday()


def _alike(past: Ints, now: Ints | int, same: float, other: float) -> Floats:
    """How much a past weekday says about this one, Monday being 0.

    Args:
        past: weekdays.
        now: this one, or a row for each of several.
        same: weight of others of the same kind.
        other: weight of those of the other kind.
    """
    kind = np.where((past >= 5) == (np.asarray(now) >= 5), same, other)
    return np.where(past == now, 1.0, kind)


def _at_hour(turned: Floats, width_h: float) -> Floats:
    """How much another hour, so many hours off, says about this one."""
    near = np.exp(-0.5 * (turned / width_h) ** 2)
    weights: Floats = _OTHER_HOUR + (1.0 - _OTHER_HOUR) * near
    return weights


def _anytime(time: float, *, is_journey: bool = False) -> Times:
    ahead, weights = _JOURNEY if is_journey else _ANY
    return Times(time + ahead, weights)


#: How much past days say about a Monday, a Tuesday and so on, the day before first.
_SAME_DAY = [
    _alike((today - _DAYS) % 7, today, _SAME_KIND, _OTHER_KIND) for today in range(7)
]
