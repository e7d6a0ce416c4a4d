"""What other ways of choosing would have earned: estimates from a log, and the truth.

The estimates know the log alone: what was weighed, with which chance it was said, and
what was answered to what was said. The truth is known here because the future was
recorded: for every choice, said or not, what Ada would have answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
from benchmarks.skills_judge import is_right
from benchmarks.skills_record import Recording
from benchmarks.skills_run import ada, run

from trivet.domain.suggestion import AnswerKind, Need
from trivet.engine.choice import Choice, reward_of
from trivet.engine.offpolicy import Policy, compare

Row: TypeAlias = tuple[str, float, str]
#: Rewards are told for so many choices.
PER = 100.0


def surer(choice: Choice) -> float:
    """Says what is claimed to be wanted with 60 % and more."""
    return float(choice.chance >= 0.6) * 0.95


def timid(choice: Choice) -> float:
    """Says half as often what the log's own policy says."""
    return 0.5 * choice.propensity


def plain(choice: Choice) -> float:
    """Says whatever the expected acceptance makes worthwhile, at no price of error."""
    mean = choice.alpha / (choice.alpha + choice.beta)
    return float(choice.chance * mean * choice.benefit > choice.cost)


POLICIES: tuple[tuple[str, Policy], ...] = (
    ("the log's own", lambda choice: choice.propensity),
    ("half as often", timid),
    ("only what is claimed with 60 %", surer),
    ("at no price of being wrong", plain),
)


def policy_rows(recordings: Sequence[Recording]) -> Iterator[Row]:
    log: list[Choice] = []
    worth: list[float] = []
    for number, recording in enumerate(recordings):
        _, suggester = run(recording)
        needs = _needs(recording)
        for choice in suggester.choices.settled:
            need = needs[choice.time, choice.skill, choice.key]
            worth.append(_worth(choice, need, recording))
            day = f"{number} {choice.day}"
            log.append(msgspec.structs.replace(choice, day=day))
    yield "choices in the log", len(log), ""
    said = sum(choice.is_said for choice in log)
    yield "  of these said", said, ""
    for name, policy in POLICIES:
        found = compare(log, policy)
        truth = sum(
            policy(choice) * each for choice, each in zip(log, worth, strict=True)
        )
        yield f"policy: {name}, earned by 100 choices", PER * truth / len(log), ""
        for kind in ("inverse", "normalised", "robust"):
            estimate = getattr(found, kind)
            yield f"  estimated, {kind}", PER * estimate.mean, ""
            yield "    at least", PER * estimate.low, ""
            yield "    at most", PER * estimate.high, ""
        yield "  the weights are worth choices", found.effective, ""


def _needs(recording: Recording) -> dict[tuple[float, str, str], Need]:
    return {
        (moment.situation.time, need.skill, need.key): need
        for moment in recording.moments
        for need in moment.needs
    }


def _worth(choice: Choice, need: Need, recording: Recording) -> float:
    """What saying it would have earned; what was said earned that."""
    if choice.is_said:
        return choice.reward
    right = is_right(need, choice.time, recording)
    answer = ada(f"{choice.skill} {choice.key} {choice.time}", right)
    return reward_of(choice, is_yes=answer is AnswerKind.YES)
