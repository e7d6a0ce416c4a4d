"""How good the forecasts are: learning and predicting in one pass over recordings.

Prequential (A. P. Dawid, "Present position and potential developments: the prequential
approach", J. R. Statist. Soc. A 147, 1984): each forecast is made from what was known
at its time, kept, and judged when the trip has ended. Of the forecasts kept, the one
judged for a share of a trip is the newest that is not later than that share. Until a
departure is sure (somebody at the gate may turn back), what counts is the forecast for
leaving at that time.

The guesses judged are of places, as those of the baselines are: "somewhere new" names
none, so it is passed over, and the probability given to it is reported beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import log
from statistics import fmean, median

import msgspec

from trivet.domain.forecast import Candidate, Forecast
from trivet.domain.geo import distance_m
from trivet.domain.sample import Sample
from trivet.engine.anticipator import Anticipator
from trivet.engine.event import TripEnded, TripStarted

FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9)
#: A forecast this close to the true end is right.
NEAR_M = 500.0
_STEP_S = 10.0
_MOST_KEPT = 60
_LEAST_PROBABILITY = 1e-6


class Score(msgspec.Struct, frozen=True):
    """One forecast of one trip, judged.

    Attributes:
        fraction: of the trip's time at which it was made.
        is_known: the destination had been stayed at before.
        top1: the best candidate that is a place was right.
        top3: one of the best three was.
        said_new: probability given to somewhere new.
        loss: negative log of the probability given to what came true.
        error_m: from the best candidate that has a position to the true end; None
            when either has none.
        arrival_error_s: of the median, unsigned; None when there was no forecast.
        is_covered: the arrival lay in the interval; None likewise.
        width_s: of the interval; None likewise.
        top1_frequent: the most frequent place was right.
        top1_markov: the most frequent destination from that origin was right.
    """

    fraction: float
    is_known: bool
    top1: bool
    top3: bool
    said_new: float
    loss: float
    error_m: float | None
    arrival_error_s: float | None
    is_covered: bool | None
    width_s: float | None
    top1_frequent: bool
    top1_markov: bool


class Row(msgspec.Struct, frozen=True):
    """Scores of many trips at one fraction: shares 0 to 1, medians and means.

    Attributes:
        kind: known, new or all destinations.
        fraction: of the trip's time.
        trips: how many.
        top1: share right at the first guess.
        top3: share right within three guesses.
        said_new: mean probability given to somewhere new.
        loss: mean negative log probability of what came true.
        error_m: median distance of the first guess from the true end.
        arrival_error_s: mean absolute error of the arrival's median.
        coverage: share of arrivals in their interval, which promises 0.8.
        width_s: median length of that interval.
        top1_frequent: of the baseline that always says the most frequent place.
        top1_markov: of the baseline that knows the origin.
    """

    kind: str
    fraction: float
    trips: int
    top1: float
    top3: float
    said_new: float
    loss: float
    error_m: float
    arrival_error_s: float
    coverage: float
    width_s: float
    top1_frequent: float
    top1_markov: float


class _Baseline:
    """The two guesses that any forecast must beat."""

    def __init__(self) -> None:
        self._frequent: Counter[str] = Counter()
        self._markov: dict[str, Counter[str]] = {}

    def guess(self, origin: str) -> tuple[str, str]:
        frequent = _first(self._frequent)
        return frequent, _first(self._markov.get(origin, Counter())) or frequent

    def learn(self, origin: str, destination: str) -> None:
        self._frequent[destination] += 1
        self._markov.setdefault(origin, Counter())[destination] += 1


def _first(counter: Counter[str]) -> str:
    return counter.most_common(1)[0][0] if counter else ""


class _Kept:
    """Forecasts of the running trip, ever sparser, so that a long trip stays small."""

    def __init__(self) -> None:
        self.forecasts: list[Forecast] = []
        self._step_s = _STEP_S

    def add(self, forecast: Forecast) -> None:
        self.forecasts.append(forecast)
        if len(self.forecasts) > _MOST_KEPT:
            del self.forecasts[1::2]
            self._step_s *= 2

    def is_due(self, time: float) -> bool:
        return not self.forecasts or time >= self.forecasts[-1].time + self._step_s

    def at(self, time: float) -> Forecast:
        """The newest that is not later than `time`; the departure's at the least."""
        return next(
            (f for f in reversed(self.forecasts) if f.time <= time), self.forecasts[0]
        )


