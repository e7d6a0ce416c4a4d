"""Operations: what an update holds, in our own words, turned into Loro's and back.

    MessagePack: [[needs, lamport, [[container, content], ...]], ...]

Loro's own blobs are not taken from other devices: one of 600 bytes can ask for six
gigabytes, and Rust ends the process that has not got them. Its JSON says the same, and
of it only what is here gets through: numbers and ids are ours to give, so no update can
speak for another peer. `content` stays as it is: what a newer version writes, an older
one keeps.

Source: Loro's JSON schema, https://loro.dev/docs/tutorial/encoding; Lamport, "Time,
Clocks, and the Ordering of Events", CACM 21 (1978).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from trivet.domain.error import WireError

#: Operations of a peer, and in one update.
MAX_COUNT, MAX_OPERATIONS = (1 << 31) - 1, 1 << 17
#: How deep a value may be.
_DEEP = 32
_MAX_INT = 1 << 63
#: Roots by plain names, ours and newer ones, and containers within. What else Loro has
#: a meaning for, it has panicked at.
_CONTAINER = re.compile(
    r"cid:(?:root-[a-z][a-z0-9_-]{0,63}|root-list:[^/:\x00-\x1f\x7f]{1,64}"
    r"|[0-9]{1,10}@[0-9]{1,20}):[A-Za-z]{1,20}"
)

_Counter = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
_PeerId = Annotated[bytes, Meta(min_length=8, max_length=8)]
#: An operation's id: its peer and number.
Id: TypeAlias = tuple[int, int]


class Operation(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    """One operation, as Loro's JSON has it.

    Attributes:
        container: what it changes, as `cid:root-settings:Map`.
        content: how.
    """

    container: Annotated[str, Meta(max_length=600)]
    content: dict[str, object]

    @property
    def length(self) -> int:
        """How many numbers it takes."""
        kind, value = self.content.get("type"), self.content.get("value")
        text, length = self.content.get("text"), self.content.get("len")
        if kind == "insert" and isinstance(value, list) and "pos" in self.content:
            return max(1, len(value))
        if kind == "insert" and isinstance(text, str):
            return max(1, len(text))
        if kind == "delete" and isinstance(length, int):
            return max(1, abs(length))
        return 1

    @property
    def root(self) -> str:
        """The root that it is in; empty if it is in a container within one."""
        name = self.container.removeprefix("cid:root-")
        return "" if name == self.container else name.rpartition(":")[0]


class Group(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    """Operations that were made in one go.

    Attributes:
        needs: the last ones known then, by peer and number.
        lamport: one more than the highest of those.
        operations: in order.
    """

    needs: Annotated[tuple[tuple[_PeerId, _Counter], ...], Meta(max_length=256)]
    lamport: _Counter
    operations: Annotated[
        tuple[Operation, ...], Meta(min_length=1, max_length=MAX_OPERATIONS)
    ]

    @property
    def length(self) -> int:
        """How many numbers they take."""
        return sum(operation.length for operation in self.operations)


class _Placed(msgspec.Struct, frozen=True, gc=False):
    container: str
    content: dict[str, object]
    counter: int


class _Change(msgspec.Struct, frozen=True, gc=False):
    id: str
    deps: tuple[str, ...]
    lamport: int
    ops: tuple[_Placed, ...]
    timestamp: int = 0
    msg: str | None = None


class _Updates(msgspec.Struct, frozen=True, gc=False):
    changes: list[_Change]
    schema_version: int = 1
    start_version: dict[str, int] = {}
    peers: None = None


class Span(NamedTuple):
    """The operations of one update, with the numbers that they have.

    Attributes:
        peer: who made them.
        start: number of the first one.
        end: number of the one after the last.
        groups: what they are.
    """

    peer: int
    start: int
    end: int
    groups: tuple[Group, ...]

    @property
    def needs(self) -> list[Id]:
        """What must be known before, of this peer and of others."""
        found = []
        for group in self.groups:
            for raw, counter in group.needs:
                one = int.from_bytes(raw, "big"), counter
                if one[0] != self.peer or one[1] < self.start:
                    found.append(one)
        return found

    @property
    def roots(self) -> frozenset[str]:
        """The roots that they are in."""
        found = {one.root for group in self.groups for one in group.operations}
        return frozenset(found - {""})


_Groups = Annotated[tuple[Group, ...], Meta(min_length=1, max_length=MAX_OPERATIONS)]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Groups)
_json_encoder = msgspec.json.Encoder()
_json_decoder = msgspec.json.Decoder(tuple[_Change, ...])


def read_span(peer: int, start: int, end: int, data: bytes) -> Span:
    """The operations in `data`, which are to be those from `start` to `end`.

    Raises:
        WireError: they are not, or malformed.
    """
    if end - start > MAX_OPERATIONS:
        raise WireError(f"an update of {end - start} operations")
    try:
        groups = _decoder.decode(data)
        at = start
        for group in groups:
            _check_follows(group, peer, start, at)
            at += _check_group(group)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed operations: {error}") from error
    if at != end:
        raise WireError("an update holds other operations than it says")
    return Span(peer, start, end, groups)


def from_loro(peer: int, start: int, text: str) -> tuple[Span, bytes]:
    """What Loro exported of one peer from `start` on, and its bytes."""
    groups = tuple(
        Group(
            tuple(_id(dep) for dep in change.deps),
            change.lamport,
            tuple(Operation(op.container, op.content) for op in change.ops),
        )
        for change in _json_decoder.decode(text)
    )
    end = start + sum(group.length for group in groups)
    return Span(peer, start, end, groups), _encoder.encode(groups)


def to_loro(spans: Iterable[Span]) -> str:
    """The operations in Loro's JSON."""
    changes = [change for span in spans for change in _changes(span)]
    return _json_encoder.encode(_Updates(changes)).decode()


