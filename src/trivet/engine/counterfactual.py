"""What would change a suggestion: the same judgement, asked in situations made up.

One thing is changed at a time: a signal that the skill looked at, the destination, the
hour, the answers so far. What is told is told because the suggester, asked again, would
then not have said it. Nothing is learned of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from math import ceil, floor, isfinite

from msgspec.structs import replace

from trivet.domain.clock import clock_text
from trivet.domain.forecast import Candidate, Forecast
from trivet.domain.sample import Sample, Value
from trivet.domain.suggestion import Suggestion
from trivet.engine.context import NotedContext
from trivet.engine.explain import percent
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester

#: How a sample reads to a person: what it is of, and what it says. None for one that
#: means nothing to them.
Words = Callable[[Sample], tuple[str, str] | None]

#: Lines at most.
MOST = 3
#: States that have an opposite.
_OPPOSITES: dict[Value, Value] = {
    one: other
    for pair in (
        ("on", "off"),
        ("open", "closed"),
        ("locked", "unlocked"),
        ("heat", "off"),
        ("home", "not_home"),
    )
    for one, other in (pair, pair[::-1])
}
#: Numbers are tried further and further off, doubling the step, then halved between.
_STEPS, _HALVES = 9, 12
#: The hour is tried in steps of so many seconds, up to when the need ends.
_LATER_S, _MOST_LATER = 300.0, 36
#: Places of the forecast that are tried.
_MOST_PLACES = 3


class Asker:
    """Asks a suggester again about one suggestion.

    Args:
        suggester: whose judgement it is.
        suggestion: what it said.
        situation: as it is now.
    """

    def __init__(
        self, suggester: Suggester, suggestion: Suggestion, situation: Situation
    ) -> None:
        self._suggester = suggester
        self._need = suggestion.need
        #: event time at which it ends by itself
        self.expires = suggestion.need.expires
        self._skills = [s for s in suggester.skills if s.name == self._need.skill]
        self.situation = situation
        #: the signals that were looked at so far, whether or not there was anything
        self.seen: dict[tuple[str, str], None] = {}
        self._now = self._keys(situation)

    def says(self, situation: Situation) -> bool:
        """Whether it would be said in a situation, had nothing been said that day.

        It is said too if the skill says something in its place that it would not say
        now: of two things left open the one that is left.
        """
        keys = self._keys(situation)
        return self._need.key in keys or bool(keys - self._now)

    @property
    def is_said_now(self) -> bool:
        """Whether it would be said at this moment, as everything is."""
        return self._need.key in self._now

    def _keys(self, situation: Situation) -> set[str]:
        """Keys of what the skill would have said."""
        noted = NotedContext.of(situation.context)
        asked = replace(situation, context=noted)
        said = self._suggester.twin(self._skills).suggest(asked)
        self.seen |= dict.fromkeys(noted.seen)
        return {suggestion.need.key for suggestion in said}


def changes(asker: Asker, words: Words) -> list[str]:
    """What would have to be otherwise for it not to be said, a line each.

    Empty where it would not be said now in any case: the moment has passed.

    Args:
        asker: knows the suggestion, and the situation.
        words: puts a signal in words.
    """
    if not asker.is_said_now:
        return []
    found = islice(chain(_by_place(asker), _by_signal(asker, words)), MOST - 1)
    return [line[:500] for line in chain(found, _by_hour(asker))]


def _by_signal(asker: Asker, words: Words) -> Iterator[str]:
    situation = asker.situation
    for device, path in tuple(asker.seen):
        sample = situation.context.sample(device, path)
        read = None if sample is None else words(sample)
        if sample is None or read is None:
            continue
        other, kind = _other(asker, sample, 0.1 if "." in read[1] else 1.0)
        told = None if other is None else words(other)
        if told is not None and told[1] != read[1]:
            label, now = read
            yield (
                f'If "{label}" were {told[1]}{kind} (now {now}), it would not be said.'
            )


def _other(asker: Asker, sample: Sample, unit: float) -> tuple[Sample | None, str]:
    """The nearest value that is found with which it is not said.

    A number is a whole one of `unit`, so that what is read is what was asked.
    """
    value = sample.value
    if isinstance(value, bool):
        return _if_unsaid(asker, replace(sample, value=not value)), ""
    if isinstance(value, int | float):
        return _other_number(asker, sample, float(value), unit)
    if isinstance(value, str) and value in _OPPOSITES:
        return _if_unsaid(asker, replace(sample, value=_OPPOSITES[value])), ""
    return None, ""


def _other_number(
    asker: Asker, sample: Sample, value: float, unit: float
) -> tuple[Sample | None, str]:
    if not isfinite(value):
        return None, ""
    first = max(0.25, 0.02 * abs(value))
    for step in (first * 2.0**n for n in range(_STEPS)):
        for sign, kind in ((1.0, " or more"), (-1.0, " or less")):
            far = _if_unsaid(asker, replace(sample, value=value + sign * step))
            if far is not None:
                near = value if step == first else value + sign * step / 2.0
                bound = _halved(asker, sample, near, value + sign * step)
                whole = sign * ceil(sign * bound / unit - 1e-9) * unit
                return _if_unsaid(asker, replace(sample, value=whole)), kind
    return None, ""


def _halved(asker: Asker, sample: Sample, said: float, unsaid: float) -> float:
    """The value closest to the bound, on the side on which it is not said."""
    for _ in range(_HALVES):
        middle = (said + unsaid) / 2.0
        if _if_unsaid(asker, replace(sample, value=middle)) is None:
            said = middle
        else:
            unsaid = middle
    return unsaid


def _if_unsaid(asker: Asker, sample: Sample) -> Sample | None:
    situation = asker.situation
    context = situation.context.knowing(sample)
    return None if asker.says(replace(situation, context=context)) else sample


def _by_place(asker: Asker) -> Iterator[str]:
    """Below which chance of a destination it would not be said."""
    forecast = asker.situation.forecast
    if forecast is None:
        return
    for candidate in forecast.candidates[:_MOST_PLACES]:
        if not candidate.place or _says_at(asker, forecast, candidate, 0.0):
            continue
        low, high = 0.0, candidate.probability
        for _ in range(_HALVES):
            middle = (low + high) / 2.0
            if _says_at(asker, forecast, candidate, middle):
                high = middle
            else:
                low = middle
        bound = floor(100.0 * high + 1e-9)  # below what is read it is not said
        if bound < 1:
            continue
        yield (
            f"If {candidate.label} were less likely than {bound} % "
            f"(now {percent(candidate.probability)}), it would not be said."
        )
        return


def _says_at(
    asker: Asker, forecast: Forecast, candidate: Candidate, probability: float
) -> bool:
    """Whether it is said were a candidate so likely, the others sharing the rest."""
    rest = (1.0 - probability) / max(1e-9, 1.0 - candidate.probability)
    shares = [
        replace(each, probability=probability)
        if each is candidate
        else _scaled(each, rest)
        for each in forecast.candidates
    ]
    shares.sort(key=lambda each: -each.probability)
    other = replace(forecast, candidates=tuple(shares))
    return asker.says(replace(asker.situation, forecast=other))


def _scaled(candidate: Candidate, factor: float) -> Candidate:
    """A candidate so many times as likely, and what it may be with it."""
    return replace(
        candidate,
        probability=min(1.0, factor * candidate.probability),
        prospects=tuple(
            replace(each, probability=min(1.0, factor * each.probability))
            for each in candidate.prospects
        ),
    )


def _by_hour(asker: Asker) -> Iterator[str]:
    """From when on it would be too late for it, all else as it is."""
    situation = asker.situation
    for step in range(1, _MOST_LATER + 1):
        time = situation.time + _LATER_S * step
        if time >= asker.expires:
            return
        if not asker.says(replace(situation, time=time)):
            clock = clock_text(time, situation.zone)
            yield f"If all stayed as it is, it would not be said from {clock} on."
            return
