"""How wrong estimates of remaining time turn out, and what interval follows.

Each misjudgement is a log ratio of true over estimated remaining time, kept by bucket:
the source of the estimate, how much of the trip's time seems to be over, and how fast
the person is lately. The median follows the finest buckets, each of which begins as the
one above it. The ends of an interval follow the speed alone: how much of
a trip seems to be over is itself a guess, and an interval that trusts it misses who
arrives sooner, or sets off for longer, than it seems.

The levels are steered so that intervals hold as often as they promise, apart for trips
that seem to go somewhere known, and somewhere new.

Source: I. Gibbs and E. Candès, "Adaptive conformal inference under distribution
shift", NeurIPS 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, log
from typing import TypeAlias

import msgspec
import numpy as np

from trivet.engine.blend import Steering
from trivet.engine.route import Floats
from trivet.engine.times import MARKS
from trivet.engine.trip import Judgement

#: Remaining times are compared as logarithms, with this added.
PAD_S = 30.0
#: Intervals are told at these levels.
MIDDLE, LEVEL = 0.5, 0.8
#: Sources of an estimate, parts of a trip's time, and kinds of speed, 0 for unknown.
ROUTE, PAIR, DISTANCE, NEW = range(4)
SOURCES, PHASES, SPEEDS = 4, 4, 5
#: Kinds of speed: standing about, walking, slow traffic, under way.
_SPEEDS_MPS = (0.5, 1.5, 4.0)
#: From these shares of somewhere new on, a trip is doubtful, and goes there.
_DOUBTS = (0.25, 0.6)
_STEER, _MOST_LESS = 0.02, 0.3
_MOST_RESIDUALS = 120
#: Beyond this many times too long or too short an error says nothing.
_MOST = log(1e6)
#: Errors that are imagined before any is known, and those taken over from the bucket
#: above.
_IMAGINED = np.linspace(-1.08, 1.08, 40)
_TAKEN = (np.arange(20) + 0.5) / 20


class Calibration(msgspec.Struct):
    """What earlier estimates taught; written to disk as it is.

    Attributes:
        residuals: logs of true over estimated remaining time, oldest first, by bucket;
            see `bucket_of`.
        steerings: by how likely somewhere new seemed, levels to ask for.
    """

    residuals: dict[int, list[float]] = {}
    steerings: dict[int, Steering] = {}

    def __post_init__(self) -> None:
        """Refuse what no trip can have taught.

        Raises:
            ValueError: a number that is none, or beyond all measure.
        """
        for bucket, bank in self.residuals.items():
            if not all(abs(error) <= _MOST for error in bank):
                raise ValueError(f"errors of bucket {bucket} beyond {_MOST:.1f}")


#: A set of buckets: source, phase and speed, None for any.
_Key: TypeAlias = tuple[int | None, int | None, int | None]


class Errors:
    """How wrong estimates turn out, by bucket."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        self._banks: dict[int, Floats] = {}
        self._quantiles: dict[_Key, Floats] = {}

    def learn(self, judgement: Judgement) -> None:
        """Take up how wrong an estimate was.

        An interval gets wider after an arrival outside of it, narrower after one
        inside.
        """
        steerings = self._calibration.steerings
        steering = steerings.setdefault(judgement.doubt, Steering())
        steering.learn(LEVEL, judgement.covered, _STEER)
        if judgement.in_middle is not None:
            steering.learn(MIDDLE, judgement.in_middle, _STEER)
        bucket, error = judgement.bucket, judgement.residual
        if bucket is None or not isfinite(error):
            return
        bank = self._calibration.residuals.setdefault(bucket, [])
        bank.append(min(_MOST, max(-_MOST, error)))
        del bank[:-_MOST_RESIDUALS]
        self._banks.pop(bucket, None)
        source = parts_of(bucket)[0]
        for key in [key for key in self._quantiles if key[0] in (source, None)]:
            del self._quantiles[key]

    def level(self, promised: float, doubt: int) -> float:
        """The level to ask for; not much less than promised, however well all went."""
        steering = self._calibration.steerings.get(doubt)
        asked = promised if steering is None else steering.level(promised)
        return max(asked, promised - _MOST_LESS)

    def spread(self, bucket: int) -> Floats:
        """Errors of a bucket at MARKS, which the median follows."""
        return self._quantiles_of(parts_of(bucket))

    def reach(self, bucket: int) -> Floats:
        """Errors at MARKS of all who were as fast, which the ends follow."""
        return self._quantiles_of((None, None, parts_of(bucket)[2]))

    def _quantiles_of(self, key: _Key) -> Floats:
        found = self._quantiles.get(key)
        if found is None:
            above = _above(key)
            prior = _IMAGINED if above is None else self._quantiles_of(above)
            taken = np.interp(_TAKEN, MARKS, prior)
            errors = np.sort(np.concatenate([taken, *self._within(key)]))
            last = len(errors) - 1
            found = np.interp(MARKS * last, np.arange(last + 1), errors)
            self._quantiles[key] = found
        return found

    def _within(self, key: _Key) -> Iterator[Floats]:
        a, b, c = key
        for bucket, errors in self._calibration.residuals.items():
            source, phase, speed = parts_of(bucket)
            if a in (None, source) and b in (None, phase) and c in (None, speed):
                bank = self._banks.get(bucket)
                if bank is None:
                    bank = self._banks[bucket] = np.array(errors)
                yield bank


def _above(key: _Key) -> _Key | None:
    """The set that a set lies in, None for one that begins with what is imagined."""
    source, phase, speed = key
    if source is None:
        return None if speed is None else (None, None, None)
    if phase is None:
        return None
    return (source, None, None) if speed is None else (source, phase, None)


def residual(estimated_s: float, true_s: float) -> float:
    """How wrong an estimate of the remaining time was: the log of their ratio.

    What remains is not negative: an arrival before the estimate counts as then.
    """
    return log(max(0.0, true_s) + PAD_S) - log(max(0.0, estimated_s) + PAD_S)


def bucket_of(source: int, phase: int, speed: int) -> int:
    """Number of a bucket."""
    return (speed * SOURCES + source) * PHASES + phase


def parts_of(bucket: int) -> tuple[int, int, int]:
    """Source, phase and speed of a bucket."""
    rest, phase = divmod(bucket, PHASES)
    speed, source = divmod(rest, SOURCES)
    return source, phase, speed


def doubt_of(new: float) -> int:
    """Kind of a trip that goes somewhere new with probability `new`."""
    return sum(new >= least for least in _DOUBTS)


def speed_kind(speed_mps: float | None) -> int:
    """Kind of speed, 0 where it is not known."""
    if speed_mps is None:
        return 0
    return 1 + sum(speed_mps >= least for least in _SPEEDS_MPS)
