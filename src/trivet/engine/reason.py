"""Why a destination is thought likely: plain words with counts."""

from __future__ import annotations

import numpy as np

from trivet.domain.forecast import Reason
from trivet.engine.destination import Prior
from trivet.engine.history import History
from trivet.engine.place import PlaceBook
from trivet.engine.route import Floats, RouteMatch
from trivet.engine.trip import Query

_FOLLOWS = 0.6
_LEAST_WITNESSES = 2
_TOWARDS = -0.35


class Grounds:
    """Counts past trips once a forecast, then words them for each candidate."""

    def __init__(
        self,
        history: History,
        book: PlaceBook,
        prior: Prior,
        query: Query,
        match: RouteMatch,
        alike: Floats,
    ) -> None:
        self._prior = prior
        origin = book.places.get(query.origin)
        self._from = f" from {origin.label}" if origin else ""
        self._when = _when(query)
        self._timed = self._count(history.alike(query))
        self._all = self._count(history.from_origin(query))
        self._routed = self._count(match.latest > _FOLLOWS)
        self._paced = self._count(alike > _FOLLOWS) if len(alike) else self._none()

    def _none(self) -> Floats:
        return np.zeros(len(self._prior.places))

    def _count(self, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
        known = rows & (self._prior.rows >= 0)
        counts: Floats = np.bincount(
            self._prior.rows[known], minlength=len(self._prior.places)
        ).astype(np.float64)
        return counts

    def of(
        self, number: int, label: str, away_m: float, closing: float
    ) -> tuple[Reason, ...]:
        """Reasons for one candidate.

        Args:
            number: of the candidate in the prior.
            label: what to call it.
            away_m: distance to it, NaN when not known.
            closing: log of the direct way over the way by here, 0 for no detour.
        """
        reasons = []
        ended = f"ended at {label}"
        came = f"that came this way {ended}"
        if self._routed.sum() >= _LEAST_WITNESSES and self._routed[number]:
            reasons.append(_share(self._routed, number, came))
        if self._paced.sum() >= _LEAST_WITNESSES and self._paced[number]:
            reasons.append(_share(self._paced, number, f"that began so {ended}"))
        if self._timed.sum() >= _LEAST_WITNESSES and self._timed[number]:
            words = f"{self._from.strip()} {self._when} {ended}".strip()
            reasons.append(_share(self._timed, number, words))
        elif self._all[number]:
            words = f"{self._from.strip()} {ended}".strip()
            reasons.append(_share(self._all, number, words))
        if away_m < 20_000 and closing > _TOWARDS:
            reasons.append(
                Reason(f"on a direct way to {label}, {_metres(away_m)} left")
            )
        return tuple(reasons)

    def of_new(self) -> tuple[Reason, ...]:
        """The reason for somewhere new."""
        percent = round(100 * self._prior.new)
        return (Reason(f"{percent} % of trips like this one went somewhere new"),)


def _share(counts: Floats, number: int, words: str) -> Reason:
    count, of = int(counts[number]), int(counts.sum())
    trips = "trip" if of == 1 else "trips"
    return Reason(f"{count} of {of} {trips} {words}"[:500], count, of)


def _when(query: Query) -> str:
    low, high = (query.hour - 2.0) % 24, (query.hour + 2.0) % 24
    day = "at weekends" if query.weekend else "on weekdays"
    return f"between {_clock(low)} and {_clock(high)} {day}"


def _clock(hour: float) -> str:
    minutes = int(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _metres(away_m: float) -> str:
    return f"{away_m / 1000:.1f} km" if away_m >= 950 else f"{max(away_m, 10):.0f} m"
