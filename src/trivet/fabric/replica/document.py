"""The one Loro document of a household's state, and the only door to it.

Loro raises a bare BaseException on bad data, and a panic of its Rust code is one too:
both become a WireError here. What raised may have left the document half changed, so
it is unsound then, and its holder makes a new one of what is on the disk.

Source: Loro 1.17, https://loro.dev/docs; the encoding of its frontiers is postcard's,
https://postcard.jamesmunns.com/wire-format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

from loro import (
    ID,
    ContainerID,
    EncodedBlobMode,
    ExportMode,
    LoroDoc,
    VersionVector,
)

from trivet.domain.error import TrivetError, WireError
from trivet.fabric.replica.change import (
    LIST,
    MAX_ITEMS,
    Add,
    Change,
    Drop,
    Move,
    Put,
    Remove,
    Tick,
    split,
)

#: Operations of each peer that are known: the number of the next one.
Counters = Mapping[int, int]


class Span(NamedTuple):
    """What a blob of updates holds, by its own head.

    Attributes:
        peer: of all its operations.
        start: number of the first one.
        end: of the one after the last.
        needs: the operations that must be known before, as (peer, number).
    """

    peer: int
    start: int
    end: int
    needs: tuple[tuple[int, int], ...]


class StateDocument:
    """A Loro document in memory. One thread at a time."""

    def __init__(self, peer: int) -> None:
        self._doc = _empty()
        self._doc.peer_id = peer

    @classmethod
    def of(
        cls, peer: int, snapshot: bytes | None, blobs: Sequence[bytes]
    ) -> StateDocument:
        """The document of a snapshot and the updates since.

        Raises:
            WireError: they cannot be read.
        """
        made = cls(peer)
        with guarded("what is kept of the state"):
            if snapshot is not None:
                made._doc.import_(snapshot)
            if blobs:
                made._doc.import_batch(blobs)
        return made

    def write_as(self, peer: int) -> None:
        """Make what is written from now on the operations of `peer`."""
        with guarded("the state"):
            self._doc.peer_id = peer

    def counters(self) -> dict[int, int]:
        """The operations that it holds."""
        with guarded("the state"):
            return _counters(self._doc.oplog_vv)

    def values(self) -> dict[str, object]:
        """All that stands in it, by root."""
        with guarded("the state"):
            return cast(dict[str, object], self._doc.get_deep_value())

    def write(self, edits: Sequence[Sequence[Change]]) -> bytes | None:
        """Make changes, checked before; a blob of them, None if nothing changed.

        Raises:
            WireError: Loro failed; the document is unsound.
        """
        with guarded("a change"):
            before = self._doc.oplog_vv
            for edit in edits:
                for change in edit:
                    self._make(change)
            self._doc.commit()
            if self._doc.oplog_vv == before:
                return None
            return self._doc.export(ExportMode.Updates(before))

    def take(self, blob: bytes, span: Span) -> frozenset[str]:
        """Take in a blob that holds this span; the roots that it touches.

        Raises:
            WireError: Loro does not take it, or it holds anything else; the document
                is unsound.
        """
        with guarded("an update"):
            before = self.counters()
            status = self._doc.import_(blob)
            after = self.counters()
            if status.pending is not None:
                raise WireError("an update needs more than it says")
            if after != {**before, span.peer: span.end}:
                raise WireError("an update holds other operations than it says")
            first = ID(span.peer, span.start)
            touched = self._doc.get_changed_containers_in(first, span.end - span.start)
            return frozenset(map(self._root, touched))

    def ground_below(self, known: Counters) -> dict[int, int]:
        """The latest version that all operations beyond it build on.

        Args:
            known: what every device has seen; the version is at most that.

        Returns:
            What it covers; nothing if it is the beginning.
        """
        with guarded("the state"):
            seen = self._doc.vv_to_frontiers(_vector(known))
            trial = _empty()
            trial.import_(self._doc.export(ExportMode.ShallowSnapshot(seen)))
            covered = self._doc.frontiers_to_vv(trial.shallow_since_frontiers)
            return {} if covered is None else _counters(covered)

    def snapshot(self) -> bytes:
        """The state as it is now, without the operations that led to it."""
        with guarded("the state"):
            return self._doc.export(
                ExportMode.ShallowSnapshot(self._doc.oplog_frontiers)
            )

    def _make(self, change: Change) -> None:
        if isinstance(change, Put):
            root, key = split(change.path)
            self._doc.get_map(root).insert(key, change.value)
        elif isinstance(change, Remove):
            root, key = split(change.path)
            values = self._doc.get_map(root)
            for name in values.keys():  # noqa: SIM118 (Loro's map is no Mapping)
                if name == key or name.startswith(key + "/"):
                    values.delete(name)
        else:
            self._make_in_list(change)

    def _make_in_list(self, change: Add | Tick | Move | Drop) -> None:
        items = self._doc.get_movable_list(LIST + change.list)
        found = cast(list[object], items.get_deep_value())
        at = [i for i, item in enumerate(found) if text_of(item) == change.item]
        if isinstance(change, Add):
            if len(found) < MAX_ITEMS:
                items.push({"text": change.item, "done": False})
        elif isinstance(change, Drop):
            for index in reversed(at):
                items.delete(index, 1)
        elif isinstance(change, Move):
            if at:
                items.mov(at[0], min(change.to, len(found) - 1))
        else:
            for index in at:
                item = found[index]
                known = item if isinstance(item, dict) else {"text": change.item}
                if known.get("done", False) != change.is_done:
                    items.set(index, {**known, "done": change.is_done})

    def _root(self, container: ContainerID) -> str:
        if isinstance(container, ContainerID.Root):
            return container.name
        path = self._doc.get_path_to_container(container)
        named = [of for of, _ in path or () if isinstance(of, ContainerID.Root)]
        return named[0].name if named else ""


def read_span(blob: bytes) -> Span:
    """What a blob of updates says that it holds.

    Raises:
        WireError: it is none, or holds operations of another number of peers than one.
    """
    with guarded("an update"):
        meta = LoroDoc.decode_import_blob_meta(blob, True)
        if meta.mode != EncodedBlobMode.Updates:
            raise WireError(f"an update that is a {meta.mode}")
        ends, starts = _counters(meta.partial_end_vv), _counters(meta.partial_start_vv)
        if len(ends) != 1 or set(starts) - set(ends):
            raise WireError(f"an update with operations of {len(ends)} peers")
        [(peer, end)] = ends.items()
        needs = _read_frontiers(meta.start_frontiers.encode())
        return Span(peer, starts.get(peer, 0), end, needs)


def read_snapshot(blob: bytes) -> dict[int, int]:
    """What a shallow snapshot covers, after it was taken in by an empty document.

    Raises:
        WireError: it is none, or cannot be taken in.
    """
    with guarded("a snapshot"):
        meta = LoroDoc.decode_import_blob_meta(blob, True)
        if meta.mode != EncodedBlobMode.ShallowSnapshot:
            raise WireError(f"a snapshot that is a {meta.mode}")
        trial = _empty()
        trial.import_(blob)
        trial.get_deep_value()
        return _counters(trial.oplog_vv)


def text_of(item: object) -> str:
    """The text of a list's item, whoever put it there."""
    if isinstance(item, dict):
        text = item.get("text", "")
        return text if isinstance(text, str) else ""
    return item if isinstance(item, str) else ""


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn whatever Loro raises into a WireError."""
    try:
        yield
    except (TrivetError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise WireError(
            f"{what} is not as Loro wants it: {str(error)[:200]}",
            hint="the device that made it is damaged, or of another version of trivet",
        ) from error


def _counters(vector: VersionVector) -> dict[int, int]:
    return {peer: end for peer, (_, end) in vector.to_spans().inner().items() if end}


def _empty() -> LoroDoc:
    return LoroDoc()  # type: ignore[no-untyped-call]


def _vector(counters: Counters) -> VersionVector:
    vector = VersionVector()  # type: ignore[no-untyped-call]
    for peer, end in counters.items():
        vector.set_end(ID(peer, end))
    return vector


def _read_frontiers(data: bytes) -> tuple[tuple[int, int], ...]:
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value, shift = 0, 0
    pairs = zip(numbers[1::2], numbers[2::2], strict=True)
    return tuple((peer, (zigzag >> 1) ^ -(zigzag & 1)) for peer, zigzag in pairs)
