"""The home: Home Assistant's entities over a heat model and the household's chores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from trivet.devices.world import entity
from trivet.devices.world.chores import COMFORT_C, WARM_UP, chores
from trivet.devices.world.life import Life, Lived
from trivet.devices.world.simulated import Act, Event, SimulatedAdapter
from trivet.devices.world.thermal import advance
from trivet.devices.world.weather import Weather
from trivet.domain.sample import Sample, Value

_TICK_S = 300.0
#: Days lived unseen before the start: the house forgets its past in less than that.
_SETTLE_DAYS = 8
#: People turn the heating up when they find it colder than this, and it is no summer.
_COLD_C, _SUMMER_C = 20.3, 17.0


class Home(SimulatedAdapter):
    """The home's adapter: each change, and the temperatures each five minutes."""

    def __init__(
        self, seed: int, life: Life, weather: Weather, start: float, end: float
    ) -> None:
        super().__init__(entity.HOME, life, start, end)
        self._seed = seed
        self._weather = weather
        self._state = dict(entity.NIGHT)
        self._indoor_c = max(19.0, weather.outdoor_c(start))
        self._settle()

    def _settle(self) -> None:
        start = self._start
        self._next_day -= timedelta(days=_SETTLE_DAYS)
        self._start = self._now = self._indoor_time = self._next_day_start()
        event = self._pop(start)
        while event is not None:
            if isinstance(event, Act):
                self._apply(event)
            event = self._pop(start)
        self._start = self._now = start
        self._warm(start)
        self._pending.extend(
            Sample(self.device.id, path, start, value)
            for path, value in self._state.items()
        )
        self._pending.extend(self._temperatures(start))

    def _events(self, lived: Lived) -> Iterator[Event]:
        yield from chores(self._seed, self._life, lived)
        count = round((lived.end - lived.start) / _TICK_S)
        for tick in range(count):
            yield Act(lived.start + tick * _TICK_S, "tick")

    def _apply(self, act: Act) -> list[Sample]:
        self._warm(act.time)
        if act.what == "tick":
            return self._temperatures(act.time)
        if act.what == WARM_UP:
            return self._warm_up(act.time)
        if act.value is None:
            return []
        return self._set(act.time, act.what, act.value)

    def _set(self, time: float, path: str, value: Value) -> list[Sample]:
        """Change an entity; nothing is said when it is so already."""
        if self._state[path] == value:
            return []
        self._state[path] = value
        return [Sample(self.device.id, path, time, value)]

    def _warm_up(self, time: float) -> list[Sample]:
        """Somebody feels the room: cold, and they turn the heating up."""
        if self._weather.outdoor_c(time) > _SUMMER_C:
            return []
        is_low = self._state[entity.CLIMATE] == "off" or self._target_c() < COMFORT_C
        if self._indoor_c >= _COLD_C and not is_low:
            return []
        return [
            *self._set(time, entity.CLIMATE, "heat"),
            *self._set(time, entity.TARGET, max(COMFORT_C, self._target_c())),
        ]

    def _target_c(self) -> float:
        return float(str(self._state[entity.TARGET]))

    def _warm(self, time: float) -> None:
        """Bring the house's heat up to an event time."""
        if time <= self._indoor_time:
            return
        middle = (time + self._indoor_time) / 2.0
        heats = self._state[entity.CLIMATE] == "heat"
        self._indoor_c = advance(
            self._indoor_c,
            self._weather.outdoor_c(middle),
            self._target_c() if heats else None,
            sum(self._state[window] == "on" for window in entity.WINDOWS),
            time - self._indoor_time,
        )
        self._indoor_time = time

    def _temperatures(self, time: float) -> list[Sample]:
        indoor, outdoor = self._indoor_c, self._weather.outdoor_c(time)
        return [
            Sample(self.device.id, entity.INDOOR, time, round(indoor, 2)),
            Sample(self.device.id, entity.OUTDOOR, time, round(outdoor, 1)),
        ]
