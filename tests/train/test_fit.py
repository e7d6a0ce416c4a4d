"""The fit finds the weights that people choose by, and calibration how sure to be."""

from __future__ import annotations

import numpy as np
import pytest
from tests.train.made import NEW, OF_NEW, PLACES, WIDTH, cases

from trivet.domain.error import UsageError
from trivet.engine.residual import Residual
from trivet.engine.scorer import Scorer, shares
from trivet.engine.student import Network, Student
from trivet.train.calibrate import sharpen, sharpness
from trivet.train.fit import BLIND, BLIND_NEW, PACE, fit, losses, steps
from trivet.train.training import judge_student, train

ALL = cases(6000)
WAY, AT_START = ALL.where(~ALL.blind), ALL.where(ALL.blind)


def test_the_weights_that_people_choose_by_are_found() -> None:
    fitted = fit(WAY, blind=False)
    assert fitted.weights.places[:5] == pytest.approx(PLACES[:5], abs=0.12)
    assert fitted.weights.new == pytest.approx(OF_NEW, abs=0.15)
    assert fitted.cases == len(WAY)


def test_no_other_weights_do_better_on_what_they_were_fitted_on() -> None:
    fitted = fit(WAY, blind=False, penalty=0.0)
    best = float(losses(WAY, fitted.weights)[0].mean())
    assert best == pytest.approx(fitted.loss)
    for scale in (0.9, 1.1):
        other = sharpen(fitted.weights, None, scale)[0]
        assert float(losses(WAY, other)[0].mean()) > best


def test_who_is_blind_weighs_only_what_can_be_known() -> None:
    weights = fit(AT_START, blind=True).weights
    told = {*BLIND, PACE}
    assert all(w == 0 for n, w in enumerate(weights.places) if n not in told)
    assert all(w == 0 for n, w in enumerate(weights.new) if n not in BLIND_NEW)
    assert weights.places[0] == pytest.approx(PLACES[0], abs=0.2)


def test_the_probability_lost_is_that_of_the_scorer() -> None:
    fitted = fit(WAY, blind=False)
    rng = np.random.default_rng(2)
    rows = tuple(tuple(row) for row in rng.normal(0, 0.3, (2, WIDTH + NEW)).tolist())
    network = Network(rows, (0.1, -0.2), (0.7, -0.4))
    loss, right = losses(WAY.where(np.arange(len(WAY)) < 5), fitted.weights, network)
    student = train([ALL], "made", "2026-01-01", seed=1, linear=True).student
    bent = Student(
        student.format,
        *("x", "y", 1),
        student.columns,
        student.new_columns,
        fitted.weights,
        student.blind,
        network,
    )
    scorer, first = Scorer(bent), 0
    for number in range(5):
        size = int(WAY.sizes[number])
        table = WAY.table[first : first + size].astype(np.float64)
        places, new = shares(scorer.score(table, WAY.new[number], blind=False))
        said = [*places.tolist(), new][int(WAY.truth[number])]
        assert loss[number] == pytest.approx(-np.log(said), abs=1e-6)
        best = int(places.argmax()) == int(WAY.truth[number])
        assert bool(right[number]) == best
        first += size


def test_steps_undo_what_was_told_well_less_than_what_was_not() -> None:
    fitted = fit(WAY, blind=False)
    moved = np.array(steps(WAY, fitted.weights, None).steps)
    assert moved.shape == (WIDTH + NEW, WIDTH + NEW)
    assert moved == pytest.approx(np.array(fitted.weights.steps), abs=1e-3)
    assert (np.delete(np.diag(moved), PACE) > 0).all()
    assert not moved[PACE].any()  # `pace` is not moved
    student = train([ALL], "made", "2026-01-01", seed=1, linear=True).student
    assert not Residual(student, []).way[0].any()


def test_who_is_too_sure_is_made_less_so() -> None:
    weights = fit(WAY, blind=False).weights
    sure = sharpen(weights, None, 1.8)[0]
    assert sharpness(WAY, sure) == pytest.approx(1 / 1.8, abs=0.06)
    assert sharpness(WAY, weights) == pytest.approx(1.0, abs=0.05)


def test_a_student_of_many_people_is_judged_on_those_held_out() -> None:
    people = [cases(600, seed) for seed in range(7)]
    trained = train(people, "made-up people", "2026-01-01", seed=1, linear=True)
    assert trained.student.cases == 6 * 600
    assert [row.name for row in trained.judged] == ["linear", "calibrated"]
    assert trained.judged[0].cases == 600
    again = judge_student("again", people[5], trained.student)
    assert again.loss == pytest.approx(trained.judged[-1].loss)
    assert Student.parse(trained.student.dump()) == trained.student
    twice = train(people, "made-up people", "2026-01-01", seed=1, linear=True)
    assert twice.student.dump() == trained.student.dump()


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(UsageError, match="too few"):
        train([], "nobody", "2026-01-01", seed=1, linear=True)
