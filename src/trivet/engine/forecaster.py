"""Forecasts for a running trip: destination and arrival together, with reasons."""

from __future__ import annotations

import numpy as np

from trivet.domain.forecast import Candidate, Forecast, Interval, Reason
from trivet.engine.destination import Prior, weigh
from trivet.engine.history import Floats, History, Query
from trivet.engine.place import PlaceBook
from trivet.engine.trip import RunningTrip

_MOST_CANDIDATES = 12
_ELSEWHERE = "somewhere new"


class Forecaster:
    """Forecasts running trips from past ones."""

    def __init__(self, person: str, history: History, book: PlaceBook) -> None:
        self._person = person
        self._history = history
        self._book = book
        self._key: tuple[float, int, int] = (-1.0, -1, -1)
        self._prior: Prior | None = None

    def prior(self, trip: RunningTrip) -> Prior:
        """What history says of it; computed once a trip."""
        key = (trip.departure, self._history.version, len(self._book.places))
        if self._prior is None or key != self._key:
            query = Query(
                trip.departure, trip.origin, trip.before, trip.hour, trip.weekend
            )
            self._prior = weigh(self._history, self._book, query)
            self._key = key
        return self._prior

    def forecast(self, trip: RunningTrip, time: float) -> Forecast:
        """The forecast for a trip that is under way at event time `time`."""
        prior = self.prior(trip)
        order = np.argsort(-prior.probability, kind="stable")[:_MOST_CANDIDATES]
        places = self._book.places
        found = []
        for number in order:
            place = places[prior.places[number]]
            found.append(
                Candidate(
                    place.id,
                    place.label,
                    float(prior.probability[number]),
                    place.lat,
                    place.lon,
                    self._arrival(prior, prior.rows == number, trip, time),
                    self._reasons(place.id, place.label, trip),
                )
            )
        rest = max(0.0, 1.0 - sum(c.probability for c in found))
        found.append(Candidate("", _ELSEWHERE, rest))
        found.sort(key=lambda candidate: -candidate.probability)
        everywhere = np.ones(len(self._history), dtype=bool)
        return Forecast(
            self._person,
            time,
            trip.departure,
            trip.origin,
            tuple(found),
            self._arrival(prior, everywhere, trip, time),
            trip.driven_m,
        )

    def _arrival(
        self,
        prior: Prior,
        rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
        trip: RunningTrip,
        time: float,
    ) -> Interval | None:
        elapsed = max(0.0, time - trip.departure)
        going = rows & (self._history.duration > elapsed)
        if not going.any():
            return None
        low, median, high = _quantiles(
            self._history.duration[going], prior.weights[going]
        )
        start = trip.departure
        return Interval(start + low, start + median, start + high)

    def _reasons(self, place: str, label: str, trip: RunningTrip) -> tuple[Reason, ...]:
        query = Query(trip.departure, trip.origin, trip.before, trip.hour, trip.weekend)
        alike = self._history.alike(query)
        if not alike.any():
            return ()
        numbers = self._history.destination[alike]
        names = self._history.places
        count = sum(names[number] == place for number in numbers)
        if not count:
            return ()
        text = (
            f"{count} of {len(numbers)} trips from here at this hour ended at {label}"
        )
        return (Reason(text, int(count), len(numbers)),)


def _quantiles(values: Floats, weights: Floats) -> tuple[float, float, float]:
    order = np.argsort(values)
    mass = np.cumsum(weights[order] + 1e-12)
    marks = np.searchsorted(mass / mass[-1], (0.1, 0.5, 0.9))
    low, median, high = values[order][np.minimum(marks, len(values) - 1)]
    return float(low), float(median), float(high)
