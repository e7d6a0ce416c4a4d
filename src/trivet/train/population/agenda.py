"""A made-up person's days: when they leave, where for, how long they stay.

Times are hours since the first midnight; the first day is a Monday.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.random import Generator

from trivet.train.population.person import Person
from trivet.train.population.town import Spot, Town

_WEEK = 7


class Plan(msgspec.Struct, frozen=True):
    """The next thing that somebody does: a way, then a stay.

    Attributes:
        leave_h: when they want to leave.
        stops: points to pass on the way without staying, then where it leads.
        stay_h: how long they stay there at least.
        is_loop: a walk or a run that ends where it began.
    """

    leave_h: float
    stops: tuple[Spot, ...]
    stay_h: float
    is_loop: bool = False


class Agenda:
    """One person's habits in time.

    Args:
        person: who.
        town: where.
        rng: theirs alone.
    """

    def __init__(self, person: Person, town: Town, rng: Generator) -> None:
        self._person, self._town, self._rng = person, town, rng
        shifts = ((8.5, 9.0), (6.0, 8.5), (13.5, 8.5), (21.5, 8.0))
        shift = int(rng.choice(4, p=(0.82, 0.08, 0.06, 0.04)))
        begin, length = shifts[shift]
        self._begin_h = begin + float(rng.normal(0.0, 0.8))
        self._length_h = length + float(rng.normal(0.0, 0.7))
        self._varies_h = float(rng.uniform(0.15, 1.3))
        self._works_days = float(rng.uniform(0.5, 1.0))
        self._weekend_work = float(rng.choice([0.05, 0.5], p=(0.8, 0.2)))
        self._lunch = float(rng.beta(1.2, 2.0))
        self._after = float(rng.beta(1.5, 3.0))
        self._evening = float(rng.beta(1.3, 3.5))
        self._outings = float(rng.uniform(0.6, 2.4))
        self._chain = float(rng.uniform(0.1, 0.45))
        self._errand = float(rng.beta(1.0, 5.0))
        self._loops = float(rng.choice([0.02, 0.35], p=(0.75, 0.25)))
        self._hops = float(rng.uniform(0.0, 0.9))
        self._moves = rng.random() < 0.3
        self._tours = float(rng.beta(1.0, 7.0))
        self._absent = float(rng.uniform(0.0, 0.06))

    def plans(self, days: int) -> Iterator[Plan]:
        """All they do in that many days."""
        rng = self._rng
        change = float(rng.uniform(0.3, 0.8)) * days if self._moves else np.inf
        away_until = -1.0
        for day in range(days):
            if day >= change:
                self._person.move()
                change = np.inf
            if rng.random() < self._absent:
                away_until = day + float(rng.integers(1, 5))
            if day < away_until:  # ill, or at home for other reasons
                continue
            yield from self._day(day)

    def _day(self, day: int) -> Iterator[Plan]:
        rng, person = self._rng, self._person
        weekend = day % _WEEK >= 5
        chance = self._weekend_work if weekend else self._works_days
        if person.works and rng.random() < chance:
            yield from self._work_day(day, weekend)
            if rng.random() < self._evening:
                hour = max(19.0, self._begin_h + self._length_h + 1.5)
                hour = hour + float(rng.exponential(0.8))
                yield from self._outing(day, hour, weekend)
        elif rng.random() < self._tours:
            yield from self._tour(day, weekend)
        else:
            for hour in sorted(rng.uniform(8.0, 20.5, rng.poisson(self._outings))):
                yield from self._outing(day, float(hour), weekend)
        if rng.random() < self._loops:
            hour = float(rng.choice([7.0, 20.5])) + float(rng.normal(0.0, 0.6))
            yield self._loop(day, hour)

    def _work_day(self, day: int, weekend: bool) -> Iterator[Plan]:
        rng, person = self._rng, self._person
        begin = day * 24 + self._begin_h + float(rng.normal(0.0, self._varies_h))
        end = begin + self._length_h + float(rng.normal(0.0, self._varies_h))
        site = person.sites[0]
        if rng.random() < 0.15 and len(person.sites) > 1:
            site = person.sites[int(rng.integers(1, len(person.sites)))]
        yield Plan(begin - 0.4, (*self._by_the_way(person.home), site), 1.0)
        now, lunch = begin + 1.0, begin + 3.6 + float(rng.normal(0.0, 0.3))
        while len(person.sites) > 1 and rng.random() < self._hops * 0.6:
            now += float(rng.exponential(1.5)) + 0.4
            if now > end - 1.0:
                break
            site = person.sites[int(rng.integers(len(person.sites)))]
            yield Plan(now, (site,), 0.3)
        if rng.random() < self._lunch and lunch < end - 1:
            hour = lunch % 24
            haunt = person.choose(site, day, hour, weekend, at_work=True)
            stay_h = haunt.stay_h * 0.7 * float(rng.lognormal(0.0, 0.3))
            yield Plan(max(lunch, now), (haunt.spot,), stay_h)
            yield Plan(max(lunch, now) + 0.2, (site,), 0.3)
        if rng.random() < self._after:
            yield from self._outing_from(site, end, weekend)
        else:
            yield Plan(end, (*self._by_the_way(site), person.home), 0.3)

    def _tour(self, day: int, weekend: bool) -> Iterator[Plan]:
        """A day in a part of town that they do not know."""
        rng, person = self._rng, self._person
        here, time = self._town.pick(rng, (0.0, 0.0), 0.0), day * 24 + 9.5
        for _ in range(int(rng.integers(2, 6))):
            haunt = person.choose(
                here, day, time % 24, weekend, at_work=False, explores=True
            )
            stay_h = haunt.stay_h * float(rng.lognormal(0.0, 0.3))
            yield Plan(time, (*self._by_the_way(here), haunt.spot), stay_h)
            here, time = haunt.spot, time + 0.2
        yield Plan(time, (person.home,), 0.3)

    def _outing(self, day: int, hour: float, weekend: bool) -> Iterator[Plan]:
        yield from self._outing_from(self._person.home, day * 24 + hour, weekend)

    def _outing_from(self, here: Spot, time: float, weekend: bool) -> Iterator[Plan]:
        """One place or more, one after the other, then home."""
        rng, person = self._rng, self._person
        while True:
            day, hour = time // 24, time % 24
            haunt = person.choose(here, day, hour, weekend, at_work=False)
            stay_h = haunt.stay_h * float(rng.lognormal(0.0, 0.35))
            yield Plan(time, (*self._by_the_way(here), haunt.spot), stay_h)
            here, time = haunt.spot, time + 0.1
            if rng.random() > self._chain:
                break
        yield Plan(time, (*self._by_the_way(here), person.home), 0.3)

    def _by_the_way(self, here: Spot) -> tuple[Spot, ...]:
        """Sometimes a child is taken to school, bread is bought, a walk made longer."""
        rng, person = self._rng, self._person
        if rng.random() > self._errand:
            return ()
        if person.haunts and rng.random() < 0.5:
            return (person.haunts[int(rng.integers(min(4, len(person.haunts))))].spot,)
        return (self._town.pick(rng, here, 2.0),)

    def _loop(self, day: int, hour: float) -> Plan:
        rng, home = self._rng, self._person.home
        turn, reach = float(rng.uniform(0.0, 6.28)), float(rng.uniform(300.0, 1500.0))
        far = (home[0] + reach * np.cos(turn), home[1] + reach * np.sin(turn))
        return Plan(day * 24 + hour, ((float(far[0]), float(far[1])), home), 0.3, True)
