"""Where a running trip is going: what history says when it begins, and the softmax.

History gives each place its votes (see `history`), the way so far speaks for or against
each (see `evidence`), and both are weighed in one softmax, a conditional logit (D.
McFadden, 1974). Somewhere new is one more choice; its share at the start is the share
of past trips like this one that went somewhere new at the time (I. J. Good, "The
population frequencies of species", Biometrika 40, 1953, made conditional by kernels).
"""

from __future__ import annotations

import msgspec
import numpy as np

from trivet.engine.history import History
from trivet.engine.place import PlaceBook
from trivet.engine.route import Floats, Ints
from trivet.engine.trip import Query

#: Votes, of weight 1, by which a place counts before any trip went there.
_SMOOTH = 0.02
#: Imagined trips of which half went somewhere new.
_NEW_PRIOR = 1.0
#: A share of votes is read as its logarithm, which this keeps finite.
_LEAST_SHARE = 0.02
_LEAST_VOTES = 0.05
_LONGEST_H = 24.0 * 90

#: The weights of evidence on the way: `evidence.COLUMNS`, then `evidence.NEW_COLUMNS`.
#: Fitted once by maximum likelihood on the trips of sixteen people of GeoLife 1.3 (Y.
#: Zheng, X. Xie, W.-Y. Ma, IEEE Data Eng. Bull. 33(2), 2010) on whom nothing is
#: reported; half against half they gave the same accuracy. `pace` is a log likelihood
#: ratio, so its weight is 1.
_WAY = np.array(
    "0.35 0.42 0.31 -0.15 0.34 -0.40 1.02 0.68"
    " 1.76 1.62 -1.28 -0.74 -0.40 -0.21 1.0".split(),
    dtype=np.float64,
)
_WAY_NEW = np.array("0.45 -2.46 -0.68 -0.71 -0.77 -0.23".split(), dtype=np.float64)
#: The same while no position of the trip is known, fitted on departures alone.
_BLIND = np.zeros(len(_WAY))
_BLIND[[0, 1, 2, 3, -1]] = 0.61, 0.40, 0.25, -0.14, 1.0
_BLIND_NEW = np.zeros(len(_WAY_NEW))
_BLIND_NEW[:2] = 0.93, -2.02


class Prior(msgspec.Struct, frozen=True):
    """What history says when a trip begins; the same for all of the trip.

    Attributes:
        places: ids of the candidates.
        lat: their latitudes in degrees, NaN where there is none.
        lon: longitudes likewise.
        probability: of each, together 1 less `new`.
        new: probability of somewhere never stayed at.
        hour: log share of the trips at this hour, whatever their origin.
        lately: log share of the trips of the last two weeks or so.
        since: log hours since the person was last going there.
        weights: of each row of the history.
        trust: of each row as a witness of a route: how recent, and from where.
        rows: number of each row's destination in `places`.
    """

    places: tuple[str, ...]
    lat: Floats
    lon: Floats
    probability: Floats
    new: float
    hour: Floats
    lately: Floats
    since: Floats
    weights: Floats
    trust: Floats
    rows: Ints


def weigh(history: History, book: PlaceBook, query: Query) -> Prior:
    """The prior over all known places for a trip that begins like the query."""
    places = tuple(book.places)
    number = {place: index for index, place in enumerate(places)}
    table = np.array([number.get(p, -1) for p in history.places], dtype=np.int64)
    rows: Ints = np.empty(0, dtype=np.int64)
    if len(history):
        rows = table[history.destination]
    weights, hour, lately = history.weights(query)
    total = float(weights.sum())
    new = float(weights[history.new].sum()) if len(history) else 0.0
    share = (new + _NEW_PRIOR / 2) / (total + _NEW_PRIOR) if places else 1.0
    votes = _count(rows, weights, len(places)) + _SMOOTH / max(1, len(places))
    arrivals = np.full(len(places), -np.inf)
    known = rows >= 0
    np.maximum.at(arrivals, rows[known], history.arrival[known])
    since_h = np.clip((query.time - arrivals) / 3600.0, 0.1, _LONGEST_H)
    centres = [book.centre(place) or (np.nan, np.nan) for place in places]
    return Prior(
        places,
        np.array([lat for lat, _ in centres]),
        np.array([lon for _, lon in centres]),
        votes / max(votes.sum(), 1e-12) * (1.0 - share),
        share,
        _log_share(_count(rows, hour, len(places))),
        _log_share(_count(rows, lately, len(places))),
        np.log(since_h),
        weights,
        history.trust(query),
        rows,
    )


def choose(table: Floats, new: Floats, *, blind: bool) -> tuple[Floats, float]:
    """Probability of each candidate and of somewhere new; together 1.

    Args:
        table: candidates by `evidence.COLUMNS`.
        new: by `evidence.NEW_COLUMNS`.
        blind: no position of the trip is known.
    """
    weights, new_weights = (_BLIND, _BLIND_NEW) if blind else (_WAY, _WAY_NEW)
    scores = np.append(table @ weights, new @ new_weights)
    odds = np.exp(scores - scores.max())
    odds /= odds.sum()
    return odds[:-1], float(odds[-1])


def _count(rows: Ints, weights: Floats, places: int) -> Floats:
    known = rows >= 0
    counts: Floats = np.bincount(rows[known], weights[known], minlength=places).astype(
        np.float64
    )
    return counts


def _log_share(votes: Floats) -> Floats:
    share: Floats = np.log(votes / (votes.sum() + _LEAST_VOTES) + _LEAST_SHARE)
    return share
