"""Everything that a run reports: aggregates, no position and no single trip."""

from __future__ import annotations

import msgspec
from benchmarks.anticipation.figure import Figure

Figures = dict[str, Figure]


class Cell(msgspec.Struct, frozen=True):
    """Destinations at one moment of trips, for one kind of destination.

    Attributes:
        kind: known, new or all.
        clock: share, minutes or km.
        mark: how much of it.
        days: of the person's life, in words.
        people: with enough such trips.
        trips: how many.
        top1: by forecaster, share right at the first guess.
        top3: within three.
        top5: within five.
        error_m: by forecaster, mean over people of the median error.
        best: the baseline with the best top1.
        margin: of trivet's top1 over that one's.
        said_new: probability given to somewhere new.
        loss: negative log of the probability given to what came true.
    """

    kind: str
    clock: str
    mark: float
    days: str
    people: int
    trips: int
    top1: Figures
    top3: Figures
    top5: Figures
    error_m: Figures
    best: str
    margin: Figure
    said_new: Figure
    loss: Figure


class ArrivalCell(msgspec.Struct, frozen=True):
    """Arrivals at one moment of trips, by who foretold them.

    Attributes:
        error_min: mean absolute error.
        share: sum of the errors as a share of the trips' time.
        late_min: mean error: above 0 it said too late.
        covered: share of arrivals in the interval, which promises 0.8.
        width_min: mean over people of the interval's median length.
        best: the baseline with the least mean error.
        margin_min: by how much trivet's error is less.
    """

    kind: str
    clock: str
    mark: float
    trips: int
    error_min: Figures
    share: Figures
    late_min: Figures
    covered: Figures
    width_min: Figures
    best: str
    margin_min: Figure


class Reliability(msgspec.Struct, frozen=True):
    """Probabilities said, and how often they came true; a bin is a tenth.

    Attributes:
        of: the best guess, or all candidates.
        count: of each bin.
        said: mean probability said in each bin, None of an empty one.
        true: how often it came true: the very place, not one near it.
        gap: expected calibration error: mean distance of the two, by count.
    """

    of: str
    clock: str
    mark: float
    count: list[int]
    said: list[float | None]
    true: list[float | None]
    gap: float


class Abstention(msgspec.Struct, frozen=True):
    """Where trivet speaks only when its best guess has some probability.

    Attributes:
        least: that probability.
        spoke: share of trips at which it spoke.
        right: how often the best guess was right then.
    """

    clock: str
    mark: float
    least: float
    spoke: Figure
    right: Figure


class Person(msgspec.Struct, frozen=True):
    """One person's figures, from day 15 on, at half of the trip's time.

    Attributes:
        notes: trips, places, days, files, copies.
        known: trips to known places that were judged.
        new: to new ones.
        top1: by forecaster, to known places.
        top3: trivet's.
        error_m: trivet's median error, to known places.
        arrival_min: trivet's mean error of the arrival, all trips.
        covered: share of arrivals in the interval.
    """

    person: str
    notes: dict[str, int]
    known: int
    new: int
    top1: dict[str, float | None]
    top3: float | None
    error_m: float | None
    arrival_min: float | None
    covered: float | None


class Cost(msgspec.Struct, frozen=True):
    """What a forecast costs on one core of the machine that ran, in milliseconds."""

    forecasts: int
    p50_ms: float
    p95_ms: float
    most_ms: float
    memory_bytes: int


class Result(msgspec.Struct, frozen=True):
    """One run."""

    source: str
    people: list[Person]
    shared: str
    student: str
    weights: int
    cells: list[Cell]
    arrivals: list[ArrivalCell]
    reliability: list[Reliability]
    abstention: list[Abstention]
    cost: Cost

    def cell(self, kind: str, clock: str, mark: float, days: str) -> Cell | None:
        """The destinations at that moment, None when there were too few."""
        wanted = (kind, clock, mark, days)
        return next(
            (c for c in self.cells if (c.kind, c.clock, c.mark, c.days) == wanted), None
        )

    def arrival(self, kind: str, clock: str, mark: float) -> ArrivalCell | None:
        """The arrivals at that moment, likewise."""
        wanted = (kind, clock, mark)
        return next(
            (a for a in self.arrivals if (a.kind, a.clock, a.mark) == wanted), None
        )
