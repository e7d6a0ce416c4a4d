"""A line chart as SVG, for people: few marks, direct labels, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

WIDTH, HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 160, 74, 62
#: The first is trivet's; the others stay behind it.
COLOURS = ("#0b6e99", "#b4552d", "#6b7f2a", "#8a5a9e", "#a07a10", "#7a7f85", "#4f7f78")
_LABEL_PX = 15.0
_STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:13px;fill:#2a2f36}"
    ".title{font-size:17px;font-weight:600}.sub,.tick{fill:#5b626b}"
    ".grid{stroke:#dfe3e8}.axis{stroke:#8d949c}.back{fill:#ffffff}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.sub,.tick{fill:#a3abb5}"
    ".grid{stroke:#343a42}.axis{stroke:#767e88}.back{fill:#15181c}}"
)


class Line(msgspec.Struct, frozen=True):
    """One series.

    Attributes:
        name: written at its end.
        points: x, y, and the low and high end of what is likely; None for none.
        is_main: drawn thick, with its intervals as a band.
    """

    name: str
    points: Sequence[tuple[float, float, float | None, float | None]]
    is_main: bool = False


class Chart(msgspec.Struct, frozen=True):
    """What to draw; x and y in their own units.

    Attributes:
        title: what it says, as a sentence.
        sub: of whom and what, below it.
        x: what is along.
        x_ticks: where, and what to write.
        y_ticks: likewise.
        lines: the main one first.
        has_diagonal: draw where x and y are the same.
    """

    title: str
    sub: str
    x: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    lines: Sequence[Line]
    has_diagonal: bool = False


class _Scale:
    """From the chart's units to pixels."""

    def __init__(self, chart: Chart) -> None:
        self.x0, self.x1 = chart.x_ticks[0][0], chart.x_ticks[-1][0]
        self.y0, self.y1 = chart.y_ticks[0][0], chart.y_ticks[-1][0]

    def x(self, value: float) -> float:
        span = WIDTH - _LEFT - _RIGHT
        return _LEFT + span * (value - self.x0) / (self.x1 - self.x0)

    def y(self, value: float) -> float:
        span = HEIGHT - _TOP - _BOTTOM
        return HEIGHT - _BOTTOM - span * (value - self.y0) / (self.y1 - self.y0)


def draw(chart: Chart) -> str:
    """The chart as a whole SVG document."""
    scale = _Scale(chart)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(chart.title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(20, 30, chart.title, "title"),
        _text(20, 51, chart.sub, "sub"),
        *_axes(chart, scale),
    ]
    coloured = list(zip(chart.lines, COLOURS, strict=False))
    # the main line is drawn last, on top of the others
    for line, colour in reversed(coloured):
        parts += _line(line, colour, scale)
    parts += _labels(coloured, scale)
    return "\n".join([*parts, "</svg>", ""])


def _axes(chart: Chart, scale: _Scale) -> list[str]:
    parts = []
    left, right = scale.x(scale.x0), scale.x(scale.x1)
    bottom = scale.y(scale.y0)
    for value, words in chart.y_ticks:
        y = scale.y(value)
        parts.append(_stroke("grid", (left, y), (right, y)))
        parts.append(_text(left - 8, y + 4, words, "tick", "end"))
    for value, words in chart.x_ticks:
        parts.append(_text(scale.x(value), bottom + 20, words, "tick", "middle"))
    parts.append(_stroke("axis", (left, bottom), (right, bottom)))
    parts.append(_text((left + right) / 2, HEIGHT - 16, chart.x, "sub", "middle"))
    if chart.has_diagonal:
        low, high = max(scale.x0, scale.y0), min(scale.x1, scale.y1)
        start, end = (scale.x(low), scale.y(low)), (scale.x(high), scale.y(high))
        parts.append(_stroke("axis", start, end))
    return parts


def _line(line: Line, colour: str, scale: _Scale) -> list[str]:
    parts = []
    band = [(x, low, high) for x, _, low, high in line.points if low is not None]
    if line.is_main and band:
        upper = [(scale.x(x), scale.y(high or 0.0)) for x, _, high in band]
        lower = [(scale.x(x), scale.y(low or 0.0)) for x, low, _ in reversed(band)]
        path = _path(upper + lower)
        parts.append(f'<path d="{path}Z" fill="{colour}" fill-opacity="0.16"/>')
    points = [(scale.x(x), scale.y(y)) for x, y, _, _ in line.points]
    width, radius = (3, 4) if line.is_main else (1.6, 2.4)
    parts.append(
        f'<path d="{_path(points)}" fill="none" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'
        for x, y in points
    ]
    return parts


def _labels(coloured: Sequence[tuple[Line, str]], scale: _Scale) -> list[str]:
    """The lines' names at their ends, moved apart where they would overlap."""
    ends = [
        (scale.y(line.points[-1][1]), scale.x(line.points[-1][0]), line, colour)
        for line, colour in coloured
        if line.points
    ]
    ends.sort(key=lambda end: end[0])
    parts, free = [], 0.0
    right = max((x for _, x, _, _ in ends), default=0.0)
    for y, _, line, colour in ends:
        at = max(y, free)
        free = at + _LABEL_PX
        weight = ' font-weight="600"' if line.is_main else ""
        parts.append(
            f'<text x="{right + 12:.1f}" y="{at + 4:.1f}" style="fill:{colour}"'
            f"{weight}>{escape(line.name)}</text>"
        )
    return parts


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _stroke(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return (
        f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" '
        f'x2="{x2:.1f}" y2="{y2:.1f}"/>'
    )


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
