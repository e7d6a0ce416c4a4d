"""A result as plain text tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.anticipation.bar import bars
from benchmarks.anticipation.figure import RESAMPLES, Figure
from benchmarks.anticipation.result import ArrivalCell, Cell, Result
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.summary import (
    ARRIVERS,
    DAYS,
    EVERY,
    FORECASTERS,
    KINDS,
    WARM,
)

Words = Callable[[Figure], str]
TITLES = {
    "known": "To places where the person had stayed before",
    "new": "To places where the person had never stayed (right only by being near)",
    "all": "To all destinations",
}
_UNITS = {"share": "of the trip's time", "minutes": "driven", "km": "driven"}


def lines(result: Result) -> Iterator[str]:
    """The report, line by line."""
    yield result.source
    yield result.shared
    yield f"weights: {result.weights:,} numbers; {result.student}"
    yield (
        "means over people, each counting the same; [95 % interval over people, "
        f"{RESAMPLES:,} resamples]"
    )
    yield from _bars(result)
    for kind in KINDS:
        for clock in CLOCKS:
            yield from _places(result, kind, clock)
    yield from _next(result)
    for kind in KINDS:
        yield from _arrivals(result, kind)
    yield from _cold(result)
    yield from _reliability(result)
    yield from _abstention(result)
    yield from _people(result)
    yield from _cost(result)


def table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    """A table with columns as wide as what is in them; nothing without rows."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    yield ""
    yield title
    for row in (head, *rows):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  " + "  ".join(cells).rstrip()


def percent(figure: Figure) -> str:
    """71.3%, and - for nothing."""
    return "-" if figure.value is None else f"{figure.value:.1%}"


def percent_sure(figure: Figure) -> str:
    """71.3% [66.0, 76.2]."""
    if figure.low is None or figure.high is None:
        return percent(figure)
    return f"{percent(figure)} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"


def number(figure: Figure) -> str:
    """2.9, 1,240."""
    if figure.value is None:
        return "-"
    return f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:.1f}"


def number_sure(figure: Figure) -> str:
    """2.9 [2.1, 3.8]."""
    if figure.low is None or figure.high is None:
        return number(figure)
    low, high = number(Figure(figure.low)), number(Figure(figure.high))
    return f"{number(figure)} [{low}, {high}]"


def mark_text(clock: str, mark: float) -> str:
    """50%, 5 min, 0.5 km."""
    if clock == "share":
        return f"{mark:.0%}"
    return f"{mark:g} min" if clock == "minutes" else f"{mark:g} km"


def _bars(result: Result) -> Iterator[str]:
    rows = []
    for bar in bars(result):
        words = percent_sure if bar.unit == "share" else number_sure
        rows.append(
            (bar.what, bar.bar, words(bar.found), "met" if bar.is_met else "missed")
        )
    yield from table("Against the bars", ("what", "bar", "found", ""), rows)


def _places(result: Result, kind: str, clock: str) -> Iterator[str]:
    cells = [result.cell(kind, clock, mark, WARM) for mark in CLOCKS[clock]]
    title = f"{TITLES[kind]}, {WARM}, by {clock} {_UNITS[clock]}"
    yield from _where(title, [cell for cell in cells if cell])


def _where(title: str, cells: Sequence[Cell]) -> Iterator[str]:
    head = (
        "at", "trips", "people", "top-1", "top-3", "error m", "said new", "loss",
        "best baseline", "its top-1", "margin",
    )  # fmt: skip
    rows = [
        (
            mark_text(cell.clock, cell.mark),
            f"{cell.trips:,}",
            f"{cell.people}",
            percent_sure(cell.top1["trivet"]),
            percent_sure(cell.top3["trivet"]),
            number_sure(cell.error_m["trivet"]),
            percent(cell.said_new),
            number(cell.loss),
            cell.best,
            percent(cell.top1[cell.best]),
            percent_sure(cell.margin),
        )
        for cell in cells
    ]
    yield from table(title, head, rows)
    every: tuple[tuple[str, Callable[[Cell, str], str]], ...] = (
        ("top-1", lambda cell, name: percent(cell.top1[name])),
        ("top-3", lambda cell, name: percent(cell.top3[name])),
        ("median error, m", lambda cell, name: number(cell.error_m[name])),
    )
    for what, words in every:
        rows2 = [
            (mark_text(cell.clock, cell.mark), *(words(cell, f) for f in FORECASTERS))
            for cell in cells
        ]
        yield from table(f"  {what} of each", ("  at", *FORECASTERS), rows2)


def _next(result: Result) -> Iterator[str]:
    for days in (EVERY, WARM):
        rows = []
        for kind in KINDS:
            cell = result.cell(kind, "minutes", 0.0, days)
            if cell is None:
                continue
            for f in FORECASTERS:
                own = (cell.top1[f], cell.top3[f], cell.top5[f])
                rows.append(
                    (f"{kind}: {f}", f"{cell.trips:,}", *map(percent_sure, own))
                )
        title = f"The next place, asked at the departure before any movement, {days}"
        yield from table(title, ("who", "trips", "@1", "@3", "@5"), rows)


