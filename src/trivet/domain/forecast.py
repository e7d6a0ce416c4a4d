"""Forecasts: distributions over something future, each with its reasons."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.sample import EventTime

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]


#: Of a place that is less likely than this nobody is sure.
SURE = 0.5
#: More of what may be new tells a person nothing.
MOST_PROSPECTS = 3


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why: one plain sentence with the evidence behind it.

    Attributes:
        text: for a person: "14 of 17 Tuesdays at this hour you went to work".
        count: how often it held, when it is a count.
        of: out of how many.
    """

    text: Annotated[str, Meta(max_length=500)]
    count: int | None = None
    of: int | None = None


class Interval(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event time with its uncertainty.

    Attributes:
        low: event time before which it is unlikely, at `level`.
        median: as likely before as after.
        high: event time after which it is unlikely, at `level`.
        level: share of cases that fall between low and high.
    """

    low: EventTime
    median: EventTime
    high: EventTime
    level: Probability = 0.8


class Prospect(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thing on the map where the person never stayed, and a trip may be going.

    Attributes:
        point: its id on the map.
        name: as signposted, empty where the map has none.
        kind: OpenStreetMap's word: restaurant, mall, ...
        lat: latitude in degrees.
        lon: longitude likewise.
        probability: that the trip ends there or at what stands around it.
        count: things to go to there that this is the likeliest of, itself among them.
        reason: why, in words.
    """

    point: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(max_length=200)]
    kind: Annotated[str, Meta(max_length=60)]
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    probability: Probability
    count: Annotated[int, Meta(ge=1)] = 1
    reason: Reason | None = None

    @property
    def label(self) -> str:
        """What to call it in a sentence: its name, else what it is."""
        kind = self.kind.replace("_", " ")
        article = "an" if kind[:1] in tuple("aeiou") else "a"
        return self.name or f"{article} {kind}"


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One possible destination.

    Attributes:
        place: the place's id; empty for "somewhere new".
        label: what to call it.
        probability: the candidates of one forecast sum to 1.
        lat: latitude in degrees where it has one.
        lon: longitude likewise.
        arrival: when the trip would end there, None when nothing is known.
        reasons: why, strongest first.
        prospects: of "somewhere new": what on the map it may be, most likely first;
            together they are no likelier than it is.
    """

    place: str
    label: str
    probability: Probability
    lat: float | None = None
    lon: float | None = None
    arrival: Interval | None = None
    reasons: tuple[Reason, ...] = ()
    prospects: Annotated[tuple[Prospect, ...], Meta(max_length=MOST_PROSPECTS)] = ()


class Forecast(msgspec.Struct, frozen=True, omit_defaults=True, tag="forecast"):
    """Where a running trip is going and when it arrives.

    Attributes:
        person: whose trip.
        time: event time at which this was known.
        departure: event time at which the trip began.
        origin: id of the place that it began at, empty when unknown.
        candidates: most likely first; "somewhere new" is one of them.
        arrival: of the trip as a whole, over all candidates.
        driven_m: length so far.
        middle: the arrival as a whole, with the interval for half of the cases.
    """

    person: str
    time: EventTime
    departure: EventTime
    origin: str
    candidates: Annotated[tuple[Candidate, ...], Meta(min_length=1)]
    arrival: Interval | None = None
    driven_m: float = 0.0
    middle: Interval | None = None

    @property
    def best(self) -> Candidate:
        """The most likely candidate."""
        return self.candidates[0]

    @property
    def is_sure(self) -> bool:
        """Whether one place is likelier than all else: if not, name none as the one."""
        return bool(self.best.place) and self.best.probability > SURE

    @property
    def prospects(self) -> tuple[Prospect, ...]:
        """What on the map "somewhere new" may be, most likely first."""
        return next((c.prospects for c in self.candidates if not c.place), ())

    def probability_of(self, place: str) -> float:
        """Probability that the trip ends at the place with id `place`."""
        return sum(c.probability for c in self.candidates if c.place == place)
