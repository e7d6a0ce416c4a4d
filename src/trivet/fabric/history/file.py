"""The file of a history: SQLite whose deleted bytes are gone once `scrub` has run.

    lease     what copies of others' samples were received under
    stream    one signal of one device, own (lease 0) or received under one lease
    raw       samples
    interval  summaries that took the place of samples
    forgotten what was to be forgotten: kept, so that nothing late brings it back
    pending   devices that are still to be asked to forget

Source: SQLite, "Write-Ahead Logging", https://sqlite.org/wal.html, and
`PRAGMA secure_delete`, https://sqlite.org/pragma.html#pragma_secure_delete.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trivet.domain.error import SetupError
from trivet.fabric import disk

SCHEMA = 1
#: Marks the file as ours in its SQLite header ("trvh").
APPLICATION_ID = 0x74727668
MEMORY = ":memory:"
#: How long to wait for another process that is writing.
_BUSY_S = 10.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
)
_TABLES = (
    """CREATE TABLE setting (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT,
        WITHOUT ROWID""",
    """CREATE TABLE rule (
        pattern TEXT PRIMARY KEY, raw_s INTEGER NOT NULL, every_s INTEGER NOT NULL,
        for_s INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE lease (
        id INTEGER PRIMARY KEY, owner TEXT NOT NULL, lease TEXT NOT NULL,
        purpose TEXT NOT NULL, until REAL NOT NULL, current TEXT NOT NULL,
        UNIQUE (owner, lease)) STRICT""",
    """CREATE TABLE stream (
        id INTEGER PRIMARY KEY, owner TEXT NOT NULL, path TEXT NOT NULL,
        lease INTEGER NOT NULL, samples INTEGER NOT NULL DEFAULT 0,
        UNIQUE (owner, path, lease)) STRICT""",
    """CREATE TABLE raw (
        stream INTEGER NOT NULL, time REAL NOT NULL, value ANY NOT NULL,
        quality INTEGER NOT NULL, PRIMARY KEY (stream, time)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE interval (
        stream INTEGER NOT NULL, begin REAL NOT NULL, every_s INTEGER NOT NULL,
        kind INTEGER NOT NULL, quality INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (stream, begin, every_s, kind)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE forgotten (
        id TEXT NOT NULL, owner TEXT NOT NULL, time REAL NOT NULL, body BLOB NOT NULL,
        samples INTEGER NOT NULL, intervals INTEGER NOT NULL,
        is_recorded INTEGER NOT NULL, PRIMARY KEY (owner, id)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE pending (
        id TEXT NOT NULL, peer TEXT NOT NULL, state TEXT NOT NULL, time REAL NOT NULL,
        samples INTEGER NOT NULL, intervals INTEGER NOT NULL, error TEXT NOT NULL,
        PRIMARY KEY (peer, id)) STRICT, WITHOUT ROWID""",
)
_WAIT = "another program holds it: end that one, or try again"
_OWNER = "check who owns it and its folder"
_ROOM = "make room on the disk; what is not written yet waits in memory"
_HINTS = {
    sqlite3.SQLITE_BUSY: _WAIT,
    sqlite3.SQLITE_LOCKED: _WAIT,
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: "check the disk and the room on it",
    sqlite3.SQLITE_READONLY: _OWNER,
    sqlite3.SQLITE_CANTOPEN: _OWNER,
}
_DAMAGED = "move it away, and a new history is begun"


class HistoryFile:
    """One open file; whoever holds it sees to it that one thread at a time calls."""

    def __init__(self, path: Path | str, device: str) -> None:
        """Open the file, or make it.

        Args:
            path: the file, or ":memory:".
            device: id of the device that it belongs to.

        Raises:
            SetupError: it cannot be used, or is the history of another device.
        """
        self.path = str(path)
        with self.told():
            if self.path != MEMORY and not Path(path).exists():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                disk.write_new(Path(path), b"", disk.SECRET)
            self._db = sqlite3.connect(
                self.path,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_S,
            )
            try:
                self._check_kind()
                # takes hold only before the first table is made
                self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
                for pragma in _PRAGMAS:
                    self._db.execute(f"PRAGMA {pragma}")
                with self.transaction():
                    if not self.one("SELECT 1 FROM sqlite_master"):
                        self._begin(device)
                    self._check_whose(device)
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        self._db.close()

    def interrupt(self) -> None:
        """Have what runs in another thread end soon, with an error and undone."""
        self._db.interrupt()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens within is kept whole or not at all, and durable after it.

        Raises:
            SetupError: the file is damaged, or cannot be written.
        """
        with self.told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def run(self, statement: str, *values: object) -> int:
        """Run a statement; how many rows it changed."""
        return self._db.execute(statement, values).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a statement with each row; how many rows were changed in all."""
        before = self._db.total_changes
        self._db.executemany(statement, rows)
        return self._db.total_changes - before

    def rows(self, statement: str, *values: object) -> sqlite3.Cursor:
        """What a query finds, row by row."""
        return self._db.execute(statement, values)

    def one(self, statement: str, *values: object) -> Any:
        """The first row that a query finds, None without one."""
        return self._db.execute(statement, values).fetchone()

    # --- settings -----------------------------------------------------------------

    def setting(self, name: str, default: float = 0) -> Any:
        """A number that was kept under a name."""
        found = self.one("SELECT value FROM setting WHERE name = ?", name)
        return default if found is None else found[0]

    def set(self, name: str, value: float) -> None:
        """Keep a number under a name."""
        self.run("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)

    # --- bytes --------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Differs after another connection has changed the file."""
        return int(self.one("PRAGMA data_version")[0])

    @property
    def used_bytes(self) -> int:
        """Bytes of the file that hold something."""
        pages, free, size = (
            int(self.one(f"PRAGMA {name}")[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def shrink(self) -> None:
        """Give empty pages back to the file system."""
        with self.told():
            # a page a step: `execute` would take the first one only
            self._db.executescript("PRAGMA incremental_vacuum")
            self._checkpoint()

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in the file or beside it.

        Deleting has put zeros in the place of each row, but pages that were divided
        since may hold older copies of it, and the log all that was written: so the log
        is brought in and cut off, and the file built anew from what there is.

        Returns:
            False if another program reads the file: then it is to be done again.

        Raises:
            SetupError: it cannot be done, for lack of room in most cases.
        """
        if self.path == MEMORY:
            return True
        with self.told():
            if not self._checkpoint():
                return False
            self._db.execute("VACUUM")
            return self._checkpoint()

    def _checkpoint(self) -> bool:
        """Bring the log into the file and cut it off; False if a reader is in it."""
        busy, _, _ = self.one("PRAGMA wal_checkpoint(TRUNCATE)")
        return not busy

    # --- within -------------------------------------------------------------------

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say what SQLite and the system say in our words."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise self.unusable(error, _HINTS.get(code, _DAMAGED)) from error
        except (ValueError, UnicodeDecodeError) as error:
            raise self.unusable(f"it is damaged: {error}", _DAMAGED) from error
        except OSError as error:
            raise self.unusable(error, _OWNER) from error

    def unusable(self, why: Exception | str, hint: str) -> SetupError:
        """The error that says so."""
        return SetupError(f"{self.path} cannot be used as a history: {why}", hint=hint)

    def _begin(self, device: str) -> None:
        for statement in _TABLES:
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        self.run("INSERT INTO setting VALUES ('device', ?)", device)

    def _check_kind(self) -> None:
        """Raise, before anything is changed, unless the file is new or a history."""
        (owner,) = self.one("PRAGMA application_id")
        (version,) = self.one("PRAGMA user_version")
        if owner != APPLICATION_ID and self.one("SELECT 1 FROM sqlite_master"):
            raise SetupError(
                f"{self.path} is a database of another program",
                hint="move it away, and a history is begun",
            )
        if version > SCHEMA:
            raise SetupError(
                f"{self.path} has layout {version}, this trivet knows {SCHEMA}",
                hint="update trivet",
            )

    def _check_whose(self, device: str) -> None:
        kept = self.setting("device")
        if kept != device:
            raise SetupError(
                f"{self.path} is the history of {kept!r}, not of {device}",
                hint="each device has a file of its own",
            )
