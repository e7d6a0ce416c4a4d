"""What is customary: how often, when, and after what each place was gone to.

Past trips are counted in several ways, each told as the log share of its votes that a
place got; which of them says how much is the student's to know. That the length of the
stay that ends and the number of trips that the day has had tell where somebody goes is
known of phones (T. M. T. Do and D. Gatica-Perez, "Contextual conditional models for
smartphone-based human mobility prediction", UbiComp 2012).
"""

from __future__ import annotations

from math import log

import numpy as np

from trivet.domain.place import Place, PlaceRole
from trivet.engine.history import History, Seen
from trivet.engine.route import Floats, Ints
from trivet.engine.trip import Query

#: Names of the numbers of a place, in the order of the columns.
CUSTOMS = (
    "ever",  # log share of all trips
    "like_hour",  # of those from this origin at this hour of such a day
    "weekday",  # of those on this day of the week around this hour
    "stay",  # of those from this origin after a stay about as long
    "turn",  # of those that were as many trips into such a day
    "often",  # log number of trips there
    "return",  # 1 for the place before the origin
    "home",  # 1 for home
    "work",  # 1 for work
)
#: The same of somewhere new: log odds that a trip went there, of the last ones and of
#: those at this hour of such a day; log number of trips.
CUSTOMS_NEW = ("new_lately", "new_hour", "trips")
_OFTEN, _RETURN, _HOME, _WORK = map(CUSTOMS.index, ("often", "return", "home", "work"))
#: A share of votes is read as its logarithm, which these keep finite.
_LEAST_VOTES, _LEAST_SHARE = 0.3, 0.02
#: Half-lives of what was ever done, and of the other counts.
_EVER_D, _LONG_D = 365.0, 120.0
_HOUR_H, _AROUND_H = 1.0, 2.0
_OTHER_KIND, _OTHER_ORIGIN = 0.1, 0.1
#: Of the log of the length of a stay.
_STAY_SPREAD = 0.4
#: Trips that are the last ones.
_LATELY = 20
_MEAN_LOG_TRIPS = 5.0


def customs(
    history: History, query: Query, rows: Ints, places: tuple[Place, ...]
) -> tuple[Floats, Floats]:
    """The numbers of each place by CUSTOMS, and of somewhere new by CUSTOMS_NEW.

    Args:
        history: past trips.
        query: what is known when the trip begins.
        rows: number of each row's destination among the places, -1 for none.
        places: the places.
    """
    table = np.zeros((len(places), len(CUSTOMS)))
    for number, place in enumerate(places):
        table[number, _RETURN] = place.id == query.before
        table[number, _HOME] = place.role is PlaceRole.HOME
        table[number, _WORK] = place.role is PlaceRole.WORK
    if not len(history):
        return table, np.zeros(len(CUSTOMS_NEW))
    seen, known = history.seen(query), rows >= 0
    timed = _long(seen) * _near(seen, _AROUND_H) * _alike(seen)
    for column, weights in enumerate(_ways(seen)):
        votes = np.bincount(rows[known], weights[known], minlength=len(places))
        table[:, column] = np.log(votes / (votes.sum() + _LEAST_VOTES) + _LEAST_SHARE)
    trips = np.bincount(rows[known], minlength=len(places))
    table[:, _OFTEN] = np.log(trips + 1.0)
    last = history.new[-_LATELY:]
    return table, np.array(
        [
            _log_odds(float(last.sum()) + 0.5, len(last) + 1.0),
            _log_odds(float(timed @ history.new) + 0.25, float(timed.sum()) + 0.5),
            log(len(history) + 1.0) - _MEAN_LOG_TRIPS,
        ]
    )


def _ways(seen: Seen) -> tuple[Floats, ...]:
    """Weights of the rows in each way of counting, in the order of CUSTOMS."""
    here = _long(seen) * seen.same_origin
    elsewhere = np.where(seen.same_origin, 1.0, _OTHER_ORIGIN)
    off = (seen.log_stay - seen.log_stay_now) / _STAY_SPREAD
    as_long = np.where(np.isfinite(off), np.exp(-0.5 * off**2), 0.0)
    return (
        0.5 ** (seen.age_d / _EVER_D),
        here * _near(seen, _HOUR_H) * _alike(seen),
        _long(seen) * seen.same_weekday * _near(seen, _AROUND_H) * elsewhere,
        here * as_long,
        _long(seen) * (seen.turn == seen.turn_now) * _alike(seen),
    )


def _long(seen: Seen) -> Floats:
    recent: Floats = 0.5 ** (seen.age_d / _LONG_D)
    return recent


def _near(seen: Seen, width_h: float) -> Floats:
    near: Floats = np.exp(-0.5 * (seen.apart_h / width_h) ** 2)
    return near


def _alike(seen: Seen) -> Floats:
    return np.where(seen.same_kind, 1.0, _OTHER_KIND)


def _log_odds(part: float, whole: float) -> float:
    return log(part / (whole - part))
