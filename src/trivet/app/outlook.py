"""The next day at home in plain values, each with what it rests on."""

from __future__ import annotations

import msgspec

from trivet.domain.forecast import Interval


class Coming(msgspec.Struct, frozen=True, omit_defaults=True):
    """When somebody is home.

    Attributes:
        who: whom a person would name: "Ada", "Ada or Ben".
        is_home: they are home now.
        middle: arrival at home with the interval that holds half of the cases; None
            while they are home.
        arrival: likewise with that for 80 %.
        rests: what it rests on, in words.
    """

    who: str
    is_home: bool
    middle: Interval | None = None
    arrival: Interval | None = None
    rests: str = ""


class Next(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that may be done next at home.

    Attributes:
        what: path and state, `light.kitchen=on`.
        label: the same for a person: "Kitchen light on".
        probability: that it comes next.
        time: when, if it comes next; 80 %.
    """

    what: str
    label: str
    probability: float
    time: Interval | None = None


class Presence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Chance of being in over the next day.

    Attributes:
        who: the person; empty for somebody, whoever.
        is_home: chance at each of the next 24 hours, the first one hour from now.
    """

    who: str
    is_home: tuple[float, ...]


class Outlook(msgspec.Struct, frozen=True, omit_defaults=True):
    """The next day at home, as far as it can be foretold.

    Attributes:
        time: event time at which this was known.
        zone: name of the home's time zone.
        is_on: whether the home's routine is learned and foretold at all.
        is_learning: whether what happens now is learned.
        coming: when each person is home.
        first: when somebody is, whoever comes first; None of fewer than two.
        presence: who is in over the next 24 hours; the home first.
        presence_rests: what that rests on, in words.
        next: what may be done next at home, likeliest first.
        when: when the next thing is done, whichever it is; 80 %.
        next_rests: what that rests on, in words.
        bed: when the last one goes to bed; 80 %.
        wake: when the first one gets up; 80 %.
        night_rests: what those rest on, in words.
    """

    time: float
    zone: str = "UTC"
    is_on: bool = True
    is_learning: bool = True
    coming: tuple[Coming, ...] = ()
    first: Coming | None = None
    presence: tuple[Presence, ...] = ()
    presence_rests: str = ""
    next: tuple[Next, ...] = ()
    when: Interval | None = None
    next_rests: str = ""
    bed: Interval | None = None
    wake: Interval | None = None
    night_rests: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is foretold."""
        return not (self.coming or self.presence or self.next or self.bed or self.wake)
