"""The car: COVESA VSS signals of a small electric car that Ada drives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from heapq import heappush
from math import ceil, exp

import numpy as np

from trivet.devices.world import vehicle as vss
from trivet.devices.world.charge import CAPACITY_KWH, Charge, ChargeDay
from trivet.devices.world.drive import alight, board, drive
from trivet.devices.world.journey import Journey
from trivet.devices.world.life import Life, Lived
from trivet.devices.world.road import Mode
from trivet.devices.world.simulated import Act, Event, SimulatedAdapter
from trivet.devices.world.town import Town
from trivet.devices.world.weather import Weather
from trivet.domain.sample import Sample, Value

_HEARTBEAT_S = 600.0
#: Time constants of the cabin: closed and parked, and with its climate control.
_SOAK_S, _CLIMATE_S = 2400.0, 420.0
#: Climate control that was asked for from outside gives up after so long.
_PRECONDITION_S = 1800.0
#: What it can reach, whatever it is asked for.
_COLDEST_C, _HOTTEST_C = 16.0, 28.0


class Car(SimulatedAdapter):
    """The car's adapter: still while parked but for a heartbeat each ten minutes."""

    def __init__(
        self,
        seed: int,
        town: Town,
        life: Life,
        weather: Weather,
        charge: Charge,
        start: float,
        end: float,
    ) -> None:
        super().__init__(vss.CAR, life, start, end)
        self._seed = seed
        self._town = town
        self._weather = weather
        self._charge = charge
        self._state = dict(vss.PARKED)
        self._way: Journey | None = None
        self._settle()

    def _settle(self) -> None:
        """Live the day before the start unseen, so that cabin and doors are right."""
        start = self._start
        self._next_day -= timedelta(days=1)
        self._start = self._now = self._cabin_time = self._next_day_start()
        self._cabin_c = self._weather.outdoor_c(self._now)
        event = self._pop(start)
        while event is not None:
            if isinstance(event, Act):
                self._apply(event)
            event = self._pop(start)
        self._start = self._now = start
        self._pending.extend(self._report(start))

    def _events(self, lived: Lived) -> Iterator[Event]:
        self._battery: ChargeDay = self._charge.day(lived.plan.day)
        self._drives = lived.drives
        self._place = self._town.parking(lived.car_place)
        times = [t for way in lived.drives for t in (way.departure, way.arrival)]
        edges = [lived.start - 60.0, *times, lived.end]
        for begin, until in zip(edges[::2], edges[1::2], strict=True):
            # the first minute after a drive is told by doors and locks
            beat = ceil((begin + 60.0) / _HEARTBEAT_S) * _HEARTBEAT_S
            while beat < until:
                yield Act(beat, "heartbeat")
                beat += _HEARTBEAT_S
        for begin, end in self._battery.charging:
            yield Act(begin, vss.CHARGING, True)
            yield Act(end, vss.CHARGING, False)
        number = 0
        for way, episode in zip(lived.ways, lived.plan.episodes[1:], strict=True):
            if way.mode is not Mode.CAR:
                continue
            yield from board(way.departure, episode.with_family)
            yield Act(way.departure, "depart", number)
            yield from drive(self._seed, lived.plan.day.toordinal(), number, way)
            yield Act(way.arrival, "arrive")
            shopped = episode.reason == "home" or episode.reason == "groceries"
            yield from alight(way.arrival, episode.with_family, shopped)
            number += 1

    def _apply(self, act: Act) -> list[Sample]:
        if act.what == "heartbeat":
            return self._report(act.time)[: len(vss.HEARTBEAT)]
        if act.what == "slow":
            return self._measure(act.time, (*vss.UNDER_WAY, vss.CABIN, vss.OUTDOOR))
        if act.what == "depart":
            self._way = self._drives[int(str(act.value))]
            return self._set(act.time, vss.CLIMATE, True)
        if act.what == "arrive" and self._way is not None:
            self._place = (
                float(self._way.route.lat[-1]),
                float(self._way.route.lon[-1]),
            )
            self._way = None
            return [
                *self._measure(act.time, (*vss.UNDER_WAY, vss.LAT, vss.LON)),
                *self._set(act.time, vss.CLIMATE, False),
            ]
        if act.what == "precondition ends":
            return [] if self._way else self._set(act.time, vss.CLIMATE, False)
        if act.value is None:
            return []
        if act.what == vss.CLIMATE and act.value and self._way is None:
            end = act.time + _PRECONDITION_S
            self._given += 1
            heappush(self._commands, (end, self._given, Act(end, "precondition ends")))
        return self._set(act.time, act.what, act.value)

    def _set(self, time: float, path: str, value: Value) -> list[Sample]:
        """Change what the car keeps; nothing is said when it is so already."""
        if self._state[path] == value:
            return []
        self._cabin(time)
        self._state[path] = value
        return [Sample(self.device.id, path, time, value)]

    def _report(self, time: float) -> list[Sample]:
        """Everything that the car knows; the heartbeat's part comes first."""
        kept = [Sample(self.device.id, p, time, v) for p, v in self._state.items()]
        rest = (vss.ODOMETER, vss.RANGE, vss.MOVING)
        return [*self._measure(time, (*vss.HEARTBEAT, *rest)), *kept]

    def _measure(self, time: float, paths: Iterable[str]) -> list[Sample]:
        (lat, lon), speed = self._place, 0.0
        if self._way is not None:
            lats, lons, speeds, _, _ = self._way.at(np.array([time]))
            lat, lon, speed = float(lats[0]), float(lons[0]), float(speeds[0])
        percent = self._battery.percent_at(time)
        per_m = self._charge.consumption(time) / 1000.0
        values: dict[str, Value] = {
            vss.SPEED: round(3.6 * speed, 1),
            vss.MOVING: speed > 0.05,
            vss.LAT: round(lat, 6),
            vss.LON: round(lon, 6),
            vss.CHARGE: round(percent, 2),
            vss.RANGE: int(percent / 100.0 * CAPACITY_KWH / per_m),
            vss.ODOMETER: int(self._battery.odometer_at(time)),
            vss.CABIN: round(self._cabin(time), 1),
            vss.OUTDOOR: round(self._weather.outdoor_c(time), 1),
        }
        return [Sample(self.device.id, path, time, values[path]) for path in paths]

    def _cabin(self, time: float) -> float:
        """Cabin temperature in °C: it lags behind what surrounds or drives it."""
        outdoor = self._weather.outdoor_c((self._cabin_time + time) / 2.0)
        is_on = self._state[vss.CLIMATE] is True
        asked = float(str(self._state[vss.TARGET]))
        target = min(_HOTTEST_C, max(_COLDEST_C, asked)) if is_on else outdoor
        share = exp(-(time - self._cabin_time) / (_CLIMATE_S if is_on else _SOAK_S))
        self._cabin_c = target + (self._cabin_c - target) * share
        self._cabin_time = time
        return self._cabin_c
