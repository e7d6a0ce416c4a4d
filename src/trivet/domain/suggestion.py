"""Needs, suggestions and answers: what a skill asks for and what a person says."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.forecast import Probability, Reason
from trivet.domain.sample import DeviceId, EventTime, SignalPath, Value
from trivet.domain.why import Why


class Surface(StrEnum):
    """Where a suggestion is shown or said."""

    CAR = "car"
    PHONE = "phone"
    HOME = "home"


class Action(msgspec.Struct, frozen=True):
    """What a "yes" does: a target value for an actuator.

    Attributes:
        device: whose actuator.
        path: which actuator.
        value: its target value.
        label: on the button: "Close the garage".
    """

    device: DeviceId
    path: SignalPath
    value: Value
    label: Annotated[str, Meta(max_length=100)]


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a skill thinks a person may want; the engine judges whether to say so.

    Attributes:
        skill: the skill's name.
        key: what it is about; a need with the same skill and key is the same need.
        title: one line for a person.
        probability: that the person wants it.
        benefit: to the person if so, 0 (none) to 1 (great).
        reasons: why, strongest first.
        expires: event time after which it makes no sense.
        surfaces: where it may be shown, best first.
        actions: what "yes" can do; empty for advice.
        details: further lines: restaurants and waits, times, temperatures.
        is_safety: may be shown whatever the driving load.
    """

    skill: str
    key: str
    title: Annotated[str, Meta(max_length=200)]
    probability: Probability
    benefit: Probability
    reasons: tuple[Reason, ...]
    expires: EventTime
    surfaces: tuple[Surface, ...] = (Surface.PHONE,)
    actions: tuple[Action, ...] = ()
    details: tuple[str, ...] = ()
    is_safety: bool = False


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True, tag="suggestion"):
    """A need judged worth a person's attention now.

    Attributes:
        id: unique within the household.
        person: for whom.
        time: event time at which it was made.
        need: what it is about, with its reasons and actions.
        surface: where it is shown.
        why: the account of it, where it was given to another device.
    """

    id: str
    person: str
    time: EventTime
    need: Need
    surface: Surface
    why: Why | None = None


class AnswerKind(StrEnum):
    """What became of a suggestion."""

    YES = "yes"
    NOT_NOW = "not_now"
    #: it expired with no word
    IGNORED = "ignored"
    #: a yes whose doing was taken back by hand soon after
    UNDONE = "undone"


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """What a person said to a suggestion, and when."""

    suggestion: str
    kind: AnswerKind
    time: EventTime
