"""What is so now, as far as a device knows: driving, at home, a guest, night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from msgspec.structs import replace

from trivet.domain import Sample
from trivet.domain.clock import local
from trivet.domain.sample import Value
from trivet.fabric.access import Circumstances

#: Night begins and ends at these hours, local time.
NIGHT_FROM, NIGHT_TO = 22, 6
#: A car that rolls no faster stands, in km/h.
STANDING_KPH = 0.5
_GUEST = frozenset({"input_boolean.guest_mode", "binary_sensor.guest"})


class Observer:
    """Reads circumstances out of samples and the time of day.

    Args:
        zone: the household's time zone.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.now = Circumstances()

    def learn(self, sample: Sample) -> None:
        """Take in one sample, of this device or of another that gave it."""
        found = _told(sample.path, sample.value)
        if found:
            self.now = replace(self.now, **found)

    def tick(self, time: float) -> None:
        """Event time has come to `time`."""
        hour = local(time, self._zone).hour
        self.now = replace(self.now, night=hour >= NIGHT_FROM or hour < NIGHT_TO)


def _told(path: str, value: Value) -> Mapping[str, bool]:
    if path == "Vehicle.Speed" and isinstance(value, int | float):
        return {"driving": value > STANDING_KPH}
    if path == "Vehicle.IsMoving":
        return {"driving": value is True}
    if path == "binary_sensor.occupancy":
        return {"at_home": value == "on"}
    if path in _GUEST:
        return {"guest_present": value == "on"}
    return {}
