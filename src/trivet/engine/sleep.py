"""Sleep: when somebody went to bed and got up, out of what was quiet at home.

A night is the longest stretch of an evening and morning in which the home is dark, not
empty, and nothing is done by hand; a few minutes of light in it are a walk to the
bathroom. It is found at two in the afternoon. Tomorrow's is told by past nights: those
before the same kind of day, and those of late, speak the louder.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

import msgspec
import numpy as np

from trivet.domain.clock import local
from trivet.domain.forecast import Interval
from trivet.engine.sequence import interval
from trivet.engine.timeline import is_event_time

#: A night is looked for between these local hours.
FROM_H, TO_H = 18, 14
#: Quiet for less is no part of a night; a night is at least so long.
_QUIET_S, _NIGHT_S = 45 * 60.0, 3 * 3600.0
#: Something done in the small hours, for no longer than this, does not end a night.
_WALK_S, _SMALL_HOURS = 20 * 60.0, range(0, 5)
_HALF_LIFE_D = 28.0
#: Weight of a night before another weekday of the same kind, and of the other kind.
_SAME_KIND, _OTHER_KIND = 0.5, 0.06
#: Nights that are kept.
MOST_NIGHTS = 400
_MOST_MOMENTS = 4000
_DAY_S = 86_400.0


class Night(msgspec.Struct, frozen=True, array_like=True):
    """One night: event times of going to bed and of getting up."""

    bed: float
    wake: float

    @property
    def is_sound(self) -> bool:
        """Whether it is of the calendar."""
        return is_event_time(self.bed) and is_event_time(self.wake)


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """Something was done: when, and whether it was dark and somebody in after it."""

    time: float
    is_dark: bool
    is_home: bool


class Nights:
    """The nights of one person, or of the home as a whole.

    Args:
        zone: the home's time zone.
        nights: oldest first.
        moments: of what was done since the last night.
    """

    def __init__(
        self,
        zone: tzinfo,
        nights: Iterable[Night] = (),
        moments: Iterable[Moment] = (),
    ) -> None:
        self._zone = zone
        self.nights = list(nights)
        self.moments = list(moments)
        #: of each night: its midnight, bed and wake from there, weekday of waking
        self._laid: list[tuple[float, float, float, int]] = []

    def learn_one(self, time: float, *, is_dark: bool = True, is_home: bool) -> None:
        """Take up that something was done.

        Args:
            time: event time.
            is_dark: no lamp is on from here on.
            is_home: they are in from here on.
        """
        if self.moments and time < self.moments[-1].time:
            return
        self._close(time)
        self.moments.append(Moment(time, is_dark, is_home))
        del self.moments[:-_MOST_MOMENTS]

    def predict_bed(self, time: float, level: float = 0.8) -> Interval | None:
        """When they next go to bed after event time `time`; None before any night."""
        return self._predict(time, level, wakes=False)

    def predict_wake(self, time: float, level: float = 0.8) -> Interval | None:
        """When they next get up after event time `time`; None before any night."""
        return self._predict(time, level, wakes=True)

    def forget(self, since: float, until: float) -> int:
        """Forget the nights and the moments that the span touches."""
        nights = [n for n in self.nights if n.wake < since or n.bed >= until]
        gone = len(self.nights) - len(nights)
        self.nights = nights
        self._laid.clear()
        self.moments = [m for m in self.moments if not since <= m.time < until]
        return gone

    def _close(self, time: float) -> None:
        """Find the nights whose afternoon has come."""
        while self.moments:
            first = self.moments[0].time
            end = self._afternoon(first)
            if time < end:
                return
            begin = end - ((24 - FROM_H) + TO_H) * 3600.0
            found = [m for m in self.moments if begin <= m.time < end]
            night = find_night(found, self._zone)
            if night is not None:
                self.nights.append(night)
                if len(self.nights) > MOST_NIGHTS:
                    del self.nights[0]
                    self._laid.clear()
            self.moments = [m for m in self.moments if m.time >= end]

    def _afternoon(self, time: float) -> float:
        """The first 14:00 local after a time."""
        there = local(time, self._zone)
        day = there.date() + timedelta(days=there.hour >= TO_H)
        return datetime(
            day.year, day.month, day.day, TO_H, tzinfo=self._zone
        ).timestamp()

    def _predict(self, time: float, level: float, *, wakes: bool) -> Interval | None:
        if not self.nights:
            return None
        now = local(time, self._zone)
        for ahead in range(3):
            day = now.date() + timedelta(days=ahead)
            midnight = self._midnight(datetime(day.year, day.month, day.day))
            times, weights = self._witnesses(midnight, day.weekday(), wakes=wakes)
            left = times > time
            # most of what they do at this hour lies behind: it is about the next day
            if weights[left].sum() > 0.1 * weights.sum():
                return interval(times[left], weights[left], level)
        return None

    def _witnesses(
        self, midnight: float, weekday: int, *, wakes: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Times of past nights laid onto the night that ends after a midnight."""
        for night in self.nights[len(self._laid) :]:
            woken = local(night.wake, self._zone)
            start = self._midnight(woken)
            laid = (start, night.bed - start, night.wake - start, woken.weekday())
            self._laid.append(laid)
        starts, beds, wakes_, weekdays = np.array(self._laid).T
        weights = 0.5 ** (np.maximum(0.0, midnight - starts) / _DAY_S / _HALF_LIFE_D)
        same = (weekdays >= 5) == (weekday >= 5)
        kind = np.where(same, _SAME_KIND, _OTHER_KIND)
        weights *= np.where(weekdays == weekday, 1.0, kind)
        return midnight + (wakes_ if wakes else beds), weights

    def _midnight(self, there: datetime) -> float:
        day = datetime(there.year, there.month, there.day, tzinfo=self._zone)
        return day.timestamp()


def find_night(moments: list[Moment], zone: tzinfo) -> Night | None:
    """The longest dark quiet stretch between what was done; None when there is none."""
    quiet: list[tuple[float, float, float]] = []  # from, to, quiet seconds in it
    for one, other in itertools.pairwise(moments):
        span = other.time - one.time
        if span < _QUIET_S or not one.is_dark or not one.is_home:
            continue
        is_walk = local(one.time, zone).hour in _SMALL_HOURS
        if quiet and is_walk and one.time - quiet[-1][1] <= _WALK_S:
            begin, _, slept = quiet.pop()
            quiet.append((begin, other.time, slept + span))
        else:
            quiet.append((one.time, other.time, span))
    longest = max(quiet, key=lambda stretch: stretch[2], default=None)
    if longest is None or longest[2] < _NIGHT_S:
        return None
    return Night(longest[0], longest[1])
