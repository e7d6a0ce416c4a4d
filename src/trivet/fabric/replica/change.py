"""Changes: what a device may do to the household's state, as data.

A change never fails once it is well formed: to take off a list what is not on it does
nothing. So changes can be written in one go with others, and made anew on another
ground when a device was restored from a backup.

Values stand at paths, `root/part/part`, each of them a register of its own in one flat
map a root. Were there maps in maps, two devices that make the same person at the same
time would make two, and of the two one with all its fields would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.error import UsageError

#: Roots that hold values at paths.
ROOTS = ("settings", "people", "places", "devices", "skills", "feedback")
#: The state about the state: the version of its schema.
META = "meta"
#: What the root of a list begins with; its name follows.
LIST = "list:"
#: Bytes of a path, of a text, and of the changes that are written in one go.
MAX_PATH, MAX_TEXT, MAX_CHANGES = 256, 16 * 1024, 96 * 1024
#: Entries that a list may grow to; a longer one is refused what is added.
MAX_ITEMS = 10_000
#: Loro's JSON says with it that what follows is no text but a container.
_NO_TEXT = "\U0001f99c:"
_MAX_INT = (1 << 63) - 1
_PART = re.compile(r"[^/\x00-\x1f\x7f]{1,120}")
_LIST_NAME = re.compile(r"[^/:\x00-\x1f\x7f]{1,64}")

Value: TypeAlias = bool | int | float | str
_Path = Annotated[str, Meta(max_length=MAX_PATH)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Index = Annotated[int, Meta(ge=0, le=MAX_ITEMS)]


class Put(msgspec.Struct, frozen=True, array_like=True, tag="put"):
    """Set the value at a path."""

    path: _Path
    value: bool | int | float | _Text


class Remove(msgspec.Struct, frozen=True, array_like=True, tag="remove"):
    """Remove the value at a path, and all below it."""

    path: _Path


class Add(msgspec.Struct, frozen=True, array_like=True, tag="add"):
    """Put an item at the end of a list."""

    list: _Path
    item: _Text


class Tick(msgspec.Struct, frozen=True, array_like=True, tag="tick"):
    """Say of an item whether it is done."""

    list: _Path
    item: _Text
    is_done: bool = True


class Move(msgspec.Struct, frozen=True, array_like=True, tag="move"):
    """Move an item to a place in its list, counted from 0."""

    list: _Path
    item: _Text
    to: _Index


class Drop(msgspec.Struct, frozen=True, array_like=True, tag="drop"):
    """Take an item off a list, however often it is on it."""

    list: _Path
    item: _Text


Change: TypeAlias = Put | Remove | Add | Tick | Move | Drop

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Change, ...])


def split(path: str) -> tuple[str, str]:
    """Root and key of a path.

    Raises:
        UsageError: it is no path, or of no root that there is.
    """
    root, _, key = path.partition("/")
    parts = key.split("/")
    if len(path.encode(errors="replace")) > MAX_PATH or not all(
        _PART.fullmatch(part) for part in parts
    ):
        raise UsageError(
            f"{path[:80]!r} is no path of the state",
            hint="a root and a key: settings/heating/comfort_c",
        )
    if root not in ROOTS and root != META:
        raise UsageError(
            f"the state has no root {root!r}", hint=f"there are: {', '.join(ROOTS)}"
        )
    return root, key


def root_of(change: Change) -> str:
    """The root that a change is about."""
    if isinstance(change, Put | Remove):
        return change.path.partition("/")[0]
    return LIST + change.list


def check(changes: Sequence[Change]) -> bytes:
    """The changes as bytes, if they can be written.

    Raises:
        UsageError: a bad path, name or value, or more than MAX_CHANGES bytes.
    """
    for change in changes:
        if isinstance(change, Put | Remove):
            split(change.path)
        elif not _LIST_NAME.fullmatch(change.list):
            raise UsageError(f"{change.list[:80]!r} cannot be the name of a list")
        elif not change.item.strip():
            raise UsageError("an item without a text")
        if isinstance(change, Put):
            _check_value(change.path, change.value)
        elif not isinstance(change, Remove) and change.item.startswith(_NO_TEXT):
            raise UsageError(f"an item cannot begin with {_NO_TEXT}")
    try:
        data = encode(changes)
        _decoder.decode(data)  # lengths, and texts that are none
    except (msgspec.MsgspecError, OverflowError, UnicodeError) as error:
        raise UsageError(f"what cannot be written: {error}") from error
    if len(data) > MAX_CHANGES:
        raise UsageError(
            f"{len(data)} bytes are too much for one write: the most is {MAX_CHANGES}",
            hint="write it in parts",
        )
    return data


def encode(changes: Sequence[Change]) -> bytes:
    """The changes as bytes."""
    return _encoder.encode(tuple(changes))


def read(data: bytes) -> tuple[Change, ...]:
    """The changes that `check` gave as bytes.

    Raises:
        UsageError: they are none.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UsageError(f"what was kept of a write is damaged: {error}") from error


def _check_value(path: str, value: Value) -> None:
    if isinstance(value, str) and value.startswith(_NO_TEXT):
        raise UsageError(f"{path} cannot begin with {_NO_TEXT}")
    if isinstance(value, float) and not isfinite(value):
        raise UsageError(f"{path} cannot be {value}")
    if isinstance(value, int) and not -_MAX_INT <= value <= _MAX_INT:
        raise UsageError(f"{path} cannot be {value}: it takes more than 64 bits")
