"""What recordings of others show that may be read and not passed on.

    TRIVET_LIVES=Geolife/Data TRIVET_HOMES=homes python -m benchmarks lives homes

`lives` judges forecasts on GeoLife's people, and writes the figures and pictures of
docs/benchmark.md anew; `homes` judges the routine on recorded homes (see
`recorded_home`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks import routine_recorded
from benchmarks.anticipation import __main__ as anticipation
from benchmarks.anticipation import markdown, plots
from benchmarks.anticipation.bar import bars
from benchmarks.anticipation.svg import draw
from benchmarks.seeded import Row

from trivet.domain import SetupError

LIVES, HOMES = "TRIVET_LIVES", "TRIVET_HOMES"
_DOCS = Path(__file__).parent.parent / "docs"
_UNITS = {"share": (100.0, "%"), "m": (1.0, "m"), "min": (1.0, "min")}


def lives(docs: Path = _DOCS) -> Iterator[Row]:
    """Forecasts against the bars; docs/benchmark.md and its pictures are then of it.

    Raises:
        SetupError: no folder is named.
    """
    result = anticipation.judged([str(_named(LIVES)), "--jobs", "2"])
    page = docs / "benchmark.md"
    figures = "\n".join(markdown.lines(result))
    page.write_text(markdown.put(page.read_text(), figures))
    for name, chart in plots.charts(result):
        (docs / "pictures" / f"benchmark-{name}.svg").write_text(draw(chart))
    for bar in bars(result):
        factor, unit = _UNITS[bar.unit]
        is_met = "met" if bar.is_met else "missed"
        found = bar.found.value
        yield (
            f"{bar.what}, {bar.bar}: {is_met}",
            float("nan") if found is None else factor * found,
            unit,
        )


def homes() -> Iterator[Row]:
    """The routine against prediction by partial matching.

    Raises:
        SetupError: no folder is named.
    """
    yield from routine_recorded.rows(_named(HOMES), [])


def _named(variable: str) -> Path:
    folder = os.environ.get(variable, "")
    if not folder:
        raise SetupError("no recordings", hint=f"name their folder in {variable}")
    return Path(folder)
