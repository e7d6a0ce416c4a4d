from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import InputError
from trivet.domain.suggestion import AnswerKind
from trivet.engine.feedback import MAX_KEYS, Feedback, Lesson, Tally, bucket_of

HOUR_S = 3600.0
YES, NOT_NOW, IGNORED = AnswerKind.YES, AnswerKind.NOT_NOW, AnswerKind.IGNORED


def said(*answers: tuple[str, AnswerKind], hour: float = 18.0) -> Feedback:
    feedback = Feedback()
    for index, (skill, kind) in enumerate(answers):
        feedback.learn_one(skill, "key", kind, index * 1e6, hour)
    return feedback


def test_who_never_answered_is_even() -> None:
    assert Feedback().acceptance("dinner").mean == pytest.approx(0.5)


def test_yes_raises_and_not_now_lowers_acceptance() -> None:
    assert said(("dinner", YES)).acceptance("dinner").mean > 0.5
    assert said(("dinner", NOT_NOW)).acceptance("dinner").mean < 0.5


def test_ignored_lowers_less_than_not_now() -> None:
    ignored = said(("dinner", IGNORED)).acceptance("dinner").mean
    refused = said(("dinner", NOT_NOW)).acceptance("dinner").mean
    assert refused < ignored < 0.5


def test_a_new_skill_is_judged_by_the_answers_to_the_others() -> None:
    liked = said(*[("dinner", YES)] * 8).acceptance("preheat").mean
    refused = said(*[("dinner", NOT_NOW)] * 8).acceptance("preheat").mean
    assert refused < 0.4 < 0.6 < liked


def test_many_own_answers_outweigh_the_others() -> None:
    feedback = said(*[("dinner", YES)] * 40, *[("preheat", NOT_NOW)] * 40)
    assert feedback.acceptance("preheat").mean < 0.15
    assert feedback.acceptance("dinner").mean > 0.85


def test_acceptance_differs_by_part_of_the_day() -> None:
    feedback = Feedback()
    for index in range(12):
        feedback.learn_one("dinner", "lunch", NOT_NOW, index * 1e6, hour=9.0)
        feedback.learn_one("dinner", "dinner", YES, index * 1e6, hour=19.0)
    morning = feedback.acceptance("dinner", hour=9.5).mean
    evening = feedback.acceptance("dinner", hour=18.5).mean
    assert morning < 0.25
    assert evening > 0.75


@given(st.lists(st.sampled_from([YES, NOT_NOW, IGNORED]), max_size=60))
@settings(max_examples=50, deadline=None)
def test_acceptance_is_a_probability_that_is_never_sure(
    kinds: list[AnswerKind],
) -> None:
    feedback = said(*(("dinner", kind) for kind in kinds))
    assert 0.0 < feedback.acceptance("dinner", 18.0).mean < 1.0
    assert feedback.tally("dinner").asked == len(kinds)


def test_after_no_the_same_is_not_said_again_for_a_while() -> None:
    feedback = Feedback()
    feedback.learn_one("dinner", "lunch", NOT_NOW, 0.0, 12.0)
    assert feedback.is_silent("dinner", "lunch", 3.9 * HOUR_S)
    assert not feedback.is_silent("dinner", "lunch", 4.1 * HOUR_S)
    assert not feedback.is_silent("dinner", "dinner", 0.0)
    assert not feedback.is_silent("preheat", "lunch", 0.0)


def test_each_refusal_in_a_row_is_silent_longer_up_to_a_month() -> None:
    feedback, time, before = Feedback(), 0.0, 0.0
    for _ in range(12):
        promised = feedback.silence_if_refused_s("dinner", "lunch")
        feedback.learn_one("dinner", "lunch", NOT_NOW, time, 12.0)
        hush = feedback.hush("dinner", "lunch")
        assert hush is not None
        assert hush.until - time == promised
        assert before <= promised <= 30 * 86400
        time, before = hush.until, promised
    assert before == 30 * 86400


def test_a_yes_ends_the_row_of_refusals() -> None:
    feedback = Feedback()
    for kind in (NOT_NOW, NOT_NOW, YES):
        feedback.learn_one("dinner", "lunch", kind, 0.0, 12.0)
    assert feedback.silence_if_refused_s("dinner", "lunch") == 4 * HOUR_S


