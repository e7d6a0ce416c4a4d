"""What a person asks of a device about tasks: which there are, where; run one."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.offloading import Offloader
from trivet.domain import UsageError

#: Seconds that a run asked for by hand may take.
MOST_S = 600.0


class Tasks(msgspec.Struct, frozen=True, tag="tasks", tag_field="verb"):
    """Ask which tasks the devices in reach offer."""


class RunTask(msgspec.Struct, frozen=True, tag="run-task", tag_field="verb"):
    """Have a task run wherever that is best.

    Attributes:
        name: of the task; this device must know it.
        value: its input, as JSON.
        deadline_s: seconds in which the result is wanted.
    """

    name: Annotated[str, Meta(max_length=64)]
    value: msgspec.Raw
    deadline_s: Annotated[float, Meta(gt=0.0, le=MOST_S)] = 60.0


class Place(msgspec.Struct, frozen=True):
    """A task on a device that offers it.

    Attributes:
        task: its name.
        device: the device.
        slots: runs at a time there.
        wait_s: until a run that is submitted now would begin.
        median_s: what its runs took there; 0 where it never ran.
        runs: how many that rests on.
        charge: of the device's battery, None on mains without one.
    """

    task: str
    device: str
    slots: int
    wait_s: float
    median_s: float
    runs: int
    charge: float | None


class Offers(msgspec.Struct, frozen=True):
    """What the devices in reach offer."""

    places: tuple[Place, ...]


class Done(msgspec.Struct, frozen=True):
    """A run's end.

    Attributes:
        output: what the task gave, as JSON.
        devices: those that worked on it, the first one first.
    """

    output: msgspec.Raw
    devices: tuple[str, ...]


def take_task_words(control: Control, offloader: Offloader) -> None:
    """Have the device take the words about tasks."""

    async def tell_offers(_: Tasks) -> Offers:
        return Offers(
            tuple(
                Place(
                    task.name,
                    device,
                    offer.slots,
                    offer.wait_s,
                    task.median_s,
                    task.runs,
                    offer.condition.charge,
                )
                for device, offer in sorted(offloader.offers().items())
                for task in offer.tasks
            )
        )

    async def run(word: RunTask) -> Done:
        task = offloader.registry.find(word.name)
        if task is None:
            raise UsageError(
                f"this device knows no task {word.name!r}",
                hint="trivet task list; install the package that brings it",
            )
        value: Any = task.read_input(bytes(word.value))
        output = await offloader.run(task, value, deadline_s=word.deadline_s)
        ran = offloader.past[-1]
        return Done(msgspec.Raw(msgspec.json.encode(output)), ran.devices)

    control.add(Tasks, tell_offers)
    control.add(RunTask, run)
