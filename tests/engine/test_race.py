"""What has been as it is for long is due; what holds already cannot come."""

from __future__ import annotations

import numpy as np
import pytest

from trivet.engine.pool import Pool
from trivet.engine.race import Race

LAMP_ON, LAMP_OFF, DOOR_OPEN, DOOR_SHUT = range(4)


def raced(days: int = 20) -> Race:
    """The door shuts after twelve seconds, the lamp goes off after five minutes."""
    race = Race(10)
    for day in range(days):
        start = 86_400.0 * day
        race.learn_one("lamp", LAMP_ON, start)
        race.learn_one("door", DOOR_OPEN, start + 100.0)
        race.learn_one("door", DOOR_SHUT, start + 112.0)
        race.learn_one("lamp", LAMP_OFF, start + 300.0)
    return race


def test_the_first_that_is_due_comes_first() -> None:
    race, start = raced(), 86_400.0 * 20
    race.learn_one("lamp", LAMP_ON, start)
    race.learn_one("door", DOOR_OPEN, start + 100.0)
    chances = race.predict_one(start + 100.0, 4)
    assert chances.argmax() == DOOR_SHUT
    race.learn_one("door", DOOR_OPEN, start + 295.0)
    assert race.predict_one(start + 296.0, 4).argmax() == LAMP_OFF


@pytest.mark.parametrize(("opened_s", "first"), [(11.5, DOOR_SHUT), (7200.0, LAMP_OFF)])
def test_what_has_waited_beyond_its_habit_is_waited_for_less(
    opened_s: float, first: int
) -> None:
    race, now = raced(), 86_400.0 * 21
    race.learn_one("door", DOOR_OPEN, now - opened_s)
    race.learn_one("lamp", LAMP_ON, now - 293.0)
    assert race.predict_one(now, 4).argmax() == first


def test_a_race_with_nobody_in_it_says_nothing() -> None:
    chances = Race(10).predict_one(0.0, 4)
    assert not chances[:4].any()


def test_what_holds_now_keeps_next_to_no_chance() -> None:
    pool = Pool.even(1)
    mixed = pool.mix(np.array([[0.6, 0.3, 0.1]]), "", np.array([False, True, True]))
    assert mixed[0] < 1e-3
    assert mixed.sum() == pytest.approx(1.0)
    assert mixed[1] > mixed[2]


def test_the_expert_that_is_right_is_trusted() -> None:
    pool, open_ = Pool.even(2), np.ones(3, dtype=bool)
    opinions = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    for _ in range(200):
        pool.learn(opinions, "door=on", open_, 1)
    assert pool.mix(opinions, "door=on", open_).argmax() == 1
    assert pool.whole.weights[1] > pool.whole.weights[0]


def test_what_holds_after_one_event_is_learned_for_it_alone() -> None:
    pool, open_ = Pool.even(2), np.ones(3, dtype=bool)
    opinions = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    for _ in range(400):
        pool.learn(opinions, "door=on", open_, 1)
        pool.learn(opinions, "lamp=on", open_, 0)
    assert pool.mix(opinions, "door=on", open_).argmax() == 1
    assert pool.mix(opinions, "lamp=on", open_).argmax() == 0
    pool.keep({"lamp=on"})
    assert set(pool.after) == {"lamp=on"}


def test_an_event_that_could_not_come_teaches_nothing() -> None:
    pool = Pool.even(2)
    before = list(pool.whole.weights)
    pool.learn(np.full((2, 2), 0.5), "x", np.array([False, True]), 0)
    assert pool.whole.weights == before
