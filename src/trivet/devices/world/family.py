"""The family: who is at home when, and what Ada forgets as she leaves.

Ben cycles to work, Cleo goes to school and comes home with Ben. Ben forgets nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
from numpy.random import Generator

from trivet.devices.world.chance import near, stream
from trivet.devices.world.plan import DayKind, Episode, Span
from trivet.devices.world.road import Mode
from trivet.devices.world.span import both, join, outside
from trivet.devices.world.town import HOME

GARAGE, LOCK, STOVE = "cover.garage_door", "lock.front_door", "switch.stove"
KITCHEN_WINDOW = "binary_sensor.kitchen_window"
BEDROOM_WINDOW = "binary_sensor.bedroom_window"
#: The true rate: share of Ada's departures by car that leave the garage open.
GARAGE_RATE = 0.05
#: The true rates when Ada leaves the home empty.
EMPTY_RATES = (
    (KITCHEN_WINDOW, 0.05),
    (BEDROOM_WINDOW, 0.025),
    (STOVE, 0.02),
    (LOCK, 0.03),
)
#: Windows and stove are not touched on a stay at home shorter than this.
_SETTLED_S = 2700.0
#: Share of weekend mornings that Ben and Cleo spend at the sports ground.
SPORTS = 0.4
_AWAY = (DayKind.HOLIDAY_OUT, DayKind.HOLIDAY, DayKind.HOLIDAY_BACK)

Moment = Callable[[date, float], float]


def household(
    seed: int,
    day: date,
    kind: DayKind,
    episodes: tuple[Episode, ...],
    whole: Span,
    moment: Moment,
    has_guest: bool,
) -> tuple[tuple[Span, ...], tuple[Episode, ...]]:
    """When nobody is at home, and the episodes with what was forgotten.

    Args:
        seed: of the world.
        day: the date.
        kind: what sort of day it is.
        episodes: Ada's day.
        whole: the day from midnight to midnight.
        moment: gives the event time of a local hour.
        has_guest: whether a guest is there.
    """
    rng = stream(seed, "family", day.toordinal())
    ada = outside(
        (Span(e.arrival, e.departure) for e in episodes if e.place == HOME),
        whole.start,
        whole.end,
    )
    outings = _family_outings(episodes, ada)
    ben, cleo = _own_ways(day, kind, episodes, whole, moment, rng)
    empty = both(both(ada, join([*ben, *outings])), join([*cleo, *outings]))
    if has_guest and kind not in _AWAY:
        # the guest comes on Friday evening, joins outings, leaves on Sunday
        weekday = day.weekday()
        absent = [Span(whole.start, moment(day, 18.1))] if weekday == 4 else []
        absent += [Span(moment(day, 15.0), whole.end)] if weekday == 6 else []
        empty = both(empty, join([*absent, *outings]))
    leaves_by = [e.mode for e in episodes[1:]] + [Mode.STAY]
    remembered = tuple(
        _with_forgotten(episode, mode, empty, rng)
        for episode, mode in zip(episodes, leaves_by, strict=True)
    )
    return tuple(empty), remembered


def _family_outings(episodes: tuple[Episode, ...], ada: list[Span]) -> list[Span]:
    """Ada's absences on which the others went along."""
    shared = [Span(e.arrival, e.departure) for e in episodes if e.with_family]
    return [
        span
        for span in ada
        if any(s.start < span.end and s.end > span.start for s in shared)
    ]


def _own_ways(
    day: date,
    kind: DayKind,
    episodes: tuple[Episode, ...],
    whole: Span,
    moment: Moment,
    rng: Generator,
) -> tuple[list[Span], list[Span]]:
    """Absences of Ben and of Cleo, apart from outings with Ada."""
    morning, evening, sport = (float(x) for x in rng.random(3))
    jitter = near(rng, 0.0, 0.12)
    if kind in _AWAY:
        start, end = whole.start, whole.end
        if kind is DayKind.HOLIDAY_OUT:
            start = episodes[0].departure
        if kind is DayKind.HOLIDAY_BACK:
            end = episodes[-1].arrival
        return [Span(start, end)], [Span(start, end)]
    weekday = day.weekday()
    if weekday >= 5:
        if sport >= SPORTS:
            return [], []
        span = Span(moment(day, 10.0 + jitter), moment(day, 12.2 + jitter))
        return [span], [span]
    back = moment(day, (15.5 if weekday == 4 else 17.75) + 0.5 * evening)
    with_ada = [e.arrival for e in episodes if e.reason == "school run"]
    leaves = moment(day, 7.1 + 0.25 * morning + jitter / 2)
    school = episodes[0].departure if with_ada else leaves
    return [Span(leaves, back)], [Span(school, back)]


def _with_forgotten(
    episode: Episode, leaves_by: Mode, empty: list[Span], rng: Generator
) -> Episode:
    garage, *draws = rng.random(1 + len(EMPTY_RATES)).tolist()
    if episode.place != HOME or leaves_by is Mode.STAY:
        return episode
    forgotten = []
    is_settled = episode.departure - episode.arrival > _SETTLED_S
    if leaves_by is Mode.CAR and garage < GARAGE_RATE:
        forgotten.append(GARAGE)
    if any(abs(span.start - episode.departure) < 1.0 for span in empty):
        forgotten += [
            entity
            for (entity, rate), draw in zip(EMPTY_RATES, draws, strict=True)
            if draw < rate and (is_settled or entity == LOCK)
        ]
    return msgspec.structs.replace(episode, forgotten=tuple(forgotten))
