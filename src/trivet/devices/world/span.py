"""Stretches of time: joined, cut and turned inside out."""

from __future__ import annotations

from collections.abc import Iterable

from trivet.devices.world.plan import Span


def join(spans: Iterable[Span]) -> list[Span]:
    """The same time in disjoint spans, oldest first."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if span.end <= span.start:
            continue
        if joined and span.start <= joined[-1].end:
            last = joined.pop()
            joined.append(Span(last.start, max(last.end, span.end)))
        else:
            joined.append(span)
    return joined


def both(a: Iterable[Span], b: Iterable[Span]) -> list[Span]:
    """The time that lies in `a` and in `b`."""
    seconds = list(b)
    return join(
        Span(max(s.start, t.start), min(s.end, t.end)) for s in a for t in seconds
    )


def outside(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """The time between `start` and `end` that lies in none of them."""
    gaps, here = [], start
    for span in join(spans):
        if span.start > here:
            gaps.append(Span(here, min(span.start, end)))
        here = max(here, span.end)
    if here < end:
        gaps.append(Span(here, end))
    return gaps
