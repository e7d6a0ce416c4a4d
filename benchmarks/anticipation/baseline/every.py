"""The baselines by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.anticipation.baseline.closeness import closeness
from benchmarks.anticipation.baseline.counting import frequent, markov, situation
from benchmarks.anticipation.baseline.grid import Grid
from benchmarks.anticipation.baseline.neighbour import neighbour
from benchmarks.anticipation.memory import Drive, Memory
from benchmarks.anticipation.score import Guess

Baseline = Callable[[Memory, Drive], Guess]
BASELINES = ("frequent", "markov", "situation", "neighbour", "closeness", "grid")


def baselines() -> dict[str, Baseline]:
    """Fresh ones, for one person."""
    every = (frequent, markov, situation, neighbour, closeness, Grid().guess)
    return dict(zip(BASELINES, every, strict=True))
