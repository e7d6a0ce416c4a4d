"""Race: which entity of the home changes next, by how long each stays as it is.

Every entity has been in its state for some time, and past stays there tell the hazard
that it changes now: a motion sensor goes off after a minute, a hall lamp after four.
They run side by side, and the first to change is the next event. What has waited
beyond its habit changes by mere chance from then on.

Source: D. R. Cox, "The analysis of exponentially distributed life-times with two types
of failure", J. Royal Statistical Society B 21 (1959), for competing risks; E. L. Kaplan
and P. Meier, "Nonparametric estimation from incomplete observations", J. American
Statistical Association 53 (1958), for hazards of those still at risk.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trivet.engine.blend import Floats

Ints = NDArray[np.int64]

#: Delays in seconds at which hazards may differ; beyond the last nothing is told.
_EDGES_S: Floats = np.array(
    "0 2 5 10 20 35 50 65 90 120 180 300 480 720 1200 2400"
    " 5400 10800 21600 43200 86400 259200".split(),
    dtype=np.float64,
)
_BINS = len(_EDGES_S) - 1
#: Stays remembered of each entity and state, the newest.
_STAYS = 48
#: One more stay speaks with them, spread as if changes came by mere chance.
_PRIOR = 1.0
#: What a stay, and what came after it, weighs against the next one.
_FADE = 0.98
#: Chance that the next event is one never seen, as far as a race can tell.
_NEW = 0.002


class Race:
    """Stays of each entity in each of its states; both are one code.

    Args:
        most: how many codes there may be.
    """

    def __init__(self, most: int) -> None:
        self._stays_s: Floats = np.full((most, _STAYS), np.nan)
        self._count: Ints = np.zeros(most, dtype=np.int64)
        self._whole_s: Floats = np.zeros(most)
        self._weight: Floats = np.zeros(most)
        self._follows: Floats = np.zeros((most, most))
        self._now: dict[str, int] = {}
        self._since: dict[str, float] = {}

    @property
    def now(self) -> list[int]:
        """The codes that hold now: none of them can be the next event."""
        return list(self._now.values())

    def learn_one(self, path: str, code: int, time: float) -> None:
        """Take up that the entity `path` changed to the state of `code`."""
        before = self._now.get(path)
        if before is not None:
            stay_s = time - self._since[path]
            self._stays_s[before, self._count[before] % _STAYS] = stay_s
            self._count[before] += 1
            self._whole_s[before] = _FADE * self._whole_s[before] + stay_s
            self._weight[before] = _FADE * self._weight[before] + 1.0
            self._follows[before] *= _FADE
            self._follows[before, code] += 1.0
        self._now[path], self._since[path] = code, time

    def predict_one(self, time: float, codes: int) -> Floats:
        """Chance of each of `codes` codes to be the first to come, and of a new one.

        Args:
            time: event time, with no event since the last one learned.
            codes: how many are known.
        """
        chances = np.zeros(codes + 1)
        chances[codes] = _NEW
        rows = np.array(self.now, dtype=np.int64)
        if len(rows):
            since = np.array(list(self._since.values()))
            first = _first(self._hazards(rows, time - since))
            follows = self._follows[rows, :codes]
            total = np.maximum(follows.sum(axis=1), 1e-9)
            chances[:codes] = (first / total) @ follows
        return chances

    def _hazards(self, rows: Ints, waited_s: Floats) -> Floats:
        """Chance to change in each span of delay, having stayed until it."""
        left_s = self._stays_s[rows] - waited_s[:, None]
        place = np.searchsorted(_EDGES_S, left_s, side="right") - 1
        place = np.clip(place, 0, _BINS - 1) + _BINS * np.arange(len(rows))[:, None]
        ended = np.bincount(place[left_s > 0], minlength=_BINS * len(rows))
        ended = ended.reshape(len(rows), _BINS)
        at_risk = ended[:, ::-1].cumsum(axis=1)[:, ::-1]
        rate = (self._weight[rows] + 0.5) / (self._whole_s[rows] + 3600.0)
        by_chance = -np.expm1(-rate[:, None] * np.diff(_EDGES_S))
        hazards: Floats = (ended + _PRIOR * by_chance) / (at_risk + _PRIOR)
        return np.minimum(hazards, 0.999)


def _first(hazards: Floats) -> Floats:
    """Chance of each row to be the first to change."""
    each = -np.log1p(-hazards)
    total = each.sum(axis=0)
    lasted = np.exp(-(np.cumsum(total) - total))
    ends = lasted * -np.expm1(-total)
    first: Floats = (each / np.maximum(total, 1e-12)) @ ends
    return first
