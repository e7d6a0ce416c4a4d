"""Pictures of a result for people.

python -m benchmarks.anticipation.plots RESULT.json FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from benchmarks.anticipation.figure import Figure
from benchmarks.anticipation.result import Reliability, Result
from benchmarks.anticipation.scout import CLOCKS
from benchmarks.anticipation.summary import DAYS, EVERY, FORECASTERS, WARM
from benchmarks.anticipation.svg import Chart, Line, draw

NAMES = {
    "trivet": "trivet",
    "frequent": "most frequent",
    "markov": "Markov chain",
    "situation": "situation counter",
    "neighbour": "nearest trips",
    "closeness": "closeness",
    "grid": "Bayesian grid",
}
_SHARES = [(n / 5, f"{n * 20} %") for n in range(6)]


def main(arguments: Sequence[str]) -> None:
    """Draw each picture that the result has figures for."""
    if len(arguments) != 2:
        sys.exit("usage: python -m benchmarks.anticipation.plots RESULT.json FOLDER")
    result = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Result)
    for name, chart in charts(result):
        file = Path(arguments[1]) / f"benchmark-{name}.svg"
        file.write_text(draw(chart))
        print(file)


def charts(result: Result) -> Iterator[tuple[str, Chart]]:
    """Each picture by name."""
    people = f"{len(result.people)} people, each counting the same"
    yield "accuracy", _accuracy(result, people)
    yield "learning", _learning(result, people)
    some = [r for r in result.reliability if r.of == "best guess"]
    yield "reliability", _reliability(some, people)


def _accuracy(result: Result, people: str) -> Chart:
    lines = []
    for forecaster in FORECASTERS:
        points = []
        for mark in CLOCKS["share"]:
            cell = result.cell("known", "share", mark, WARM)
            if cell:
                points += _point(mark, cell.top1[forecaster])
        lines.append(Line(NAMES[forecaster], points, is_main=forecaster == "trivet"))
    return Chart(
        "The best guess is within 500 m of where the trip ends",
        f"{people}; places stayed at before, {WARM}; band: 95 % interval",
        "share of the trip's time that has passed",
        [(0.1, "10 %"), (0.3, "30 %"), (0.5, "50 %"), (0.7, "70 %"), (0.9, "90 %")],
        _SHARES,
        lines,
    )


def _learning(result: Result, people: str) -> Chart:
    spans = [days for days in DAYS if days not in (WARM, EVERY)]
    lines = []
    for forecaster in FORECASTERS:
        points = []
        for number, days in enumerate(spans):
            cell = result.cell("all", "share", 0.5, days)
            if cell:
                points += _point(float(number), cell.top1[forecaster])
        lines.append(Line(NAMES[forecaster], points, is_main=forecaster == "trivet"))
    ticks = [(float(n), days.removeprefix("day ")) for n, days in enumerate(spans)]
    ticks[-1] = (ticks[-1][0], "later")
    return Chart(
        "From nothing: how good the guess is as the days go by",
        f"{people}; all destinations, half of the trip's time; band: 95 % interval",
        "days since a person's first sample",
        ticks,
        _SHARES,
        lines,
    )


def _reliability(some: Sequence[Reliability], people: str) -> Chart:
    words = {("minutes", 0.0): "at the departure", ("share", 0.5): "half-way"}
    words[("share", 0.9)] = "at 90 %"
    lines = []
    for one in some:
        name = words.get((one.clock, one.mark))
        if name is None:
            continue
        points = [
            (said, true, None, None)
            for said, true, count in zip(one.said, one.true, one.count, strict=True)
            if said is not None and true is not None and count >= 30
        ]
        lines.append(Line(name, points, is_main=name == "half-way"))
    lines.sort(key=lambda line: not line.is_main)
    return Chart(
        "What was said, and how often it came true",
        f"{people.split(',')[0]}, all destinations, {WARM}; came true: the very place",
        "probability said for the best guess",
        _SHARES,
        _SHARES,
        lines,
        has_diagonal=True,
    )


def _point(
    x: float, figure: Figure
) -> list[tuple[float, float, float | None, float | None]]:
    if figure.value is None:
        return []
    return [(x, figure.value, figure.low, figure.high)]


if __name__ == "__main__":
    main(sys.argv[1:])
