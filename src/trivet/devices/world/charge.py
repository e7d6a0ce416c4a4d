"""The car's charge and odometer: pure functions of the days, whatever was played.

The car is plugged in at night from half past midnight: always before a Monday and a
holiday, when below 25 %, and on some other evenings when below 60 %. Each Monday it
leaves with a full 90 %, so that a week's charge needs no look at the weeks before.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import msgspec
import numpy as np

from trivet.devices.world.chance import stream
from trivet.devices.world.life import Life, Lived
from trivet.devices.world.plan import DayKind, Episode
from trivet.devices.world.road import Floats
from trivet.devices.world.weather import Weather

CAPACITY_KWH, FULL = 42.0, 90.0
_NIGHT_KW, _FAST_KW, _FAST_FULL = 11.0, 60.0, 85.0
_PLUG_SHARE, _PLUG_BELOW, _ALWAYS_BELOW = 0.2, 60.0, 25.0
_NIGHT_TARIFF_H = 0.5
_ODOMETER_M = 31_400_000.0
_LEAST = 4.0


class ChargeDay(msgspec.Struct, frozen=True):
    """One day's charge and distance at N knots, linear in between.

    Attributes:
        time: event times, rising.
        percent: state of charge.
        odometer_m: distance covered since the car was built.
        charging: (start, end) event times at the plug.
    """

    time: Floats
    percent: Floats
    odometer_m: Floats
    charging: tuple[tuple[float, float], ...]

    def percent_at(self, time: float) -> float:
        """State of charge."""
        return float(np.interp(time, self.time, self.percent))

    def odometer_at(self, time: float) -> float:
        """Odometer in m."""
        return float(np.interp(time, self.time, self.odometer_m))

    def is_charging(self, time: float) -> bool:
        """Whether it is at the plug and takes current."""
        return any(start <= time < end for start, end in self.charging)


class Charge:
    """Charge and distance of the household's electric car."""

    def __init__(self, seed: int, life: Life, weather: Weather, first: date) -> None:
        self._seed = seed
        self._life = life
        self._weather = weather
        self._first = first
        self._driven: dict[int, float] = {}
        self._at_midnight = lru_cache(maxsize=32)(self._midnight_percent)

    def day(self, day: date) -> ChargeDay:
        """Charge and distance over one day."""
        return self._run(day, self._at_midnight(day), self._odometer(day))

    def consumption(self, time: float) -> float:
        """Energy in kWh per km: more in the cold and in the heat."""
        outdoor = self._weather.outdoor_c(time)
        return 0.152 + 0.0022 * max(0.0, 18.0 - outdoor) + 0.002 * max(0, outdoor - 26)

    def _midnight_percent(self, day: date) -> float:
        """Charge as a day begins, from the full battery of the Monday before."""
        behind = day.weekday() or 7
        here = day - timedelta(days=behind)
        # on the Monday any beginning ends at the same full battery
        percent = 50.0
        while here < day:
            percent = float(self._run(here, percent, 0.0).percent[-1])
            here += timedelta(days=1)
        return percent

    def _odometer(self, day: date) -> float:
        """Distance at midnight; it alone needs the plans of all days since the first.

        The days before the first count backwards from there.
        """
        low, high = sorted((self._first.toordinal(), day.toordinal()))
        driven = sum(self._driven_m(ordinal) for ordinal in range(low, high))
        return _ODOMETER_M + (driven if day >= self._first else -driven)

    def _driven_m(self, ordinal: int) -> float:
        known = self._driven.get(ordinal)
        if known is None:
            lived = self._life.day(date.fromordinal(ordinal))
            known = sum(way.length_m for way in lived.drives)
            self._driven[ordinal] = known
        return known

    def _run(self, day: date, percent: float, odometer: float) -> ChargeDay:
        lived = self._life.day(day)
        knots = [(lived.start, percent, odometer)]
        plugs: list[tuple[float, float]] = []
        limit = lived.drives[0].departure - 300.0 if lived.drives else lived.end
        if self._is_plugged(lived, percent):
            begin = self._life.moment(day, _NIGHT_TARIFF_H)
            percent = _charge(knots, plugs, begin, limit, _NIGHT_KW, FULL)
        for way in lived.drives:
            knots.append((way.departure, percent, odometer))
            # knots along the way: neither the distance nor the charge is linear in time
            times = np.linspace(way.departure, way.arrival, 24)[1:]
            along = way.at(times)[4]
            per_m = self.consumption(way.departure) / 10.0 / CAPACITY_KWH
            for time, metres in zip(times.tolist(), along.tolist(), strict=True):
                left = max(_LEAST, percent - metres * per_m)
                knots.append((time, left, odometer + metres))
            _, percent, odometer = knots[-1]
            stop = _fast_stop(lived, way.arrival)
            if stop:
                begin, until = stop.arrival + 120.0, stop.departure - 120.0
                percent = _charge(knots, plugs, begin, until, _FAST_KW, _FAST_FULL)
        knots.append((lived.end, percent, odometer))
        table = np.array(knots)
        return ChargeDay(table[:, 0], table[:, 1], table[:, 2], tuple(plugs))

    def _is_plugged(self, lived: Lived, percent: float) -> bool:
        day = lived.plan.day
        needed = day.weekday() == 0 or lived.plan.kind in (
            DayKind.HOLIDAY_OUT,
            DayKind.HOLIDAY_BACK,
        )
        if needed or percent < _ALWAYS_BELOW:
            return True
        chance = stream(self._seed, "plug", day.toordinal()).random()
        return percent < _PLUG_BELOW and chance < _PLUG_SHARE


def _fast_stop(lived: Lived, arrival: float) -> Episode | None:
    for episode in lived.plan.episodes:
        if episode.reason == "rest stop" and abs(episode.arrival - arrival) < 1.0:
            return episode
    return None


def _charge(
    knots: list[tuple[float, float, float]],
    plugs: list[tuple[float, float]],
    begin: float,
    limit: float,
    power_kw: float,
    full: float,
) -> float:
    """Add a stay at the plug to the knots; gives the charge after it."""
    _, percent, odometer = knots[-1]
    per_s = power_kw / CAPACITY_KWH * 100.0 / 3600.0
    end = min(limit, begin + max(0.0, full - percent) / per_s)
    if end <= begin:
        return percent
    after = min(full, percent + (end - begin) * per_s)
    knots += [(begin, percent, odometer), (end, after, odometer)]
    plugs.append((begin, end))
    return after
