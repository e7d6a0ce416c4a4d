"""What the owner of a machine says to its device about the state; see control.py."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.app.control import Control
from trivet.app.replicating import Replicating
from trivet.domain import UsageError
from trivet.fabric.replica import Add, Drop, Item, Put, State, Tick, Value
from trivet.fabric.replica.change import LIST, MAX_PATH, MAX_TEXT, Change

#: Values that are shown at once: more do not fit into an answer.
MAX_SHOWN = 2000

_Path = Annotated[str, Meta(max_length=MAX_PATH)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]


class Doing(StrEnum):
    """What is done to a list."""

    ADD = "add"
    REMOVE = "remove"
    DONE = "done"


class ShowState(msgspec.Struct, frozen=True, tag="state", tag_field="verb"):
    """Ask what stands in the state, under one root or all."""

    root: _Path = ""


class SetState(msgspec.Struct, frozen=True, tag="state-set", tag_field="verb"):
    """Set the value at a path."""

    path: _Path
    value: bool | int | float | _Text


class ChangeList(msgspec.Struct, frozen=True, tag="state-list", tag_field="verb"):
    """Ask for a list, or change it first."""

    name: _Path
    doing: Doing | None = None
    item: _Text = ""


class Standing(msgspec.Struct, frozen=True):
    """What stands in the state.

    Attributes:
        device: whose copy it is.
        values: by path.
        lists: by name.
        left: how many more values there are.
        faults: by device, what was wrong with what it gave last.
        forks: devices that wrote two things under one number.
    """

    device: str
    values: Mapping[str, Value]
    lists: Mapping[str, tuple[Item, ...]]
    left: int = 0
    faults: Mapping[str, str] = {}
    forks: tuple[str, ...] = ()


class Written(msgspec.Struct, frozen=True):
    """It is on the device's disk.

    Attributes:
        path: what was set.
        value: to what.
    """

    path: str
    value: Value


class Listed(msgspec.Struct, frozen=True):
    """A list as it is now.

    Attributes:
        name: its name.
        items: what is on it.
    """

    name: str
    items: tuple[Item, ...]


def take_state_words(control: Control, device: str, replicating: Replicating) -> None:
    """Have the device take the words about the state."""

    async def show(word: ShowState) -> Standing:
        return standing_of(device, replicating, word.root)

    async def put(word: SetState) -> Written:
        await replicating.write(Put(word.path, word.value))
        return Written(word.path, word.value)

    async def change(word: ChangeList) -> Listed:
        if word.doing is not None:
            await replicating.write(_change(replicating.state, word))
        items = replicating.state.lists.get(word.name, ())
        return Listed(word.name, items[:MAX_SHOWN])

    control.add(ShowState, show)
    control.add(SetState, put)
    control.add(ChangeList, change)


def standing_of(device: str, replicating: Replicating, root: str) -> Standing:
    """What stands in the state under one root; under all for an empty one.

    Raises:
        UsageError: nothing stands under that root.
    """
    state = replicating.state
    if root and root not in state.roots and LIST + root not in state.roots:
        raise UsageError(
            f"nothing stands under {root}",
            hint=f"there is: {', '.join(state.roots) or 'nothing yet'}",
        )
    values = {
        f"{name}/{key}": _plain(value)
        for name in state.roots
        if not root or name == root
        for key, value in sorted(state.root(name).items())
    }
    shown = dict(list(values.items())[:MAX_SHOWN])
    lists = {
        name: items[:MAX_SHOWN]
        for name, items in state.lists.items()
        if not root or root in (name, LIST + name)
    }
    return Standing(
        device,
        shown,
        lists,
        len(values) - len(shown),
        dict(replicating.faults),
        tuple(sorted({fork.author for fork in replicating.forks})),
    )


def _change(state: State, word: ChangeList) -> Change:
    texts = [item.text for item in state.lists.get(word.name, ())]
    if word.doing is not Doing.ADD and word.item not in texts:
        raise UsageError(
            f"{word.item!r} is not on the list {word.name}",
            hint=f"see what is: trivet state list {word.name}",
        )
    if word.doing is Doing.ADD:
        return Add(word.name, word.item)
    if word.doing is Doing.DONE:
        return Tick(word.name, word.item)
    return Drop(word.name, word.item)


def _plain(value: object) -> Value:
    """The value, or as JSON what only a newer version understands."""
    if isinstance(value, Value):
        return value
    return msgspec.json.encode(value).decode()
