"""Averages over people, and how sure they are.

Each person counts the same, however many trips they have. An interval holds 95 % of
averages over people drawn again from those there are (B. Efron, Ann. Statist. 7, 1979);
margins between two forecasters are drawn by person, so what makes a person hard does
not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from benchmarks.anticipation.score import Floats
from benchmarks.anticipation.table import Mask, Table

RESAMPLES = 2_000
SEED = 20_260_101
#: Of a person with fewer trips in a cell nothing is said there.
LEAST_TRIPS = 5
Rows = Callable[[Table], Mask]
Statistic = Callable[[Floats], float]


class Figure(msgspec.Struct, frozen=True):
    """A mean over people with its 95 % interval; None where nothing can be said."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def average(values: Floats) -> float:
    """The mean."""
    return float(values.mean())


def middle(values: Floats) -> float:
    """The median; infinite ones are values like others."""
    return float(np.sort(values)[(len(values) - 1) // 2])


def by_person(
    tables: Sequence[Table],
    column: str,
    rows: Rows,
    *,
    statistic: Statistic = average,
) -> Floats:
    """The statistic of a column's rows for each person, NaN of too few rows."""
    found = []
    for table in tables:
        values = table.column(column)[rows(table)]
        values = values[~np.isnan(values)]
        enough = len(values) >= LEAST_TRIPS
        found.append(statistic(values) if enough else float("nan"))
    return np.array(found)


def figure(people: Floats) -> Figure:
    """Mean over people, and its interval by drawing people again."""
    people = people[np.isfinite(people)]
    if not len(people):
        return Figure()
    value = float(people.mean())
    if len(people) < 2:
        return Figure(value)
    drawn = np.random.default_rng(SEED).integers(
        len(people), size=(RESAMPLES, len(people))
    )
    low, high = np.quantile(people[drawn].mean(axis=1), (0.025, 0.975)).tolist()
    return Figure(value, low, high)