def _arrivals(result: Result, kind: str) -> Iterator[str]:
    for clock, marks in CLOCKS.items():
        cells = [result.arrival(kind, clock, mark) for mark in marks]
        found = [cell for cell in cells if cell]
        title = f"Arrivals. {TITLES[kind]}, {WARM}, by {clock} {_UNITS[clock]}"
        head = (
            "at", "trips", "mean error min", "by trip's time", "late min",
            "80% holds", "width min", "best baseline", "its error", "less by min",
        )  # fmt: skip
        yield from table(title, head, [_arrival(cell) for cell in found])
        names = (*ARRIVERS, *(f"told {name}" for name in ARRIVERS))
        rows = [
            (mark_text(c.clock, c.mark), *(number(c.error_min[n]) for n in names))
            for c in found
        ]
        what = "  mean error in min of each; told: who knows the true destination"
        yield from table(what, ("  at", *names), rows)


def _arrival(cell: ArrivalCell) -> tuple[str, ...]:
    return (
        mark_text(cell.clock, cell.mark),
        f"{cell.trips:,}",
        number_sure(cell.error_min["trivet"]),
        percent_sure(cell.share["trivet"]),
        number(cell.late_min["trivet"]),
        percent_sure(cell.covered["trivet"]),
        number(cell.width_min["trivet"]),
        cell.best,
        number(cell.error_min[cell.best]),
        number_sure(cell.margin_min),
    )


def _cold(result: Result) -> Iterator[str]:
    for kind in KINDS:
        for mark in (0.1, 0.5):
            rows = []
            for days in DAYS:
                cell = result.cell(kind, "share", mark, days)
                if cell and days not in (WARM, EVERY):
                    rows.append(_of_days(cell))
            title = (
                f"Cold start. {TITLES[kind]}, top-1 at {mark:.0%} of the trip's time"
            )
            head = ("person's", "trips", "people", *FORECASTERS, "margin")
            yield from table(title, head, rows)


def _of_days(cell: Cell) -> tuple[str, ...]:
    return (
        cell.days,
        f"{cell.trips:,}",
        f"{cell.people}",
        percent_sure(cell.top1["trivet"]),
        *(percent(cell.top1[f]) for f in FORECASTERS[1:]),
        percent_sure(cell.margin),
    )


def _reliability(result: Result) -> Iterator[str]:
    for some in result.reliability:
        rows = [
            (f"{low / 10:.0%} to {low / 10 + 0.1:.0%}", f"{n:,}", _share(s), _share(t))
            for low, (n, s, t) in enumerate(
                zip(some.count, some.said, some.true, strict=True)
            )
        ]
        yield from table(
            f"Reliability, {some.of} at {mark_text(some.clock, some.mark)}, all "
            f"destinations, {WARM}: expected calibration error {some.gap:.1%}",
            ("said between", "count", "said", "came true"),
            rows,
        )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _abstention(result: Result) -> Iterator[str]:
    rows = [
        (
            mark_text(a.clock, a.mark),
            f"{a.least:.0%}",
            percent_sure(a.spoke),
            percent_sure(a.right),
        )
        for a in result.abstention
    ]
    title = f"Silent below a probability, all destinations, {WARM}"
    yield from table(title, ("at", "least", "speaks of", "right then"), rows)


def _people(result: Result) -> Iterator[str]:
    rows = []
    for person in result.people:
        notes = ", ".join(f"{n:,} {what}" for what, n in person.notes.items())
        error_m = "-" if person.error_m is None else f"{person.error_m:,.0f}"
        late = "-" if person.arrival_min is None else f"{person.arrival_min:.1f}"
        rows.append(
            (
                person.person,
                f"{person.known:,}",
                f"{person.new:,}",
                *(_share(person.top1[f]) for f in FORECASTERS),
                _share(person.top3),
                error_m,
                late,
                _share(person.covered),
                notes,
            )
        )
    head = (
        "person", "known", "new", *FORECASTERS, "top-3", "error m", "late min",
        "80% holds", "in all",
    )  # fmt: skip
    title = f"Each person at 50% of the trip's time, seen before (arrival: all), {WARM}"
    yield from table(title, head, rows)


def _cost(result: Result) -> Iterator[str]:
    cost = result.cost
    rows = [
        ("forecasts timed", f"{cost.forecasts:,}"),
        ("one forecast, median", f"{cost.p50_ms:.2f} ms"),
        ("one forecast, 95th percentile", f"{cost.p95_ms:.2f} ms"),
        ("one forecast, longest", f"{cost.most_ms:.1f} ms"),
        (
            "largest memory of a person, written out",
            f"{cost.memory_bytes / 1e6:.2f} MB",
        ),
    ]
    title = "Cost on one core of this machine, processor time; differs from run to run"
    yield from table(title, ("what", ""), rows)
