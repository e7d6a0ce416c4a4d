"""Replicated household state: what every device of the household keeps a copy of."""

from trivet.fabric.replica.change import (
    ROOTS,
    Add,
    Change,
    Drop,
    Move,
    Put,
    Remove,
    Tick,
    Value,
)
from trivet.fabric.replica.handover import Handover
from trivet.fabric.replica.intake import Carried, Fork, Receipt, Roll
from trivet.fabric.replica.replica import Replica
from trivet.fabric.replica.state import (
    Feedback,
    Item,
    NamedDevice,
    NamedPlace,
    Person,
    SkillChoice,
    State,
)

__all__ = [
    "ROOTS",
    "Add",
    "Carried",
    "Change",
    "Drop",
    "Feedback",
    "Fork",
    "Handover",
    "Item",
    "Move",
    "NamedDevice",
    "NamedPlace",
    "Person",
    "Put",
    "Receipt",
    "Remove",
    "Replica",
    "Roll",
    "SkillChoice",
    "State",
    "Tick",
    "Value",
]
