"""Why a destination is thought likely: plain words with counts, the strongest first.

How strong a reason is, is asked of the forecast itself: the evidence that it speaks of
is taken away, and the reason is worth what the candidate's log odds lose by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from math import exp, isfinite, isnan, log

import numpy as np

from trivet.domain.forecast import Reason
from trivet.engine.custom import CUSTOMS
from trivet.engine.destination import Prior
from trivet.engine.evidence import COLUMNS
from trivet.engine.history import History
from trivet.engine.place import PlaceBook
from trivet.engine.route import Floats, RouteMatch
from trivet.engine.trip import Query

_FOLLOWS = 0.6
_LEAST_WITNESSES = 2
#: A day of the week is spoken of from so many trips on; with fewer, weekdays are.
_LEAST_OF_DAY = 4
_TOWARDS = -0.35
#: Minutes before and after the hour that count as that hour: of one day of the week,
#: and of weekdays or weekends.
_NEAR_MIN, _AROUND_MIN = 60, 120
_DAY_MIN = 1440
#: Stays are about as long whose lengths differ by no more than this factor.
_ALIKE = 1.5
#: How long they stayed, and how near a place is, is told if it counts for this much.
_LEAST_PULL = 0.2

Weigh = Callable[[Floats], Floats]


class About(StrEnum):
    """What a reason speaks of."""

    ROUTE = "route"
    PACE = "pace"
    HABIT = "habit"
    STAY = "stay"
    NEARNESS = "nearness"
    HEADING = "heading"


#: The evidence that each kind of reason speaks of.
_COLUMNS: Mapping[About, tuple[str, ...]] = {
    About.ROUTE: (
        *("recent_votes", "whole_votes", "recent_best", "whole_best"),
        *("trail_votes", "trail_best", "left"),
    ),
    About.PACE: ("pace",),
    About.HABIT: (
        *("prior", "hour", "lately", "since", "back"),
        *(name for name in CUSTOMS if name != "stay"),
    ),
    About.STAY: ("stay",),
    About.NEARNESS: ("far",),
    About.HEADING: (
        *("detour", "recent_detour", "near", "near_slow", "detour_long"),
        *("passed", "last_detour", "over"),
    ),
}


def pulls(table: Floats, weigh: Weigh) -> Mapping[About, Floats]:
    """What each kind of evidence adds to the log odds of each candidate.

    Args:
        table: candidates by `evidence.COLUMNS`.
        weigh: gives the probability of each candidate for such a table.
    """
    shares = weigh(table)
    odds = _log_odds(shares)
    total = max(float(shares.sum()), 1e-12)
    found = {}
    for about, names in _COLUMNS.items():
        without = table.copy()
        for column in (COLUMNS.index(name) for name in names):
            without[:, column] = float(shares @ table[:, column]) / total
        found[about] = odds - _log_odds(weigh(without))
    return found


def _log_odds(shares: Floats) -> Floats:
    sure = np.clip(shares, 1e-9, 1.0 - 1e-9)
    odds: Floats = np.log(sure) - np.log1p(-sure)
    return odds


class Grounds:
    """Counts past trips once a forecast, then words them for each candidate.

    Args:
        history: past trips.
        book: the places.
        prior: the candidates.
        query: what was known when the trip began.
        match: how well it follows each past trace.
        alike: without positions, how well its pace fits each past trip, else empty.
        pull: what `pulls` found.
        weekday: name of the day of the week on which it began.
    """

    def __init__(
        self,
        history: History,
        book: PlaceBook,
        prior: Prior,
        query: Query,
        match: RouteMatch,
        alike: Floats,
        pull: Mapping[About, Floats],
        weekday: str,
    ) -> None:
        self._prior = prior
        self._pull = pull
        origin = book.places.get(query.origin)
        self._origin = origin.label if origin else ""
        self._from = f" from {origin.label}" if origin else ""
        seen, same = history.seen(query), history.from_origin(query)
        off = np.abs(seen.log_stay - seen.log_stay_now)
        self._stayed = self._count(same & (off <= log(_ALIKE)))
        self._stay = _hours(exp(seen.log_stay_now))
        near, around = _span(query, _NEAR_MIN), _span(query, _AROUND_MIN)
        kind = "at weekends" if query.weekend else "on weekdays"
        self._day = f"{_between(near)} on {weekday}s"
        self._kind = f"{_between(around)} {kind}"
        of_day = history.of_weekday(query) & history.departing(*near)
        of_kind = history.of_weekend(query.weekend) & history.departing(*around)
        self._dated = self._count(same & of_day)
        self._timed = self._count(same & of_kind)
        self._all = self._count(same)
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
        """Reasons for one candidate, strongest first.

        What speaks against it is left out. Where nothing else speaks for it, how often
        they went there is told all the same.

        Args:
            number: of the candidate in the prior.
            label: what to call it.
            away_m: distance to it, NaN when not known.
            closing: log of the direct way over the way by here, 0 for no detour.
        """
        found = list(self._found(number, label, away_m, closing))
        found.sort(key=lambda each: -self._pull[each[0]][number])
        speaking = [r for about, r in found if self._pull[about][number] > 0.0]
        return tuple(speaking) or tuple(r for about, r in found if about is About.HABIT)

    def _found(
        self, number: int, label: str, away_m: float, closing: float
    ) -> Iterator[tuple[About, Reason]]:
        ended = f"ended at {label}"
        if self._routed.sum() >= _LEAST_WITNESSES and self._routed[number]:
            came = f"that came this way {ended}"
            yield About.ROUTE, _share(self._routed, number, came)
        if self._paced.sum() >= _LEAST_WITNESSES and self._paced[number]:
            yield About.PACE, _share(self._paced, number, f"that began so {ended}")
        for counts, when, least in (
            (self._dated, f" {self._day}", _LEAST_OF_DAY),
            (self._timed, f" {self._kind}", _LEAST_WITNESSES),
            (self._all, "", 1),
        ):
            if counts.sum() >= least and counts[number]:
                words = f"{self._from}{when} {ended}".strip()
                yield About.HABIT, _share(counts, number, words)
                break
        if self._pull[About.STAY][number] >= _LEAST_PULL and self._stayed[number]:
            words = f"{self._from} after about {self._stay} there ended at {label}"
            yield About.STAY, _share(self._stayed, number, words.strip())
        from_m = float(self._prior.from_m[number])
        is_told = self._pull[About.NEARNESS][number] >= _LEAST_PULL
        if is_told and self._origin and isnan(away_m) and isfinite(from_m):
            near = f"{label} is {_metres(from_m)} from {self._origin}"
            yield About.NEARNESS, Reason(near[:500])
        if away_m < 20_000 and closing > _TOWARDS:
            left = f"on a direct way to {label}, {_metres(away_m)} left"
            yield About.HEADING, Reason(left)

    def of_new(self) -> tuple[Reason, ...]:
        """The reason for somewhere new."""
        percent = round(100 * self._prior.new)
        return (Reason(f"{percent} % of trips like this one went somewhere new"),)


def _share(counts: Floats, number: int, words: str) -> Reason:
    count, of = int(counts[number]), int(counts.sum())
    trips = "trip" if of == 1 else "trips"
    return Reason(f"{count} of {of} {trips} {words}"[:500], count, of)


def _span(query: Query, wide_min: int) -> tuple[int, int]:
    """Minutes of the day between which a trip counts as of that hour."""
    minute = int(query.hour * 60.0 + 1e-6)
    return (minute - wide_min) % _DAY_MIN, (minute + wide_min) % _DAY_MIN


def _between(span: tuple[int, int]) -> str:
    low, high = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in span)
    return f"between {low} and {high}"


def _hours(hours: float) -> str:
    """A length of time in words; what is not known is never told."""
    if not isfinite(hours):
        return ""
    if hours < 0.95:
        return f"{max(1, round(60 * hours))} min"
    return f"{hours:.0f} hours" if round(hours) != 1 else "an hour"


def _metres(away_m: float) -> str:
    return f"{away_m / 1000:.1f} km" if away_m >= 950 else f"{max(away_m, 10):.0f} m"
