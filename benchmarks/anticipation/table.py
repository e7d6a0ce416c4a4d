"""All that was judged of one person, as columns; no position and no trip's time."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import msgspec
import numpy as np
from benchmarks.anticipation.score import RANKS, Floats, Hit
from benchmarks.anticipation.scout import CLOCKS, Moment
from numpy.typing import NDArray

from trivet.domain import Forecast, Interval
from trivet.engine import TripEnded

BINS = 10
#: The first day that counts for the main figures.
WARM_DAY = 15
_CLOCKS = tuple(CLOCKS)
_LEAST_PROBABILITY = 1e-6
Mask = NDArray[np.bool_]


class Table(msgspec.Struct, frozen=True):
    """One row a moment of a trip.

    Attributes:
        columns: by name; NaN where nothing was said. `clock` is a number.
        bins: by clock and mark, for ten bins of the probability given to any
            candidate: how many, sum of probabilities, how many came true; from day 15.
        costs_s: processor seconds of each forecast.
        memory_bytes: what was learned, written out.
        notes: figures of the person: trips, places, days, files, copies.
    """

    columns: dict[str, Floats]
    bins: dict[tuple[str, float], Floats]
    costs_s: list[float]
    memory_bytes: int = 0
    notes: dict[str, int] = {}

    def column(self, name: str) -> Floats:
        """A column, all NaN when it was never filled."""
        found = self.columns.get(name)
        return np.full(len(self), np.nan) if found is None else found

    def __len__(self) -> int:
        return len(self.columns["mark"])

    def at(self, clock: str, mark: float) -> Mask:
        """The rows of one moment of trips."""
        found: Mask = (self.columns["clock"] == _CLOCKS.index(clock)) & (
            self.columns["mark"] == mark
        )
        return found

    def days(self, first: int, last: float = np.inf) -> Mask:
        """The rows of some of the person's days."""
        found: Mask = (self.columns["day"] >= first) & (self.columns["day"] <= last)
        return found

    def kind(self, kind: str) -> Mask:
        """The rows of trips to known or new destinations, or all."""
        known = self.columns["known"] > 0
        if kind == "all":
            return np.ones(len(self), dtype=np.bool_)
        return known if kind == "known" else ~known


class TableWriter:
    """Fills a table row by row."""

    def __init__(self) -> None:
        self.costs_s: list[float] = []
        self._columns: dict[str, list[float]] = {}
        self._bins: dict[tuple[str, float], Floats] = {}
        self._rows = 0
        self._moment = ("", 0.0)
        self._is_warm = False

    def begin(self, moment: Moment, day: int, is_known: bool, trip_s: float) -> None:
        """Begin a row."""
        self._rows += 1
        self._moment, self._is_warm = (moment.clock, moment.mark), day >= WARM_DAY
        self._put("clock", _CLOCKS.index(moment.clock))
        self._put("mark", moment.mark)
        self._put("day", day)
        self._put("known", is_known)
        self._put("trip_s", trip_s)

    def add_hit(self, name: str, hit: Hit) -> None:
        """How good somebody's guess was."""
        for rank, credit in zip(RANKS, hit.credits, strict=True):
            self._put(f"{name}/top{rank}", credit)
        self._put(f"{name}/error_m", hit.error_m)

    def add_interval(self, name: str, said: Interval | None, arrival: float) -> None:
        """How good somebody's arrival was."""
        if said is None:
            return
        self._put(f"{name}/late_s", said.median - arrival)
        if said.low < said.high:
            self._put(f"{name}/covered", said.low <= arrival <= said.high)
            self._put(f"{name}/width_s", said.high - said.low)

    def add_forecast(self, forecast: Forecast, event: TripEnded) -> None:
        """What trivet said, and of each probability whether it came true."""
        self.add_interval("trivet", forecast.arrival, event.trip.arrival)
        truth = "" if event.is_new else event.trip.destination
        named = [c for c in forecast.candidates if c.lat is not None]
        best = max(named, key=lambda c: c.probability, default=None)
        self._put("trivet/best", best.probability if best else 0.0)
        self._put("trivet/exact", best is not None and best.place == truth)
        self._put("trivet/new", forecast.probability_of(""))
        given = max(forecast.probability_of(truth), _LEAST_PROBABILITY)
        self._put("trivet/loss", -log(given))
        if self._is_warm:
            for candidate in forecast.candidates:
                self._bin(candidate.probability, candidate.place == truth)

    def _bin(self, probability: float, is_true: bool) -> None:
        bins = self._bins.setdefault(self._moment, np.zeros((BINS, 3)))
        bins[min(BINS - 1, int(probability * BINS))] += 1.0, probability, is_true

    def _put(self, name: str, value: float) -> None:
        column = self._columns.setdefault(name, [])
        column.extend([float("nan")] * (self._rows - 1 - len(column)))
        column.append(float(value))

    def finish(self) -> Table:
        """The table."""
        columns = {name: self._whole(own) for name, own in self._columns.items()}
        columns.setdefault("mark", np.empty(0))
        return Table(columns, self._bins, self.costs_s)

    def _whole(self, column: Sequence[float]) -> Floats:
        missing = [float("nan")] * (self._rows - len(column))
        return np.array([*column, *missing])
