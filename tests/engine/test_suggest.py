from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import InputError, UsageError
from trivet.domain.forecast import Reason
from trivet.domain.sample import Sample
from trivet.domain.suggestion import Answer, AnswerKind, Need, Suggestion, Surface
from trivet.engine.feedback import Feedback
from trivet.engine.situation import Situation
from trivet.engine.suggest import GONE_S, MAX_PER_DAY, Suggester
from trivet.skills.check import example, knowing

NOON = example(12.0, "work")
HOUR_S = 3600.0


def need(key: str = "tea", lasts_s: float = HOUR_S, **changes: object) -> Need:
    base = Need(
        "tea",
        key,
        f"Make {key}?",
        0.9,
        0.9,
        (Reason("You had tea at 4 of 5 such hours", 4, 5),),
        NOON.time + lasts_s,
        surfaces=(Surface.CAR, Surface.PHONE),
    )
    return msgspec.structs.replace(base, **changes)


class Says:
    """A skill that says what it is told to."""

    name = "tea"

    def __init__(self, *needs: Need) -> None:
        self.said: list[Need] = list(needs)

    def needs(self, situation: Situation) -> Iterable[Need]:
        return self.said


class Broken:
    name = "broken"

    def needs(self, situation: Situation) -> Iterable[Need]:
        raise ZeroDivisionError("no tea left")


def later(situation: Situation, seconds: float) -> Situation:
    return msgspec.structs.replace(situation, time=situation.time + seconds)


def driving(speed_kph: float) -> Situation:
    situation = example(12.0, "work", "home")
    return knowing(situation, Sample("car", "Vehicle.Speed", situation.time, speed_kph))


def say(
    suggester: Suggester, suggestion: Suggestion, kind: AnswerKind, time: float
) -> None:
    assert suggester.answer(Answer(suggestion.id, kind, time)) == suggestion


def test_what_is_worth_more_than_it_costs_is_suggested() -> None:
    suggester = Suggester("ada", [Says(need())])
    (suggestion,) = suggester.suggest(NOON)
    assert suggestion.need == need()
    assert suggestion.person == "ada"
    assert suggestion.time == NOON.time
    assert suggestion.surface is Surface.PHONE
    assert suggester.live == [suggestion]


@pytest.mark.parametrize("poor", [need(probability=0.05), need(benefit=0.05)])
def test_what_is_not_worth_it_is_not(poor: Need) -> None:
    assert not Suggester("ada", [Says(poor)]).suggest(NOON)


def test_utility_is_probability_times_benefit_times_acceptance_less_the_cost() -> None:
    suggester = Suggester("ada", [])
    cost = suggester.attention.cost(NOON, 0)
    assert suggester.utility(need(), NOON) == pytest.approx(0.9 * 0.9 * 0.5 - cost)


def test_the_same_need_is_not_said_twice_while_it_is_live() -> None:
    suggester = Suggester("ada", [Says(need())])
    assert suggester.suggest(NOON)
    for minute in range(1, 50):
        assert not suggester.suggest(later(NOON, minute * 60))
    assert len(suggester.live) == 1


def test_of_two_needs_with_one_key_the_likelier_is_said() -> None:
    suggester = Suggester("ada", [Says(need(probability=0.5)), Says(need())])
    (suggestion,) = suggester.suggest(NOON)
    assert suggestion.need.probability == 0.9


def test_an_expired_need_is_not_said() -> None:
    assert not Suggester("ada", [Says(need(lasts_s=0.0))]).suggest(NOON)


def test_at_most_a_few_a_day_and_again_tomorrow() -> None:
    needs = [need(f"tea {n}", lasts_s=3 * 86400, benefit=1.0) for n in range(20)]
    suggester = Suggester("ada", [Says(*needs)])
    assert len(suggester.suggest(NOON)) == MAX_PER_DAY
    assert not suggester.suggest(later(NOON, HOUR_S))
    assert len(suggester.suggest(later(NOON, 86400))) == MAX_PER_DAY


def test_the_most_useful_comes_first_and_safety_before_it() -> None:
    needs = [
        need("some", probability=0.6),
        need("much", probability=0.9),
        need("stove", probability=0.5, is_safety=True),
    ]
    said = Suggester("ada", [Says(*needs)]).suggest(NOON)
    assert [s.need.key for s in said] == ["stove", "much", "some"]


