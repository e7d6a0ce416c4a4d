from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import InputError, UsageError
from trivet.domain.forecast import Reason
from trivet.domain.sample import Sample
from trivet.domain.suggestion import (
    Action,
    Answer,
    AnswerKind,
    Need,
    Suggestion,
    Surface,
)
from trivet.engine.acceptance import PRIOR_MEAN
from trivet.engine.feedback import Feedback, Tally
from trivet.engine.situation import Situation
from trivet.engine.suggest import GONE_S, MAX_PER_DAY, Suggester
from trivet.engine.undone import UNDONE_S
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


def as_of(situation: Situation, person: str) -> Situation:
    return msgspec.structs.replace(situation, person=person)


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


def test_utility_is_what_it_may_bring_less_what_it_may_cost() -> None:
    suggester = Suggester("ada", [])
    attention = suggester.attention
    wanted = 0.9 * PRIOR_MEAN
    expected = wanted * 0.9 - (1 - wanted) * attention.wrong - attention.cost(NOON, 0)
    assert suggester.utility(need(), NOON) == pytest.approx(expected)


UNSURE = need(probability=0.42, benefit=0.5, lasts_s=1e9)


def test_what_is_worthwhile_as_far_as_is_known_is_said_for_sure() -> None:
    suggester = Suggester("ada", [])
    assert suggester.utility(need(), NOON) > 0.0
    assert suggester.propensity(need(), NOON) == 1.0


def test_the_propensity_is_the_share_of_days_on_which_it_is_said() -> None:
    assert Suggester("ada", []).utility(UNSURE, NOON) < 0.0
    expected = Suggester("ada", []).propensity(UNSURE, NOON)
    assert 0.1 < expected < 0.9
    days = 400
    said = sum(
        bool(Suggester(f"ada {n}", [Says(UNSURE)]).suggest(as_of(NOON, f"ada {n}")))
        for n in range(days)
    )
    assert said / days == pytest.approx(expected, abs=4 * (0.25 / days) ** 0.5)


def test_the_propensity_of_a_need_that_gets_likelier_is_that_it_was_said_by_then() -> (
    None
):
    chances, people = (0.36, 0.4, 0.44), 1500
    said = [0] * len(chances)
    for n in range(people):
        skill = Says()
        suggester = Suggester(f"ada {n}", [skill])
        for look, chance in enumerate(chances):
            skill.said = [msgspec.structs.replace(UNSURE, probability=chance)]
            now = later(as_of(NOON, f"ada {n}"), look * 600)
            said[look] += bool(suggester.suggest(now) or suggester.live)
    for count, chance in zip(said, chances, strict=True):
        unsure = msgspec.structs.replace(UNSURE, probability=chance)
        expected = Suggester("ada", []).propensity(unsure, NOON)
        assert count / people == pytest.approx(expected, abs=4 * (0.25 / people) ** 0.5)


def test_the_draw_of_a_day_is_one_however_often_it_is_looked_at() -> None:
    for person in map(str, range(30)):
        suggester = Suggester(person, [Says(UNSURE)])
        first = suggester.suggest(as_of(NOON, person))
        for minute in range(1, 20):
            again = as_of(later(NOON, minute * 60), person)
            assert bool(suggester.suggest(again)) is False, first


def test_who_does_not_explore_takes_the_expected_acceptance() -> None:
    for chance in (0.3, 0.5, 0.7, 0.9):
        suggester = Suggester("ada", [Says(need(probability=chance))], explores=False)
        wanted = suggester.utility(need(probability=chance), NOON) > 0.0
        assert suggester.propensity(need(probability=chance), NOON) == wanted
        assert bool(suggester.suggest(NOON)) is wanted


def test_every_choice_is_logged_with_its_chance_and_what_came_of_it() -> None:
    sure, poor = need("sure"), need("poor", probability=0.25)
    suggester = Suggester("ada", [Says(sure, poor)])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    suggester.skills = ()
    suggester.suggest(later(NOON, 86400))
    log = {choice.key: choice for choice in suggester.choices.settled}
    assert log["sure"].is_said
    assert log["sure"].reward == pytest.approx(0.9 - log["sure"].cost)
    assert not log["poor"].is_said
    assert log["poor"].reward == 0.0
    assert 0.0 < log["poor"].propensity < log["sure"].propensity <= 1.0


def test_ignored_suggestions_lower_how_often_more_are_made() -> None:
    skill = Says(need(probability=0.7, lasts_s=1e9))
    before = Suggester("ada", []).propensity(skill.said[0], NOON)
    feedback = Feedback()
    rates = [before]
    for index in range(12):
        feedback.learn_one("tea", "x", AnswerKind.IGNORED, NOON.time - 12 + index, 12.0)
        rates.append(Suggester("ada", [], feedback).propensity(skill.said[0], NOON))
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < before / 2


def test_what_a_yes_did_and_a_hand_took_back_counts_as_a_refusal() -> None:
    act = Action("home", "switch.kettle", "on", "Boil")
    suggester = Suggester("ada", [Says(need(actions=(act,)))])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 5)
    liked = suggester.feedback.acceptance("tea").mean
    for seconds, value in ((10, "off"), (20, "on"), (60, "on")):
        now = later(NOON, seconds)
        suggester.suggest(knowing(now, Sample("home", act.path, now.time, value)))
    assert suggester.feedback.tally("tea") == Tally(yes=1)
    back = later(NOON, 120)
    suggester.suggest(knowing(back, Sample("home", act.path, back.time, "off")))
    assert suggester.feedback.tally("tea") == Tally(yes=1, undone=1)
    assert suggester.feedback.acceptance("tea").mean < PRIOR_MEAN < liked
    assert [lesson.kind for lesson in suggester.take_lessons()] == [
        AnswerKind.YES,
        AnswerKind.UNDONE,
    ]
    assert suggester.feedback.is_silent("tea", "tea", NOON.time + 12 * HOUR_S)
    assert not suggester.choices.settled[0].is_yes


