"""The bars that results are set against: chosen before, the same for every version."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from benchmarks.anticipation.figure import Figure
from benchmarks.anticipation.result import Cell, Result
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.summary import EVERY, WARM

TOP1 = dict(zip(CLOCKS["share"], (0.50, 0.58, 0.67, 0.77, 0.88), strict=True))
TOP3 = dict(zip(CLOCKS["share"], (0.68, 0.75, 0.82, 0.88, 0.94), strict=True))
#: Median error at half of the trip's time, by kind of destination.
ERROR_M = {"known": 300.0, "all": 2000.0}
MARGIN = 0.03
#: The next place, before any movement, all days.
NEXT_TOP1, NEXT_TOP5 = 0.47, 0.69
#: Arrival at half of the trip's time.
ARRIVAL_MIN, ARRIVAL_SHARE, COVERED = 3.0, 0.15, (0.75, 0.85)


class Bar(msgspec.Struct, frozen=True):
    """One figure and what it should be.

    Attributes:
        what: in words.
        unit: share, m or min.
        bar: in words.
        found: the figure.
        is_met: whether it is so.
    """

    what: str
    unit: str
    bar: str
    found: Figure
    is_met: bool


def bars(result: Result) -> Iterator[Bar]:
    """Each bar that the run has a figure for."""
    for mark, bar in TOP1.items():
        cell = result.cell("known", "share", mark, WARM)
        if cell:
            yield _least(f"top-1 at {mark:.0%}, seen before", bar, cell.top1["trivet"])
    for mark, bar in TOP3.items():
        cell = result.cell("known", "share", mark, WARM)
        if cell:
            yield _least(f"top-3 at {mark:.0%}, seen before", bar, cell.top3["trivet"])
    for mark in TOP1:
        cell = result.cell("known", "share", mark, WARM)
        if cell:
            yield _margin(mark, cell)
    for kind, most_m in ERROR_M.items():
        cell = result.cell(kind, "share", 0.5, WARM)
        if cell:
            word = "seen before" if kind == "known" else "all destinations"
            what = f"median error at 50%, {word}"
            yield _most(what, "m", most_m, cell.error_m["trivet"])
    cell = result.cell("all", "minutes", 0.0, EVERY)
    if cell:
        yield _least("next place @1, all days", NEXT_TOP1, cell.top1["trivet"])
        yield _least("next place @5, all days", NEXT_TOP5, cell.top5["trivet"])
    yield from _arrivals(result)


def _arrivals(result: Result) -> Iterator[Bar]:
    cell = result.arrival("all", "share", 0.5)
    if cell is None:
        return
    yield _most(
        "arrival at 50%: mean error", "min", ARRIVAL_MIN, cell.error_min["trivet"]
    )
    share = cell.share["trivet"]
    text = f"at most {ARRIVAL_SHARE:.0%}"
    is_met = share.value is not None and share.value <= ARRIVAL_SHARE
    yield Bar("arrival at 50%: error by trip's time", "share", text, share, is_met)
    covered = cell.covered["trivet"]
    low, high = COVERED
    is_met = covered.value is not None and low <= covered.value <= high
    text = f"{low:.0%} to {high:.0%}"
    yield Bar("arrival at 50%: the 80% interval holds", "share", text, covered, is_met)


def _least(what: str, bar: float, found: Figure) -> Bar:
    is_met = found.value is not None and found.value >= bar
    return Bar(what, "share", f"at least {bar:.0%}", found, is_met)


def _most(what: str, unit: str, bar: float, found: Figure) -> Bar:
    is_met = found.value is not None and found.value <= bar
    return Bar(what, unit, f"at most {bar:,.0f} {unit}", found, is_met)


def _margin(mark: float, cell: Cell) -> Bar:
    """By so much, and surely above the best baseline."""
    found = cell.margin
    sure = found.low is not None and found.low > 0.0
    is_met = sure and found.value is not None and found.value >= MARGIN
    what = f"margin at {mark:.0%} over {cell.best}, seen before"
    return Bar(what, "share", f"at least {MARGIN:.0%}, low end > 0", found, is_met)
