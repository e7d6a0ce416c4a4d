"""A person's own weights move a little, keep within bounds, and can be forgotten."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tests.engine.life import HOME, WORK, commute, drive, here, learn, monday, stay

from trivet.domain.error import UsageError
from trivet.engine import Anticipator
from trivet.engine.evidence import COLUMNS, NEW_COLUMNS, Evidence
from trivet.engine.residual import (
    MOST_LESSONS,
    Exhibit,
    Lesson,
    Residual,
    put_aside,
    teach,
)
from trivet.engine.scorer import Scorer, shares
from trivet.engine.snapshot import dump, load
from trivet.engine.student import Student, default

WIDTH = len(COLUMNS) + len(NEW_COLUMNS)
_EVEN = tuple(tuple(row) for row in np.eye(WIDTH).tolist())


def plain(scale: float = 1.0) -> Student:
    """The packaged student, whose every weight moves with its own slope alone."""
    steps = tuple(tuple(scale * x for x in row) for row in _EVEN)
    student = default()
    return msgspec.structs.replace(
        student,
        way=msgspec.structs.replace(student.way, steps=steps),
        blind=msgspec.structs.replace(student.blind, steps=steps),
        network=None,
    )


def moment() -> Evidence:
    rng = np.random.default_rng(1)
    table = rng.normal(0.0, 1.0, (3, len(COLUMNS)))
    new = rng.normal(0.0, 1.0, len(NEW_COLUMNS))
    return Evidence(("a", "b", "c"), table, new, np.zeros(3))


def said(scorer: Scorer) -> dict[str, float]:
    evidence = moment()
    places, new = shares(scorer.score(evidence.table, evidence.new, blind=False))
    return {**dict(zip(evidence.places, places.tolist(), strict=True)), "": new}


def exhibit() -> Exhibit:
    evidence, shown = moment(), said(Scorer(plain()))
    probability = np.array([shown[place] for place in evidence.places])
    return put_aside(evidence, probability, shown[""], 5.0, blind=False)


@pytest.mark.parametrize("truth", ["a", "b", "c", ""])
def test_what_came_true_is_likelier_the_next_time(truth: str) -> None:
    lesson = teach([exhibit()], 0.0, truth or "d", not truth)
    assert lesson is not None
    before = said(Scorer(plain()))
    after = said(Scorer(plain(), Residual(plain(), [lesson])))
    assert after[truth] > before[truth]
    assert sum(after.values()) == pytest.approx(1.0)


def test_a_place_that_was_not_put_aside_teaches_nothing() -> None:
    assert teach([exhibit()], 0.0, "elsewhere", False) is None
    assert teach([], 0.0, "a", False) is None


def test_without_steps_nothing_moves() -> None:
    lesson = teach([exhibit()], 0.0, "a", False)
    assert lesson is not None
    bare = plain()
    bare = msgspec.structs.replace(
        bare, way=msgspec.structs.replace(bare.way, steps=())
    )
    assert said(Scorer(bare, Residual(bare, [lesson]))) == said(Scorer(bare))


def test_weights_stay_within_bounds_and_old_lessons_fade() -> None:
    steep = Lesson(0.0, (5.0,) * WIDTH, ())
    far = Residual(plain(100.0), [steep] * 1000).way
    assert np.abs(np.concatenate(far)).max() == 3.0
    none = Lesson(0.0, (0.0,) * WIDTH, ())
    fresh = Residual(plain(), [steep]).way[0]
    faded = Residual(plain(), [steep, *[none] * 100]).way[0]
    assert 0.5 * np.abs(fresh[0]) < np.abs(faded[0]) < np.abs(fresh[0])
    gone = Residual(plain(), [steep, *[none] * MOST_LESSONS]).way[0]
    assert not gone.any()


ERRAND = [
    *stay(monday(0, 19), HOME, 15 * 3600, 600),
    *drive(monday(15, 19), HOME, (2000.0, -3000.0)),
    *stay(monday(15.2, 19), (2000.0, -3000.0), 3000, 60),
    *drive(monday(16.1, 19), (2000.0, -3000.0), HOME),
    *stay(monday(16.3, 19), HOME, 7.6 * 3600, 600),
]
LIFE = [*commute(19), *ERRAND, *commute(3, 21)]
LAST = [*stay(monday(0, 24), HOME, 8 * 3600, 600), *drive(monday(8, 24), HOME, WORK)]


def mind(student: Student) -> Anticipator:
    anticipator = Anticipator("ada", "phone", here(), student=student)
    learn(anticipator, LIFE)
    return anticipator


def lessons(anticipator: Anticipator) -> list[Lesson]:
    return load(anticipator.snapshot()).lessons


def test_each_trip_leaves_a_lesson_that_outlasts_a_restart() -> None:
    anticipator = mind(plain(0.1))
    assert [one.departure for one in lessons(anticipator)] == [
        trip.departure for trip in anticipator.trips
    ]
    again = Anticipator.restore(anticipator.snapshot(), here(), student=plain(0.1))
    for one in (anticipator, again):
        learn(one, LAST[:70])
    time = LAST[69].time
    assert again.predict_one(time) == anticipator.predict_one(time)
    assert again.snapshot() == anticipator.snapshot()


def test_lessons_about_another_student_are_dropped() -> None:
    snapshot = mind(plain(0.1)).snapshot()
    assert load(snapshot).lessons
    other = Anticipator.restore(snapshot, here(), student=plain(0.2))
    assert not lessons(other)


def test_lessons_on_other_evidence_are_dropped_and_the_rest_is_kept() -> None:
    anticipator = mind(plain(0.1))
    learn(anticipator, LAST[:70])
    state = load(anticipator.snapshot())
    assert state.lessons
    assert state.exhibits
    state.lessons = [Lesson(n, (0.5,) * 21, (0.1,) * 21) for n in range(3)]
    rows = bytes(4 * 15)
    state.exhibits = [Exhibit(1.0, True, ("p1",), rows, (0.0,) * 6, (0.0,) * 21)]
    older = dump(state)
    assert not load(older).lessons
    assert not load(older).exhibits
    again = Anticipator.restore(older, here(), student=plain(0.1))
    assert again.trips == anticipator.trips
    assert again.predict_one(LAST[69].time) is not None


def test_a_trip_that_is_forgotten_takes_its_lesson_along() -> None:
    anticipator = mind(plain(0.1))
    since, until = monday(14, 19), monday(20, 19)
    inside = [one for one in lessons(anticipator) if since <= one.departure < until]
    assert inside
    anticipator.forget(since, until)
    left = lessons(anticipator)
    assert left
    assert not [one for one in left if since <= one.departure < until]
    departures = {trip.departure for trip in anticipator.trips}
    assert {one.departure for one in left} <= departures
    anticipator.forget(0.0, monday(0, 100))
    assert not lessons(anticipator)


def test_while_learning_is_frozen_nothing_is_learnt_or_put_aside() -> None:
    anticipator = mind(plain(0.1))
    before = lessons(anticipator)
    anticipator.freeze(LAST[0].time)
    learn(anticipator, LAST)
    assert lessons(anticipator) == before
    assert not load(anticipator.snapshot()).exhibits


def test_a_snapshot_with_half_a_lesson_is_damaged() -> None:
    state = load(mind(plain(0.1)).snapshot())
    state.lessons.append(Lesson(1.0, (0.5,), ()))
    with pytest.raises(UsageError, match="damaged snapshot"):
        load(dump(state))
    state.lessons.pop()
    good = exhibit()
    state.exhibits = [msgspec.structs.replace(good, rows=good.rows[:-4])]
    with pytest.raises(UsageError, match="damaged snapshot"):
        load(dump(state))
