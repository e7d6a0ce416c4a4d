"""What the way so far says about each place: one row of numbers for each.

Two ideas meet. People drive towards where they are going without great detours
(J. Krumm and E. Horvitz, "Predestination: inferring destinations from partial
trajectories", UbiComp 2006), and they go the way they went before (Froehlich and Krumm,
see `route` and `trail`). Without positions, length and pace since the departure take
their place.
"""

from __future__ import annotations

from bisect import bisect_left
from math import cos, exp, log, radians

import msgspec
import numpy as np

from trivet.domain.geo import DEGREE_M
from trivet.domain.place import TracePoint
from trivet.engine.custom import CUSTOMS, CUSTOMS_NEW
from trivet.engine.destination import Prior
from trivet.engine.plane import away_m
from trivet.engine.route import Floats, RouteMatch
from trivet.engine.trip import RunningTrip

#: Names of the numbers, in the order of the columns.
COLUMNS = (
    "prior",  # log probability when the trip began
    "hour",  # log share of trips at this hour
    "lately",  # log share of recent trips
    "since",  # log hours since last going there
    "recent_votes",  # log share of those who came the last kilometre this way
    "whole_votes",  # log share of those who came all this way
    "recent_best",  # how well the best of them fits, 0 to 1
    "whole_best",
    "detour",  # log of direct way over way by here, from the start
    "recent_detour",  # the same from about a kilometre back
    "near",  # log distance
    "origin",  # 1 for where the trip began
    "near_slow",  # `near` for who has slowed down to a walk
    "detour_long",  # `detour` on long trips
    "pace",  # log likelihood ratio of length and pace, without positions
    "trail_votes",  # log share of those that lie nearest to the way so far
    "trail_best",  # how near the nearest of them lies, 0 to 1
    "left",  # log length that was left from here of those who came this way
    "passed",  # log distance over the least that it was
    "last_detour",  # `detour` from some hundred metres back
    "over",  # log length so far over that of trips there, 0 for less
    "far",  # log distance from the origin
    "back",  # 1 for the origin
    *CUSTOMS,
)
NEW_COLUMNS = (
    "prior",
    "one",
    "recent_best",
    "whole_best",
    "length",
    "nearest",
    "trail_best",
    *CUSTOMS_NEW,
)
_NUMBER = {name: number for number, name in enumerate(COLUMNS)}

_BACK_M, _LAST_M = 1000.0, 300.0
#: Votes that history has beside those of the nearest trails.
_BACK_OFF = 0.5
_FOLLOWS = 0.5
#: Taken for the distance of a place from an origin of which one is not known.
_USUALLY_M = 2800.0
#: Newest kept points among which the least distance is looked for; so many of them.
_PASSED, _LOOKED_AT = 200, 40
_SLOW_MPS = 1.0
_SLOW_S = 90.0
_AT_START_M = 400.0
#: A way to somewhere new fits past paces this well by chance; if none fits better than
#: that, the way is not one of them.
_LEAST_USUAL = 0.1


class Evidence(msgspec.Struct, frozen=True):
    """Numbers for each candidate of a prior.

    Attributes:
        places: ids of the candidates.
        table: candidates by COLUMNS.
        new: numbers for somewhere new, by NEW_COLUMNS.
        away_m: from the newest fix to each candidate, NaN without positions.
    """

    places: tuple[str, ...]
    table: Floats
    new: Floats
    away_m: Floats


def gather(
    prior: Prior, trip: RunningTrip, match: RouteMatch, alike: Floats
) -> Evidence:
    """All numbers for a running trip.

    Args:
        prior: what history says.
        trip: the running trip.
        match: how well it follows each past trace.
        alike: without positions, how well its pace fits each past trip, else empty.
    """
    count = len(prior.places)
    table = np.zeros((count, len(COLUMNS)))
    table[:, 0] = np.log(np.maximum(prior.probability, 1e-9))
    table[:, 1], table[:, 2] = prior.hour, prior.lately
    table[:, 3] = prior.since
    table[:, -len(CUSTOMS) :] = prior.customs
    from_m = np.where(np.isfinite(prior.from_m), prior.from_m, _USUALLY_M)
    table[:, _NUMBER["far"]] = np.log(from_m + 200.0) - 8.0
    if prior.origin >= 0:
        table[prior.origin, _NUMBER["back"]] = 1.0
    if match.steps and len(prior.rows):
        _add_routes(table, prior, match)
        _add_trails(table, prior, match, trip.driven_m)
    away = np.full(count, np.nan)
    nearest = 0.0
    if trip.lat is not None and trip.lon is not None and trip.trace:
        away = away_m(trip.lat, trip.lon, prior.lat, prior.lon)
        _add_detours(table, prior, trip, away)
        nearest = log(float(np.nanmin(away, initial=1e5)) + 200.0) - 6.0
    if len(alike):
        _add_pace(table, prior, alike)
    new = np.array(
        [
            log(max(prior.new, 1e-9)) - log(max(1.0 - prior.new, 1e-9)),
            1.0,
            float(table[:, 6].max(initial=0.0)),
            float(table[:, 7].max(initial=0.0)),
            log(trip.driven_m + 500.0) - 7.0 if trip.trace else 0.0,
            nearest,
            float(table[:, _NUMBER["trail_best"]].max(initial=0.0)),
            *prior.customs_new,
        ]
    )
    return Evidence(prior.places, table, new, away)


