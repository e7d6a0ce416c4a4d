"""Off-policy: what another way of choosing would have earned, from the log of this one.

A log holds what was done, how likely that was, and what came of it. What another policy
would have said is weighed by how much likelier it was to say it; what is not said earns
nothing for sure, so only what it would say must have had a chance in the log. Three
estimates of its mean reward a choice: by inverse propensity, which has no bias where
propensities are right, and wide limits; self-normalised, steadier with a little bias;
doubly robust, which adds a model of the reward and is right when either the model or
the propensities are. Choices of one day hang together, so limits come from sums a day
(a cluster-robust standard error).

A need's chance may rise during the day. What was said then has the chance that it had
by that moment; to which it would have risen later nobody knows. The weights are too
large where it would have, and inverse propensity is then too high by the same share.
The others hardly are: they divide by the weights, or correct a model with them.

Source: M. Dudik, J. Langford and L. Li, "Doubly Robust Policy Evaluation and Learning",
ICML 2011; A. Swaminathan and T. Joachims, "The Self-Normalized Estimator for
Counterfactual Learning", NeurIPS 2015; A. C. Cameron and D. L. Miller, "A
Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 50 (2015).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import TypeAlias

import msgspec

from trivet.domain.error import InputError, UsageError
from trivet.engine.choice import Choice, reward_of

#: A policy: the chance that it says what was weighed, 0 to 1.
Policy: TypeAlias = Callable[[Choice], float]
#: A model: the expected reward of saying it.
Model: TypeAlias = Callable[[Choice], float]

#: Two-sided 95 % points of Student's t by degrees of freedom; from 30 on by a formula.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
#: No draw is finer (`engine.acceptance.draw`): what is less likely was never done.
LEAST = 2.0**-53
#: Strength of the model's prior, in answers.
_PRIOR = 2.0


class Estimate(msgspec.Struct, frozen=True):
    """What a policy would have earned a choice, with its 95 % limits."""

    mean: float
    low: float
    high: float


class Comparison(msgspec.Struct, frozen=True):
    """All estimates of one policy on one log.

    Attributes:
        choices: how many were weighed.
        days: on how many days.
        logged: what the log's own policy earned.
        inverse: by inverse propensity.
        normalised: self-normalised.
        robust: doubly robust.
        effective: how many of what was said the weights are worth; few is a warning.
    """

    choices: int
    days: int
    logged: Estimate
    inverse: Estimate
    normalised: Estimate
    robust: Estimate
    effective: float


class _Term(msgspec.Struct, frozen=True):
    """One choice as the estimators see it."""

    day: str
    #: chance of the policy to say it, and that by the log's: 0 when it was not said
    wanted: float
    weight: float
    reward: float
    #: the model's word on saying it
    model: float


def compare(
    choices: Iterable[Choice], policy: Policy, model: Model | None = None
) -> Comparison:
    """Estimate a policy's mean reward a choice from another's log.

    Args:
        choices: that are settled.
        policy: gives the chance that it says what was weighed.
        model: of the reward of saying it; None fits each skill's share of yes.

    Raises:
        UsageError: the log is empty, or the policy gives no probability.
        InputError: a propensity in the log cannot be.
    """
    settled = list(choices)
    if not settled:
        raise UsageError(
            "the log has no choice in it",
            hint="live a day with suggestions first",
        )
    chosen = fit_model(settled) if model is None else model
    terms = [_term(choice, policy, chosen) for choice in settled]
    total = sum(term.weight for term in terms)
    square = sum(term.weight**2 for term in terms)
    return Comparison(
        len(terms),
        len({term.day for term in terms}),
        _mean(terms, [term.reward for term in terms]),
        _mean(terms, [term.weight * term.reward for term in terms]),
        _ratio(terms),
        _mean(
            terms,
            [t.wanted * t.model + t.weight * (t.reward - t.model) for t in terms],
        ),
        total**2 / square if square else 0.0,
    )


def fit_model(choices: Sequence[Choice]) -> Model:
    """The expected reward by each skill's share of yes, drawn towards all skills'.

    A choice is judged by the answers of other days alone: were its own among them,
    the doubly robust estimate would believe its model too much.
    """
    told = [choice for choice in choices if choice.is_said]
    counts = Counter((c.skill, c.date) for c in told)
    counts.update((c.skill, "") for c in told)
    taken = Counter((c.skill, c.date) for c in told if c.is_yes)
    taken.update((c.skill, "") for c in told if c.is_yes)

    def expected(choice: Choice) -> float:
        skill, day = (choice.skill, ""), (choice.skill, choice.date)
        others = counts[skill] - counts[day]
        share = (taken[skill] - taken[day] + _PRIOR / 2.0) / (others + _PRIOR)
        yes, no = reward_of(choice, is_yes=True), reward_of(choice, is_yes=False)
        return share * yes + (1.0 - share) * no

    return expected


def _term(choice: Choice, policy: Policy, model: Model) -> _Term:
    wanted = policy(choice)
    if not 0.0 <= wanted <= 1.0:
        raise UsageError(
            f"a policy gave {wanted!r} for {choice.skill} {choice.key}",
            hint="it gives the chance of saying it, 0 to 1",
        )
    logged = choice.propensity if choice.is_said else 1.0 - choice.propensity
    if not LEAST <= logged <= 1.0:
        raise InputError(
            f"the log says that {choice.skill} {choice.key} was "
            f"{'said' if choice.is_said else 'kept back'} on {choice.day} "
            f"with a chance of {logged!r}",
            hint="what was done had a chance above 0: the log is damaged",
        )
    return _Term(
        choice.date,
        wanted,
        wanted / logged if choice.is_said else 0.0,
        choice.reward,
        model(choice),
    )


def _mean(terms: Sequence[_Term], values: Sequence[float]) -> Estimate:
    mean = sum(values) / len(values)
    spread = [value - mean for value in values]
    return _limits(mean, terms, spread, float(len(values)))


def _ratio(terms: Sequence[_Term]) -> Estimate:
    """How often it would speak, times the weighted mean of what speaking earned."""
    total = sum(term.weight for term in terms)
    share = sum(term.wanted for term in terms) / len(terms)
    if total <= 0.0:
        # nothing that it would say was ever said; when it says nothing that is sure
        spread = 0.0 if share <= 0.0 else float("inf")
        return Estimate(0.0, -spread, spread)
    mean = sum(term.weight * term.reward for term in terms) / total
    scale = share * len(terms) / total
    spreads = [
        (term.wanted - share) * mean + scale * term.weight * (term.reward - mean)
        for term in terms
    ]
    return _limits(share * mean, terms, spreads, float(len(terms)))


def _limits(
    mean: float, terms: Sequence[_Term], spread: Sequence[float], total: float
) -> Estimate:
    sums: dict[str, float] = {}
    for term, value in zip(terms, spread, strict=True):
        sums[term.day] = sums.get(term.day, 0.0) + value
    days = len(sums)
    if days < 2:
        return Estimate(mean, float("-inf"), float("inf"))
    variance = sum(value**2 for value in sums.values()) * days / (days - 1)
    half = _student(days - 1) * sqrt(variance) / total
    return Estimate(mean, mean - half, mean + half)


def _student(freedom: int) -> float:
    """The two-sided 95 % point of Student's t."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    return 1.95996 + 2.3722 / freedom + 2.82 / freedom**2
