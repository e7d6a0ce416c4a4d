"""Forecasts for a running trip: destination and arrival together, with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from math import inf
from typing import TypeVar

import msgspec
import numpy as np

from trivet.domain.clock import local
from trivet.domain.forecast import Candidate, Forecast, Interval, Reason
from trivet.domain.place import Trip
from trivet.engine.arrival import Remaining, estimate, interval, interval_new, mix
from trivet.engine.destination import Prior, weigh
from trivet.engine.evidence import COLUMNS, Evidence, gather
from trivet.engine.history import History
from trivet.engine.misjudgement import Calibration, Errors, doubt_of, residual
from trivet.engine.pace import compare
from trivet.engine.place import PlaceBook
from trivet.engine.reason import Grounds, pulls
from trivet.engine.residual import (
    MOST_LESSONS,
    Exhibit,
    Lesson,
    Residual,
    put_aside,
    teach,
)
from trivet.engine.route import Floats, RouteMatch
from trivet.engine.scorer import Scorer, shares
from trivet.engine.student import Student
from trivet.engine.trip import Judgement, Query, RunningTrip

_MOST_CANDIDATES = 12
#: What is less likely is not told, nor what was out of reach from where they set off:
#: from a holiday, home.
_LEAST_LIKELY, _OUT_OF_REACH = 1e-6, 1e-9
_ELSEWHERE = "somewhere new"
_DETOUR = COLUMNS.index("detour")
#: A running trip's estimates are put aside at the first fix and then each time that
#: the elapsed time has grown by this factor, from so many seconds on.
_CHECK_S = 40.0
_CHECK_GROWTH = 1.2
#: Of a long history fewer trips are learnt from in this way: one in a 75th of their
#: number, and never fewer than one in sixteen.
_RARER, _RAREST = 75, 16
#: When it has ended, those that were newest at these shares of its time are judged.
_JUDGED = (0.1, 0.3, 0.5, 0.7, 0.9)
_PLACES_CHECKED = 40


class Check(msgspec.Struct, frozen=True):
    """Estimates put aside during a trip, to be judged when it has ended.

    Attributes:
        time: event time.
        seconds: estimated remaining time for the likeliest places.
        bucket: of the errors to expect of each.
        new: estimated remaining time to somewhere new.
        new_bucket: likewise.
        low: event time where the trip's interval began.
        high: event time where it ended.
        doubt: kind of trip, by how likely somewhere new seemed.
        middle: the interval for half of the cases, None in what is older.
    """

    time: float
    seconds: dict[str, float]
    bucket: dict[str, int]
    new: float
    new_bucket: int
    low: float
    high: float
    doubt: int = 0
    middle: tuple[float, float] | None = None


#: What was put aside, with an event time.
_Noted = TypeVar("_Noted", Check, Exhibit)


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
        student: Student,
        lessons: list[Lesson],
    ) -> None:
        #: the time zone where the person is
        self.zone: tzinfo = UTC
        self._person = person
        self._history = history
        self._book = book
        self._errors = Errors(calibration)
        self._student, self._lessons = student, lessons
        self._scorer = Scorer(student, Residual(student, lessons))
        self._key: tuple[Query, int, int] | None = None
        self._prior: Prior | None = None
        self._match = RouteMatch(0)
        self._matched: RunningTrip | None = None

    def forecast(
        self, trip: RunningTrip, time: float, *, explains: bool = True
    ) -> Forecast:
        """The forecast for a trip at event time `time`, not before its departure.

        Its candidates have no reasons unless it `explains` itself.
        """
        time = max(time, trip.departure)
        view = self._view(trip, time)
        grounds = self._grounds(trip, view) if explains else None
        found = self._candidates(view, grounds, _MOST_CANDIDATES)
        middle, arrival = self._arrival(view) or (None, None)
        return Forecast(
            self._person,
            time,
            trip.departure,
            trip.origin,
            tuple(found),
            arrival,
            trip.driven_m,
            middle,
        )

    def ahead(self, trip: RunningTrip, time: float, most: int) -> tuple[Candidate, ...]:
        """The first candidates of `forecast`, without reasons.

        One of whose arrival nothing is known has that of the trip as a whole.
        """
        view = self._view(trip, max(time, trip.departure))
        found = self._candidates(view, None, most)[:most]
        if all(candidate.arrival is not None for candidate in found):
            return tuple(found)
        _, whole = self._arrival(view) or (None, None)
        replace = msgspec.structs.replace
        return tuple(replace(one, arrival=one.arrival or whole) for one in found)

    def evidence(self, trip: RunningTrip, time: float) -> Evidence:
        """What a forecast at event time `time` would rest on."""
        prior, match, alike = self._witnesses(trip, max(time, trip.departure))
        return gather(prior, trip, match, alike)

    def suppose(self, trip: RunningTrip, time: float) -> Forecast:
        """The forecast for a trip made up; the running one goes on as it was."""
        kept = self._match, self._matched, self._prior, self._key
        try:
            return self.forecast(trip, time, explains=False)
        finally:
            self._match, self._matched, self._prior, self._key = kept

    def next_check(self, checks: list[Check], departure: float) -> float:
        """Event time from which the next estimates are to be put aside."""
        if checks:
            done = max(checks[-1].time - departure, _CHECK_S)
            return departure + done * _CHECK_GROWTH
        trips = len(self._history)
        period = min(_RAREST, max(1, trips // _RARER))
        return departure if trips % period == 0 else inf

    def put_aside(self, trip: RunningTrip, time: float) -> tuple[Check, Exhibit]:
        """What is estimated now, and what it rests on, to learn from later."""
        view, blind = self._view(trip, time), not trip.trace
        exhibit = put_aside(
            view.evidence, view.probability, view.new, time, blind=blind
        )
        return self._check(view, time), exhibit

    def _check(self, view: _View, time: float) -> Check:
        middle, arrival = self._arrival(view) or (None, None)
        remaining, places = view.remaining, view.prior.places
        keep = np.argsort(-view.probability, kind="stable")[:_PLACES_CHECKED]
        return Check(
            time,
            {places[n]: float(remaining.seconds[n]) for n in keep},
            {places[n]: int(remaining.bucket[n]) for n in keep},
            remaining.new,
            remaining.new_bucket,
            arrival.low if arrival else time,
            arrival.high if arrival else time,
            doubt_of(view.new),
            (middle.low, middle.high) if middle else None,
        )

    def learn(self, checks: list[Check], trip: Trip, is_new: bool) -> list[Judgement]:
        """Judge what was put aside, now that the trip has ended."""
        judgements = []
        for check in newest_at(checks, trip):
            judgements.append(_judge(check, trip, is_new))
        for judgement in judgements:
            self._errors.learn(judgement)
        return judgements

    def take_lesson(self, exhibits: list[Exhibit], trip: Trip, is_new: bool) -> None:
        """Learn what was put aside, now that it is known where the trip ended."""
        chosen = exhibits[:1] + newest_at(exhibits[1:], trip)
        lesson = teach(chosen, trip.departure, trip.destination, is_new)
        if lesson is None:
            return
        self._lessons.append(lesson)
        del self._lessons[:-MOST_LESSONS]
        self._scorer = Scorer(self._student, Residual(self._student, self._lessons))

    def _view(self, trip: RunningTrip, time: float) -> _View:
        prior, match, alike = self._witnesses(trip, time)
        evidence = gather(prior, trip, match, alike)
        probability, new = self._weigh(trip, evidence)
        remaining = estimate(self._history, prior, trip, match, alike, evidence, time)
        return _View(prior, match, alike, evidence, probability, new, remaining)

    def _weigh(self, trip: RunningTrip, evidence: Evidence) -> tuple[Floats, float]:
        scorer, blind = self._scorer, not trip.trace
        return shares(scorer.score(evidence.table, evidence.new, blind=blind))

    def _witnesses(
        self, trip: RunningTrip, time: float
    ) -> tuple[Prior, RouteMatch, Floats]:
        prior, match = self._prior_of(trip.query), self._match_of(trip)
        alike = np.empty(0)
        if not trip.trace and time > trip.departure:
            alike = compare(self._history, trip, time, prior.weights)
        return prior, match, alike

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

    def _grounds(self, trip: RunningTrip, view: _View) -> Grounds:
        table = view.evidence.table

        def weigh(changed: Floats) -> Floats:
            other = msgspec.structs.replace(view.evidence, table=changed)
            return self._weigh(trip, other)[0]

        return Grounds(
            self._history,
            self._book,
            view.prior,
            trip.query,
            view.match,
            view.alike,
            pulls(table, weigh),
            f"{local(trip.departure, self.zone):%A}",
        )

    def _candidates(
        self, view: _View, grounds: Grounds | None, most: int
    ) -> list[Candidate]:
        """The `most` likeliest that are known, and somewhere new among them."""
        order = np.argsort(-view.probability, kind="stable")[:_MOST_CANDIDATES]
        order = order[view.probability[order] >= _LEAST_LIKELY]
        order = order[view.prior.probability[order] >= _OUT_OF_REACH]
        rest = max(0.0, 1.0 - sum(view.probability[order].tolist()))
        known = order[:most].tolist()
        found = [self._candidate(view, grounds, number) for number in known]
        elsewhere = interval_new(self._errors, view.remaining, doubt_of(view.new))
        why = () if grounds is None else grounds.of_new()
        found.append(Candidate("", _ELSEWHERE, rest, arrival=elsewhere, reasons=why))
        found.sort(key=lambda candidate: -candidate.probability)
        return found

    def _candidate(
        self, view: _View, grounds: Grounds | None, number: int
    ) -> Candidate:
        place = self._book.places[view.prior.places[number]]
        why: tuple[Reason, ...] = ()
        if grounds is not None:
            away_m = float(view.evidence.away_m[number])
            closing = float(view.evidence.table[number, _DETOUR])
            why = grounds.of(number, place.label, away_m, closing)
        return Candidate(
            place.id,
            place.label,
            float(view.probability[number]),
            place.lat,
            place.lon,
            interval(self._errors, view.remaining, number, doubt_of(view.new)),
            why,
        )

    def _arrival(self, view: _View) -> tuple[Interval, Interval] | None:
        best = np.argsort(-view.probability, kind="stable")[:_MOST_CANDIDATES]
        return mix(self._errors, view.remaining, best, view.probability[best], view.new)


def newest_at(noted: Sequence[_Noted], trip: Trip) -> list[_Noted]:
    """What was newest at each of the shares of a trip's time that are judged."""
    found = []
    for share in _JUDGED:
        moment = trip.departure + share * (trip.arrival - trip.departure)
        newest = next((one for one in reversed(noted) if one.time <= moment), None)
        if newest is not None:
            found.append(newest)
    return found


def _judge(check: Check, trip: Trip, is_new: bool) -> Judgement:
    true_s, middle = trip.arrival - check.time, check.middle
    judged = Judgement(
        check.low <= trip.arrival <= check.high,
        doubt=check.doubt,
        in_middle=None if middle is None else middle[0] <= trip.arrival <= middle[1],
    )
    bucket, estimated_s = check.new_bucket, check.new
    if not is_new:
        estimated_s = check.seconds.get(trip.destination, np.nan)
        if not np.isfinite(estimated_s):
            return judged
        bucket = check.bucket[trip.destination]
    error = residual(estimated_s, true_s)
    return msgspec.structs.replace(judged, bucket=bucket, residual=error)
