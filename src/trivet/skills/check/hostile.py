"""Hostile situations: what sensors, calendars and other people's programs do send."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nan

import msgspec

from trivet.domain.appointment import Appointment
from trivet.domain.place import Stay, Trip
from trivet.domain.sample import Position, Sample
from trivet.engine.situation import Situation
from trivet.skills.check.example import samples_of, with_samples

#: Texts that break what prints, splits or measures them.
TEXTS = ("", " ", "x" * 5000, "\x00\x1b[31m\u202e", "'; --", "\U0001f9c0" * 200)
_ODD_NUMBERS = (nan, inf, -inf, 1e300, 10**30)
_DAY_S = 86400.0


def hostile(situation: Situation) -> Iterator[tuple[str, Situation]]:
    """The situation again and again, each time with something out of its mind."""
    replace = msgspec.structs.replace
    samples = samples_of(situation)
    for number in _ODD_NUMBERS:
        odd = [
            replace(sample, value=number)
            if isinstance(sample.value, int | float)
            and not isinstance(sample.value, bool)
            else sample
            for sample in samples
        ]
        yield f"{number!r} for every number", with_samples(situation, odd)
    for text in TEXTS:
        odd = [
            replace(sample, value=text) if isinstance(sample.value, str) else sample
            for sample in samples
        ]
        yield f"{text[:8]!r} for every word", with_samples(situation, odd)
        yield f"{text[:8]!r} for every name", _renamed(situation, text)
    yield from _elsewhere(situation, samples)
    yield from _other_times(situation, samples)
    yield from _other_past(situation)


def _renamed(situation: Situation, text: str) -> Situation:
    """Everything that people name bears that name."""
    replace = msgspec.structs.replace
    forecast = situation.forecast
    if forecast is not None:
        named = tuple(
            replace(
                c,
                label=text,
                prospects=tuple(replace(p, name=text) for p in c.prospects),
            )
            for c in forecast.candidates
        )
        forecast = replace(forecast, candidates=named)
    return replace(
        situation,
        forecast=forecast,
        places={id_: replace(p, name=text) for id_, p in situation.places.items()},
        appointments=tuple(
            replace(one, title=text, location=text) for one in situation.appointments
        ),
        lists={text or "x": [text] * 500, "groceries": [text] * 500},
    )


def _elsewhere(
    situation: Situation, samples: list[Sample]
) -> Iterator[tuple[str, Situation]]:
    """At the poles, where degrees of longitude are nothing, and at the date line."""
    for lat, lon in ((90.0, 0.0), (-90.0, 180.0), (0.0, -180.0)):
        at = Sample("phone", "location", situation.time, Position(lat, lon))
        others = [s for s in samples if not isinstance(s.value, Position)]
        yield f"a phone at {lat:g} {lon:g}", with_samples(situation, [*others, at])
        there = {
            id_: msgspec.structs.replace(place, lat=lat, lon=lon)
            for id_, place in situation.places.items()
        }
        yield (
            f"every place at {lat:g} {lon:g}",
            msgspec.structs.replace(situation, places=there),
        )


def _other_times(
    situation: Situation, samples: list[Sample]
) -> Iterator[tuple[str, Situation]]:
    """Clocks that were never set, or run ahead."""
    replace = msgspec.structs.replace
    yield "a clock at 1970", replace(situation, time=0.0, forecast=None)
    yield "a clock ten years ahead", replace(situation, time=situation.time + 3652e5)
    ahead = [replace(sample, time=situation.time + 30 * _DAY_S) for sample in samples]
    yield "samples from next month", with_samples(situation, ahead)


def _other_past(situation: Situation) -> Iterator[tuple[str, Situation]]:
    """Stays that end before they begin, trips of no length, endless appointments."""
    replace = msgspec.structs.replace
    stays = tuple(Stay(s.place, s.departure, s.arrival) for s in situation.stays)
    yield "stays that end before they begin", replace(situation, stays=stays)
    strange = tuple(Stay("nowhere", s.arrival, s.departure) for s in situation.stays)
    yield "stays at places nobody knows", replace(situation, stays=strange, at="?")
    trips = tuple(
        Trip(t.origin, t.destination, t.arrival, t.arrival, 0.0)
        for t in situation.trips
    )
    yield "trips of no length", replace(situation, trips=trips)
    endless = Appointment("e", "Endless", situation.time - 1e9, situation.time + 1e9)
    yield "an endless appointment", replace(situation, appointments=(endless,) * 50)
