"""Ways of heating are compared where they cost the same."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.comfort import (
    SETTINGS,
    STEP_S,
    WARM_UP_D,
    Life,
    Score,
    Week,
    frontier,
    unknowable,
)

DAY_S = 86_400.0


def test_the_frontier_is_convex_and_between_the_ends() -> None:
    energy = np.full(len(SETTINGS), 46.0)
    missed = np.full(len(SETTINGS), 15.0)
    energy[1], missed[0], missed[1] = 44.0, 0.0, 20.0
    trivet = [n for n, s in enumerate(SETTINGS) if s.way == "trivet"]
    energy[trivet[0]], missed[trivet[0]] = 45.0, 4.0
    energy[trivet[1]], missed[trivet[1]] = 45.5, 9.0  # worse than between two others
    spent, least = frontier(Score(energy, missed, missed), "trivet", missed)
    assert np.interp((44.0, 45.0, 45.5, 46.0), spent, least) == pytest.approx(
        (20.0, 4.0, 2.0, 0.0)
    )


def test_a_schedule_is_the_share_of_past_weeks() -> None:
    week, monday = Week(), 4 * DAY_S
    for quarter in range(3 * 7 * 96):
        time = monday + quarter * 900.0
        week.learn_one(time, is_in=quarter % 96 < 48)
    shares = week.shares(monday + 3 * 7 * DAY_S)
    assert shares[4] == pytest.approx(1.0)
    assert shares[60] == pytest.approx(0.0)


@pytest.mark.parametrize(("away_d", "is_missed"), [(0, False), (3, True)])
def test_who_knows_every_coming_home_misses_only_the_end_of_a_holiday(
    away_d: int, is_missed: bool
) -> None:
    times = np.arange(0.0, (WARM_UP_D + 7) * DAY_S, STEP_S)
    occupied = (times % DAY_S < 8 * 3600.0) | (times % DAY_S >= 17 * 3600.0)
    first = (WARM_UP_D + 2) * DAY_S
    occupied[(times >= first) & (times < first + away_d * DAY_S)] = False
    life = Life(times, occupied, np.full(len(times), 2.0), {}, {}, set())
    assert (unknowable(life) > 0.0) is is_missed
