"""One person's life, foretold and lived: every forecast judged at its moment.

Prequential (A. P. Dawid, J. R. Statist. Soc. A 147, 1984): each forecast is made from
the samples up to its time. Until a departure is sure nobody knows that a trip runs;
what counts up to then is the forecast for leaving at that time, and the baselines see
no position. Where a long silence ends the forecasts of a trip, the last one stands.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
from benchmarks.anticipation.baseline import Baseline, baselines
from benchmarks.anticipation.baseline.duration import median, straight
from benchmarks.anticipation.memory import Drive, Memory
from benchmarks.anticipation.score import Guess, judge
from benchmarks.anticipation.scout import Moment, Plan
from benchmarks.anticipation.table import Table, TableWriter

from trivet.domain import Forecast, Sample
from trivet.engine import Anticipator, TripEnded, TripStarted
from trivet.engine.trip import RunningTrip

_DAY_S = 86_400.0


class _Ride:
    """The running trip as it is judged."""

    def __init__(
        self, trip: RunningTrip, plan: Plan, sure: float, left: Forecast
    ) -> None:
        self.trip, self.plan, self.sure, self.left = trip, plan, sure, left
        self.asked: dict[Moment, Forecast] = {}

    def last(self) -> Forecast:
        return next(reversed(self.asked.values()), self.left)


class Judge:
    """Goes over one person's samples once, asking and comparing.

    Args:
        anticipator: fresh.
        plans: the trips to judge, in order, of a scout.
    """

    def __init__(self, anticipator: Anticipator, plans: Iterable[Plan]) -> None:
        self.anticipator = anticipator
        self._plans = deque(plans)
        self._memory = Memory()
        self._baselines: dict[str, Baseline] = baselines()
        self._table = TableWriter()
        self._ride: _Ride | None = None
        self._wanted: deque[Moment] = deque()
        self._start: float | None = None
        self._lat = self._lon = np.empty(0)

    def run(self, samples: Iterable[Sample]) -> Table:
        """Live and judge it all."""
        for sample in samples:
            self._start = sample.time if self._start is None else self._start
            while self._wanted and self._wanted[0].time < sample.time:
                self._ask(self._wanted.popleft())
            for event in self.anticipator.learn_one(sample):
                if isinstance(event, TripStarted):
                    self._set_off(event)
                elif isinstance(event, TripEnded):
                    self._arrive(event)
        return self._table.finish()

    def _set_off(self, event: TripStarted) -> None:
        """Take up a trip that is now sure, if it is one to judge."""
        self._ride, self._wanted = None, deque()
        while self._plans and self._plans[0].departure < event.departure:
            self._plans.popleft()
        trip = self.anticipator.current_trip
        left = self.anticipator.predict_departure(event.departure)
        if trip is None or left is None or not self._plans:
            return
        if self._plans[0].departure == event.departure:
            plan = self._plans.popleft()
            self._ride = _Ride(trip, plan, event.time, left)
            self._wanted = deque(plan.moments)
            self._look()

    def _look(self) -> None:
        self._lat, self._lon = self._memory.look(self.anticipator.places)

    def _ask(self, moment: Moment) -> None:
        ride = self._ride
        if ride is None:
            return
        found: Forecast | None = ride.left
        if moment.time >= ride.sure:
            before = time.thread_time()
            found = self.anticipator.predict_one(moment.time, explains=False)
            self._table.costs_s.append(time.thread_time() - before)
        ride.asked[moment] = ride.last() if found is None else found

    def _arrive(self, event: TripEnded) -> None:
        ride, self._ride = self._ride, None
        self._wanted.clear()
        if ride is None or not event.trip.destination:
            return
        truth = self._memory.number(event.trip.destination)
        for moment in ride.plan.moments:
            self._compare(ride, moment, event, truth)
        drive = self._drive(ride, ride.plan.arrival, is_over=True)
        self._memory.learn(drive, truth, ride.plan.arrival)
        self._look()

    def _drive(self, ride: _Ride, moment: float, *, is_over: bool = False) -> Drive:
        trip, number = ride.trip, self._memory.numbers.get
        count = bisect_right(trip.trace, moment, key=lambda point: point.time)
        if moment < ride.sure and not is_over:
            count = 0
        return Drive(
            number(trip.origin, -1),
            number(trip.before, -1),
            trip.departure,
            trip.hour,
            trip.weekend,
            moment,
            trip.trace[:count],
            trip.lengths[count - 1] if count else 0.0,
            self._lat,
            self._lon,
        )

    def _compare(
        self, ride: _Ride, moment: Moment, event: TripEnded, truth: int
    ) -> None:
        """One row of the table: everybody's guess at one moment."""
        if event.lat is None or event.lon is None:
            return
        forecast, table = ride.asked[moment], self._table
        drive = self._drive(ride, moment.time)
        day = (ride.trip.departure - (self._start or 0.0)) / _DAY_S
        length_s = ride.plan.arrival - ride.trip.departure
        table.begin(moment, int(day) + 1, not event.is_new, length_s)
        table.add_forecast(forecast, event)
        own = self._guess(forecast)
        table.add_hit("trivet", judge(own, truth, event.lat, event.lon))
        told = truth if not event.is_new else -1
        best = -1
        for name, baseline in self._baselines.items():
            guess = baseline(self._memory, drive)
            table.add_hit(name, judge(guess, truth, event.lat, event.lon))
            if name == "neighbour" and np.isfinite(guess.lat).any():
                best = int(np.argmax(np.where(np.isfinite(guess.lat), guess.score, -1)))
        self._compare_arrivals(drive, {"": best, "told ": told}, ride.plan.arrival)
        candidate = next(
            (c for c in forecast.candidates if c.place == event.trip.destination), None
        )
        if told >= 0 and candidate is not None:
            table.add_interval("told trivet", candidate.arrival, ride.plan.arrival)

    def _compare_arrivals(
        self, drive: Drive, destinations: Mapping[str, int], arrival: float
    ) -> None:
        for word, number in destinations.items():
            if not 0 <= number < len(drive.lat):
                continue
            for name, rule in (("median", median), ("straight", straight)):
                said = rule(self._memory, drive, number)
                self._table.add_interval(word + name, said, arrival)

    def _guess(self, forecast: Forecast) -> Guess:
        """The candidates that have a position; somewhere new is passed over."""
        count = len(self._lat)
        score, lat, lon = np.full((3, count + len(forecast.candidates)), np.nan)
        for extra, candidate in enumerate(forecast.candidates):
            if candidate.lat is None or candidate.lon is None:
                continue
            index = self._memory.numbers.get(candidate.place, count + extra)
            index = index if index < count else count + extra
            score[index] = candidate.probability
            lat[index], lon[index] = candidate.lat, candidate.lon
        return Guess(score, lat, lon)
