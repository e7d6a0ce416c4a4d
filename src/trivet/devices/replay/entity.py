"""Home Assistant's entities: which states are samples, and which values they have.

Source: https://www.home-assistant.io/docs/configuration/state_object/.
"""

from __future__ import annotations

import re
from typing import Any

from trivet.devices.replay.track import number
from trivet.domain.sample import Value

#: States that say only that there is none.
NO_STATE = frozenset({"unavailable", "unknown", "", "none", "None"})
#: Longest state that Home Assistant allows.
MAX_STATE_CHARS = 255
_ENTITY = re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,130}")
#: Domains whose states are numbers.
_NUMERIC = frozenset({"sensor", "number", "input_number", "counter"})
#: Attributes that the household's signals know as entities of their own.
_ATTRIBUTES = {
    "climate": ("temperature", "current_temperature"),
    "water_heater": ("temperature", "current_temperature"),
    "cover": ("current_position",),
    "light": ("brightness",),
}


def is_entity(name: object) -> bool:
    """Whether `name` is an entity id."""
    return isinstance(name, str) and _ENTITY.fullmatch(name) is not None


def value_of(entity: str, state: str) -> Value:
    """The value of a state: a number where the domain's states are numbers."""
    if entity.partition(".")[0] in _NUMERIC:
        found = number(state)
        if found is not None:
            return found
    return state


def attributes_of(entity: str, attributes: dict[str, Any]) -> list[tuple[str, float]]:
    """Path and value of the attributes that count as signals."""
    return [
        (f"{entity}.{name}", found)
        for name in _ATTRIBUTES.get(entity.partition(".")[0], ())
        if (found := number(attributes.get(name))) is not None
    ]
