"""The chronicle: what people switched at home in the past weeks.

Habits and evenings are read from it. Temperatures and the like are not kept, nor what
is said again with no change.
"""

from __future__ import annotations

from collections import deque

from trivet.domain.sample import Quality, Sample, Value

#: Changes kept: some three months of a lived-in home.
KEPT = 8_000
#: Home Assistant's domains that people switch, or that switch for them.
SWITCHED = frozenset(
    """alarm_control_panel climate cover fan humidifier input_boolean light lock
    media_player switch valve water_heater""".split()
)
#: The number that a thermostat is set to is switched too.
TARGET = ".temperature"
OCCUPANCY = "occupancy"
#: What Home Assistant says when it knows nothing.
_NOTHING = frozenset({"unavailable", "unknown", ""})


class Chronicle:
    """Keeps the changes of one home.

    Args:
        home: id of the home device.
        most: changes kept; the oldest go first.
    """

    def __init__(self, home: str, most: int = KEPT) -> None:
        self._home = home
        self._kept: deque[Sample] = deque(maxlen=most)
        self._latest: dict[str, Value] = {}
        self._changes: tuple[Sample, ...] | None = ()

    @property
    def changes(self) -> tuple[Sample, ...]:
        """What changed, oldest first."""
        if self._changes is None:
            self._changes = tuple(self._kept)
        return self._changes

    def learn_one(self, sample: Sample) -> None:
        """Take up one sample; what nobody switches changes nothing."""
        if sample.device != self._home or not is_switched(sample):
            return
        if self._latest.get(sample.path) == sample.value:
            return
        # a late sample would stand in the wrong place
        if self._kept and sample.time < self._kept[-1].time:
            return
        self._latest[sample.path] = sample.value
        self._kept.append(sample)
        self._changes = None


def is_switched(sample: Sample) -> bool:
    """Whether a sample tells of something that people switch, or of who is in."""
    if sample.quality is Quality.BAD or sample.value in _NOTHING:
        return False
    domain, _, rest = sample.path.partition(".")
    if domain == "binary_sensor":
        return OCCUPANCY in rest
    if domain not in SWITCHED:
        return False
    is_number = isinstance(sample.value, int | float)
    return sample.path.endswith(TARGET) if "." in rest else not is_number
