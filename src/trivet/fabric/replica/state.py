"""The state as it is read: people, places, devices, skills, feedback, lists, settings.

What is read may have been written by any version of trivet: a field that is missing or
of another type has its default, and a field that is not known here stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TypeVar, cast

import msgspec

from trivet.domain.suggestion import AnswerKind
from trivet.fabric.replica.change import LIST, META, Value

T = TypeVar("T")


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody of the household: `people/<id>/<field>`.

    Attributes:
        id: what the household's devices call them.
        name: what people call them.
        device: id of the phone that they carry, if it is known.
    """

    id: str
    name: str = ""
    device: str = ""


class NamedPlace(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place that the household has a name for: `places/<id>/<field>`.

    Attributes:
        id: of the place.
        name: what it is called.
        lat: latitude of its centre in degrees, None if it is known by name only.
        lon: longitude likewise.
        radius_m: positions within it count as being there.
        role: home, work or other.
    """

    id: str
    name: str = ""
    lat: float | None = None
    lon: float | None = None
    radius_m: float = 100.0
    role: str = "other"


class NamedDevice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the household calls a device: `devices/<id>/<field>`.

    Attributes:
        id: of the device.
        name: what it is called.
        room: where it stands.
        person: id of whose it is.
    """

    id: str
    name: str = ""
    room: str = ""
    person: str = ""


class SkillChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the household wants of a skill: `skills/<id>/on`, `skills/<id>/<setting>`.

    Attributes:
        id: of the skill.
        is_on: whether it may suggest at all.
        settings: its settings by name.
    """

    id: str
    is_on: bool = True
    settings: Mapping[str, Value] = {}


class Feedback(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person said to a suggestion: `feedback/<id>/<field>`.

    Attributes:
        id: of the answer, unlike any other.
        suggestion: id of the suggestion.
        skill: the skill that made it.
        key: what it was about.
        kind: what was said.
        person: id of who said it.
        time: event time at which it was said.
        hour: local hour at which it was suggested, 0 to 24.
        until: event time at which the need itself ends.
        event: departure of the running trip, 0 when there was none.
        grows: whether repeated refusals lengthen the silence.
        chance: that it was wanted, as the skill claimed.
    """

    id: str
    suggestion: str = ""
    skill: str = ""
    key: str = ""
    kind: AnswerKind = AnswerKind.IGNORED
    person: str = ""
    time: float = 0.0
    hour: float = 12.0
    until: float = 0.0
    event: float = 0.0
    grows: bool = True
    chance: float = 1.0


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something on a list.

    Attributes:
        text: what.
        is_done: whether it is ticked off.
    """

    text: str
    is_done: bool = False


class State:
    """What stood in the state at one moment.

    Args:
        values: by root: a flat map of values by key, or a list of items.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return not any(self._values.values())

    @property
    def schema(self) -> int:
        """The version of the schema that it is of."""
        version = self.root(META).get("schema")
        is_number = isinstance(version, int) and not isinstance(version, bool)
        return max(1, cast(int, version)) if is_number else 1

    @property
    def roots(self) -> tuple[str, ...]:
        """All roots that hold something, those that are not known here as well."""
        return tuple(sorted(root for root, held in self._values.items() if held))

    def root(self, name: str) -> Mapping[str, object]:
        """The values of a root by their keys; empty if there are none."""
        held = self._values.get(name)
        return held if isinstance(held, dict) else {}

    def get(self, path: str, default: T) -> T:
        """The value at a path if it is of the default's type, else the default."""
        root, _, key = path.partition("/")
        return _as(self.root(root).get(key), default)

    @property
    def settings(self) -> dict[str, Value]:
        """The household's settings by key."""
        found = self.root("settings").items()
        return {key: value for key, value in found if isinstance(value, Value)}

    @property
    def people(self) -> tuple[Person, ...]:
        """Who belongs to the household, by id."""
        return tuple(
            Person(id, _as(of.get("name"), ""), _as(of.get("device"), ""))
            for id, of in self._entries("people")
        )

    @property
    def places(self) -> tuple[NamedPlace, ...]:
        """The places that have a name, by id."""
        return tuple(
            NamedPlace(
                id,
                _as(of.get("name"), ""),
                _number(of.get("lat")),
                _number(of.get("lon")),
                _number(of.get("radius_m")) or 100.0,
                _as(of.get("role"), "other"),
            )
            for id, of in self._entries("places")
        )

    @property
    def devices(self) -> tuple[NamedDevice, ...]:
        """What devices are called, by id."""
        return tuple(
            NamedDevice(
                id,
                _as(of.get("name"), ""),
                _as(of.get("room"), ""),
                _as(of.get("person"), ""),
            )
            for id, of in self._entries("devices")
        )

    @property
    def skills(self) -> tuple[SkillChoice, ...]:
        """What was chosen of skills, by id."""
        return tuple(
            SkillChoice(
                id,
                _as(of.get("on"), True),
                {k: v for k, v in of.items() if k != "on" and isinstance(v, Value)},
            )
            for id, of in self._entries("skills")
        )

    @property
    def feedback(self) -> tuple[Feedback, ...]:
        """What people said to suggestions, in the order of time."""
        found = [_feedback(id, of) for id, of in self._entries("feedback")]
        return tuple(sorted(found, key=lambda one: (one.time, one.id)))

    @property
    def lists(self) -> dict[str, tuple[Item, ...]]:
        """The lists by name; one whose last item was taken off is not there."""
        return {
            root[len(LIST) :]: tuple(map(_item, held))
            for root, held in sorted(self._values.items())
            if root.startswith(LIST) and isinstance(held, list) and held
        }

    def _entries(self, root: str) -> Iterator[tuple[str, dict[str, object]]]:
        """The entries of a root: what stands under `<id>/`, by id."""
        entries: dict[str, dict[str, object]] = {}
        for key, value in self.root(root).items():
            id, _, field = key.partition("/")
            if field:
                entries.setdefault(id, {})[field] = value
        yield from sorted(entries.items())


def _feedback(id: str, of: Mapping[str, object]) -> Feedback:
    try:
        kind = AnswerKind(_as(of.get("kind"), ""))
    except ValueError:  # of a newer version
        kind = AnswerKind.IGNORED
    return Feedback(
        id,
        _as(of.get("suggestion"), ""),
        _as(of.get("skill"), ""),
        _as(of.get("key"), ""),
        kind,
        _as(of.get("person"), ""),
        _number(of.get("time")) or 0.0,
        min(max(_number(of.get("hour")) or 0.0, 0.0), 24.0),
        _number(of.get("until")) or 0.0,
        _number(of.get("event")) or 0.0,
        _as(of.get("grows"), True),
        min(max(_number(of.get("chance", 1.0)) or 0.0, 0.0), 1.0),
    )


def _item(held: object) -> Item:
    if isinstance(held, dict):
        return Item(_as(held.get("text"), ""), _as(held.get("done"), False))
    return Item(_as(held, ""))


def _number(value: object) -> float | None:
    """A finite number; what another device wrote need be none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def _as(value: object, default: T) -> T:
    if isinstance(value, bool) and not isinstance(default, bool):
        return default  # which is an int to Python
    return value if isinstance(value, type(default)) else default
