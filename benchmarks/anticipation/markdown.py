"""The figures of docs/benchmark.md out of a result.

python -m benchmarks.anticipation.markdown RESULT.json [docs/benchmark.md]

Prints them, or puts them between the two marks of the document.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from benchmarks.anticipation.bar import bars
from benchmarks.anticipation.plots import NAMES
from benchmarks.anticipation.report import (
    TITLES,
    mark_text,
    number,
    number_sure,
    percent,
    percent_sure,
)
from benchmarks.anticipation.result import Cell, Result
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.summary import DAYS, EVERY, FORECASTERS, WARM

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
_CLOCKS = {
    "share": "by the share of the trip's time",
    "minutes": "by minutes driven, for trips still running",
    "km": "by kilometres driven, for trips still running",
}


def main(arguments: Sequence[str]) -> None:
    """Print the figures, or write them into a document."""
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    result = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Result)
    text = "\n".join(lines(result))
    if len(arguments) == 1:
        print(text)
        return
    document = Path(arguments[1])
    document.write_text(put(document.read_text(), text))


def put(document: str, text: str) -> str:
    """The document with other figures between its marks.

    Raises:
        ValueError: it has no marks.
    """
    head, mark, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"the document has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def lines(result: Result) -> Iterator[str]:
    """All figures, line by line."""
    yield f"{result.source}; {result.shared}. The student has {result.weights} weights,"
    yield f"trained on {result.student}."
    yield from _table("Against the bars", ("", "bar", "found", ""), list(_bars(result)))
    for kind, clock in (
        ("known", "share"), ("all", "share"), ("new", "share"), ("known", "minutes"),
        ("known", "km"), ("all", "minutes"), ("all", "km"),
    ):  # fmt: skip
        yield from _where(result, kind, clock)
    yield from _each(result)
    yield from _next(result)
    for kind in TITLES:
        yield from _arrivals(result, kind)
    for kind in ("all", "known"):
        yield from _cold(result, kind)
    yield from _sure(result)
    yield from _people(result)
    cost = result.cost
    yield ""
    yield (
        f"{cost.forecasts:,} forecasts, processor time on one core of the machine that "
        f"ran: median {cost.p50_ms:.2f} ms, 95th percentile {cost.p95_ms:.2f} ms, "
        f"longest {cost.most_ms:.1f} ms. What was learned of a person takes at most "
        f"{cost.memory_bytes / 1e6:.1f} MB."
    )


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    if not rows:
        return
    yield f"\n### {title}"
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _bars(result: Result) -> Iterator[tuple[str, ...]]:
    for bar in bars(result):
        words = percent_sure if bar.unit == "share" else number_sure
        found = words(bar.found)
        yield bar.what, bar.bar, found, "met" if bar.is_met else "**missed**"


def _where(result: Result, kind: str, clock: str) -> Iterator[str]:
    cells = (result.cell(kind, clock, mark, WARM) for mark in CLOCKS[clock])
    head = (
        "at", "trips", "top-1", "top-3", "median error", "said new",
        "best baseline", "margin",
    )  # fmt: skip
    rows = [_of(cell) for cell in cells if cell]
    yield from _table(f"{TITLES[kind]}, {_CLOCKS[clock]}", head, rows)


def _of(cell: Cell) -> tuple[str, ...]:
    return (
        mark_text(cell.clock, cell.mark),
        f"{cell.trips:,}",
        percent_sure(cell.top1["trivet"]),
        percent(cell.top3["trivet"]),
        f"{number(cell.error_m['trivet'])} m",
        percent(cell.said_new),
        f"{NAMES[cell.best]} {percent(cell.top1[cell.best])}",
        percent_sure(cell.margin),
    )


def _each(result: Result) -> Iterator[str]:
    rows = []
    for mark in CLOCKS["share"]:
        cell = result.cell("known", "share", mark, WARM)
        if cell:
            own = (percent(cell.top1[f]) for f in FORECASTERS)
            rows.append((mark_text("share", mark), *own))
    head = ("at", *(NAMES[f] for f in FORECASTERS))
    yield from _table("Top-1 of each, places stayed at before", head, rows)


def _next(result: Result) -> Iterator[str]:
    rows = []
    for days in (EVERY, WARM):
        for kind in ("all", "known"):
            cell = result.cell(kind, "minutes", 0.0, days)
            if cell is None:
                continue
            for f in FORECASTERS:
                own = [percent_sure(c[f]) for c in (cell.top1, cell.top3, cell.top5)]
                rows.append((days, kind, NAMES[f], *own))
    head = ("days", "destinations", "who", "@1", "@3", "@5")
    yield from _table("The next place, before any movement", head, rows)


def _arrivals(result: Result, kind: str) -> Iterator[str]:
    rows = []
    for mark in CLOCKS["share"]:
        a = result.arrival(kind, "share", mark)
        if a is None:
            continue
        mean_min, others = a.error_min, ("median", "straight", "told trivet")
        rows.append(
            (
                mark_text("share", mark),
                number_sure(mean_min["trivet"]),
                percent(a.share["trivet"]),
                number(a.late_min["trivet"]),
                percent_sure(a.covered["trivet"]),
                number(a.width_min["trivet"]),
                *(number(mean_min[name]) for name in others),
            )
        )
    head = (
        "at", "mean error, min", "of the trip's time", "too late by, min", "80 % holds",
        "its length, min", "such trips' median", "straight line", "told where",
    )  # fmt: skip
    yield from _table(f"Arrival. {TITLES[kind]}", head, rows)


def _cold(result: Result, kind: str) -> Iterator[str]:
    rows = []
    for days in DAYS:
        cell = result.cell(kind, "share", 0.5, days)
        if cell and days not in (WARM, EVERY):
            own = (percent(cell.top1[f]) for f in FORECASTERS)
            rows.append((days, f"{cell.trips:,}", *own, percent_sure(cell.margin)))
    head = ("", "trips", *(NAMES[f] for f in FORECASTERS), "margin")
    title = f"From nothing: top-1 half-way, by the person's day. {TITLES[kind]}"
    yield from _table(title, head, rows)


def _sure(result: Result) -> Iterator[str]:
    rows = [
        (r.of, mark_text(r.clock, r.mark), f"{100 * r.gap:.1f} %")
        for r in result.reliability
    ]
    head = ("probability of", "at", "expected calibration error")
    yield from _table("Said and true, all destinations", head, rows)
    rows = [
        (f"{a.least:.0%}", percent_sure(a.spoke), percent_sure(a.right))
        for a in result.abstention
        if a.mark == 0.5
    ]
    head = ("least probability", "speaks of", "right then")
    yield from _table("Silent below a probability, half-way", head, rows)


def _people(result: Result) -> Iterator[str]:
    rows = []
    for p in result.people:
        own = ("-" if p.top1[f] is None else f"{p.top1[f]:.1%}" for f in FORECASTERS)
        late = "-" if p.arrival_min is None else f"{p.arrival_min:.1f} min"
        notes = [f"{p.notes.get(n, 0):,}" for n in ("files", "copies", "places")]
        rows.append((p.person, f"{p.known:,}", f"{p.new:,}", *own, late, *notes))
    head = (
        "person", "known", "new", *(NAMES[f] for f in FORECASTERS), "arrival off by",
        "files", "left out", "places",
    )  # fmt: skip
    title = "Each person half-way, places stayed at before; arrivals of all trips"
    yield from _table(title, head, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
