"""Benchmarks are found by their names, and their seeds are those that are asked for."""

from __future__ import annotations

from importlib import import_module

import pytest
from benchmarks.__main__ import BENCHMARKS, LONG
from benchmarks.seeded import Row, run


@pytest.mark.parametrize("name", BENCHMARKS | LONG)
def test_every_name_is_of_a_benchmark(name: str) -> None:
    module, function = (BENCHMARKS | LONG)[name]
    assert callable(getattr(import_module(f"benchmarks.{module}"), function))


@pytest.mark.parametrize(
    ("words", "seeds"),
    [([], [7, 8]), (["--dev"], [1, 2]), (["--bound", "5", "3"], [5, 3])],
)
def test_seeds_are_those_named_or_reported(
    words: list[str], seeds: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def judge(some: list[int]) -> list[Row]:
        asked.extend(some)
        return [("error", 1.0, "s")]

    run(words, judge, development=(1, 2), reported=(7, 8), lives="lives")
    assert asked == seeds
    assert "1.000 s" in capsys.readouterr().out
