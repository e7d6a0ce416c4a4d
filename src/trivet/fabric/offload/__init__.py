"""Work runs where it is best run: tasks, where they go, and what becomes of them."""

from trivet.fabric.offload.message import TASK
from trivet.fabric.offload.registry import AnyTask, Registry, load_registry
from trivet.fabric.offload.task import MAX_BYTES, Cost, Task, task

__all__ = [
    "MAX_BYTES",
    "TASK",
    "AnyTask",
    "Cost",
    "Registry",
    "Task",
    "load_registry",
    "task",
]
