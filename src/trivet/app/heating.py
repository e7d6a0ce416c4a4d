"""How fast this home warms, measured from its own past for the skill that preheats."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from trivet.domain import Sample
from trivet.engine.situation import Skill
from trivet.skills.preheat import (
    CLIMATE,
    CURRENT,
    OUTDOOR,
    TARGET,
    Preheat,
    measure_gain,
)

#: Samples kept: some weeks of temperatures, one each five minutes.
KEPT = 12_000
#: A thermostat heats with full power while the room is this far below its target;
#: closer to it, the room's warming tells of the thermostat, not of the heating.
FULL_POWER_K = 0.5


class Heating:
    """Keeps what tells of the home's warming, and fits the skill to it.

    Args:
        home: id of the home device.
    """

    def __init__(self, home: str) -> None:
        self._home = home
        self._kept: deque[Sample] = deque(maxlen=KEPT)
        self._latest: dict[str, object] = {}
        self._is_at_work = False
        self._is_news = False

    def learn_one(self, sample: Sample) -> None:
        """Take up one sample; others than the home's climate change nothing."""
        if sample.device != self._home:
            return
        if sample.path not in {CLIMATE, CURRENT, OUTDOOR, TARGET}:
            return
        self._latest[sample.path] = sample.value
        is_at_work = self._works()
        if is_at_work != self._is_at_work:
            self._is_news = self._is_news or self._is_at_work
            self._is_at_work = is_at_work
            mode = "heat" if is_at_work else "off"
            self._kept.append(msgspec.structs.replace(sample, path=CLIMATE, value=mode))
        if sample.path in {CURRENT, OUTDOOR}:
            self._kept.append(sample)

    def fit(self, skills: Iterable[Skill]) -> tuple[Skill, ...]:
        """The skills, the one that preheats with the gain measured until now."""
        gain = measure_gain(self._kept)
        self._is_news = False
        if gain is None:
            return tuple(skills)
        return tuple(
            msgspec.structs.replace(skill, gain_kph=gain)
            if isinstance(skill, Preheat)
            else skill
            for skill in skills
        )

    @property
    def is_news(self) -> bool:
        """Whether a run of heating has ended since the skills were fitted."""
        return self._is_news

    def _works(self) -> bool:
        target, current = self._latest.get(TARGET), self._latest.get(CURRENT)
        if self._latest.get(CLIMATE) != "heat":
            return False
        if isinstance(target, int | float) and isinstance(current, int | float):
            return current < target - FULL_POWER_K
        return target is None  # a heating without a thermostat: on or off
