"""Off-policy estimates against people whose answers are known."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain.error import InputError, UsageError
from trivet.domain.suggestion import AnswerKind
from trivet.engine.choice import Choice, ChoiceLog, from_lines, reward_of, to_lines
from trivet.engine.offpolicy import Comparison, Policy, compare, fit_model

#: What the person truly takes, by skill.
TASTE = {"dinner": 0.75, "groceries": 0.3, "preheat": 0.5}
BASE = Choice("ada", "dinner", "x", "d", 0.0, 12.0, 0.8, 0.6, 0.05, 0.3, 2, 1, 0.5)


def choosy(choice: Choice) -> float:
    """The policy that is asked about: hardly any groceries, mostly dinner."""
    return {"dinner": 0.9, "groceries": 0.1}.get(choice.skill, 0.6)


def worth(skill: str) -> float:
    one = msgspec.structs.replace(BASE, skill=skill)
    p = TASTE[skill]
    return p * reward_of(one, is_yes=True) + (1 - p) * reward_of(one, is_yes=False)


#: What `choosy` earns a choice in truth: the three skills come up equally often.
TRUTH = sum(
    choosy(msgspec.structs.replace(BASE, skill=skill)) * worth(skill) for skill in TASTE
) / len(TASTE)


def lived(seed: int, days: int = 60) -> list[Choice]:
    """The log of another policy with a person of that taste."""
    random = Random(seed)
    log = []
    for day in range(days):
        for skill in [*random.sample(sorted(TASTE), 2), random.choice(sorted(TASTE))]:
            propensity = random.uniform(0.25, 0.85)
            is_said = random.random() < propensity
            is_yes = random.random() < TASTE[skill]
            kind = AnswerKind.YES if is_yes else AnswerKind.IGNORED
            log.append(
                msgspec.structs.replace(
                    BASE,
                    skill=skill,
                    day=f"day {day}",
                    propensity=propensity,
                    is_said=is_said,
                    answer=kind if is_said else None,
                )
            )
    return log


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return [compare(lived(seed), choosy) for seed in range(300)]


@pytest.mark.parametrize("name", ["inverse", "normalised", "robust"])
def test_limits_hold_the_truth_about_as_often_as_they_say(
    name: str, comparisons: list[Comparison]
) -> None:
    """Of 300 simulated people 95 % are promised; 91 to 98.5 is that, by chance."""
    found = [getattr(one, name) for one in comparisons]
    held = sum(one.low <= TRUTH <= one.high for one in found) / len(found)
    assert 0.91 <= held <= 0.985
    assert sum(one.mean for one in found) / len(found) == pytest.approx(TRUTH, abs=4e-3)


def test_the_doubly_robust_limits_are_the_narrowest(
    comparisons: list[Comparison],
) -> None:
    def width(name: str) -> float:
        found = [getattr(one, name) for one in comparisons]
        return float(sum(one.high - one.low for one in found))

    assert width("robust") < width("inverse")
    assert width("robust") < width("normalised")


def test_the_log_s_own_policy_earns_what_the_log_says() -> None:
    log = lived(1)
    same = compare(log, lambda choice: choice.propensity)
    earned = sum(choice.reward for choice in log) / len(log)
    assert same.logged.mean == pytest.approx(earned)
    assert same.inverse.mean == pytest.approx(earned)
    assert same.normalised.mean == pytest.approx(earned, abs=0.01)
    assert same.effective == pytest.approx(sum(choice.is_said for choice in log))


def test_what_is_said_for_sure_in_the_log_tells_of_policies_that_say_less() -> None:
    """That not saying has no chance in the log is no harm: what it earns is known."""
    log = [
        msgspec.structs.replace(
            choice,
            propensity=1.0,
            is_said=True,
            answer=choice.answer
            or (AnswerKind.YES if index % 10 < 6 else AnswerKind.IGNORED),
        )
        for index, choice in enumerate(lived(4))
    ]
    half = compare(log, lambda choice: 0.5)
    earned = sum(choice.reward for choice in log) / len(log)
    for name in ("inverse", "normalised", "robust"):
        assert getattr(half, name).mean == pytest.approx(earned / 2)


def test_of_a_policy_that_says_what_was_never_said_nothing_is_known() -> None:
    log = [msgspec.structs.replace(BASE, day=f"d {n}") for n in range(5)]
    assert compare(log, choosy).normalised.high == float("inf")
    assert compare(log, lambda choice: 0.0).normalised.high == 0.0


def test_robust_is_right_with_a_wrong_model_or_with_wrong_propensities() -> None:
    def wrong_model(choice: Choice) -> float:
        return 0.9

    def right_model(choice: Choice) -> float:
        return worth(choice.skill)

    wrong_model_mean = right_model_mean = 0.0
    for seed in range(120):
        log = lived(seed)
        spoilt = [msgspec.structs.replace(c, propensity=0.5) for c in log]
        wrong_model_mean += compare(log, choosy, wrong_model).robust.mean / 120
        right_model_mean += compare(spoilt, choosy, right_model).robust.mean / 120
    assert wrong_model_mean == pytest.approx(TRUTH, abs=0.012)
    assert right_model_mean == pytest.approx(TRUTH, abs=0.012)


def test_choices_of_one_day_are_not_counted_as_independent() -> None:
    """The same day ten times over is no more knowledge than once."""
    log = lived(5, days=12)
    many = [each for choice in log for each in [choice] * 10]
    once, often = compare(log, choosy).robust, compare(many, choosy).robust
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.02)


def test_where_a_chance_rises_on_a_day_the_robust_estimate_is_to_be_read() -> None:
    """What docs/skills.md says: to which it would have risen is not in the log."""
    random, log = Random(1), ChoiceLog()
    for day in map(str, range(3000)):
        log.turn(day)
        luck = random.random()
        for propensity in (0.3, 0.6, 0.9):
            now = msgspec.structs.replace(BASE, day=day, propensity=propensity)
            log.weigh(now)
            if luck < propensity:
                is_yes = random.random() < TASTE["dinner"]
                log.say(now, day)
                log.settle(day, AnswerKind.YES if is_yes else AnswerKind.NOT_NOW)
                break
    log.turn("end")
    found, truth = compare(log.settled, lambda choice: 1.0), worth("dinner")
    assert found.inverse.mean == pytest.approx(1.83 * truth, rel=0.05)
    assert found.normalised.mean == pytest.approx(truth, rel=0.05)
    assert found.robust.mean == pytest.approx(truth, rel=0.05)


def test_the_model_knows_nothing_of_the_day_that_it_judges() -> None:
    """What came up again on a day is of that day."""
    said = msgspec.structs.replace(
        BASE, day="2026-05-01", is_said=True, answer=AnswerKind.YES
    )
    again = msgspec.structs.replace(said, day="2026-05-01#2")
    assert fit_model([said, again])(again) == fit_model([])(again)


def test_few_effective_choices_tell_of_policies_that_have_little_in_common() -> None:
    log = lived(2)

    def contrary(choice: Choice) -> float:
        return 1.0 - choice.propensity

    said = sum(choice.is_said for choice in log)
    assert compare(log, contrary).effective < 0.8 * said


@pytest.mark.parametrize("given", [-0.1, 1.5, float("nan")])
def test_a_policy_that_gives_no_probability_is_the_caller_s_mistake(
    given: float,
) -> None:
    policy: Policy = lambda choice: given  # noqa: E731
    with pytest.raises(UsageError, match="policy"):
        compare(lived(1), policy)


def test_a_log_with_nothing_in_it_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="no choice") as caught:
        compare([], choosy)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("propensity", "is_said"), [(0.0, True), (1.0, False), (1e-300, True)]
)
def test_what_cannot_have_been_done_is_a_damaged_log(
    propensity: float, is_said: bool
) -> None:
    odd = msgspec.structs.replace(BASE, propensity=propensity, is_said=is_said)
    with pytest.raises(InputError, match="chance of"):
        compare([odd], choosy)


def test_one_day_alone_has_no_limits() -> None:
    only = compare([BASE], choosy).robust
    assert only.low == float("-inf")


def test_a_log_survives_its_way_through_a_file() -> None:
    log = lived(3, days=5)
    assert from_lines(to_lines(log)) == log
    with pytest.raises(InputError, match="line 2"):
        from_lines(to_lines(log[:1]) + b"{}\n")


def test_a_need_is_one_choice_a_day_at_its_best_chance() -> None:
    log = ChoiceLog()
    for chance in (0.2, 0.6, 0.4):
        log.weigh(msgspec.structs.replace(BASE, propensity=chance))
    log.turn("d")
    assert not log.settled
    log.turn("next")
    assert [choice.propensity for choice in log.settled] == [0.6]
    assert not log.settled[0].is_said


def test_what_was_undone_or_went_away_is_settled_as_that() -> None:
    log = ChoiceLog()
    log.say(BASE, "s-1")
    log.say(BASE, "s-2")
    log.settle("s-1", AnswerKind.YES)
    log.settle("s-2", None)
    log.undo("s-1")
    taken_back, went = log.settled
    assert taken_back.reward == pytest.approx(-0.3 - 0.05)
    assert went.reward == pytest.approx(-0.05)
    again = ChoiceLog()
    again.restore(log.state())
    assert again.state() == log.state()


@pytest.mark.parametrize("field", ["chance", "benefit", "cost", "wrong", "propensity"])
def test_a_number_that_no_choice_has_is_an_input_error(field: str) -> None:
    """It would be squared: what is too large is told before, with its line."""
    line = to_lines([msgspec.structs.replace(BASE, **{field: 1e200})])
    with pytest.raises(InputError, match="line 1 is no choice"):
        from_lines(line)


@given(st.binary(max_size=120))
@settings(max_examples=60, deadline=None)
def test_hostile_lines_are_an_input_error(data: bytes) -> None:
    line = data.replace(b"\n", b"").replace(b"\r", b"") or b"x"
    if line.strip():
        with pytest.raises(InputError, match="no choice"):
            from_lines(line)
