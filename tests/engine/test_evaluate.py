"""The judge leaks nothing, and its rows add up."""

from __future__ import annotations

from math import isnan

from tests.engine.life import commute, learner, monday

from trivet.engine import TripEnded
from trivet.engine.evaluate import FRACTIONS, evaluate, tabulate

SAMPLES = commute(21)


def test_each_trip_after_the_warm_up_is_judged_at_each_fraction() -> None:
    scores = list(evaluate(SAMPLES, learner(), warm_up_s=14 * 86_400))
    late = [t for t in learner(SAMPLES).trips if t.departure >= monday(0, 14)]
    assert len(scores) == len(late) * len(FRACTIONS)
    assert all(score.is_known for score in scores)


def test_a_life_of_commuting_is_foretold_nearly_always() -> None:
    rows = tabulate(list(evaluate(SAMPLES, learner())))
    known = {row.fraction: row for row in rows if row.kind == "known"}
    assert known[0.9].top1 == 1.0
    assert known[0.5].top1 >= 0.9
    assert known[0.5].arrival_error_s < 120
    assert known[0.1].top1 <= known[0.1].top3 <= 1.0
    assert known[0.9].error_m < 100


def test_a_score_is_the_same_whatever_came_after_its_trip() -> None:
    short = list(evaluate(commute(17), learner()))
    long = list(evaluate(SAMPLES, learner()))
    assert short == long[: len(short)]


def test_judging_changes_nothing_that_is_learnt() -> None:
    judged = learner()
    list(evaluate(SAMPLES, judged))
    assert judged.snapshot() == learner(SAMPLES).snapshot()


def test_nothing_to_judge_gives_no_rows() -> None:
    assert tabulate(list(evaluate([], learner()))) == []
    assert tabulate(list(evaluate(SAMPLES[:50], learner()))) == []


def test_the_first_trip_of_all_is_to_somewhere_new() -> None:
    scores = list(evaluate(SAMPLES, learner(), warm_up_s=0))
    rows = {(r.kind, r.fraction): r for r in tabulate(scores)}
    new, known = rows[("new", 0.5)], rows[("known", 0.5)]
    assert new.trips + known.trips == rows[("all", 0.5)].trips
    assert new.said_new > known.said_new
    assert not isnan(known.coverage)


def test_the_event_says_what_was_new() -> None:
    anticipator = learner()
    ended = [
        event
        for sample in SAMPLES
        for event in anticipator.learn_one(sample)
        if isinstance(event, TripEnded)
    ]
    assert [event.is_new for event in ended[:3]] == [True, False, False]
