"""The tables of docs/benchmark.md out of a result.

python -m benchmarks.anticipation.markdown RESULT.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from benchmarks.anticipation.bar import bars
from benchmarks.anticipation.plots import NAMES
from benchmarks.anticipation.report import (
    mark_text,
    number,
    number_sure,
    percent,
    percent_sure,
)
from benchmarks.anticipation.result import Cell, Result
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.summary import DAYS, EVERY, FORECASTERS, KINDS, WARM


def main(arguments: Sequence[str]) -> None:
    """Print each table under its heading."""
    if len(arguments) != 1:
        sys.exit("usage: python -m benchmarks.anticipation.markdown RESULT.json")
    result = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Result)
    for line in lines(result):
        print(line)


def lines(result: Result) -> Iterator[str]:
    """All tables, line by line."""
    yield result.source
    yield result.shared
    yield f"weights: {result.weights}; {result.student}"
    yield from _table("Bars", ("", "bar", "found", ""), list(_bars(result)))
    head: tuple[str, ...]
    for kind in KINDS:
        for clock in CLOCKS:
            cells = _cells(result, kind, clock, WARM)
            head = ("at", "trips", "top-1", "top-3", "median error", "said new",
                    "best baseline", "margin")  # fmt: skip
            yield from _table(f"{kind}, {clock}", head, [_of(cell) for cell in cells])
    cells = _cells(result, "known", "share", WARM)
    head = ("at", *(NAMES[f] for f in FORECASTERS))
    some = [(_at(c), *(percent(c.top1[f]) for f in FORECASTERS)) for c in cells]
    yield from _table("each forecaster's top-1, known", head, some)
    yield from _next(result)
    yield from _arrivals(result)
    yield from _cold(result)
    yield from _sure(result)
    yield from _people(result)
    cost = result.cost
    yield f"{cost.forecasts:,} forecasts: median {cost.p50_ms:.2f} ms, 95th percentile "
    yield f"{cost.p95_ms:.2f} ms, longest {cost.most_ms:.1f} ms; memory of a person at "
    yield f"most {cost.memory_bytes / 1e6:.2f} MB"


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    if not rows:
        return
    yield f"\n### {title}\n"
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _cells(result: Result, kind: str, clock: str, days: str) -> list[Cell]:
    found = (result.cell(kind, clock, mark, days) for mark in CLOCKS[clock])
    return [cell for cell in found if cell]


def _at(cell: Cell) -> str:
    return mark_text(cell.clock, cell.mark)


def _bars(result: Result) -> Iterator[tuple[str, ...]]:
    for bar in bars(result):
        words = percent_sure if bar.unit == "share" else number_sure
        found = words(bar.found)
        yield bar.what, bar.bar, found, "met" if bar.is_met else "**missed**"


def _of(cell: Cell) -> tuple[str, ...]:
    return (
        _at(cell),
        f"{cell.trips:,}",
        percent_sure(cell.top1["trivet"]),
        percent(cell.top3["trivet"]),
        f"{number(cell.error_m['trivet'])} m",
        percent(cell.said_new),
        f"{NAMES[cell.best]} {percent(cell.top1[cell.best])}",
        percent_sure(cell.margin),
    )


def _next(result: Result) -> Iterator[str]:
    for days in (EVERY, WARM):
        rows = []
        for kind in ("all", "known"):
            cell = result.cell(kind, "minutes", 0.0, days)
            if cell is None:
                continue
            for f in FORECASTERS:
                own = [percent_sure(c[f]) for c in (cell.top1, cell.top3, cell.top5)]
                rows.append((kind, NAMES[f], *own))
        yield from _table(
            f"next place, {days}", ("destinations", "who", "@1", "@3", "@5"), rows
        )


def _arrivals(result: Result) -> Iterator[str]:
    for kind in ("known", "new", "all"):
        rows = []
        for mark in CLOCKS["share"]:
            a = result.arrival(kind, "share", mark)
            if a:
                rows.append(
                    (
                        mark_text("share", mark),
                        number_sure(a.error_min["trivet"]),
                        percent(a.share["trivet"]),
                        number(a.late_min["trivet"]),
                        percent_sure(a.covered["trivet"]),
                        number(a.width_min["trivet"]),
                        number(a.error_min["median"]),
                        number(a.error_min["straight"]),
                        number(a.error_min["told trivet"]),
                    )
                )
        head = ("at", "mean error, min", "of the trip's time", "late, min",
                "80 % holds", "width, min", "median of such trips", "straight line",
                "told where")  # fmt: skip
        yield from _table(f"arrival, {kind}", head, rows)


def _cold(result: Result) -> Iterator[str]:
    for kind in ("all", "known"):
        rows = []
        for days in DAYS:
            cell = result.cell(kind, "share", 0.5, days)
            if cell and days not in (WARM, EVERY):
                own = (percent(cell.top1[f]) for f in FORECASTERS)
                rows.append((days, f"{cell.trips:,}", *own, percent_sure(cell.margin)))
        head = ("", "trips", *(NAMES[f] for f in FORECASTERS), "margin")
        yield from _table(f"cold start at 50 %, {kind}", head, rows)


def _sure(result: Result) -> Iterator[str]:
    rows = [
        (r.of, mark_text(r.clock, r.mark), f"{100 * r.gap:.1f} %")
        for r in result.reliability
    ]
    head = ("probability of", "at", "expected calibration error")
    yield from _table("reliability", head, rows)
    rows = [
        (f"{a.least:.0%}", percent_sure(a.spoke), percent_sure(a.right))
        for a in result.abstention
        if a.mark == 0.5
    ]
    yield from _table("silent, at 50 %", ("least", "speaks of", "right then"), rows)


def _people(result: Result) -> Iterator[str]:
    rows = []
    for p in result.people:
        own = ("-" if p.top1[f] is None else f"{p.top1[f]:.1%}" for f in FORECASTERS)
        late = "-" if p.arrival_min is None else f"{p.arrival_min:.1f} min"
        notes = [f"{p.notes.get(n, 0):,}" for n in ("files", "copies", "places")]
        rows.append((p.person, f"{p.known:,}", f"{p.new:,}", *own, late, *notes))
    head = ("person", "known", "new", *(NAMES[f] for f in FORECASTERS), "arrival",
            "files", "copies left out", "places")  # fmt: skip
    yield from _table("people at 50 %, known", head, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
