"""Writing samples into a history: to which stream each belongs, and what stays out.

What was forgotten does not come back: a sample that a wish to forget covers is not
written, however late it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from trivet.domain.error import UsageError
from trivet.domain.lease import Lease
from trivet.domain.sample import DeviceId, Sample, SignalPath
from trivet.fabric.history import erasure
from trivet.fabric.history.file import HistoryFile
from trivet.fabric.history.forget import END_OF_TIME, Forget
from trivet.fabric.history.rule import Rule
from trivet.fabric.history.value import Cell, to_cell

#: How far two devices' clocks may be apart, in seconds: a wish whose span ends later
#: than so long after it was heard has no end, and is about what there was until then.
SKEW_S = 3600.0
_INSERT = "INSERT OR IGNORE INTO raw VALUES (?, ?, ?, ?)"


#: Stream, time, value and quality.
_Row: TypeAlias = tuple[int, float, Cell, int]


class Waiting(NamedTuple):
    """A sample that is to be written; under no lease if it is this device's own."""

    owner: str
    path: str
    lease: Lease | None
    time: float
    cell: Cell
    quality: int


def waiting(sample: Sample, lease: Lease | None) -> Waiting:
    """A sample as it is to be written, sure to be one that can be.

    Raises:
        UsageError: it is no sample that a message can carry.
    """
    device, path, time = sample.device, sample.path, sample.time
    try:
        _check_name(device, path)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path!r:.200} cannot be kept: {error}") from error
    if not 0.0 <= time <= END_OF_TIME:
        raise UsageError(f"{path} at {time} cannot be kept: no time of an event")
    return Waiting(
        device, path, lease, time, to_cell(sample.value), int(sample.quality)
    )


@lru_cache(maxsize=4096)
def _check_name(device: str, path: str) -> None:
    msgspec.convert((device, path), tuple[DeviceId, SignalPath])


def _held_back(memory: erasure.Memory) -> Forget:
    """What must not come back of something forgotten: nothing that came after it."""
    wish = memory.wish
    if wish.until <= memory.time + SKEW_S:
        return wish
    return replace(wish, until=memory.time)


class Intake:
    """Writes into one file; every call is within a transaction of it.

    What it knows of the file it keeps ready; `reset` has it look anew.

    Attributes:
        rules: the rules that the owner made.
    """

    def __init__(self, file: HistoryFile) -> None:
        self._file = file
        self._version = -1
        self._streams: dict[tuple[str, str, str], int] = {}
        self._leases: dict[tuple[str, str], int] = {}
        self._forgotten: dict[str, list[Forget]] = {}
        self._newest: dict[str, float] = {}
        self.rules: tuple[Rule, ...] = ()

    def reset(self) -> None:
        """The file changed, or a change was undone."""
        self._version = -1

    def refresh(self) -> None:
        """Look at the file anew if anybody changed it."""
        version = self._file.version
        if version == self._version:
            return
        self._streams.clear()
        self._leases.clear()
        self._forgotten.clear()
        self._newest.clear()
        for memory in erasure.memories(self._file):
            wish, owner = _held_back(memory), memory.owner
            self._forgotten.setdefault(owner, []).append(wish)
            self._newest[owner] = max(self._newest.get(owner, 0.0), wish.until)
        rows = self._file.rows("SELECT pattern, raw_s, every_s, for_s FROM rule")
        self.rules = tuple(Rule(*row) for row in rows)
        self._version = version

    def write(self, samples: Iterable[Waiting]) -> int:
        """Write samples; how many were new."""
        streams: dict[int, list[_Row]] = {}
        for owner, path, lease, time, cell, quality in samples:
            if time < self._newest.get(owner, 0.0) and self._is_forgotten(
                owner, path, time
            ):
                continue
            stream = self._streams.get((owner, path, lease.id if lease else ""))
            if stream is None:
                stream = self._stream(owner, path, lease)
            streams.setdefault(stream, []).append((stream, time, cell, quality))
        return sum(self._insert(stream, rows) for stream, rows in streams.items())

    def follow(self, lease: Lease) -> int:
        """The id of a lease in the file; those that it takes the place of go on."""
        there = self._leases.get((lease.owner, lease.id))
        if there is not None:
            return there
        file, is_known = self._file, "SELECT id, until FROM lease WHERE owner = ? AND "
        row = file.one(is_known + "lease = ?", lease.owner, lease.id)
        if row is None:
            for before in self._same(lease):
                file.run(
                    "UPDATE lease SET until = max(until, ?), current = ? WHERE id = ?",
                    *(lease.until, lease.id, before),
                )
            file.run(
                "INSERT INTO lease (owner, lease, purpose, until, current) "
                "VALUES (?, ?, ?, ?, ?)",
                *(lease.owner, lease.id, lease.purpose.value, lease.until, lease.id),
            )
            row = file.one(is_known + "lease = ?", lease.owner, lease.id)
        self._leases[lease.owner, lease.id] = int(row[0])
        return int(row[0])

    # --- within -------------------------------------------------------------------

    def _is_forgotten(self, owner: str, path: str, time: float) -> bool:
        return any(wish.covers(path, time) for wish in self._forgotten.get(owner, ()))

    def _stream(self, owner: str, path: str, lease: Lease | None) -> int:
        at = owner, path, 0 if lease is None else self.follow(lease)
        self._file.run(
            "INSERT OR IGNORE INTO stream (owner, path, lease) VALUES (?, ?, ?)", *at
        )
        (stream,) = self._file.one(
            "SELECT id FROM stream WHERE owner = ? AND path = ? AND lease = ?", *at
        )
        self._streams[owner, path, lease.id if lease else ""] = stream
        return int(stream)

    def _insert(self, stream: int, rows: Sequence[_Row]) -> int:
        new = self._file.run_many(_INSERT, rows)
        self._file.run(
            "UPDATE stream SET samples = samples + ? WHERE id = ?", new, stream
        )
        return new

    def _same(self, lease: Lease) -> list[int]:
        """Leases that this one takes the place of: as the owner's book sees it."""
        rows = self._file.rows(
            "SELECT lease.id, group_concat(path, ' ') FROM lease "
            "JOIN stream ON stream.lease = lease.id "
            "WHERE lease.owner = ? AND purpose = ? AND until > ? GROUP BY lease.id",
            *(lease.owner, lease.purpose.value, lease.since),
        ).fetchall()
        paths = set(lease.paths)
        return [before for before, held in rows if set(held.split(" ")) <= paths]
