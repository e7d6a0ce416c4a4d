"""Ada's phone: `location` and `batt` as OwnTracks reports them from a pocket."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.random import Generator

from trivet.devices.world.chance import stream
from trivet.devices.world.gps import Track, fixes
from trivet.devices.world.journey import Journey
from trivet.devices.world.life import Life, Lived
from trivet.devices.world.road import Floats
from trivet.devices.world.simulated import Act, Event, SimulatedAdapter
from trivet.devices.world.town import Town
from trivet.domain.device import Device, DeviceKind
from trivet.domain.sample import BATTERY, LOCATION, Sample
from trivet.domain.signal import Signal

PHONE = Device(
    "phone",
    DeviceKind.PHONE,
    "Ada's phone",
    (
        Signal(LOCATION, datatype="position", description="where the phone is"),
        Signal(BATTERY, datatype="uint8", unit="%", minimum=0, maximum=100),
    ),
)
#: Between two fixes under way, and at a stay.
_MOVING_S, _STILL_S = (10.0, 15.0), (300.0, 900.0)
#: Share of ways with a gap in the fixes, and its length.
_GAP_SHARE, _GAP_S = 0.12, (60.0, 240.0)
#: Share of days with a dark hour or two (switched off, no permission, killed app).
_DARK_SHARE, _DARK_S = 0.05, (3600.0, 9000.0)
_BATTERY_EVERY_S, _CHARGE_PER_H = 1200.0, 30.0
_NONE = np.empty(0)


def locate(seed: int, town: Town, lived: Lived) -> list[Sample]:
    """The day's `location` samples, by event time."""
    day = lived.plan.day.toordinal()
    rng = stream(seed, "gps", day)
    samples: list[Sample] = []
    for number, episode in enumerate(lived.plan.episodes):
        place = town.places[episode.place]
        lat, lon = place.lat or 0.0, place.lon or 0.0
        times = _stay_times(episode.arrival, episode.departure, rng)
        track = Track(
            times, np.full(len(times), lat), np.full(len(times), lon), _NONE, _NONE
        )
        samples += fixes(PHONE.id, track, rng)
        if number < len(lived.ways):
            samples += fixes(PHONE.id, _track(lived.ways[number], rng), rng)
    dark, light = _dark(lived, seed)
    return [s for s in samples if not dark <= s.time < light]


def _stay_times(arrival: float, departure: float, rng: Generator) -> Floats:
    # on a rare full day somebody has to leave before they could arrive
    count = int(max(0.0, departure - arrival) / _STILL_S[0]) + 2
    steps = rng.uniform(*_STILL_S, count)
    steps[0] = rng.uniform(20.0, 120.0)
    times: Floats = arrival + np.cumsum(steps)
    # a phone that lies still notices the setting off late, not early
    return times[times < departure - 1.0]


def _track(way: Journey, rng: Generator) -> Track:
    count = int((way.arrival - way.departure) / _MOVING_S[0]) + 2
    times = way.departure + np.cumsum(rng.uniform(*_MOVING_S, count)) - _MOVING_S[0]
    times = times[times < way.arrival]
    has_gap, begin, length = rng.random(3).tolist()
    if has_gap < _GAP_SHARE:
        gap = _GAP_S[0] + length * (_GAP_S[1] - _GAP_S[0])
        first = way.departure + begin * max(0.0, way.arrival - way.departure - gap)
        times = times[(times < first) | (times >= first + gap)]
    lat, lon, speed, course, _ = way.at(times)
    return Track(times, lat, lon, speed, course)


def _dark(lived: Lived, seed: int) -> tuple[float, float]:
    """When the phone says nothing; empty on most days."""
    rng = stream(seed, "dark", lived.plan.day.toordinal())
    share, begin, length = rng.random(3).tolist()
    if share >= _DARK_SHARE:
        return lived.start, lived.start
    start = lived.start + begin * 0.9 * (lived.end - lived.start)
    return start, start + _DARK_S[0] + length * (_DARK_S[1] - _DARK_S[0])


class Phone(SimulatedAdapter):
    """The phone's adapter; it has no actuators."""

    def __init__(
        self, seed: int, town: Town, life: Life, start: float, end: float
    ) -> None:
        super().__init__(PHONE, life, start, end)
        self._seed = seed
        self._town = town

    def _events(self, lived: Lived) -> Iterable[Event]:
        yield from locate(self._seed, self._town, lived)
        yield from self._battery(lived)

    def _battery(self, lived: Lived) -> list[Sample]:
        """Charge: on the charger by night, drained by the hour by day."""
        day = lived.plan.day.toordinal()
        eve = self._life.day(lived.plan.day.fromordinal(day - 1))
        at_bed = 100.0 - self._drain(day - 1) * _hours(eve.plan.wake, eve.plan.sleep)
        dark, light = _dark(lived, self._seed)
        samples = []
        for time in np.arange(lived.start + 30.0, lived.end, _BATTERY_EVERY_S).tolist():
            if time < lived.plan.wake:
                charge = at_bed + _CHARGE_PER_H * _hours(eve.plan.sleep, time)
            else:
                charge = 100.0 - self._drain(day) * _hours(lived.plan.wake, time)
            if time > lived.plan.sleep:
                charged = _CHARGE_PER_H * _hours(lived.plan.sleep, time)
                charge += charged + self._drain(day) * _hours(lived.plan.sleep, time)
            if not dark <= time < light:
                value = round(min(100.0, max(1.0, charge)))
                samples.append(Sample(PHONE.id, BATTERY, time, value))
        return samples

    def _drain(self, day: int) -> float:
        return float(stream(self._seed, "drain", day).uniform(3.2, 5.4))

    def _apply(self, act: Act) -> Iterable[Sample]:
        return ()


def _hours(start: float, end: float) -> float:
    return max(0.0, end - start) / 3600.0
