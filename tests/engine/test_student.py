"""A student says what it is made of, and what is no student is told so."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.engine.life import HOME, WORK, commute, drive, here, learn, monday, stay

from trivet.domain.error import InputError
from trivet.engine import Anticipator
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS
from trivet.engine.scorer import Scorer, shares
from trivet.engine.student import (
    MOST_BYTES,
    Network,
    Student,
    Weights,
    default,
)

PLACES, NEW = len(COLUMNS), len(NEW_COLUMNS)
WIDTH = PLACES + NEW
EMPTY = (0.0,) * WIDTH
LIFE = [*commute(16), *stay(monday(0, 16), HOME, 8 * 3600, 600)]
ON_THE_WAY = drive(monday(8, 16), HOME, WORK)[:30]


def changed(**fields: object) -> Student:
    return msgspec.structs.replace(default(), **fields)


def probabilities(student: Student | None) -> list[float]:
    anticipator = Anticipator("ada", "phone", here(), student=student)
    learn(anticipator, [*LIFE, *ON_THE_WAY])
    forecast = anticipator.predict_one(ON_THE_WAY[-1].time)
    assert forecast is not None
    return [candidate.probability for candidate in forecast.candidates]


def test_the_packaged_one_says_where_it_comes_from() -> None:
    student = default()
    assert student.trained_on
    assert student.trained_at
    assert student.columns == COLUMNS
    packaged = files("trivet.engine").joinpath("student.json").read_bytes()
    assert student.dump() == packaged
    assert len(packaged) < MOST_BYTES


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "student.json"
    path.write_bytes(default().dump())
    assert Student.load(path) == default()
    assert Student.load(path).fingerprint == default().fingerprint


def test_the_packaged_one_is_used_unless_another_is_given() -> None:
    flat = Weights((0.0,) * len(COLUMNS), (0.0,) * len(NEW_COLUMNS))
    assert probabilities(None) == probabilities(default())
    even = probabilities(changed(way=flat, network=None))
    assert even == pytest.approx([1 / 3] * 3)


def test_a_restored_learner_with_its_student_forecasts_the_same() -> None:
    flat = Weights((0.1,) * len(COLUMNS), (0.2,) * len(NEW_COLUMNS))
    student = changed(way=flat, network=None)
    anticipator = Anticipator("ada", "phone", here(), student=student)
    learn(anticipator, [*LIFE, *ON_THE_WAY])
    again = Anticipator.restore(anticipator.snapshot(), here(), student=student)
    time = ON_THE_WAY[-1].time
    assert again.predict_one(time) == anticipator.predict_one(time)


def test_a_network_adds_what_its_units_say() -> None:
    row = tuple(0.1 * n for n in range(WIDTH))
    student = changed(network=Network((row,), (0.3,), (2.0,)))
    table = np.linspace(-1, 1, 2 * len(COLUMNS)).reshape(2, -1)
    new = np.linspace(0, 1, len(NEW_COLUMNS))
    bare = Scorer(changed(network=None))
    plain = bare.score(table, new, blind=False)
    score = Scorer(student).score(table, new, blind=False)
    inputs = np.hstack([table, np.tile(new, (2, 1))])
    assert score[:2] - plain[:2] == pytest.approx(2 * np.tanh(inputs @ row + 0.3))
    assert score[2] == plain[2]
    blind = Scorer(student).score(table, new, blind=True)
    assert blind == pytest.approx(bare.score(table, new, blind=True))


def test_shares_sum_to_one_whatever_the_scores() -> None:
    places, new = shares(np.array([1e4, -1e4, 0.0]))
    assert places.sum() + new == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no student"),
        (b"\xff\xfe{", "no student"),
        (b"[" * 100_000, "no student"),
        (b'{"format": 1}', "no student"),
        (changed(format=2).dump(), "format 2"),
        (changed(columns=COLUMNS[1:]).dump(), "other evidence"),
        (changed(columns=COLUMNS[::-1]).dump(), "their order"),
        (
            changed(way=Weights((1.0,), (1.0,) * NEW)).dump(),
            f"1 weights where {PLACES}",
        ),
        (
            changed(way=Weights((1e300,) * PLACES, (1.0,) * NEW)).dump(),
            "a weight of 1e\\+300",
        ),
        (
            changed(
                network=Network(((0.0,) * WIDTH,) * 300, (0.0,) * 300, (0.0,) * 300)
            ),
            "300 units are too many",
        ),
        (changed(network=Network(((0.0,) * WIDTH,), (), (1.0,))), "0 weights where 1"),
        (changed(network=Network((), (), ())), "no units"),
        (default().dump().replace(b'"cases"', b'"caser"'), "no student"),
        (default().dump().replace(b'"cases"', b'"cases": NaN, "x"'), "no student"),
    ],
)
def test_a_file_that_is_no_student_is_refused(
    data: bytes | Student, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(data.dump() if isinstance(data, Student) else data)
    with pytest.raises(InputError, match=words) as caught:
        Student.load(path)
    assert caught.value.path == str(path)
    assert "trivet train" in caught.value.hint


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    path.write_bytes(default().dump() + b" " * MOST_BYTES)
    with pytest.raises(InputError, match="too many"):
        Student.load(path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no student can be read"):
        Student.load(tmp_path / "none.json")
