"""Forecasts for a running trip: destination and arrival together, with reasons."""

from __future__ import annotations

import msgspec
import numpy as np

from trivet.domain.forecast import Candidate, Forecast, Interval
from trivet.engine.arrival import NEW, Calibration, Remaining, estimate, mix
from trivet.engine.destination import Prior, choose, weigh
from trivet.engine.evidence import COLUMNS, Evidence, gather
from trivet.engine.history import History
from trivet.engine.pace import compare
from trivet.engine.place import PlaceBook
from trivet.engine.reason import Grounds
from trivet.engine.route import Floats, RouteMatch
from trivet.engine.trip import Query, RunningTrip

_MOST_CANDIDATES = 12
_ELSEWHERE = "somewhere new"
_DETOUR = COLUMNS.index("detour")
#: Elapsed seconds at which a running trip's estimates are put aside to learn from.
CHECKS_S = (0.0, 120.0, 360.0, 900.0, 2700.0, 8100.0)


class Check(msgspec.Struct, frozen=True):
    """Estimates put aside during a trip, to be judged when it has ended.

    Attributes:
        time: event time.
        seconds: estimated remaining time for each place.
        source: how each was estimated.
        new: estimated remaining time to somewhere new.
        low: event time where the trip's interval began.
        high: event time where it ended.
    """

    time: float
    seconds: dict[str, float]
    source: dict[str, int]
    new: float
    low: float
    high: float


class _View(msgspec.Struct, frozen=True):
    """All that is worked out for one forecast."""

    prior: Prior
    match: RouteMatch
    alike: Floats
    evidence: Evidence
    probability: Floats
    new: float
    remaining: Remaining


class Forecaster:
    """Forecasts running trips from past ones, and learns how wrong it was."""

    def __init__(
        self,
        person: str,
        history: History,
        book: PlaceBook,
        calibration: Calibration,
    ) -> None:
        self._person = person
        self._history = history
        self._book = book
        self._calibration = calibration
        self._key: tuple[Query, int, int] | None = None
        self._prior: Prior | None = None
        self._match = RouteMatch(0)
        self._matched: RunningTrip | None = None

    def forecast(self, trip: RunningTrip, time: float) -> Forecast:
        """The forecast for a trip that is under way at event time `time`."""
        view = self._view(trip, time)
        grounds = Grounds(
            self._history, self._book, view.prior, trip.query, view.match, view.alike
        )
        order = np.argsort(-view.probability, kind="stable")[:_MOST_CANDIDATES]
        found = [self._candidate(view, grounds, int(number)) for number in order]
        rest = max(0.0, 1.0 - sum(candidate.probability for candidate in found))
        elsewhere = mix(self._calibration, view.remaining, [], 1.0)
        found.append(
            Candidate("", _ELSEWHERE, rest, arrival=elsewhere, reasons=grounds.of_new())
        )
        found.sort(key=lambda candidate: -candidate.probability)
        return Forecast(
            self._person,
            time,
            trip.departure,
            trip.origin,
            tuple(found),
            self._arrival(view),
            trip.driven_m,
        )

    def check(self, trip: RunningTrip, time: float) -> Check:
        """Put aside what is estimated now."""
        view = self._view(trip, time)
        arrival = self._arrival(view)
        keep = np.argsort(-view.probability, kind="stable")[:64]
        places = view.prior.places
        return Check(
            time,
            {places[n]: float(view.remaining.seconds[n]) for n in keep},
            {places[n]: int(view.remaining.source[n]) for n in keep},
            view.remaining.new,
            arrival.low if arrival else time,
            arrival.high if arrival else time,
        )

    def learn(
        self, checks: list[Check], destination: str, arrival: float, is_new: bool
    ) -> None:
        """Judge what was put aside, now that the trip has ended."""
        for check in checks:
            true_s = arrival - check.time
            if true_s < 0:
                continue
            self._calibration.steer(check.low <= arrival <= check.high)
            if is_new:
                self._calibration.learn(NEW, check.new, true_s)
                continue
            estimated = check.seconds.get(destination)
            if estimated is not None and np.isfinite(estimated):
                source = check.source[destination]
                self._calibration.learn(source, estimated, true_s)

    def _view(self, trip: RunningTrip, time: float) -> _View:
        prior = self._prior_of(trip.query)
        match = self._match_of(trip)
        alike = np.empty(0)
        if not trip.trace and time > trip.departure:
            alike = compare(self._history, trip, time, prior.weights)
        evidence = gather(prior, trip, match, alike)
        probability, new = choose(evidence.table, evidence.new)
        remaining = estimate(self._history, prior, trip, match, alike, evidence, time)
        return _View(prior, match, alike, evidence, probability, new, remaining)

    def _prior_of(self, query: Query) -> Prior:
        key = (query, self._history.version, self._book.version)
        if self._prior is None or key != self._key:
            self._prior, self._key = weigh(self._history, self._book, query), key
        return self._prior

    def _match_of(self, trip: RunningTrip) -> RouteMatch:
        """The match of this trip, followed on from where it was."""
        if not trip.trace:
            return RouteMatch(len(self._history))
        if trip is not self._matched or self._match.version != self._history.version:
            self._matched = trip
            self._match = RouteMatch(len(self._history), self._history.version)
        self._match.follow(self._history.routes, trip.trace, trip.lengths)
        return self._match

    def _candidate(self, view: _View, grounds: Grounds, number: int) -> Candidate:
        place = self._book.places[view.prior.places[number]]
        away_m = float(view.evidence.away_m[number])
        closing = float(view.evidence.table[number, _DETOUR])
        return Candidate(
            place.id,
            place.label,
            float(view.probability[number]),
            place.lat,
            place.lon,
            mix(self._calibration, view.remaining, [(number, 1.0)], 0.0),
            grounds.of(number, place.label, away_m, closing),
        )

    def _arrival(self, view: _View) -> Interval | None:
        order = np.argsort(-view.probability, kind="stable")[:_MOST_CANDIDATES]
        shares = [(int(n), float(view.probability[n])) for n in order]
        return mix(self._calibration, view.remaining, shares, view.new)
