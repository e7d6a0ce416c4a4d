from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.engine.acceptance import Beta, Taste, draw


@pytest.mark.parametrize(
    ("alpha", "beta", "level", "expected"),
    [
        # closed forms: uniform, powers, and the arcsine law
        (1.0, 1.0, 0.3, 0.7),
        (3.0, 1.0, 0.5, 1 - 0.5**3),
        (1.0, 4.0, 0.2, 0.8**4),
        (0.5, 0.5, 0.25, 2 / 3),
        (2.0, 2.0, 0.9, 1 - (3 * 0.81 - 2 * 0.729)),
    ],
)
def test_the_tail_is_that_of_the_beta_distribution(
    alpha: float, beta: float, level: float, expected: float
) -> None:
    assert Beta(alpha, beta).exceeds(level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.4, 9.0), (7.5, 2.5), (60.0, 140.0), (900.0, 30.0)]
)
def test_the_tail_is_the_share_of_draws_above(alpha: float, beta: float) -> None:
    random = Random(4)
    drawn = sorted(random.betavariate(alpha, beta) for _ in range(4000))
    for share in (0.1, 0.5, 0.9):
        level = drawn[int(share * len(drawn))]
        assert Beta(alpha, beta).exceeds(level) == pytest.approx(1 - share, abs=0.04)


@given(
    st.floats(0.05, 5000.0),
    st.floats(0.05, 5000.0),
    st.lists(st.floats(-1.0, 2.0), min_size=2, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_the_tail_falls_from_one_to_nothing(
    alpha: float, beta: float, levels: list[float]
) -> None:
    tails = [Beta(alpha, beta).exceeds(level) for level in sorted(levels)]
    assert all(0.0 <= tail <= 1.0 for tail in tails)
    assert all(a >= b - 1e-9 for a, b in pairwise(tails))
    assert Beta(alpha, beta).exceeds(0.0) == 1.0
    assert Beta(alpha, beta).exceeds(1.0) == 0.0


def test_draws_are_even_and_the_same_for_the_same_words() -> None:
    drawn = [draw("ada", "dinner", "lunch", f"day {n}") for n in range(2000)]
    assert drawn == [draw("ada", "dinner", "lunch", f"day {n}") for n in range(2000)]
    assert len(set(drawn)) == 2000
    assert sum(drawn) / 2000 == pytest.approx(0.5, abs=0.03)
    assert all(0.0 < each < 1.0 for each in drawn)


def test_draws_of_one_person_tell_nothing_of_another() -> None:
    days = [f"day {n}" for n in range(2000)]
    both = [
        (draw("ada", "dinner", "x", d) - 0.5) * (draw("bob", "dinner", "x", d) - 0.5)
        for d in days
    ]
    assert abs(sum(both) / len(both)) < 0.01
    assert draw("ada", "b", "c", "d") != draw("ad", "ab", "c", "d")


def test_a_word_that_is_no_text_is_drawn_for_all_the_same() -> None:
    assert 0.0 < draw("\ud800", "dinner", "x", "day") < 1.0


def test_an_answer_counts_once_whichever_way_it_is_asked_for() -> None:
    taste = Taste()
    taste.learn_one("dinner", 18.0, 0.0, 1.0)
    before = Taste().acceptance("dinner").strength
    for hour in (None, 18.0):
        assert taste.acceptance("dinner", hour).strength == pytest.approx(before + 1.0)


def test_hours_of_a_skill_are_nearer_than_other_skills() -> None:
    taste = Taste()
    for _ in range(10):
        taste.learn_one("dinner", 9.0, 0.0, -1.0)
        taste.learn_one("preheat", 18.0, 0.0, 1.0)
    unknown = taste.acceptance("charge", 18.0).mean
    other_hour = taste.acceptance("dinner", 18.0)
    assert other_hour.mean < unknown < taste.acceptance("preheat", 18.0).mean
    assert other_hour.strength < taste.acceptance("dinner", 9.0).strength