def test_neither_number_nor_night_nor_refusals_silence_safety() -> None:
    feedback = Feedback()
    for index in range(50):
        feedback.learn_one("tea", "other", AnswerKind.NOT_NOW, float(index), 23.0)
    night = later(NOON, 11 * HOUR_S)
    urgent = need("stove", lasts_s=86400, is_safety=True)
    suggester = Suggester("ada", [Says(urgent)], feedback, max_per_day=0)
    assert suggester.suggest(night)
    plain = need("lamp", lasts_s=86400)
    assert not Suggester("ada", [Says(plain)], feedback).suggest(night)


def test_under_high_driving_load_only_safety_speaks_the_rest_waits() -> None:
    skill = Says(need(), need("stove", is_safety=True))
    suggester = Suggester("ada", [skill])
    assert [s.need.key for s in suggester.suggest(driving(130.0))] == ["stove"]
    (calm,) = suggester.suggest(later(driving(0.0), 60))
    assert calm.need.key == "tea"


def test_while_driving_it_is_shown_in_the_car() -> None:
    (suggestion,) = Suggester("ada", [Says(need())]).suggest(driving(40.0))
    assert suggestion.surface is Surface.CAR


def test_after_no_it_is_silent_and_comes_back_later() -> None:
    suggester = Suggester("ada", [Says(need(lasts_s=3 * 86400))])
    (suggestion,) = suggester.suggest(NOON)
    suggester.answer(Answer(suggestion.id, AnswerKind.NOT_NOW, NOON.time + 60))
    assert not suggester.suggest(later(NOON, 2 * 86400))
    assert not suggester.live
    short = Suggester("ada", [Says(need(lasts_s=6 * HOUR_S))])
    (suggestion,) = short.suggest(NOON)
    short.answer(Answer(suggestion.id, AnswerKind.NOT_NOW, NOON.time + 60))
    short.skills = (Says(need(lasts_s=20 * HOUR_S)),)
    assert not short.suggest(later(NOON, 5 * HOUR_S))
    assert short.suggest(later(NOON, 6.1 * HOUR_S))


def test_lessons_teach_another_device_all_that_was_learnt() -> None:
    suggester = Suggester("ada", [Says(need("tea"), need("milk"))])
    for suggestion in suggester.suggest(NOON):
        suggester.answer(Answer(suggestion.id, AnswerKind.NOT_NOW, suggestion.time + 1))
    lessons = suggester.take_lessons()
    assert len(lessons) == 2
    assert suggester.take_lessons() == []
    assert Feedback.of(lessons).snapshot() == suggester.feedback.snapshot()


def test_after_no_it_is_silent_for_the_whole_trip() -> None:
    suggester = Suggester("ada", [Says(need(lasts_s=600))])
    (suggestion,) = suggester.suggest(driving(0.0))
    say(suggester, suggestion, AnswerKind.NOT_NOW, NOON.time + 60)
    suggester.skills = (Says(need(lasts_s=20 * HOUR_S)),)
    assert not suggester.suggest(later(driving(0.0), 8 * HOUR_S))
    assert suggester.suggest(later(NOON, 8 * HOUR_S))


def test_what_was_accepted_is_not_offered_again_at_once() -> None:
    suggester = Suggester("ada", [Says(need())])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    assert not suggester.suggest(later(NOON, 120))


def test_accepted_advice_is_not_repeated_for_half_a_day() -> None:
    def says(lasts_s: float) -> Says:
        return Says(need(lasts_s=lasts_s))

    suggester = Suggester("ada", [says(600)])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    suggester.skills = (says(30 * HOUR_S),)
    assert not suggester.suggest(later(NOON, 8 * HOUR_S))
    assert suggester.suggest(later(NOON, 20 * HOUR_S))


def test_the_second_answer_to_one_suggestion_changes_nothing() -> None:
    suggester = Suggester("ada", [Says(need())])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    before = suggester.snapshot()
    late = Answer(suggestion.id, AnswerKind.NOT_NOW, NOON.time + 61)
    assert suggester.answer(late) is None
    assert suggester.snapshot() == before


