"""The judge leaks nothing, changes nothing, and says the same each time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from benchmarks.anticipation.judge import Judge
from benchmarks.anticipation.scout import plan
from benchmarks.anticipation.table import Table
from tests.engine.life import commute, here, learner

SAMPLES = commute(21)


@cache
def judged(days: int = 21) -> Table:
    samples = commute(days)
    return Judge(learner(), plan(samples, here())).run(samples)


def test_each_trip_is_judged_at_each_share_of_its_time() -> None:
    trips = len(learner(SAMPLES).trips)
    for mark in (0.1, 0.5, 0.9):
        assert judged().at("share", mark).sum() == trips


def test_a_life_of_commuting_is_foretold_nearly_always() -> None:
    table = judged()
    rows = table.at("share", 0.9) & table.days(15) & table.kind("known")
    assert table.column("trivet/top1")[rows].mean() == 1.0
    assert np.abs(table.column("trivet/late_s")[rows]).mean() < 120
    assert table.column("trivet/error_m")[rows].max() < 200


def test_a_row_is_the_same_whatever_came_after_its_trip() -> None:
    short, long = judged(17), judged()
    for name, column in short.columns.items():
        np.testing.assert_array_equal(column, long.columns[name][: len(column)])


def test_judging_changes_nothing_that_is_learnt() -> None:
    anticipator = learner()
    Judge(anticipator, plan(SAMPLES, here())).run(SAMPLES)
    assert anticipator.snapshot() == learner(SAMPLES).snapshot()


def test_at_the_departure_no_baseline_sees_a_position() -> None:
    table = judged()
    rows = table.at("minutes", 0.0) & table.days(8)
    for rank in ("top1", "top3"):
        frequent = table.column(f"frequent/{rank}")[rows]
        np.testing.assert_array_equal(table.column(f"closeness/{rank}")[rows], frequent)


def test_the_first_trip_is_to_somewhere_new_and_nothing_else_is() -> None:
    table = judged()
    new = table.at("share", 0.5) & table.kind("new")
    assert new.sum() >= 1
    assert table.columns["day"][new].min() == 1


def test_probabilities_said_are_counted_from_day_15() -> None:
    table = judged()
    count, said, true = table.bins["share", 0.5].sum(axis=0)
    trips = (table.at("share", 0.5) & table.days(15)).sum()
    assert said == pytest.approx(trips)
    assert true == trips
    assert count > trips
