"""Activity: what happens at home, as events out of the samples of its entities.

An event is an entity that changes its state: `light.kitchen` goes on. Measured numbers
tell of no one, so temperatures, powers and targets are none; nor is a state that is
said again, or comes late.

Source: Home Assistant, "Entities and domains", for the names.
"""

from __future__ import annotations

import msgspec

from trivet.domain.sample import Quality, Sample

#: What events are told of; the rest (sensors, weather, updates, ...) only measures.
DOMAINS = frozenset(
    "automation binary_sensor button climate cover event fan humidifier"
    " input_boolean light lock media_player scene script siren switch vacuum valve"
    " water_heater".split()
)
#: Of these people are the cause; an automation may change the others.
BY_HAND = frozenset("button cover event fan light lock media_player switch".split())
_SENSED = "binary_sensor"
_ABSENT = frozenset({"unavailable", "unknown", ""})
#: Longer states are texts, not states.
_MOST_LETTERS = 40


class HomeEvent(msgspec.Struct, frozen=True, array_like=True):
    """An entity of the home changed its state.

    Attributes:
        time: event time.
        what: its path and state: `light.kitchen=on`.
    """

    time: float
    what: str

    @property
    def path(self) -> str:
        """The entity's path."""
        return self.what.partition("=")[0]

    @property
    def state(self) -> str:
        """Its state now."""
        return self.what.partition("=")[2]

    @property
    def is_by_person(self) -> bool:
        """Whether somebody awake is the cause, as far as its domain tells."""
        domain = self.path.partition(".")[0]
        return domain in BY_HAND or (domain == _SENSED and self.state == "on")


class ActivityReader:
    """Turns samples into events; remembers the state of each entity.

    Args:
        states: by path, as it was left.
    """

    def __init__(self, states: dict[str, str] | None = None) -> None:
        self.states = states if states is not None else {}
        self._time = 0.0

    def read_one(self, sample: Sample) -> HomeEvent | None:
        """The event that a sample tells of; None for none, mostly."""
        state = state_of(sample)
        domain = sample.path.partition(".")[0]
        if state is None or domain not in DOMAINS or sample.time < self._time:
            return None
        before = self.states.get(sample.path)
        self.states[sample.path] = state
        self._time = sample.time
        if before is None or before == state:
            return None
        return HomeEvent(sample.time, f"{sample.path}={state}")


def state_of(sample: Sample) -> str | None:
    """The state that a sample tells, None when it is a measured number, or unsure."""
    value = sample.value
    if sample.quality is Quality.BAD:
        return None
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str) or value in _ABSENT or len(value) > _MOST_LETTERS:
        return None
    return value