def evaluate(
    samples: Iterable[Sample],
    anticipator: Anticipator,
    *,
    warm_up_s: float = 14 * 86400,
) -> Iterator[Score]:
    """Judge the forecasts for each trip that departs after the first `warm_up_s`."""
    kept, baseline = _Kept(), _Baseline()
    start: float | None = None
    for sample in samples:
        start = sample.time if start is None else start
        for event in anticipator.learn_one(sample):
            if isinstance(event, TripStarted):
                kept = _Kept()
                forecast = anticipator.predict_departure(event.departure)
                if forecast is not None:
                    kept.add(forecast)
            elif isinstance(event, TripEnded) and event.trip.destination:
                trip = event.trip
                if trip.departure >= start + warm_up_s and kept.forecasts:
                    guesses = baseline.guess(trip.origin)
                    for fraction in FRACTIONS:
                        yield _judge(anticipator, kept, event, fraction, guesses)
                baseline.learn(trip.origin, trip.destination)
        if anticipator.current_trip is not None and kept.is_due(sample.time):
            forecast = anticipator.predict_one(sample.time)
            if forecast is not None:
                kept.add(forecast)


def _judge(
    anticipator: Anticipator,
    kept: _Kept,
    event: TripEnded,
    fraction: float,
    guesses: tuple[str, str],
) -> Score:
    trip = event.trip
    moment = trip.departure + fraction * (trip.arrival - trip.departure)
    forecast = kept.at(moment)
    named = [c for c in forecast.candidates if c.place]
    right = [_is_right(candidate, event) for candidate in named]
    truth = "" if event.is_new else trip.destination
    probability = forecast.probability_of(truth)
    placed = next((c for c in forecast.candidates if c.lat is not None), None)
    error_m = None if placed is None else _away_m(placed, event)
    arrival = forecast.arrival
    places = anticipator.places
    frequent, markov = (
        place in places and _is_right(_candidate(anticipator, place), event)
        for place in guesses
    )
    return Score(
        fraction,
        not event.is_new,
        any(right[:1]),
        any(right[:3]),
        forecast.probability_of(""),
        -log(max(probability, _LEAST_PROBABILITY)),
        error_m,
        None if arrival is None else abs(arrival.median - trip.arrival),
        None if arrival is None else arrival.low <= trip.arrival <= arrival.high,
        None if arrival is None else arrival.high - arrival.low,
        frequent,
        markov,
    )


def _candidate(anticipator: Anticipator, place: str) -> Candidate:
    known = anticipator.places[place]
    return Candidate(place, known.label, 1.0, known.lat, known.lon)


def _away_m(candidate: Candidate, event: TripEnded) -> float | None:
    if candidate.lat is None or candidate.lon is None:
        return None
    if event.lat is None or event.lon is None:
        return None
    return distance_m(candidate.lat, candidate.lon, event.lat, event.lon)


def _is_right(candidate: Candidate, event: TripEnded) -> bool:
    if candidate.place and candidate.place == event.trip.destination:
        return True
    away_m = _away_m(candidate, event)
    return away_m is not None and away_m <= NEAR_M


def tabulate(scores: Sequence[Score]) -> list[Row]:
    """One row for each kind of destination and fraction that has scores."""
    rows = []
    for kind in ("known", "new", "all"):
        for fraction in FRACTIONS:
            some = [
                score
                for score in scores
                if score.fraction == fraction
                and (kind == "all" or score.is_known == (kind == "known"))
            ]
            if some:
                rows.append(_row(kind, fraction, some))
    return rows


def _row(kind: str, fraction: float, scores: Sequence[Score]) -> Row:
    errors = [s.error_m for s in scores if s.error_m is not None]
    arrivals = [s.arrival_error_s for s in scores if s.arrival_error_s is not None]
    covered = [s.is_covered for s in scores if s.is_covered is not None]
    widths = [s.width_s for s in scores if s.width_s is not None]
    nothing = float("nan")
    return Row(
        kind,
        fraction,
        len(scores),
        fmean(s.top1 for s in scores),
        fmean(s.top3 for s in scores),
        fmean(s.said_new for s in scores),
        fmean(s.loss for s in scores),
        median(errors) if errors else nothing,
        fmean(arrivals) if arrivals else nothing,
        fmean(covered) if covered else nothing,
        median(widths) if widths else nothing,
        fmean(s.top1_frequent for s in scores),
        fmean(s.top1_markov for s in scores),
    )
