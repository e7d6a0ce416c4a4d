"""With torch: a teacher teaches, and the student's file scores as the student did."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from tests.train.made import NEW, WIDTH, cases

from trivet.domain.error import SetupError
from trivet.engine.student import Network
from trivet.train.distill import distil
from trivet.train.fit import fit, losses
from trivet.train.padded import MOST, pad
from trivet.train.teacher import teach

_ROWS = np.zeros((2, WIDTH + NEW))
_ROWS[0, 0], _ROWS[0, 4], _ROWS[1, 1] = 3.0, -3.0, 3.0
BENT = Network(tuple(tuple(row) for row in _ROWS.tolist()), (0.0, 1.0), (3.0, -3.0))


def test_without_torch_it_is_said_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    some = cases(50)
    with pytest.raises(SetupError, match="torch") as caught:
        distil(pad(some), None, fit(some, blind=False).weights, 1)
    assert "trivet[train]" in caught.value.hint


def test_boxes_hold_the_truth_of_every_case() -> None:
    some = cases(200)
    padded = pad(some)
    assert padded.table.shape == (200, MOST, WIDTH)
    assert padded.known[np.arange(200), padded.truth].all()
    is_new = some.truth == some.sizes
    assert np.array_equal(padded.truth == MOST, is_new)
    assert np.array_equal(padded.known.sum(axis=1), some.sizes + 1)


def test_what_no_sum_can_say_a_network_learns_and_a_teacher_teaches() -> None:
    pytest.importorskip("torch", reason="needs the extra train: torch is not installed")
    people = [cases(400, seed, network=BENT) for seed in (1, 2)]
    for number, one in enumerate(people):
        one.person[:] = number
    some = people[0].join(people)
    way = some.where(~some.blind)
    weights = fit(way, blind=False).weights
    padded = pad(way)
    said = teach(padded, weights, 1)
    assert said.sum(axis=1) == pytest.approx(np.ones(len(way)), abs=1e-4)
    assert not said[~padded.known].any()
    plain = float(losses(way, weights)[0].mean())
    taught, network = distil(padded, said, weights, 1, epochs=100)
    assert float(losses(way, taught, network)[0].mean()) < plain - 0.02
    once = distil(padded, said, weights, 1, epochs=1)
    assert distil(padded, said, weights, 1, epochs=1) == once
