"""The samples that were imported, in one SQLite file; an import is whole or not at all.

Source: SQLite, "Atomic Commit", https://sqlite.org/atomiccommit.html.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import msgspec

from trivet.domain import Sample, SetupError, UsageError, Value
from trivet.domain.sample import Quality

SCHEMA = 1
#: Marks the file as ours in its SQLite header ("triv").
APPLICATION_ID = 0x74726976
_BATCH = 5_000

_TABLES = """
CREATE TABLE IF NOT EXISTS recording (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, samples INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sample (
    device TEXT NOT NULL, path TEXT NOT NULL, time REAL NOT NULL,
    value BLOB NOT NULL, quality INTEGER NOT NULL,
    recording INTEGER NOT NULL REFERENCES recording(id),
    PRIMARY KEY (device, path, time)
) STRICT, WITHOUT ROWID;
"""
_INSERT = "INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?, ?, ?)"

_Row: TypeAlias = tuple[str, str, float, bytes, int]


class Recording(msgspec.Struct, frozen=True):
    """One import: what it came from and how many samples it brought."""

    source: str
    samples: int


class SampleStore:
    """Samples by device, path and event time; a doubled one is kept once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Value)
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._check(path)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_TABLES)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        except sqlite3.Error as error:
            raise SetupError(
                f"{path} cannot be used as a sample store: {error}",
                hint="move it away, or name another household folder",
            ) from error

    def _check(self, path: Path) -> None:
        (owner,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and owner != APPLICATION_ID:
            raise SetupError(f"{path} is a database of another program")
        if version > SCHEMA:
            raise SetupError(
                f"{path} has layout {version}, this trivet knows {SCHEMA}",
                hint="update trivet",
            )

    def __enter__(self) -> SampleStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, source: str, samples: Iterable[Sample]) -> int:
        """Take up a recording; the number of samples that were new.

        Raises:
            UsageError: this source was imported before.

        Whatever `samples` raises is passed on, and nothing of it is kept.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            count = self._fill(source, samples)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return count

    def _fill(self, source: str, samples: Iterable[Sample]) -> int:
        known = self._db.execute("SELECT 1 FROM recording WHERE source = ?", [source])
        if known.fetchone():
            raise UsageError(
                f"{source} was imported before",
                hint="nothing was changed; a recording is taken up once",
            )
        cursor = self._db.execute(
            "INSERT INTO recording (source, samples) VALUES (?, 0)", [source]
        )
        recording = cursor.lastrowid
        before = self._db.total_changes
        batch: list[tuple[object, ...]] = []
        for s in samples:
            value = self._encoder.encode(s.value)
            batch.append((s.device, s.path, s.time, value, int(s.quality), recording))
            if len(batch) >= _BATCH:
                self._db.executemany(_INSERT, batch)
                batch.clear()
        self._db.executemany(_INSERT, batch)
        count = self._db.total_changes - before
        self._db.execute(
            "UPDATE recording SET samples = ? WHERE id = ?", [count, recording]
        )
        return count

    def recordings(self) -> list[Recording]:
        """What was imported, oldest first."""
        rows = self._db.execute("SELECT source, samples FROM recording ORDER BY id")
        return [Recording(source, samples) for source, samples in rows]

    def span(self) -> tuple[float, float] | None:
        """Event times of the first and the last sample, None for an empty store."""
        first, last = self._db.execute(
            "SELECT min(time), max(time) FROM sample"
        ).fetchone()
        return None if first is None else (first, last)

    def devices(self) -> list[str]:
        """Ids of the devices that there are samples of."""
        rows = self._db.execute("SELECT DISTINCT device FROM sample ORDER BY device")
        return [device for (device,) in rows]

    def samples(self, device: str = "") -> Iterator[Sample]:
        """All samples, or those of one device, in order of event time."""
        where, values = ("WHERE device = ?", [device]) if device else ("", [])
        rows: Iterator[_Row] = self._db.execute(
            f"SELECT device, path, time, value, quality FROM sample {where} "
            "ORDER BY time, device, path",
            values,
        )
        for owner, path, time, value, quality in rows:
            yield Sample(
                owner, path, time, self._decoder.decode(value), Quality(quality)
            )
