"""A made-up life as the positions that a phone or a logger records of it."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, hypot, radians

import numpy as np
from numpy.random import Generator

from trivet.domain.geo import DEGREE_M
from trivet.domain.sample import LOCATION, Position, Sample
from trivet.engine.route import Floats
from trivet.train.population.agenda import Agenda, Plan
from trivet.train.population.journey import WALK, Leg
from trivet.train.population.person import Person
from trivet.train.population.town import Spot, Town

#: Event time of the first midnight: Monday 6 January 2020, UTC.
EPOCH_S = 1_578_268_800.0
DEVICE = "phone"
_HOUR_S = 3600.0
#: How many days are known of a person, from and below, and the seed of that.
_DAYS, _LENGTHS = (40, 150), 9


def live(seed: int, number: int, days: int | None = None) -> Iterator[Sample]:
    """The samples of one person's days, in order of time, in UTC.

    Args:
        seed: of the population.
        number: of the person; each lives in a town of their own.
        days: how many; for some they are known longer than for others if None.
    """
    if days is None:
        days = int(np.random.default_rng([_LENGTHS, number]).integers(*_DAYS))
    rng = np.random.default_rng([seed, number])
    town = Town(rng)
    person = Person(town, rng)
    recorder = Recorder(rng, _latitude(rng), float(rng.uniform(-170.0, 170.0)))
    here, now = person.home, 0.0
    for plan in Agenda(person, town, rng).plans(days):
        leave = max(now, plan.leave_h * _HOUR_S + float(rng.normal(0.0, 120.0)))
        recorder.is_on = recorder.is_kept(leave)
        yield from recorder.stay(here, now, leave)
        goal = plan.stops[-1]
        if hypot(goal[0] - here[0], goal[1] - here[1]) < 30.0 and not plan.is_loop:
            now = leave
            continue
        leg = _go(person, plan, here, leave)
        yield from recorder.follow(leg, leave)
        now = leave + float(leg.seconds[-1])
        here = (float(leg.east[-1]), float(leg.north[-1]))
        until = now + plan.stay_h * _HOUR_S
        yield from recorder.stay(here, now, until)
        now = until


def _go(person: Person, plan: Plan, here: Spot, leave: float) -> Leg:
    means = WALK if plan.is_loop else person.means(here, plan.stops[-1])
    # nobody parks in the same spot twice
    rng, goal = person.rng, plan.stops[-1]
    spread = 12.0 if means == WALK else 30.0
    end = (
        goal[0] + float(rng.normal(0.0, spread)),
        goal[1] + float(rng.normal(0.0, spread)),
    )
    stops = [here, *plan.stops[:-1], end]
    return person.ways.go(means, stops, leave / _HOUR_S % 24)


def _latitude(rng: Generator) -> float:
    return float(rng.uniform(25.0, 60.0) * rng.choice([1.0, 1.0, -0.6]))


class Recorder:
    """A phone that always records, or a logger that is switched on for trips.

    Attributes:
        is_on: whether the coming trip is recorded.
    """

    def __init__(self, rng: Generator, lat: float, lon: float) -> None:
        self._rng, self._lat, self._lon = rng, lat, lon
        self._east_m = DEGREE_M * cos(radians(lat))
        self._is_logger = rng.random() < 0.35
        period_s = (4.0, 10.0, 20.0, 45.0)
        self._period_s = period_s[int(rng.choice(4, p=(0.3, 0.35, 0.25, 0.1)))]
        self._rest_s = float(rng.choice([240.0, 480.0, 900.0]))
        self._noise_m = float(rng.uniform(3.0, 14.0))
        self._forgets = float(rng.beta(1.0, 8.0)) if self._is_logger else 0.01
        self.is_on = True
        self._last = -1.0

    def is_kept(self, time: float) -> bool:
        """Whether the trip that begins then is recorded."""
        return self._rng.random() >= self._forgets

    def stay(self, spot: Spot, since: float, until: float) -> Iterator[Sample]:
        """What is recorded of a stay, in seconds since the first midnight."""
        if not self.is_on:
            return
        period, end = self._rest_s, until
        if self._is_logger:  # it runs on for a while
            period, end = 30.0, min(until, since + float(self._rng.uniform(30.0, 900)))
        times = np.arange(since + 5.0, end, period)
        count = len(times)
        spread = 0.8 * self._noise_m
        yield from self._samples(
            times,
            spot[0] + self._rng.normal(0.0, spread, count),
            spot[1] + self._rng.normal(0.0, spread, count),
        )

    def follow(self, leg: Leg, leave: float) -> Iterator[Sample]:
        """What is recorded of a way that begins at `leave`."""
        if not self.is_on:
            return
        rng, late = self._rng, 0.0
        if self._is_logger:
            late = float(rng.exponential(60.0))
        times = np.arange(late, float(leg.seconds[-1]), self._period_s)
        begin, end = leg.hidden
        if end > begin:
            times = times[(times < begin) | (times > end)]
        count = len(times)
        yield from self._samples(
            times + leave,
            np.interp(times, leg.seconds, leg.east) + self._drift(count),
            np.interp(times, leg.seconds, leg.north) + self._drift(count),
        )

    def _drift(self, count: int) -> Floats:
        """Errors that last for some fixes, and now and then are great."""
        steps = self._rng.normal(0.0, 1.0, count)
        keep = 0.9 ** (self._period_s / 5.0)
        drift, error = np.empty(count), 0.0
        for index, step in enumerate(steps.tolist()):
            error = keep * error + (1.0 - keep * keep) ** 0.5 * step
            drift[index] = error
        great = self._rng.random(count) < 0.003
        return drift * self._noise_m * np.where(great, 10.0, 1.0)

    def _samples(self, times: Floats, east: Floats, north: Floats) -> Iterator[Sample]:
        lats = self._lat + north / DEGREE_M
        lons = self._lon + east / self._east_m
        rows = zip(times.tolist(), lats.tolist(), lons.tolist(), strict=True)
        for time, lat, lon in rows:
            if time > self._last:
                self._last = time
                yield Sample(DEVICE, LOCATION, EPOCH_S + time, Position(lat, lon, None))
