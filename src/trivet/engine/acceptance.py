"""Acceptance: how likely a person takes what is offered, and the draw to try it.

A skill claims that something is wanted with some chance; acceptance is the share of
that claim which answers bear out, so it also corrects a skill that claims too much. It
is a Beta posterior in three steps, each the prior of the next: the other skills, the
skill at other hours, the skill in this part of the day. A skill with no answers yet is
judged as the person judges suggestions in general, and drifts to its own rate. Answers
fade: a taste that changed is learnt anew, and what was silenced is tried again after
months.

Thompson sampling draws from it and offers what is worthwhile under the draw: so what is
uncertain is tried now and then, and what was refused often is hardly tried at all. The
draw is a hash of who, what and which day, so a replay makes the same choice; and the
chance that such a draw is high enough, the propensity, is the distribution's tail in
closed form.

Source: Gelman et al., "Bayesian Data Analysis", 3rd ed., chapter 5 (hierarchical
models), with the strength of each prior fixed rather than learned; D. J. Russo et al.,
"A Tutorial on Thompson Sampling", Foundations and Trends in Machine Learning 11 (2018).
The tail is the regularised incomplete beta function by its continued fraction, NIST
Digital Library of Mathematical Functions, 8.17.22.
"""

from __future__ import annotations

from hashlib import blake2b
from math import exp, lgamma, log, log1p

import msgspec

#: Parts of the day that answers are told apart by: six hours each, from midnight.
BUCKETS = 4
#: Acceptance of a person who has never answered, and what a prior weighs, in answers.
PRIOR_MEAN = 0.7
PRIOR_STRENGTH = 4.0
#: An answer weighs half after this time.
HALF_LIFE_S = 60 * 86400.0

_STEPS, _CLOSE, _TINY = 300, 1e-12, 1e-300


