"""Chores: what people do about the house on a day, and when.

Everything follows the true plan: who wakes, leaves, returns and sleeps, and what was
forgotten. The house itself is left as it is: whether a door is open already is for
the home to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, tau

from numpy.random import Generator

from trivet.devices.world import entity
from trivet.devices.world.chance import stream
from trivet.devices.world.life import Life, Lived
from trivet.devices.world.plan import Episode, Span
from trivet.devices.world.road import Mode
from trivet.devices.world.simulated import Act
from trivet.devices.world.town import HOME

#: Targets of the thermostat in °C as people set them.
COMFORT_C, NIGHT_C, AWAY_C = 21.0, 18.0, 16.0
#: Happening: somebody comes home and warms it up if they find it cold.
WARM_UP = "warm up"
_AIRING = 0.5


def chores(seed: int, life: Life, lived: Lived) -> Iterator[Act]:
    """The day's acts on the home, in no order."""
    rng = stream(seed, "chores", lived.plan.day.toordinal())
    empty = lived.plan.empty
    for number, way in enumerate(lived.ways):
        before, after = lived.plan.episodes[number : number + 2]
        if way.mode is Mode.CAR:
            yield from _garage(before, after)
        elif HOME in (before.place, after.place):
            time = way.departure if before.place == HOME else way.arrival
            yield from _door(time - 5.0)
    yield from _waking(life, lived, rng)
    yield from _evening(life, lived, rng)
    forgotten = {e.departure: e.forgotten for e in lived.plan.episodes if e.forgotten}
    for span in empty:
        if span.start > lived.start:
            yield from _leave(span.start, forgotten.get(span.start, ()))
        if span.end < lived.end:
            yield from _return(span.end)


def is_dark(life: Life, lived: Lived, time: float) -> bool:
    """Whether lamps are wanted; sunset swings between 16:15 and 21:30 by the clock."""
    day = lived.plan.day.timetuple().tm_yday
    swing = cos(tau * (day - 172) / 365.25)
    sunrise, sunset = 6.6 - 1.7 * swing, 18.6 + 2.4 * swing
    start = life.moment(lived.plan.day, sunrise)
    return not start <= time < life.moment(lived.plan.day, sunset)


def _garage(before: Episode, after: Episode) -> Iterator[Act]:
    if before.place == HOME:
        yield Act(before.departure - 70.0, entity.GARAGE, "open")
        if entity.GARAGE not in before.forgotten:
            yield Act(before.departure + 25.0, entity.GARAGE, "closed")
    if after.place == HOME:
        yield Act(after.arrival - 25.0, entity.GARAGE, "open")
        yield Act(after.arrival + 70.0, entity.GARAGE, "closed")


def _door(time: float) -> Iterator[Act]:
    yield Act(time, entity.FRONT_DOOR, "on")
    yield Act(time + 12.0, entity.FRONT_DOOR, "off")


def _leave(time: float, forgotten: tuple[str, ...]) -> Iterator[Act]:
    """The last one out: everything off and shut, but for what is forgotten."""
    for window in entity.WINDOWS:
        if window in forgotten:
            # once more, lest the morning's airing ends in between
            yield Act(time - 1500.0, window, "on")
            yield Act(time - 200.0, window, "on")
        else:
            yield Act(time - 240.0, window, "off")
    if entity.STOVE in forgotten:
        yield Act(time - 1200.0, entity.STOVE, "on")
        yield Act(time - 200.0, entity.STOVE, "on")
    else:
        yield Act(time - 250.0, entity.STOVE, "off")
    for light in entity.LIGHTS:
        yield Act(time - 120.0, light, "off")
    yield Act(time - 100.0, entity.LOCK, "unlocked")
    yield from _door(time - 95.0)
    if entity.LOCK not in forgotten:
        yield Act(time - 75.0, entity.LOCK, "locked")
    yield Act(time, entity.OCCUPANCY, "off")
    yield Act(time + 30.0, entity.TARGET, AWAY_C)


def _return(time: float) -> Iterator[Act]:
    """The first one in: shut what stands open, and be warm."""
    yield Act(time + 40.0, entity.LOCK, "unlocked")
    yield from _door(time + 45.0)
    yield Act(time + 50.0, entity.OCCUPANCY, "on")
    for number, path in enumerate((*entity.WINDOWS, entity.STOVE)):
        yield Act(time + 120.0 + 30.0 * number, path, "off")
    yield Act(time + 75.0, entity.GARAGE, "closed")
    yield Act(time + 180.0, WARM_UP)


def _somebody(empty: tuple[Span, ...], start: float, end: float) -> bool:
    """Whether somebody is at home over the whole stretch and some minutes after."""
    return not any(s.start < end + 300.0 and s.end > start for s in empty)


def _waking(life: Life, lived: Lived, rng: Generator) -> Iterator[Act]:
    airing, length = rng.random(2).tolist()
    wake, empty = lived.plan.wake, lived.plan.empty
    if not _somebody(empty, wake, wake + 1500.0):
        return
    yield Act(wake + 60.0, WARM_UP)
    if is_dark(life, lived, wake):
        yield Act(wake + 30.0, entity.KITCHEN_LIGHT, "on")
        yield Act(wake + 2300.0, entity.KITCHEN_LIGHT, "off")
    yield Act(wake + 900.0, entity.LOCK, "unlocked")
    yield Act(wake + 600.0, entity.STOVE, "on")
    yield Act(wake + 1200.0, entity.STOVE, "off")
    if airing < _AIRING and _somebody(empty, wake, wake + 2100.0):
        window = entity.WINDOWS[int(length > 0.5)]
        yield Act(wake + 1000.0, window, "on")
        yield Act(wake + 1500.0 + 300.0 * length, window, "off")


def _evening(life: Life, lived: Lived, rng: Generator) -> Iterator[Act]:
    supper, dusk = rng.uniform(-0.3, 0.3, 2).tolist()
    empty, sleep = lived.plan.empty, lived.plan.sleep
    cook = life.moment(lived.plan.day, 18.5 + supper)
    if _somebody(empty, cook, cook + 1800.0):
        yield Act(cook, entity.STOVE, "on")
        yield Act(cook + 1700.0, entity.STOVE, "off")
        if is_dark(life, lived, cook):
            yield Act(cook - 30.0, entity.KITCHEN_LIGHT, "on")
            yield Act(cook + 3600.0, entity.KITCHEN_LIGHT, "off")
    for quarter in range(15 * 4, 23 * 4):
        time = life.moment(lived.plan.day, quarter / 4.0 + dusk / 4.0)
        if time > sleep - 300.0:
            break
        if is_dark(life, lived, time) and _somebody(empty, time, time):
            yield Act(time, entity.LIVING_LIGHT, "on")
    if not _somebody(empty, sleep - 60.0, sleep):
        return
    for light in entity.LIGHTS:
        yield Act(sleep, light, "off")
    yield Act(sleep + 20.0, entity.STOVE, "off")
    yield Act(sleep + 30.0, entity.LOCK, "locked")
    yield Act(sleep + 60.0, entity.TARGET, NIGHT_C)
