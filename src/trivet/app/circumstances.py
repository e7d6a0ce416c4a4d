"""What is so now, as far as a device knows: driving, at home, a guest, night.

What it has never heard of, or what its source calls wrong or too old, is not known; the
policy then allows only what it would allow either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TypeGuard

from msgspec.structs import replace

from trivet.domain import Sample
from trivet.domain.clock import local
from trivet.domain.sample import Quality, Value
from trivet.fabric.access import UNKNOWN

#: Night begins and ends at these hours, local time.
NIGHT_FROM, NIGHT_TO = 22, 6
#: A car that rolls no faster stands, in km/h.
STANDING_KPH = 0.5
_GUEST = frozenset({"input_boolean.guest_mode", "binary_sensor.guest"})
_UNSURE = frozenset({Quality.STALE, Quality.BAD})


class Observer:
    """Reads circumstances out of samples and the time of day.

    Args:
        zone: the household's time zone.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.now = UNKNOWN

    def learn(self, sample: Sample) -> None:
        """Take in one sample, of this device or of another that gave it."""
        found = _told(sample.path, sample.value)
        if sample.quality in _UNSURE:
            found = dict.fromkeys(found)
        if found:
            self.now = replace(self.now, **found)

    def tick(self, time: float) -> None:
        """Event time has come to `time`."""
        hour = local(time, self._zone).hour
        self.now = replace(self.now, night=hour >= NIGHT_FROM or hour < NIGHT_TO)


def _told(path: str, value: Value) -> Mapping[str, bool | None]:
    if path == "Vehicle.Speed" and _is_number(value):
        return {"driving": value > STANDING_KPH}
    if path == "Vehicle.IsMoving":
        return {"driving": value if isinstance(value, bool) else None}
    if path == "binary_sensor.occupancy":
        return {"at_home": _is_on(value)}
    if path in _GUEST:
        return {"guest_present": _is_on(value)}
    return {}


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_on(value: Value) -> bool | None:
    """What an entity of Home Assistant says; `unavailable` and the like say nothing."""
    return {"on": True, "off": False}.get(value) if isinstance(value, str) else None
