"""Outdoor temperature: the season, the hour, and spells of warm and cold days."""

from __future__ import annotations

from datetime import tzinfo
from functools import lru_cache
from math import cos, floor, pi, tau

from trivet.devices.world.chance import stream
from trivet.domain.clock import local

_DAY_S = 86_400.0


class Weather:
    """Outdoor temperature of the region; a pure function of event time."""

    def __init__(self, seed: int, zone: tzinfo) -> None:
        self._seed = seed
        self._zone = zone
        self._spell = lru_cache(maxsize=64)(self._draw_spell)

    def outdoor_c(self, time: float) -> float:
        """Air temperature in °C."""
        moment = local(time, self._zone)
        day = moment.timetuple().tm_yday
        hour = moment.hour + moment.minute / 60.0 + moment.second / 3600.0
        season = 9.8 - 9.2 * cos(tau * (day - 20) / 365.25)
        swing = 2.2 + 2.6 * (0.5 - 0.5 * cos(tau * (day - 10) / 365.25))
        count = time / _DAY_S
        whole = floor(count)
        blend = 0.5 - 0.5 * cos(pi * (count - whole))
        spell = self._spell(whole) * (1.0 - blend) + self._spell(whole + 1) * blend
        return season + swing * cos(tau * (hour - 15.0) / 24.0) + spell

    def _draw_spell(self, day: int) -> float:
        """Warmth above the season's mean, alike on neighbouring days."""
        return sum(
            share * float(stream(self._seed, "spell", day + shift).normal(0.0, 3.4))
            for shift, share in ((0, 0.35), (1, 0.6), (2, 0.6), (3, 0.35))
        )
