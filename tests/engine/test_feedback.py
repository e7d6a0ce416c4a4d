from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import InputError
from trivet.domain.suggestion import AnswerKind
from trivet.engine.acceptance import HALF_LIFE_S, PRIOR_MEAN, bucket_of
from trivet.engine.feedback import (
    KEPT_S,
    MAX_KEYS,
    MAX_LESSONS,
    REFUSED_KEPT_S,
    Feedback,
    Lesson,
    Tally,
    outdated,
)

HOUR_S = 3600.0
YES, NOT_NOW, IGNORED = AnswerKind.YES, AnswerKind.NOT_NOW, AnswerKind.IGNORED
UNDONE = AnswerKind.UNDONE


def said(*answers: tuple[str, AnswerKind], hour: float = 18.0) -> Feedback:
    feedback = Feedback()
    for index, (skill, kind) in enumerate(answers):
        feedback.learn_one(skill, "key", kind, index * 1e4, hour)
    return feedback


def test_who_never_answered_is_as_people_are() -> None:
    assert Feedback().acceptance("dinner").mean == pytest.approx(PRIOR_MEAN)


def test_yes_raises_and_not_now_lowers_acceptance() -> None:
    assert said(("dinner", YES)).acceptance("dinner").mean > PRIOR_MEAN
    assert said(("dinner", NOT_NOW)).acceptance("dinner").mean < PRIOR_MEAN


def test_ignored_lowers_less_than_not_now() -> None:
    ignored = said(("dinner", IGNORED)).acceptance("dinner").mean
    refused = said(("dinner", NOT_NOW)).acceptance("dinner").mean
    assert refused < ignored < PRIOR_MEAN


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
        feedback.learn_one("dinner", "lunch", NOT_NOW, index * 1e4, hour=9.0)
        feedback.learn_one("dinner", "dinner", YES, index * 1e4, hour=19.0)
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
    assert feedback.is_silent("dinner", "lunch", 19.9 * HOUR_S)
    assert not feedback.is_silent("dinner", "lunch", 20.1 * HOUR_S)
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


def test_a_refusal_of_what_was_claimed_unlikely_says_little_of_the_person() -> None:
    def refused(chance: float) -> float:
        feedback = Feedback()
        feedback.learn_one("dinner", "lunch", NOT_NOW, 0.0, 12.0, chance=chance)
        return feedback.acceptance("dinner").mean

    assert refused(1.0) < refused(0.6) < refused(0.2) < PRIOR_MEAN


def test_a_skill_that_claims_too_much_is_corrected() -> None:
    """It claims 90 % where 45 % is true: acceptance goes to about half."""
    feedback = Feedback()
    for index in range(200):
        kind = YES if index % 20 < 9 else NOT_NOW
        feedback.learn_one("dinner", "x", kind, index * 3e4, 12.0, chance=0.9)
    assert 0.9 * feedback.acceptance("dinner", 12.0).mean == pytest.approx(
        0.45, abs=0.06
    )


def test_answers_fade_and_what_was_silenced_is_tried_again() -> None:
    feedback = said(*[("dinner", NOT_NOW)] * 30)
    at = [
        feedback.acceptance("dinner", 18.0, n * HALF_LIFE_S).mean for n in (0, 1, 3, 9)
    ]
    assert at == sorted(at)
    assert at[0] < 0.2
    assert at[-1] == pytest.approx(PRIOR_MEAN, abs=0.03)


def test_an_old_answer_that_comes_late_weighs_as_if_it_came_in_time() -> None:
    in_time, late = Feedback(), Feedback()
    answers = [(YES, 0.0), (NOT_NOW, HALF_LIFE_S)]
    for kind, time in answers:
        in_time.learn_one("dinner", "x", kind, time, 18.0)
    for kind, time in reversed(answers):
        late.learn_one("dinner", "x", kind, time, 18.0)
    one, other = in_time.acceptance("dinner", 18.0), late.acceptance("dinner", 18.0)
    assert one.alpha == pytest.approx(other.alpha)
    assert one.beta == pytest.approx(other.beta)


def test_undone_weighs_as_if_it_had_been_refused() -> None:
    undone, refused = Feedback(), Feedback()
    undone.learn_one("dinner", "x", YES, 0.0, 18.0)
    undone.learn_one("dinner", "x", UNDONE, 1.0, 18.0)
    refused.learn_one("dinner", "x", NOT_NOW, 1.0, 18.0)
    assert undone.acceptance("dinner").mean == pytest.approx(
        refused.acceptance("dinner").mean
    )
    assert undone.tally().asked == 1


def test_a_yes_ends_the_row_of_refusals() -> None:
    feedback = Feedback()
    for kind in (NOT_NOW, NOT_NOW, YES):
        feedback.learn_one("dinner", "lunch", kind, 0.0, 12.0)
    assert feedback.silence_if_refused_s("dinner", "lunch") == 20 * HOUR_S


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
    assert feedback.silence_if_refused_s("dinner", "key") == 60 * HOUR_S


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
    data = Feedback().snapshot().replace(b'"version":2', b'"version":99')
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


def lesson(number: int, kind: AnswerKind, time: float, person: str = "ada") -> Lesson:
    return Lesson(f"{kind.value}-{number}", person, "dinner", "x", kind, time, 18.0)


@pytest.mark.parametrize("kind", [AnswerKind.YES, AnswerKind.IGNORED])
def test_an_older_answer_that_another_device_tells_late_undoes_no_refusal(
    kind: AnswerKind,
) -> None:
    refused = Lesson("b", "ada", "tea", "x", AnswerKind.NOT_NOW, 9e5, 12.0)
    older = Lesson("a", "ada", "tea", "x", kind, 9e5 - 7200.0, 12.0)
    feedback = Feedback.of([refused])
    feedback.take_up(older)
    assert feedback.is_silent("tea", "x", 9e5 + 10 * 3600.0)
    assert feedback.hush("tea", "x") == Feedback.of([refused, older]).hush("tea", "x")


def test_lessons_are_given_up_when_they_have_faded_refusals_much_later() -> None:
    kept = [lesson(0, kind, 0.0) for kind in AnswerKind]
    assert outdated(kept, KEPT_S - 1.0) == []
    assert sorted(outdated(kept, KEPT_S + 1.0)) == ["ignored-0", "yes-0"]
    assert len(outdated(kept, REFUSED_KEPT_S + 1.0)) == len(kept)


def test_the_lessons_of_a_person_are_bounded_and_a_refusal_goes_last() -> None:
    refused = [lesson(n, NOT_NOW, float(n)) for n in range(10)]
    liked = [lesson(n, YES, 100.0 + n) for n in range(MAX_LESSONS)]
    others = [lesson(0, YES, 0.0, "bob")]
    gone = outdated([*refused, *liked, *others], 1e4)
    assert gone == [f"yes-{n}" for n in range(10)]


def test_what_was_given_up_is_hardly_missed() -> None:
    now = KEPT_S + 1.0
    lessons = [lesson(n, YES, n * 86400.0) for n in range(241)]
    gone = set(outdated(lessons, now))
    assert gone
    left = [one for one in lessons if one.suggestion not in gone]
    before, after = (Feedback.of(each) for each in (lessons, left))
    assert before.acceptance("dinner", 18.0, now).mean == pytest.approx(
        after.acceptance("dinner", 18.0, now).mean, abs=0.01
    )
