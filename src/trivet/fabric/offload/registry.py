"""Which tasks there are: those of this program and those of other packages.

A package adds a task by an entry point in the group `trivet.tasks` that names it:

    [project.entry-points."trivet.tasks"]
    "route.plan" = "my_package:plan"

Entry points are loaded when a device begins to offer tasks, and one that cannot be is
told of and left out: it must not take the others with it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeAlias

from trivet.domain.error import SetupError, UsageError
from trivet.fabric.offload.task import Task

log = logging.getLogger("trivet.fabric")

GROUP = "trivet.tasks"

AnyTask: TypeAlias = Task[Any, Any]


class Registry:
    """Tasks by name.

    Args:
        tasks: those of this program; no package can take one of their names.

    Raises:
        UsageError: two of them have one name, or one is badly annotated.
    """

    def __init__(self, tasks: Iterable[AnyTask] = ()) -> None:
        self._tasks: dict[str, AnyTask] = {}
        for each in tasks:
            self.add(each)

    def add(self, task: AnyTask) -> None:
        """Offer another task.

        Raises:
            UsageError: its name is taken, it is badly annotated, or another process
                would not find it.
        """
        if task.name in self._tasks:
            raise UsageError(f"there is a task {task.name} already")
        task.digest  # noqa: B018 - a bad annotation is told of now, not at the first run
        if _named(task.target) is not task:
            raise UsageError(
                f"{task.target} is not the task {task.name}",
                hint="use @task on the function: other processes find it by its name",
            )
        self._tasks[task.name] = task

    def find(self, name: str) -> AnyTask | None:
        """The task of that name, None if there is none."""
        return self._tasks.get(name)

    def __iter__(self) -> Iterator[AnyTask]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)


def _named(target: str) -> object:
    """What is found under `module:name`, None if nothing is."""
    module, _, name = target.partition(":")
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def known() -> dict[str, EntryPoint]:
    """Tasks that other packages offer, by name, nothing loaded."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.value):
        found.setdefault(entry.name, entry)
    return found


def load(entry: EntryPoint) -> AnyTask:
    """The task that an entry point names.

    Raises:
        SetupError: it cannot be loaded, or is no task of that name.
    """
    try:
        found = entry.load()
    except Exception as error:
        raise SetupError(
            f"task {entry.name} ({entry.value}) cannot be loaded: {error}",
            hint="remove or update the package that it comes from",
        ) from error
    if not isinstance(found, Task):
        raise SetupError(
            f"{entry.value} is a {type(found).__name__}, not a task",
            hint="decorate the function with trivet.fabric.offload.task",
        )
    if found.name != entry.name:
        raise SetupError(
            f"task {entry.value} calls itself {found.name}, "
            f"its entry point says {entry.name}",
            hint="give both the same name",
        )
    return found


def load_registry(tasks: Iterable[AnyTask] = ()) -> Registry:
    """Tasks of this program, and those of packages that can be loaded."""
    registry = Registry(tasks)
    for entry in known().values():
        try:
            registry.add(load(entry))
        except (SetupError, UsageError) as error:
            log.error("%s", error)
    return registry