@pytest.mark.parametrize("seconds", [30.0, UNDONE_S + 60.0])
def test_what_never_came_about_or_changed_later_was_not_undone(seconds: float) -> None:
    act = Action("home", "switch.kettle", "on", "Boil")
    suggester = Suggester("ada", [Says(need(actions=(act,)))])
    (suggestion,) = suggester.suggest(NOON)
    say(suggester, suggestion, AnswerKind.YES, NOON.time + 5)
    if seconds > UNDONE_S:
        on = later(NOON, 10)
        suggester.suggest(knowing(on, Sample("home", act.path, on.time, "on")))
    off = later(NOON, seconds)
    suggester.suggest(knowing(off, Sample("home", act.path, off.time, "off")))
    assert suggester.feedback.tally("tea").undone == 0


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


def test_what_was_answered_before_a_restart_counts_for_that_day() -> None:
    needs = [need(f"tea {n}", lasts_s=3 * 86400, benefit=1.0) for n in range(20)]
    suggester = Suggester("ada", [Says(*needs)])
    for suggestion in suggester.suggest(NOON)[:2]:
        say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    feedback = Feedback.of(suggester.take_lessons())
    again = Suggester("ada", suggester.skills, feedback)
    assert len(again.suggest(later(NOON, HOUR_S))) == MAX_PER_DAY - 2
    tomorrow = Suggester("ada", suggester.skills, feedback)
    assert len(tomorrow.suggest(later(NOON, 86400))) == MAX_PER_DAY


def test_safety_that_was_answered_before_a_restart_takes_nobody_s_place() -> None:
    alarms = [need(f"alarm {n}", is_safety=True) for n in range(MAX_PER_DAY)]
    suggester = Suggester("ada", [Says(*alarms)])
    for suggestion in suggester.suggest(NOON):
        say(suggester, suggestion, AnswerKind.YES, NOON.time + 60)
    again = Suggester("ada", [Says(need())], Feedback.of(suggester.take_lessons()))
    assert again.suggest(later(NOON, 120))


def test_what_is_told_by_the_device_that_took_over_counts_for_that_day() -> None:
    """Two devices that lead in turn tell no more than one."""
    needs = [need(f"tea {n}", lasts_s=3 * 86400, benefit=1.0) for n in range(20)]
    first = Suggester("ada", [Says(*needs)], max_per_day=1)
    (told,) = first.suggest(NOON)
    say(first, told, AnswerKind.YES, NOON.time + 60)
    lessons = Feedback.of(first.take_lessons())
    second = Suggester("ada", [Says(*needs)], lessons, max_per_day=3)
    for suggestion in second.suggest(later(NOON, 120)):
        say(second, suggestion, AnswerKind.NOT_NOW, NOON.time + 180)
    for lesson in second.take_lessons():
        first.take_up(lesson)
    first.max_per_day = 3
    assert not first.suggest(later(NOON, HOUR_S))
    assert len(first.suggest(later(NOON, 86400))) == 3


def test_a_day_that_is_entered_again_going_west_allows_no_more() -> None:
    needs = [need(f"tea {n}", lasts_s=9 * 86400, benefit=1.0) for n in range(20)]
    suggester = Suggester("ada", [Says(*needs)])
    # half past midnight, and an hour later half past eleven of the day before
    here = msgspec.structs.replace(NOON, time=NOON.time + 12.5 * HOUR_S)
    west = timezone(timedelta(hours=-2))
    assert len(suggester.suggest(here)) == MAX_PER_DAY
    for minutes in range(0, 600, 60):
        there = msgspec.structs.replace(later(here, 60 * minutes), zone=west)
        assert not suggester.suggest(there)
        assert not suggester.suggest(later(here, 60 * minutes + 30))
    assert len(suggester.suggest(later(here, 86400))) == MAX_PER_DAY


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
        time = NOON.time + float(index)
        feedback.learn_one("tea", "other", AnswerKind.NOT_NOW, time, 23.0)
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
    short = Suggester("ada", [Says(need(lasts_s=22 * HOUR_S))])
    (suggestion,) = short.suggest(NOON)
    short.answer(Answer(suggestion.id, AnswerKind.NOT_NOW, NOON.time + 60))
    short.skills = (Says(need(lasts_s=60 * HOUR_S)),)
    assert not short.suggest(later(NOON, 21 * HOUR_S))
    assert short.suggest(later(NOON, 24 * HOUR_S))


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
    suggester.skills = (Says(need(lasts_s=60 * HOUR_S)),)
    assert not suggester.suggest(later(driving(0.0), 24 * HOUR_S))
    assert suggester.suggest(later(NOON, 24 * HOUR_S))


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


@pytest.mark.parametrize(
    "odd",
    [
        {"key": "\ud800"},
        {"title": "tea " * 100},
        {"probability": float("nan")},
        {"probability": 1.5},
        {"benefit": float("inf")},
        {"expires": float("inf")},
    ],
    ids=str,
)
def test_a_need_that_no_device_could_be_told_of_is_its_skill_s_fault(
    odd: dict[str, object],
) -> None:
    suggester = Suggester("ada", [Says(msgspec.structs.replace(need(), **odd))])
    assert not suggester.suggest(NOON)
    assert suggester.faults.keys() == {"tea"}


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