def _changes(span: Span) -> Sequence[_Change]:
    made, at = [], span.start
    for group in span.groups:
        first, placed = at, []
        for one in group.operations:
            placed.append(_Placed(one.container, one.content, at))
            at += one.length
        deps = tuple(f"{n}@{int.from_bytes(raw, 'big')}" for raw, n in group.needs)
        made.append(_Change(f"{first}@{span.peer}", deps, group.lamport, tuple(placed)))
    return made


def _check_follows(group: Group, peer: int, start: int, at: int) -> None:
    """The group follows the peer's last operation before it."""
    raw = peer.to_bytes(8, "big")
    own = [number for other, number in group.needs if other == raw]
    if any(number >= at for number in own) or (at > start and own != [at - 1]):
        raise WireError("operations that do not follow each other")


def _check_group(group: Group) -> int:
    """How many numbers its operations take, which are to be fit for Loro."""
    count = 0
    for operation in group.operations:
        if not _CONTAINER.fullmatch(operation.container):
            raise WireError("operations in a container that cannot be")
        _check_value(operation.content, 0)
        count += operation.length
    return count


def _check_value(value: object, depth: int) -> None:
    """Refuse what JSON has not, or Loro not: all devices must read the same."""
    if value is None or isinstance(value, str):
        return
    if depth > _DEEP:
        raise WireError("operations that are too deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise WireError("operations with a key that is no text")
            _check_value(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_value(inner, depth + 1)
    elif isinstance(value, float):
        if not isfinite(value):
            raise WireError(f"operations with the number {value}")
    elif isinstance(value, int):
        if not -_MAX_INT <= value < _MAX_INT:
            raise WireError("operations with a number of more than 64 bits")
    else:
        raise WireError(f"operations with a {type(value).__name__}")


def _id(text: str) -> tuple[bytes, int]:
    counter, _, peer = text.partition("@")
    return int(peer).to_bytes(8, "big"), int(counter)