def _add_routes(table: Floats, prior: Prior, match: RouteMatch) -> None:
    known = prior.rows >= 0
    rows, trust = prior.rows[known], prior.trust[known]
    for column, follows in ((4, match.latest[known]), (5, match.whole[known])):
        votes = np.bincount(rows, trust * follows**2, minlength=len(table))
        table[:, column] = np.log(votes / (votes.sum() + 0.05) + 0.01)
        best = np.zeros(len(table))
        np.maximum.at(best, rows, follows)
        table[:, column + 2] = best


def _add_trails(
    table: Floats, prior: Prior, match: RouteMatch, driven_m: float
) -> None:
    count = len(table)
    rows, weight = match.trail.voters(driven_m)
    places = prior.rows[rows]
    weight, places = weight[places >= 0], places[places >= 0]
    votes = np.bincount(places, weight, count) + _BACK_OFF * prior.probability
    share = votes / max(float(votes.sum()), 1e-9)
    table[:, _NUMBER["trail_votes"]] = np.log(share + 0.005)
    np.maximum.at(table[:, _NUMBER["trail_best"]], places, weight)
    follows = (prior.rows >= 0) & (match.along_m >= 0) & (match.latest > _FOLLOWS)
    rows = np.flatnonzero(follows)
    left = np.full(count, np.inf)
    ahead = np.maximum(0.0, prior.lengths_m[rows] - match.along_m[rows])
    np.minimum.at(left, prior.rows[rows], ahead)
    met = np.isfinite(left)
    table[met, _NUMBER["left"]] = np.log(left[met] + 200.0) - 7.0
    over = np.log((driven_m + 500.0) / (prior.usual_m + 500.0))
    table[:, _NUMBER["over"]] = np.maximum(np.nan_to_num(over), 0.0)


def _add_detours(table: Floats, prior: Prior, trip: RunningTrip, away: Floats) -> None:
    start = trip.trace[0]
    then, length = _back(trip, trip.driven_m - _BACK_M)
    from_start = away_m(start.lat, start.lon, prior.lat, prior.lon)
    from_then = away_m(then.lat, then.lon, prior.lat, prior.lon)
    step = trip.driven_m - length
    detour = np.log((from_start + 300.0) / (trip.driven_m + away + 300.0))
    begun_here = from_start < _AT_START_M
    detour[begun_here] = 0.0
    near = np.log(away + 200.0) - 6.0
    table[:, 8] = detour
    table[:, 9] = np.log((from_then + 150.0) / (step + away + 150.0))
    table[:, 10] = near
    table[:, 11] = begun_here
    table[:, 12] = near * exp(-speed_mps(trip) / _SLOW_MPS)
    table[:, 13] = detour * (log(trip.driven_m + 500.0) - 7.0)
    then, length = _back(trip, trip.driven_m - _LAST_M)
    from_then = away_m(then.lat, then.lon, prior.lat, prior.lon)
    step = trip.driven_m - length
    last = np.log((from_then + 80.0) / (step + away + 80.0))
    table[:, _NUMBER["last_detour"]] = last
    passed = np.log((away + 150.0) / (_least_away_m(trip, away, prior) + 150.0))
    table[:, _NUMBER["passed"]] = np.where(begun_here, 0.0, passed)
    table[~np.isfinite(table)] = 0.0


def _least_away_m(trip: RunningTrip, away: Floats, prior: Prior) -> Floats:
    """The least that each candidate was away of late, metres."""
    newest = trip.trace[-_PASSED:]
    points = newest[:: max(1, len(newest) // _LOOKED_AT)]
    lat = np.array([point.lat for point in points])[:, None]
    lon = np.array([point.lon for point in points])[:, None]
    turn = (prior.lon - lon + 180.0) % 360.0 - 180.0
    east = turn * (DEGREE_M * cos(radians(points[-1].lat)))
    square = (east**2 + ((prior.lat - lat) * DEGREE_M) ** 2).min(axis=0)
    least: Floats = np.minimum(away, np.sqrt(square))
    return least


def _back(trip: RunningTrip, length: float) -> tuple[TracePoint, float]:
    """The kept point at that length of the way or before it, and its length."""
    index = max(0, bisect_left(trip.lengths, length) - 1)
    return trip.trace[index], trip.lengths[index]


def speed_mps(trip: RunningTrip) -> float:
    """Mean speed over the last minutes."""
    times = [point.time for point in trip.trace[-40:]]
    first = len(trip.trace) - len(times)
    index = first + max(0, bisect_left(times, trip.time - _SLOW_S) - 1)
    span = trip.time - trip.trace[index].time
    return (trip.driven_m - trip.lengths[index]) / max(1.0, span)


def _add_pace(table: Floats, prior: Prior, alike: Floats) -> None:
    known = prior.rows >= 0
    rows, weights = prior.rows[known], prior.weights[known]
    count = len(table)
    all_votes = np.bincount(rows, weights, minlength=count)
    votes = np.bincount(rows, weights * alike[known], minlength=count)
    usual = float((weights * alike[known]).sum() / max(weights.sum(), 1e-12))
    # a place with few witnesses is taken to be as the others are
    likelihood = (votes + 0.1 * usual + 1e-6) / (all_votes + 0.1)
    table[:, 14] = np.log(likelihood / max(usual, _LEAST_USUAL))