class Beta(msgspec.Struct, frozen=True):
    """A Beta distribution over a probability; `alpha` yes and `beta` no, in answers."""

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """Expected probability."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def strength(self) -> float:
        """How many answers it weighs."""
        return self.alpha + self.beta

    def exceeds(self, level: float) -> float:
        """Probability that a draw lies above `level`."""
        if level <= 0.0:
            return 1.0
        if level >= 1.0:
            return 0.0
        return min(1.0, max(0.0, _tail(self.alpha, self.beta, level)))


class Taste:
    """What one person's answers bear out, of each skill and part of the day."""

    def __init__(self) -> None:
        #: by skill and part of the day: weight for and against, as of `_time`
        self._evidence: dict[tuple[str, int], tuple[float, float]] = {}
        self._time = 0.0

    def learn_one(
        self, skill: str, hour: float, time: float, weight: float, chance: float = 1.0
    ) -> None:
        """Take up one answer.

        Args:
            skill: whose suggestion it was.
            hour: local hour at which it was suggested.
            time: event time of the answer.
            weight: of the answer: above 0 for it, below 0 against it.
            chance: that it was wanted, as the skill claimed. A refusal of what was
                claimed to be unlikely says little of the person.
        """
        if time > self._time:
            self._evidence = {
                slot: (fade * yes, fade * no)
                for fade in (_fade(time - self._time),)
                for slot, (yes, no) in self._evidence.items()
            }
            self._time = time
        weight *= _fade(self._time - time)
        chance = min(1.0, max(0.0, chance))
        slot = (skill, bucket_of(hour))
        yes, no = self._evidence.get(slot, (0.0, 0.0))
        if weight < 0.0:
            # how far it was wanted though refused, at the prior's acceptance
            blame = chance * (1.0 - PRIOR_MEAN) / (1.0 - chance * PRIOR_MEAN)
            self._evidence[slot] = (yes, no - weight * blame)
        else:
            self._evidence[slot] = (yes + weight, no)

    def take_back(self, skill: str, hour: float) -> None:
        """Unlearn a yes of a moment ago: it was undone."""
        slot = (skill, bucket_of(hour))
        yes, no = self._evidence.get(slot, (0.0, 0.0))
        self._evidence[slot] = (max(0.0, yes - 1.0), no)

    def acceptance(
        self, skill: str, hour: float | None = None, time: float | None = None
    ) -> Beta:
        """How far a claim of `skill` is borne out.

        Args:
            skill: whose claim.
            hour: the local hour; all hours when None.
            time: event time now, for answers to have faded; the last answer's if None.
        """
        fade = 1.0 if time is None else _fade(max(0.0, time - self._time))
        part = None if hour is None else bucket_of(hour)
        # by how near it is: other skills, other hours, this; each answer counts once
        sums = [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
        for (a_skill, a_part), (yes, no) in self._evidence.items():
            near = sums[(a_skill == skill) * (1 + (part in (None, a_part)))]
            near[0] += fade * yes
            near[1] += fade * no
        known = Beta(PRIOR_MEAN * PRIOR_STRENGTH, (1 - PRIOR_MEAN) * PRIOR_STRENGTH)
        for index, (yes, no) in enumerate(sums):
            prior = (
                known if index == 0 or not any(sums[index - 1]) else _as_prior(known)
            )
            known = Beta(prior.alpha + yes, prior.beta + no)
        return known

    def state(self) -> tuple[float, list[tuple[str, int, float, float]]]:
        """All that was learnt: the time it is as of, and the evidence."""
        rows = [(*slot, *both) for slot, both in sorted(self._evidence.items())]
        return self._time, rows

    def restore(self, time: float, rows: list[tuple[str, int, float, float]]) -> None:
        """Go on from what `state` gave."""
        self._time = time
        self._evidence = {(skill, part): (yes, no) for skill, part, yes, no in rows}


def bucket_of(hour: float) -> int:
    """Part of the day of a local hour: 0 night, 1 morning, 2 afternoon, 3 evening."""
    return int(hour % 24.0 // (24.0 / BUCKETS))


def draw(person: str, skill: str, key: str, day: str) -> float:
    """A number between 0 and 1, evenly spread and the same for the same four words.

    Args:
        person: who would be asked.
        skill: whose need it is.
        key: what it is about.
        day: the local date.
    """
    words = "\x1f".join((person, skill, key, day)).encode(errors="replace")
    digest = blake2b(words, digest_size=8, person=b"trivet-draw").digest()
    return ((int.from_bytes(digest) >> 12) + 0.5) / (1 << 52)


def _tail(alpha: float, beta: float, level: float) -> float:
    """1 - I_level(alpha, beta); the fraction converges fast on one side of the mean."""
    front = exp(
        lgamma(alpha + beta)
        - lgamma(alpha)
        - lgamma(beta)
        + alpha * log(level)
        + beta * log1p(-level)
    )
    if level < (alpha + 1.0) / (alpha + beta + 2.0):
        return 1.0 - front * _fraction(alpha, beta, level) / alpha
    return front * _fraction(beta, alpha, 1.0 - level) / beta


def _fraction(alpha: float, beta: float, level: float) -> float:
    """The continued fraction, by Lentz's method."""
    up = 1.0
    down = 1.0 / _nonzero(1.0 - (alpha + beta) * level / (alpha + 1.0))
    value = down
    for step in range(1, _STEPS):
        twice = alpha + 2.0 * step
        even = step * (beta - step) * level / ((twice - 1.0) * twice)
        odd = -(alpha + step) * (alpha + beta + step) * level / (twice * (twice + 1.0))
        for term in (even, odd):
            down = 1.0 / _nonzero(1.0 + term * down)
            up = _nonzero(1.0 + term / up)
            value *= up * down
        if abs(up * down - 1.0) < _CLOSE:
            break
    return value


def _nonzero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def _fade(age_s: float) -> float:
    return float(0.5 ** (age_s / HALF_LIFE_S))


def _as_prior(posterior: Beta) -> Beta:
    mean = posterior.mean
    return Beta(mean * PRIOR_STRENGTH, (1 - mean) * PRIOR_STRENGTH)
