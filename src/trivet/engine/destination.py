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

from trivet.engine.custom import customs
from trivet.engine.history import History
from trivet.engine.place import PlaceBook
from trivet.engine.plane import away_m
from trivet.engine.route import Floats, Ints
from trivet.engine.trip import Query

#: Votes, of weight 1, by which a place counts before any trip went there.
_SMOOTH = 0.02
#: Imagined trips of which half went somewhere new.
_NEW_PRIOR = 1.0
#: A share of votes is read as its logarithm, which this keeps finite.
_LEAST_SHARE = 0.02
_LEAST_VOTES = 0.05
#: A usual length is told by so much trust.
_LEAST_TRUST = 0.3
_LONGEST_H = 24.0 * 90
#: Who has been on long trips goes twice as far without a thought, and anybody this
#: far. Beyond that the votes for a place fall off steeply: from a holiday that was
#: flown to, nobody goes to the office.
_REACH_M, _FURTHER, _STEEP = 100_000.0, 2.0, 16.0


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
        customs: of each candidate, by `custom.CUSTOMS`.
        customs_new: of somewhere new, by `custom.CUSTOMS_NEW`.
        from_m: from the origin to each, NaN where that is not known.
        origin: number of the origin in `places`, -1 for none.
        lengths_m: of each row's trip.
        usual_m: length of the trips to each, NaN where there are too few.
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
    customs: Floats
    customs_new: Floats
    from_m: Floats
    origin: int
    lengths_m: Floats
    usual_m: Floats


def weigh(history: History, book: PlaceBook, query: Query) -> Prior:
    """The prior over all known places for a trip that begins like the query."""
    places = tuple(book.places)
    number = {place: index for index, place in enumerate(places)}
    table = np.array([number.get(p, -1) for p in history.places], dtype=np.int64)
    rows: Ints = np.empty(0, dtype=np.int64)
    if len(history):
        rows = table[history.destination]
    weights, hour, lately = history.weights(query)
    trust = history.trust(query)
    total = float(weights.sum())
    new = float(weights[history.new].sum()) if len(history) else 0.0
    share = (new + _NEW_PRIOR / 2) / (total + _NEW_PRIOR) if places else 1.0
    votes = _count(rows, weights, len(places)) + _SMOOTH / max(1, len(places))
    arrivals = np.full(len(places), -np.inf)
    centres = [book.centre(place) or (np.nan, np.nan) for place in places]
    lat, lon = np.array(centres).reshape(-1, 2).T
    from_m = _from_m(book.centre(query.origin), lat, lon)
    votes *= _reach(history, from_m)
    known = rows >= 0
    np.maximum.at(arrivals, rows[known], history.arrival[known])
    since_h = np.clip((query.time - arrivals) / 3600.0, 0.1, _LONGEST_H)
    own, own_new = customs(history, query, rows, tuple(book.places.values()))
    return Prior(
        places,
        lat,
        lon,
        votes / max(votes.sum(), 1e-12) * (1.0 - share),
        share,
        _log_share(_count(rows, hour, len(places))),
        _log_share(_count(rows, lately, len(places))),
        np.log(since_h),
        weights,
        trust,
        rows,
        own,
        own_new,
        from_m,
        number.get(query.origin, -1),
        history.distance,
        _usual_m(history, trust, rows, len(places)),
    )


def _reach(history: History, away: Floats) -> Floats:
    """How much of its votes each place keeps that is far from the origin, 0 to 1."""
    reach = np.ones(len(away))
    longest = float(history.distance.max(initial=0.0)) if len(history) else 0.0
    limit = _FURTHER * max(_REACH_M, longest)
    far = away > limit  # none where it has no position
    reach[far] = (limit / away[far]) ** _STEEP
    return reach


def _from_m(origin: tuple[float, float] | None, lat: Floats, lon: Floats) -> Floats:
    """Metres from the origin to each place, NaN where that is not known."""
    if origin is None:
        return np.full(len(lat), np.nan)
    return away_m(*origin, lat, lon)


def _usual_m(history: History, trust: Floats, rows: Ints, places: int) -> Floats:
    """Mean length of the trips to each place, those from this origin most."""
    if not len(history):
        return np.full(places, np.nan)
    total = _count(rows, trust, places)
    lengths = _count(rows, trust * history.distance, places)
    usual = np.full(places, np.nan)
    told = total > _LEAST_TRUST
    usual[told] = lengths[told] / total[told]
    return usual


def _count(rows: Ints, weights: Floats, places: int) -> Floats:
    known = rows >= 0
    counts: Floats = np.bincount(rows[known], weights[known], minlength=places).astype(
        np.float64
    )
    return counts


def _log_share(votes: Floats) -> Floats:
    share: Floats = np.log(votes / (votes.sum() + _LEAST_VOTES) + _LEAST_SHARE)
    return share
