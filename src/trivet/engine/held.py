"""What is not said: needs that wait, why they do, and from when on they would be said.

The suggester is asked again at later hours, with all else as it is. Nothing is learned
of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from trivet.domain.clock import clock_text
from trivet.domain.suggestion import AnswerKind, Need
from trivet.engine.explain import percent
from trivet.engine.situation import Situation
from trivet.engine.suggest import Suggester

#: How far ahead is looked, in what steps, and how finely then, in seconds.
AHEAD_S, STEP_S, FINE_S = 6 * 3600.0, 900.0, 300.0

_Key = tuple[str, str]


class Held(msgspec.Struct, frozen=True):
    """Something that is not said now and would be later.

    Attributes:
        need: as the skill would state it then.
        time: event time from which on it would be said.
        why_not: why it is not said now, in words.
    """

    need: Need
    time: float
    why_not: str


def held(suggester: Suggester, situation: Situation) -> Iterator[Held | None]:
    """What would be said later, each when it is found.

    It is much to ask: None is given between two questions, so that who asks can let
    others work.
    """
    skip = {(live.need.skill, live.need.key) for live in suggester.live}
    known = skip | set(_said(suggester, situation))
    end = situation.time + AHEAD_S
    if situation.forecast is not None and situation.forecast.arrival is not None:
        end = min(end, situation.forecast.arrival.high)
    time = situation.time
    while (time := time + STEP_S) <= end:
        yield None
        for key, need in _said(suggester, replace(situation, time=time)).items():
            if key not in known:
                known.add(key)
                yield _first(suggester, situation, key, Held(need, time, ""))


def _first(suggester: Suggester, situation: Situation, key: _Key, found: Held) -> Held:
    """The same, from the first moment on at which it is said."""
    time = found.time
    while (time := time - FINE_S) > max(situation.time, found.time - STEP_S):
        need = _said(suggester, replace(situation, time=time)).get(key)
        if need is None:
            break
        found = Held(need, time, "")
    return replace(found, why_not=_why_not(suggester, situation, key))


def _said(suggester: Suggester, situation: Situation) -> dict[_Key, Need]:
    said = suggester.twin(suggester.skills, goes_on=True).suggest(situation)
    return {(each.need.skill, each.need.key): each.need for each in said}


def _why_not(suggester: Suggester, situation: Situation, key: _Key) -> str:
    """Why what a key names is not said now."""
    feedback, zone = suggester.feedback, situation.zone
    forecast, hush = situation.forecast, feedback.hush(*key)
    event = 0.0 if forecast is None else forecast.departure
    if hush is not None and feedback.is_silent(*key, situation.time, event):
        said = {AnswerKind.YES: "You said yes", AnswerKind.IGNORED: "It went by"}
        text = said.get(hush.kind, "You said not now")
        return f"{text} at {clock_text(hush.time, zone)}."
    need = _stated(suggester, situation, key)
    if need is None:
        return "There is no need of it yet."
    if not suggester.attention.allows(need, situation):
        return "The road takes your attention now."
    if suggester.attention.surface(need, situation) is None:
        return "Nothing that may show it is where you are."
    if suggester.is_full and not need.is_safety:
        return "As much was said today as may be."
    return (
        "It is not worth a word yet; the chance that you want it is put at "
        f"{percent(need.probability)}."
    )


def _stated(suggester: Suggester, situation: Situation, key: _Key) -> Need | None:
    """What the skill itself states now, whether or not it is worth saying."""
    for skill in suggester.skills:
        if skill.name == key[0] and skill.name not in suggester.faults:
            found = [need for need in skill.needs(situation) if need.key == key[1]]
            return found[0] if found else None
    return None
