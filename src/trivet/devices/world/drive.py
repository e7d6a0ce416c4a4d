"""What a car says of one drive: getting in, the way, getting out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trivet.devices.world import vehicle as vss
from trivet.devices.world.chance import stream
from trivet.devices.world.journey import Journey
from trivet.devices.world.simulated import Act, Event
from trivet.domain.geo import DEGREE_M
from trivet.domain.sample import Sample

#: The speed is told this often, charge and temperature this often.
SPEED_EVERY_S, SLOW_EVERY_S = 2.0, 10.0
_NOISE_M = 1.5


def board(departure: float, with_family: bool) -> Iterator[Act]:
    """Unlock, get in, switch on: the three quarters of a minute before setting off."""
    for lock in vss.LOCKS:
        yield Act(departure - 45.0, lock, False)
    doors = [(vss.DRIVER, 40.0, 28.0)]
    if with_family:
        doors += [(vss.PASSENGER, 38.0, 25.0), (vss.REAR, 36.0, 20.0)]
    for door, opens, closes in doors:
        yield Act(departure - opens, door + "IsOpen", True)
        yield Act(departure - closes, door + "IsOpen", False)
    yield Act(departure - 12.0, vss.STATE, "ON")


def alight(arrival: float, with_family: bool, shopped: bool) -> Iterator[Act]:
    """Switch off, get out, lock: the minute after standing still."""
    yield Act(arrival + 6.0, vss.STATE, "OFF")
    doors = [(vss.DRIVER, 10.0, 22.0)]
    if with_family:
        doors += [(vss.PASSENGER, 12.0, 24.0), (vss.REAR, 14.0, 27.0)]
    if shopped:
        doors.append((vss.TRUNK, 26.0, 48.0))
    for door, opens, closes in doors:
        yield Act(arrival + opens, door + "IsOpen", True)
        yield Act(arrival + closes, door + "IsOpen", False)
    for lock in vss.LOCKS:
        yield Act(arrival + 55.0, lock, True)
    yield Act(arrival + 56.0, vss.STATE, "LOCK")


def drive(seed: int, day: int, number: int, way: Journey) -> Iterator[Event]:
    """The samples from setting off to standing still, and when to tell the rest."""
    steps = np.arange(way.departure, way.arrival, SPEED_EVERY_S)
    times = np.append(steps, way.arrival)
    lat, lon, speed, course, _ = way.at(times)
    rng = stream(seed, "car gps", day, number)
    noise = rng.normal(0.0, _NOISE_M / DEGREE_M, (2, len(times)))
    lat, lon = lat + noise[0], lon + noise[1] / np.cos(np.radians(lat))
    columns = (
        np.round(times, 3).tolist(),
        np.round(3.6 * speed, 1).tolist(),
        np.round(lat, 6).tolist(),
        np.round(lon, 6).tolist(),
        np.round(course, 1).tolist(),
    )
    device, was_moving = vss.CAR.id, False
    for time, kmh, latitude, longitude, heading in zip(*columns, strict=True):
        yield Sample(device, vss.SPEED, time, kmh)
        if (kmh > 0.2) != was_moving:
            was_moving = kmh > 0.2
            yield Sample(device, vss.MOVING, time, was_moving)
        yield Sample(device, vss.LAT, time, latitude)
        yield Sample(device, vss.LON, time, longitude)
        yield Sample(device, vss.HEADING, time, heading)
    for time in np.arange(way.departure + 5.0, way.arrival, SLOW_EVERY_S).tolist():
        yield Act(time, "slow")
