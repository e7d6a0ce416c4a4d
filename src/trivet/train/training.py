"""From cases of many people to a student: fit, teach, distil, calibrate, judge."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from trivet.domain.error import UsageError
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.student import FORMAT, Network, Student, Weights
from trivet.train.calibrate import sharpen, sharpness
from trivet.train.case import SHARES, Cases
from trivet.train.distill import distil
from trivet.train.fit import fit, losses, steps
from trivet.train.padded import pad
from trivet.train.teacher import teach

#: One person in so many is held out, to calibrate and to judge.
HELD_OUT = 6


class Judged(msgspec.Struct, frozen=True):
    """How a student does on people whose trips it was not fitted on.

    Attributes:
        name: of the student.
        cases: how many moments of trips.
        loss: mean negative log probability of what came true.
        top1: at each share of a trip's time (departure first), of the trips to places
            stayed at before the share whose likeliest place was the right one.
    """

    name: str
    cases: int
    loss: float
    top1: tuple[float, ...]


class Trained(msgspec.Struct, frozen=True):
    """A student, and how it and what came before it do on the people held out."""

    student: Student
    judged: tuple[Judged, ...]


def train(
    people: Sequence[Cases],
    trained_on: str,
    trained_at: str,
    *,
    seed: int,
    linear: bool,
) -> Trained:
    """The student of these people.

    Args:
        people: cases of each; every sixth person is held out.
        trained_on: whose lives, in words.
        trained_at: the day, as an ISO date.
        seed: of all chance.
        linear: no teacher and no network, and no torch.

    Raises:
        UsageError: there is nothing to learn from.
        SetupError: the extra `train` is not installed, and it is not linear.
    """
    learned, held = _parted(people)
    way, blind = learned.where(~learned.blind), learned.where(learned.blind)
    if not len(way) or not len(blind):
        raise UsageError(
            f"{len(people)} people gave {len(learned)} moments of trips: too few",
            hint="a person needs some weeks of positions",
        )
    at_start = fit(blind, blind=True).weights
    weights, network = fit(way, blind=False).weights, None
    rows = [judge("linear", held, weights, None, at_start)]
    if not linear:
        weights, network, more = _taught(way, held, weights, at_start, seed)
        rows += more
    if len(held):
        scale = sharpness(held.where(~held.blind), weights, network)
        sharp, network = sharpen(weights, network, scale)
        weights = steps(way, sharp, network)
        rows.append(judge("calibrated", held, weights, network, at_start))
    origin = FORMAT, trained_on, trained_at, len(learned)
    found = weights, at_start, network
    student = Student(*origin, COLUMNS, NEW_COLUMNS, *found)
    return Trained(student, tuple(rows) if len(held) else ())


def _parted(people: Sequence[Cases]) -> tuple[Cases, Cases]:
    """Those to learn from, and those held out."""
    numbered = [
        msgspec.structs.replace(cases, person=np.full(len(cases), number))
        for number, cases in enumerate(people)
    ]
    cases = Cases.join(numbered) if numbered else Cases.of([])
    out = cases.person % HELD_OUT == HELD_OUT - 1
    return cases.where(~out), cases.where(out)


def _taught(
    way: Cases, held: Cases, weights: Weights, at_start: Weights, seed: int
) -> tuple[Weights, Network, list[Judged]]:
    """The student with a network, taught by a teacher, beside one that was not."""
    padded = pad(way)
    alone, net = distil(padded, None, weights, seed)
    rows = [judge("network", held, alone, net, at_start)]
    targets = teach(padded, weights, seed)
    taught, network = distil(padded, targets, weights, seed)
    taught = steps(way, taught, network)
    rows.append(judge("distilled", held, taught, network, at_start))
    return taught, network, rows


def judge(
    name: str, cases: Cases, way: Weights, network: Network | None, blind: Weights
) -> Judged:
    """How a student does on these cases."""
    loss, right = losses(cases, way, network)
    loss_blind, right_blind = losses(cases, blind)
    loss = np.where(cases.blind, loss_blind, loss)
    right = np.where(cases.blind, right_blind, right)
    known = cases.truth < cases.sizes
    top1 = []
    for share in SHARES:
        some = right[known & (cases.share == share)]
        top1.append(float(some.mean()) if len(some) else float("nan"))
    mean = float(loss.mean()) if len(loss) else float("nan")
    return Judged(name, len(cases), mean, tuple(top1))


def judge_student(name: str, cases: Cases, student: Student) -> Judged:
    """How a whole student does on these cases."""
    return judge(name, cases, student.way, student.network, student.blind)
