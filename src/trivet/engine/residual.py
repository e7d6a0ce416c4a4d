"""What a person's own trips teach: their weights, a little off everybody's.

During a trip evidence is put aside. When it has ended, the slope of the loss on it is a
lesson, and the person's weights are the student's, moved against the lessons, each
weight as far as others' trips showed that it can be told (S. Amari, "Natural gradient
works efficiently in learning", Neural Computation 10, 1998). Older lessons fade, so
that the weights are drawn back to the student's. Because what was moved is a sum over
lessons, a trip that is forgotten takes its lesson along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from trivet.engine.evidence import COLUMNS, NEW_COLUMNS, Evidence
from trivet.engine.route import Floats
from trivet.engine.student import Student

_WIDTH = len(COLUMNS)
_WHOLE = _WIDTH + len(NEW_COLUMNS)
#: Candidates put aside: the likeliest. A trip to none of them teaches nothing.
_MOST_CANDIDATES = 40
#: Lessons that are kept, the newest.
MOST_LESSONS = 400
#: How far one lesson moves the weights, with positions and without, and how much of a
#: lesson the next one leaves. Chosen on people on whom nothing is reported.
_RATE, _RATE_BLIND, _KEEP = 0.006, 0.008, 0.998
#: No slope counts more than this, and no weight is moved further.
_STEEPEST, _FURTHEST = 5.0, 3.0


class Exhibit(msgspec.Struct, frozen=True, array_like=True):
    """Evidence put aside at one moment of a running trip.

    Attributes:
        time: event time.
        blind: no position of the trip was known.
        places: ids of the likeliest candidates.
        rows: their evidence, 32-bit floats by `evidence.COLUMNS`.
        new: of somewhere new, by `evidence.NEW_COLUMNS`.
        mean: of all candidates' evidence and somewhere new's, each as likely as it was
            said to be.
    """

    time: float
    blind: bool
    places: tuple[str, ...]
    rows: bytes
    new: tuple[float, ...]
    mean: tuple[float, ...]

    @property
    def is_sound(self) -> bool:
        """Whether its numbers are as many as there must be, and each is one."""
        lengths = len(self.rows), len(self.new), len(self.mean)
        if lengths != (4 * _WIDTH * len(self.places), len(NEW_COLUMNS), _WHOLE):
            return False
        rows = np.frombuffer(self.rows, dtype="<f4")
        return all(bool(np.isfinite(x).all()) for x in (rows, self.new, self.mean))


class Lesson(msgspec.Struct, frozen=True, array_like=True):
    """What one trip taught: slopes of the loss by COLUMNS and then NEW_COLUMNS.

    Attributes:
        departure: event time at which the trip began.
        way: with positions; empty when there was nothing to learn from.
        blind: without.
    """

    departure: float
    way: tuple[float, ...]
    blind: tuple[float, ...]

    @property
    def is_sound(self) -> bool:
        """Whether its slopes are as many as there must be, and as steep as may be."""
        is_whole = {len(self.way), len(self.blind)} <= {0, _WHOLE}
        slopes = (*self.way, *self.blind)
        return is_whole and all(abs(slope) <= _STEEPEST for slope in slopes)


def are_foreign(exhibits: Sequence[Exhibit], lessons: Sequence[Lesson]) -> bool:
    """Whether they are of other evidence, all of the same: another trivet's."""
    widths = {len(one.mean) for one in exhibits}
    for one in lessons:
        widths |= {len(slopes) for slopes in (one.way, one.blind) if slopes}
    return len(widths) == 1 and widths != {_WHOLE}


def put_aside(
    evidence: Evidence, probability: Floats, new: float, time: float, *, blind: bool
) -> Exhibit:
    """What is to be learnt from when the trip has ended.

    Args:
        evidence: of each candidate.
        probability: of each, as it was said.
        new: of somewhere new, likewise.
        time: event time.
        blind: no position of the trip is known.
    """
    kept = np.argsort(-probability, kind="stable")[:_MOST_CANDIDATES]
    mean = np.concatenate([probability @ evidence.table, new * evidence.new])
    return Exhibit(
        time,
        blind,
        tuple(evidence.places[number] for number in kept),
        evidence.table[kept].astype("<f4").tobytes(),
        tuple(evidence.new.tolist()),
        tuple(mean.tolist()),
    )


def teach(
    exhibits: Sequence[Exhibit], departure: float, destination: str, is_new: bool
) -> Lesson | None:
    """The lesson of a trip that has ended; None when it teaches nothing.

    Args:
        exhibits: of moments of the trip.
        departure: event time at which it began.
        destination: id of the place where it ended.
        is_new: the place had never been stayed at before.
    """
    found: dict[bool, list[Floats]] = {False: [], True: []}
    for exhibit in exhibits:
        slope = _slope(exhibit, "" if is_new else destination)
        if slope is not None:
            found[exhibit.blind].append(np.clip(slope, -_STEEPEST, _STEEPEST))
    if not found[False] and not found[True]:
        return None
    way, blind = (
        tuple(np.mean(found[kind], axis=0).tolist()) if found[kind] else ()
        for kind in (False, True)
    )
    return Lesson(departure, way, blind)


def _slope(exhibit: Exhibit, destination: str) -> Floats | None:
    """The mean evidence less that of what came true; None if that was not kept."""
    truth = np.zeros(_WHOLE)
    if not destination:
        truth[_WIDTH:] = exhibit.new
    elif destination in exhibit.places:
        rows = np.frombuffer(exhibit.rows, dtype="<f4").reshape(-1, _WIDTH)
        truth[:_WIDTH] = rows[exhibit.places.index(destination)]
    else:
        return None
    return np.array(exhibit.mean) - truth


class Residual:
    """How far a person's weights are from the student's.

    Args:
        student: everybody's weights, and how far each can be moved.
        lessons: what the person's trips taught, oldest first; the newest count.
    """

    def __init__(self, student: Student, lessons: Iterable[Lesson]) -> None:
        newest = list(lessons)[-MOST_LESSONS:]
        self.way = _moved(student.way.steps, [one.way for one in newest], _RATE)
        blind = [one.blind for one in newest]
        self.blind = _moved(student.blind.steps, blind, _RATE_BLIND)


def _moved(
    steps: tuple[tuple[float, ...], ...], slopes: Sequence[Sequence[float]], rate: float
) -> tuple[Floats, Floats]:
    """What is added to the weights of a candidate, and of somewhere new."""
    rows = [slope for slope in slopes if slope]
    if not rows or not steps:
        return np.zeros(_WIDTH), np.zeros(_WHOLE - _WIDTH)
    fades = _KEEP ** np.arange(len(rows) - 1, -1, -1)
    moved = -rate * (np.array(steps) @ (fades @ np.array(rows)))
    moved = np.clip(moved, -_FURTHEST, _FURTHEST)
    return moved[:_WIDTH], moved[_WIDTH:]
