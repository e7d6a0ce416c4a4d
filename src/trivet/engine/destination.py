"""Where a trip that begins would go: what history says.

History gives each place its votes (see `history`); what the way says later is in
`evidence`, and `student` weighs both. Somewhere new is one more choice; its share at
the start is the share of past trips like this one that went somewhere new at the time
(I. J. Good, "The population frequencies of species", Biometrika 40, 1953, made
conditional by kernels).
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


def _count(rows: Ints, weights: Floats, places: int) -> Floats:
    known = rows >= 0
    counts: Floats = np.bincount(rows[known], weights[known], minlength=places).astype(
        np.float64
    )
    return counts


def _log_share(votes: Floats) -> Floats:
    share: Floats = np.log(votes / (votes.sum() + _LEAST_VOTES) + _LEAST_SHARE)
    return share
