"""Where a running trip is going: a distribution over places, with reasons.

History gives each place its votes (see `history`), the way so far speaks for or against
each (see `evidence`), and both are weighed in one softmax. What has never been seen
keeps the share that past trips like this one gave to places new at the time.
"""

from __future__ import annotations

import msgspec
import numpy as np

from trivet.engine.history import Floats, History, Ints, Query
from trivet.engine.place import PlaceBook

#: Votes, of weight 1, by which a place counts before any trip went there.
_SMOOTH = 0.02
#: Imagined trips of which half went somewhere new.
_NEW_PRIOR = 1.0


class Prior(msgspec.Struct, frozen=True):
    """What history says when a trip begins; the same for all of the trip.

    Attributes:
        places: ids of the candidates.
        probability: of each, together 1 less `new`.
        new: probability of somewhere never stayed at.
        weights: of each row of the history.
        rows: number of each row's destination in `places`.
    """

    places: tuple[str, ...]
    probability: Floats
    new: float
    weights: Floats
    rows: Ints


def weigh(history: History, book: PlaceBook, query: Query) -> Prior:
    """The prior over all known places for a trip that begins like the query."""
    places = tuple(book.places)
    number = {place: index for index, place in enumerate(places)}
    weights = history.weights(query)
    table = np.array(
        [number.get(place, -1) for place in history.places], dtype=np.int64
    )
    rows: Ints = np.empty(0, dtype=np.int64)
    if len(history):
        rows = table[history.destination]
    known = rows >= 0
    total = float(weights.sum())
    new = float(weights[history.new].sum()) if len(history) else 0.0
    share = (new + _NEW_PRIOR / 2) / (total + _NEW_PRIOR)
    if not places:
        return Prior(places, np.empty(0), 1.0, weights, rows)
    counts = np.bincount(rows[known], weights[known], minlength=len(places))
    votes: Floats = counts + _SMOOTH / len(places)
    if query.origin in number:
        # a way back to where it began needs a witness
        votes[number[query.origin]] -= 0.9 * _SMOOTH / len(places)
    probability: Floats = votes / votes.sum() * (1.0 - share)
    return Prior(places, probability, share, weights, rows)