def test_what_expires_with_no_word_is_recorded_as_ignored() -> None:
    suggester = Suggester("ada", [Says(need())])
    (suggestion,) = suggester.suggest(NOON)
    assert not suggester.expire(NOON.time + HOUR_S - 1)
    (answer,) = suggester.expire(NOON.time + 2 * HOUR_S)
    assert answer == Answer(suggestion.id, AnswerKind.IGNORED, NOON.time + HOUR_S)
    assert suggester.feedback.tally("tea").ignored == 1
    assert not suggester.live
    assert not suggester.expire(NOON.time + 2 * HOUR_S)


def test_a_need_that_went_away_takes_its_suggestion_along_with_no_answer() -> None:
    skill = Says(need())
    suggester = Suggester("ada", [skill])
    suggester.suggest(NOON)
    skill.said = []
    suggester.suggest(later(NOON, GONE_S / 2))
    assert suggester.live
    suggester.suggest(later(NOON, GONE_S + 1))
    assert not suggester.live
    assert suggester.feedback.tally().asked == 0


@pytest.mark.parametrize("is_safety", [False, True])
def test_a_need_that_comes_back_is_not_said_again_unless_safety(
    is_safety: bool,
) -> None:
    skill = Says(need(is_safety=is_safety))
    suggester = Suggester("ada", [skill])
    suggester.suggest(NOON)
    wanted, skill.said = skill.said, []
    suggester.suggest(later(NOON, GONE_S + 1))
    skill.said = wanted
    assert bool(suggester.suggest(later(NOON, GONE_S + 60))) is is_safety


def test_a_need_that_flickers_keeps_its_suggestion() -> None:
    skill = Says(need())
    suggester = Suggester("ada", [skill])
    (suggestion,) = suggester.suggest(NOON)
    for minute in range(1, 20):
        skill.said = [need()] if minute % 2 else []
        assert not suggester.suggest(later(NOON, minute * 60))
    assert suggester.live == [suggestion]


def test_a_broken_skill_silences_nobody_and_is_named() -> None:
    suggester = Suggester("ada", [Broken(), Says(need())])
    assert len(suggester.suggest(NOON)) == 1
    assert suggester.faults == {"broken": "ZeroDivisionError: no tea left"}


def test_somebody_else_s_situation_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="ada"):
        Suggester("bob", []).suggest(NOON)


def test_the_same_day_lived_twice_gives_the_same_suggestions_and_ids() -> None:
    def live() -> list[Suggestion]:
        suggester = Suggester("ada", [Says(need(), need("cake"))])
        return [s for h in range(3) for s in suggester.suggest(later(NOON, h * 600))]

    assert live() == live()
    assert len({suggestion.id for suggestion in live()}) == 2


def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    suggester = Suggester("ada", [Says(need(), need("cake"))])
    first, second = suggester.suggest(NOON)
    say(suggester, first, AnswerKind.NOT_NOW, NOON.time + 5)
    again = Suggester("ada", suggester.skills)
    again.restore(suggester.snapshot())
    assert again.live == [second]
    assert again.snapshot() == suggester.snapshot()
    assert not again.suggest(later(NOON, 60))
    say(again, second, AnswerKind.YES, NOON.time + 90)


@given(st.binary(max_size=80))
@settings(max_examples=60, deadline=None)
def test_hostile_bytes_are_an_input_error_and_change_nothing(data: bytes) -> None:
    suggester = Suggester("ada", [Says(need())])
    suggester.suggest(NOON)
    before = suggester.snapshot()
    with pytest.raises(InputError):
        suggester.restore(data)
    assert suggester.snapshot() == before


def test_a_snapshot_of_somebody_else_is_refused() -> None:
    with pytest.raises(InputError, match="bob"):
        Suggester("ada", []).restore(Suggester("bob", []).snapshot())


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(AnswerKind)))),
    st.integers(0, 3),
)
@settings(max_examples=40, deadline=None)
def test_live_suggestions_never_share_a_key(
    answers: list[tuple[str, AnswerKind]], step: int
) -> None:
    suggester = Suggester("ada", [Says(*(need(k, 9 * HOUR_S) for k in "abc"))])
    now = NOON
    for key, kind in answers:
        now = later(now, step * 1200.0)
        suggester.suggest(now)
        keys = [suggestion.need.key for suggestion in suggester.live]
        assert len(keys) == len(set(keys))
        for suggestion in suggester.live:
            if suggestion.need.key == key:
                suggester.answer(Answer(suggestion.id, kind, now.time))
