"""Guesses of equal score count as drawing lots would, and near is right."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from benchmarks.anticipation.score import NOTHING, Guess, away_m, credit, judge

from trivet.domain.geo import DEGREE_M, distance_m

NORTH_M = 1.0 / DEGREE_M


def guess(*scores: float) -> Guess:
    """Points on a meridian, two kilometres apart, with these scores."""
    lat = np.array([2000 * NORTH_M * n for n in range(len(scores))])
    return Guess(np.array(scores), lat, np.zeros(len(scores)))


def test_the_best_guess_is_judged_and_so_are_the_best_three() -> None:
    hit = judge(guess(0.5, 0.3, 0.2, 0.1), 2, 4000 * NORTH_M, 0.0)
    assert hit.credits == (0.0, 1.0, 1.0)
    assert hit.error_m == pytest.approx(4000)


def test_who_scores_everything_alike_is_right_as_often_as_by_lot() -> None:
    hit = judge(guess(*[1.0] * 10), 4, 8000 * NORTH_M, 0.0)
    assert hit.credits == pytest.approx((0.1, 0.3, 0.5))


def test_a_tie_across_the_rank_counts_by_its_share() -> None:
    hit = judge(guess(0.9, 0.5, 0.5, 0.5, 0.5, 0.1), 3, 6000 * NORTH_M, 0.0)
    assert hit.credits == pytest.approx((0.0, 0.5, 1.0))


def test_a_credit_is_the_mean_over_all_orders_of_what_ties() -> None:
    score = np.array([3.0, 2.0, 2.0, 2.0, 1.0])
    right = np.array([False, True, False, True, False])
    orders = [
        order
        for order in permutations(range(5))
        if all(score[a] >= score[b] for a, b in pairwise(order))
    ]
    for rank in (1, 2, 3, 4):
        hits = [any(right[list(order[:rank])]) for order in orders]
        assert credit(score, right, rank) == pytest.approx(np.mean(hits))


def test_half_a_kilometre_off_is_right_and_a_little_more_is_not() -> None:
    near = judge(guess(1.0), -1, 499 * NORTH_M, 0.0)
    far = judge(guess(1.0), -1, 501 * NORTH_M, 0.0)
    assert (near.credits[0], far.credits[0]) == (1.0, 0.0)


def test_the_place_itself_is_right_wherever_its_middle_is() -> None:
    assert judge(guess(1.0), 0, 900 * NORTH_M, 0.0).credits[0] == 1.0


def test_no_guess_is_wrong_and_infinitely_far() -> None:
    nothing = np.full(3, np.nan)
    assert judge(Guess(nothing, nothing, nothing), 0, 0.0, 0.0) == NOTHING


def test_distances_are_those_of_the_engine() -> None:
    found = away_m(np.array([52.5, -33.9]), np.array([13.4, 151.2]), 39.9, 116.4)
    expected = [
        distance_m(52.5, 13.4, 39.9, 116.4),
        distance_m(-33.9, 151.2, 39.9, 116.4),
    ]
    assert found == pytest.approx(expected)