def test_refused_safety_is_silent_no_longer_each_time() -> None:
    feedback = Feedback()
    for _ in range(5):
        feedback.learn_one("left_open", "stove", NOT_NOW, 0.0, 12.0, grows=False)
    assert not feedback.is_silent("left_open", "stove", 4.1 * HOUR_S)


@pytest.mark.parametrize("kind", [YES, NOT_NOW, IGNORED])
def test_an_answer_holds_for_the_whole_trip(kind: AnswerKind) -> None:
    feedback = Feedback()
    feedback.learn_one("dinner", "lunch", kind, 100.0, 12.0, event=50.0)
    assert feedback.is_silent("dinner", "lunch", 1e6, event=50.0)
    assert not feedback.is_silent("dinner", "lunch", 1e6, event=51.0)
    assert not feedback.is_silent("dinner", "lunch", 1e6)


def test_an_answer_holds_at_least_until_the_need_ends() -> None:
    feedback = Feedback()
    feedback.learn_one("dinner", "lunch", YES, 0.0, 12.0, until=9 * HOUR_S)
    assert feedback.is_silent("dinner", "lunch", 8.9 * HOUR_S)


def test_silence_teaches_nothing() -> None:
    feedback = said(("dinner", NOT_NOW))
    before = feedback.acceptance("dinner")
    feedback.silence("dinner", "key", 1e6, 1e6 + 60)
    assert feedback.is_silent("dinner", "key", 1e6 + 59)
    assert not feedback.is_silent("dinner", "key", 1e6 + 61)
    assert feedback.acceptance("dinner") == before
    assert feedback.silence_if_refused_s("dinner", "key") == 12 * HOUR_S


def test_a_snapshot_restores_all_that_was_learnt() -> None:
    feedback = said(("dinner", YES), ("dinner", NOT_NOW), ("preheat", IGNORED))
    again = Feedback.restore(feedback.snapshot())
    assert again.snapshot() == feedback.snapshot()
    assert again.acceptance("dinner", 18.0) == feedback.acceptance("dinner", 18.0)
    assert again.hush("dinner", "key") == feedback.hush("dinner", "key")


@given(st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_hostile_bytes_are_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        Feedback.restore(data)


def test_a_snapshot_of_another_version_is_refused_with_a_hint() -> None:
    data = Feedback().snapshot().replace(b'"version":1', b'"version":99')
    with pytest.raises(InputError, match="99") as caught:
        Feedback.restore(data)
    assert caught.value.hint


def test_memory_is_bounded_and_forgets_no_tally() -> None:
    feedback = Feedback()
    for index in range(MAX_KEYS + 50):
        feedback.learn_one("dinner", f"key-{index}", YES, float(index), 12.0)
    assert feedback.hush("dinner", "key-0") is None
    assert feedback.hush("dinner", f"key-{MAX_KEYS + 49}") is not None
    assert feedback.tally("dinner") == Tally(yes=MAX_KEYS + 50)


@pytest.mark.parametrize(
    ("hour", "bucket"),
    [(0.0, 0), (5.99, 0), (6.0, 1), (12.0, 2), (23.99, 3), (24.0, 0)],
)
def test_hours_fall_into_parts_of_the_day(hour: float, bucket: int) -> None:
    assert bucket_of(hour) == bucket


LESSONS = st.lists(
    st.builds(
        Lesson,
        suggestion=st.text("abc", min_size=1, max_size=6),
        person=st.just("ada"),
        skill=st.sampled_from(["dinner", "preheat"]),
        key=st.sampled_from(["a", "b"]),
        kind=st.sampled_from(list(AnswerKind)),
        time=st.floats(0, 1e6),
        hour=st.floats(0, 24, exclude_max=True),
    ),
    max_size=12,
    unique_by=lambda lesson: (lesson.time, lesson.suggestion),
)


@given(LESSONS, st.randoms())
def test_lessons_say_the_same_in_whatever_order_they_came(
    lessons: list[Lesson], random: Random
) -> None:
    shuffled = list(lessons)
    random.shuffle(shuffled)
    assert Feedback.of(shuffled).snapshot() == Feedback.of(lessons).snapshot()
