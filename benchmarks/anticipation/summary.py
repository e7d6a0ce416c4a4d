"""From each person's table to what is reported over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
from benchmarks.anticipation.baseline import BASELINES
from benchmarks.anticipation.figure import (
    Figure,
    Rows,
    Statistic,
    average,
    by_person,
    figure,
    middle,
)
from benchmarks.anticipation.result import (
    Abstention,
    ArrivalCell,
    Cell,
    Cost,
    Person,
    Reliability,
    Result,
)
from benchmarks.anticipation.score import Floats
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.table import BINS, WARM_DAY, Table

KINDS = ("known", "new", "all")
FORECASTERS = ("trivet", *BASELINES)
WARM, EVERY = f"from day {WARM_DAY}", "all days"
#: By words, the first and the last day of a person's life that count.
DAYS: Mapping[str, tuple[int, float]] = {
    WARM: (WARM_DAY, np.inf),
    EVERY: (1, np.inf),
    "day 1-7": (1, 7),
    "day 8-14": (8, 14),
    "day 15-28": (15, 28),
    "day 29-60": (29, 60),
    "day 61-180": (61, 180),
    "day 181-": (181, np.inf),
}
#: Who foretells arrivals; those told know the true destination.
ARRIVERS = ("trivet", "median", "straight")
_TOLD = tuple(f"told {name}" for name in ARRIVERS)
_LEAST = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)
_RELIABLE = (("minutes", 0.0), ("share", 0.1), ("share", 0.5), ("share", 0.9))


class Source(msgspec.Struct, frozen=True):
    """What was judged, in words; and the model that judged."""

    text: str
    shared: str
    student: str
    weights: int


def summarise(source: Source, tables: Mapping[str, Table]) -> Result:
    """All figures of a run, by person in order."""
    own = list(tables.values())
    return Result(
        source.text,
        [_person(name, table) for name, table in tables.items()],
        source.shared,
        source.student,
        source.weights,
        list(_cells(own)),
        list(_arrivals(own)),
        list(_reliability(own)),
        list(_abstention(own)),
        _cost(own),
    )


def _rows(kind: str, clock: str, mark: float, days: str) -> Rows:
    first, last = DAYS[days]
    return lambda table: (
        table.at(clock, mark) & table.days(first, last) & table.kind(kind)
    )


def _cells(tables: Sequence[Table]) -> Iterator[Cell]:
    for clock, marks in CLOCKS.items():
        for mark in marks:
            for kind in KINDS:
                for days in DAYS:
                    cell = _cell(tables, kind, clock, mark, days)
                    if cell is not None:
                        yield cell


def _cell(
    tables: Sequence[Table], kind: str, clock: str, mark: float, days: str
) -> Cell | None:
    rows = _rows(kind, clock, mark, days)
    top1 = {f: by_person(tables, f"{f}/top1", rows) for f in FORECASTERS}
    people = int(np.isfinite(top1["trivet"]).sum())
    if not people:
        return None
    best = max(BASELINES, key=lambda name: float(np.nanmean(top1[name])))

    def means(column: str) -> dict[str, Figure]:
        return {
            f: figure(by_person(tables, f"{f}/{column}", rows)) for f in FORECASTERS
        }

    def medians() -> dict[str, Figure]:
        return {
            f: figure(by_person(tables, f"{f}/error_m", rows, statistic=middle))
            for f in FORECASTERS
        }

    return Cell(
        kind,
        clock,
        mark,
        days,
        people,
        sum(int(rows(table).sum()) for table in tables),
        {f: figure(own) for f, own in top1.items()},
        means("top3"),
        means("top5"),
        medians(),
        best,
        figure(top1["trivet"] - top1[best]),
        figure(by_person(tables, "trivet/new", rows)),
        figure(by_person(tables, "trivet/loss", rows)),
    )


def _arrivals(tables: Sequence[Table]) -> Iterator[ArrivalCell]:
    for clock, marks in CLOCKS.items():
        for mark in marks:
            for kind in KINDS:
                cell = _arrival(tables, kind, clock, mark)
                if cell is not None:
                    yield cell


def _arrival(
    tables: Sequence[Table], kind: str, clock: str, mark: float
) -> ArrivalCell | None:
    rows = _rows(kind, clock, mark, WARM)
    names = ARRIVERS + _TOLD
    off = {
        n: by_person(tables, f"{n}/late_s", rows, statistic=_off) / 60 for n in names
    }
    if not np.isfinite(off["trivet"]).any():
        return None
    best = min(ARRIVERS[1:], key=lambda name: float(_mean(off[name])))
    shares = [_shares(table, rows, names) for table in tables]

    def each(column: str, scale: float = 1.0) -> dict[str, Figure]:
        return {
            n: figure(by_person(tables, f"{n}/{column}", rows) / scale) for n in names
        }

    return ArrivalCell(
        kind,
        clock,
        mark,
        sum(int(rows(table).sum()) for table in tables),
        {n: figure(own) for n, own in off.items()},
        {n: figure(np.array([own[n] for own in shares])) for n in names},
        each("late_s", 60.0),
        each("covered"),
        {
            n: figure(by_person(tables, f"{n}/width_s", rows, statistic=middle) / 60)
            for n in names
        },
        best,
        figure(off[best] - off["trivet"]),
    )


def _off(values: Floats) -> float:
    return float(np.abs(values).mean())


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("inf")


def _shares(table: Table, rows: Rows, names: Sequence[str]) -> dict[str, float]:
    """For each forecaster its errors' sum as a share of the trips' time."""
    chosen, found = rows(table), {}
    for name in names:
        off = np.abs(table.column(f"{name}/late_s"))
        known = chosen & np.isfinite(off)
        total_s = float(table.columns["trip_s"][known].sum())
        found[name] = float(off[known].sum()) / total_s if total_s else float("nan")
    return found


def _reliability(tables: Sequence[Table]) -> Iterator[Reliability]:
    for clock, mark in _RELIABLE:
        rows = _rows("all", clock, mark, WARM)
        said = np.concatenate([t.column("trivet/best")[rows(t)] for t in tables])
        true = np.concatenate([t.column("trivet/exact")[rows(t)] for t in tables])
        which = np.minimum(BINS - 1, (said * BINS).astype(np.int64))
        sums = [np.bincount(which, w, BINS) for w in (None, said, true)]
        best: Floats = np.stack(sums, 1).astype(np.float64)
        yield _bins("best guess", clock, mark, best)
        every = sum(
            (t.bins[clock, mark] for t in tables if (clock, mark) in t.bins),
            np.zeros((BINS, 3)),
        )
        yield _bins("all candidates", clock, mark, every)


def _bins(of: str, clock: str, mark: float, bins: Floats) -> Reliability:
    count = bins[:, 0]
    said = [s / n if n else None for n, s, _ in bins.tolist()]
    true = [t / n if n else None for n, _, t in bins.tolist()]
    gap = float(np.abs(bins[:, 1] - bins[:, 2]).sum() / max(1.0, count.sum()))
    return Reliability(of, clock, mark, count.astype(int).tolist(), said, true, gap)


def _abstention(tables: Sequence[Table]) -> Iterator[Abstention]:
    for mark in CLOCKS["share"]:
        rows = _rows("all", "share", mark, WARM)
        for least in _LEAST:
            spoke, right = [], []
            for table in tables:
                chosen = rows(table)
                speaks = chosen & (table.column("trivet/best") >= least)
                hits = table.column("trivet/top1")[speaks]
                spoke.append(speaks.sum() / chosen.sum() if chosen.any() else np.nan)
                right.append(hits.mean() if len(hits) else np.nan)
            found = figure(np.array(spoke)), figure(np.array(right))
            yield Abstention("share", mark, least, *found)


def _person(person: str, table: Table) -> Person:
    rows = {kind: _rows(kind, "share", 0.5, WARM) for kind in KINDS}

    def known(
        column: str, of: str = "known", statistic: Statistic = average
    ) -> float | None:
        found = by_person([table], column, rows[of], statistic=statistic)
        return float(found[0]) if np.isfinite(found[0]) else None

    arrival_s = known("trivet/late_s", "all", _off)
    return Person(
        person,
        table.notes,
        int(rows["known"](table).sum()),
        int(rows["new"](table).sum()),
        {f: known(f"{f}/top1") for f in FORECASTERS},
        known("trivet/top3"),
        known("trivet/error_m", "known", middle),
        None if arrival_s is None else arrival_s / 60,
        known("trivet/covered", "all"),
    )


def _cost(tables: Sequence[Table]) -> Cost:
    costs_ms = 1e3 * np.array([cost for table in tables for cost in table.costs_s])
    if not len(costs_ms):
        return Cost(0, 0.0, 0.0, 0.0, 0)
    p50, p95, most = np.quantile(costs_ms, (0.5, 0.95, 1.0)).tolist()
    largest = max(table.memory_bytes for table in tables)
    return Cost(len(costs_ms), p50, p95, most, largest)
