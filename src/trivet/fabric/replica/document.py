"""The one Loro document of a household's state, and the only door to it.

Loro raises a bare BaseException on bad data, and a panic of its Rust code is one too:
both become a WireError here. What raised may have left the document half changed, so
it is unsound then, and its holder makes a new one of what is on the disk.

Source: Loro 1.17, https://loro.dev/docs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import cast

from loro import (
    ID,
    CounterSpan,
    EncodedBlobMode,
    ExportMode,
    IdSpan,
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
from trivet.fabric.replica.operation import Span, from_loro, to_loro

#: Operations of each peer that are known: the number of the next one.
Counters = Mapping[int, int]


class StateDocument:
    """A Loro document in memory. One thread at a time."""

    def __init__(self, peer: int) -> None:
        self._doc = _empty()
        self._doc.peer_id = peer
        self._count = 0  # of all operations there ever were

    @classmethod
    def of(
        cls,
        peer: int,
        snapshot: bytes | None,
        spans: Iterable[Span],
        at_once: int = 1000,
    ) -> StateDocument:
        """The document of a snapshot and the operations since, in order.

        Args:
            peer: what it writes as.
            snapshot: what it begins with, None for nothing.
            spans: the operations since.
            at_once: how many of those Loro is given in one go.

        Raises:
            WireError: they cannot be read.
        """
        made = cls(peer)
        with made._guarded("what is kept of the state"):
            if snapshot is not None:
                made._doc.import_(snapshot)
            left = iter(spans)
            while some := list(islice(left, at_once)):
                made._doc.import_json_updates(to_loro(some))
        made._count = sum(made.counters().values())
        return made

    def write_as(self, peer: int) -> None:
        """Make what is written from now on the operations of `peer`."""
        with self._guarded("the state"):
            self._doc.peer_id = peer

    def counters(self) -> dict[int, int]:
        """The operations that it holds."""
        with self._guarded("the state"):
            return _counters(self._doc.oplog_vv)

    def values(self) -> dict[str, object]:
        """All that stands in it, by root."""
        with self._guarded("the state"):
            return cast(dict[str, object], self._doc.get_deep_value())

    def write(self, edits: Sequence[Sequence[Change]]) -> tuple[Span, bytes] | None:
        """Make changes, checked before; their operations, None if nothing changed.

        Raises:
            WireError: Loro failed; the document is unsound.
        """
        with self._guarded("a change"):
            peer = self._doc.peer_id
            start = self._end_of(peer)
            for edit in edits:
                for change in edit:
                    self._make(change)
            self._doc.commit()
            end = self._end_of(peer)
            if end == start:
                return None
            self._count += end - start
            made = IdSpan(peer, CounterSpan(start, end))
            return from_loro(peer, start, self._doc.export_json_in_id_span(made))

    def take(self, span: Span) -> None:
        """Take in operations; what they need must be known.

        Raises:
            WireError: Loro does not take them; the document is unsound.
        """
        with self._guarded("an update"):
            self._check_time(span)
            status = self._doc.import_json_updates(to_loro([span]))
            if status.pending is not None:
                raise WireError("an update needs more than it says")
            if status.success.inner() != {span.peer: (span.start, span.end)}:
                raise WireError("an update holds other operations than it says")
            self._count += span.end - span.start

    def _end_of(self, peer: int) -> int:
        last = self._doc.oplog_vv.get_last(peer)
        return 0 if last is None else last + 1

    def _check_time(self, span: Span) -> None:
        """Refuse a group that is not one later than the latest that it needs.

        One far in the future would win over whatever is written after, and so use up
        the numbers that time is counted in.
        """
        latest = 0  # in a run, the one after the group before
        for group in span.groups:
            times = [self._time_after(raw, n) for raw, n in group.needs]
            known = [time for time in times if time is not None]
            is_inner = any(
                int.from_bytes(raw, "big") == span.peer and n >= span.start
                for raw, n in group.needs
            )
            least = max([*known, latest if is_inner else 0])
            is_sure = len(known) + is_inner == len(times)
            if group.lamport < least or (is_sure and group.lamport != least):
                raise WireError("an update of another time than what it builds on")
            if group.lamport > self._count + span.end - span.start:
                raise WireError("an update of the far future")
            latest = group.lamport + group.length

    def _time_after(self, raw: bytes, number: int) -> int | None:
        """Lamport's time after an operation, None where that was forgotten."""
        change = self._doc.get_change(ID(int.from_bytes(raw, "big"), number))
        if change is None:
            return None
        return change.lamport + number - change.id.counter + 1

    def ground_below(self, known: Counters) -> dict[int, int]:
        """The latest version that all operations beyond it build on.

        Args:
            known: what every device has seen; the version is at most that.

        Returns:
            What it covers; nothing if it is the beginning.
        """
        with self._guarded("the state"):
            seen = self._doc.vv_to_frontiers(_vector(known))
            trial = _empty()
            trial.import_(self._doc.export(ExportMode.ShallowSnapshot(seen)))
            covered = self._doc.frontiers_to_vv(trial.shallow_since_frontiers)
            return {} if covered is None else _counters(covered)

    def snapshot(self) -> bytes:
        """The state as it is now, without the operations that led to it."""
        with self._guarded("the state"):
            return self._doc.export(
                ExportMode.ShallowSnapshot(self._doc.oplog_frontiers)
            )

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            with guarded(what):
                yield
        except WireError as error:
            if type(error.__cause__).__name__ == "PanicException":
                # its locks are poisoned: to give it back would panic once more
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._doc))
            raise

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
