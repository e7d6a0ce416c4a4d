"""Which skills there are: the built-in ones and those of other packages.

A package adds a skill by an entry point in the group `trivet.skills` that names a
class or function which takes no arguments and gives a Skill:

    [project.entry-points."trivet.skills"]
    umbrella = "my_package:Umbrella"

Skills are named here and loaded only when asked for: they know nothing of each other
or of this list. The same door serves both kinds.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from trivet.domain.error import SetupError, UsageError
from trivet.engine.situation import Skill

GROUP = "trivet.skills"

#: Built-in skills by name; a third party cannot take one of these names.
SKILLS: dict[str, EntryPoint] = {
    name: EntryPoint(name, target, GROUP)
    for name, target in (
        ("dinner", "trivet.skills.dinner:Dinner"),
        ("preheat", "trivet.skills.preheat:Preheat"),
        ("left_open", "trivet.skills.left_open:LeftOpen"),
        ("leave_now", "trivet.skills.leave_now:LeaveNow"),
        ("charge", "trivet.skills.charge:Charge"),
        ("groceries", "trivet.skills.groceries:Groceries"),
        ("departure", "trivet.skills.departure:Departure"),
        ("holiday", "trivet.skills.holiday:Holiday"),
    )
}


def known() -> dict[str, EntryPoint]:
    """Every skill installed here by name, built-in ones first, nothing loaded."""
    found = dict(SKILLS)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found.setdefault(entry.name, entry)
    return found


def load(names: Collection[str] | None = None) -> list[Skill]:
    """The skills of those names, ready to use; all that are installed if None.

    Raises:
        UsageError: no skill of that name is installed.
        SetupError: a skill cannot be loaded.
    """
    found = known()
    wanted = list(found) if names is None else list(names)
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise UsageError(
            f"no skill named {', '.join(unknown)}",
            hint=f"installed are {', '.join(found)}",
        )
    return [_named(found[name]) for name in wanted]


def make(entry: EntryPoint) -> Skill:
    """What an entry point makes, whatever it calls itself.

    Raises:
        SetupError: it cannot be loaded, or is no skill.
    """
    try:
        skill: Skill = entry.load()()
        if not isinstance(skill.name, str) or not callable(skill.needs):
            raise TypeError("its name is no text, or its needs cannot be asked for")
    except Exception as error:
        raise SetupError(
            f"skill {entry.name} ({entry.value}) cannot be loaded: {error}",
            hint="it names a class with no arguments; update the package it is from",
        ) from error
    return skill


def _named(entry: EntryPoint) -> Skill:
    skill = make(entry)
    if skill.name != entry.name:
        raise SetupError(
            f"skill {entry.value} calls itself {skill.name}, "
            f"its entry point says {entry.name}",
            hint="give both the same name",
        )
    return skill
