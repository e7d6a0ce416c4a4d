"""The same judge on simulated households: a figure for everybody, no data needed."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.anticipation.live import Order, live
from benchmarks.anticipation.result import Cell
from benchmarks.anticipation.summary import WARM, Source, summarise

SEEDS = (1, 2, 3, 4)
DAYS = 56
_QUICK_SEEDS, _QUICK_DAYS = (1, 2), 35


def rows() -> Iterator[tuple[str, float, str]]:
    """Name, value and unit of each figure, for `make bench`."""
    orders = [Order(None, str(seed), days=_QUICK_DAYS) for seed in _QUICK_SEEDS]
    tables = {order.person: live(order) for order in orders}
    result = summarise(Source("", "", "", 0), tables)
    for mark in (0.1, 0.5, 0.9):
        cell = result.cell("known", "share", mark, WARM)
        if cell is not None:
            yield from _top1(cell)
    arrival = result.arrival("known", "share", 0.5)
    if arrival is not None:
        error_min = arrival.error_min["trivet"].value or 0.0
        yield "arrival at 50% of a trip, mean error", error_min, "min"
    yield "one forecast, median", result.cost.p50_ms, "ms"


def _top1(cell: Cell) -> Iterator[tuple[str, float, str]]:
    own, best = cell.top1["trivet"].value, cell.top1[cell.best].value
    when = f"simulated, known destination at {cell.mark:.0%} of a trip"
    yield f"{when}: top-1", 100 * (own or 0.0), "%"
    yield f"  best baseline there ({cell.best})", 100 * (best or 0.0), "%"
