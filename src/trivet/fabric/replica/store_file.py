"""The SQLite file under a replica: durable when it says so, open in one process alone.

Source: SQLite, "Write-Ahead Logging", https://sqlite.org/wal.html; POSIX flock(2).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from trivet.domain.error import SetupError

#: What a value in a row may be.
Cell: TypeAlias = int | float | str | bytes | None
_BUSY_S = 10.0
_MAX_ROW_BYTES = 64 * 1024 * 1024
_PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF")
_HINTS = {
    sqlite3.SQLITE_FULL: "make room on the disk; nothing was written",
    sqlite3.SQLITE_IOERR: "check the disk and the room on it; nothing was written",
    sqlite3.SQLITE_BUSY: "another program holds it: end that one, or try again",
    sqlite3.SQLITE_READONLY: "check who owns it and its folder",
    sqlite3.SQLITE_CANTOPEN: "check who owns it and its folder",
}
_KEEP = "move it away, and the device is given the state anew by the others"


class StoreFile:
    """One open file; whoever holds it sees to it that one thread at a time calls.

    Args:
        path: the file; it is made if it is not there.
        tables: the statements that make its tables.
        application_id: marks the file as ours in its SQLite header.
        schema: version of its layout.

    Raises:
        SetupError: it cannot be used, or another process has it open.
    """

    def __init__(
        self, path: Path, tables: Sequence[str], application_id: int, schema: int
    ) -> None:
        self._path = path
        self._lock = -1
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path)
            try:
                self._db = self._open()
                try:
                    self._prepare(tables, application_id, schema)
                except BaseException:
                    self._db.close()
                    raise
            except BaseException:
                os.close(self._lock)
                raise

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        self._db.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def inode(self) -> int:
        """Which file it is: a copy is another one."""
        with self._told():
            return self._path.stat().st_ino & ((1 << 63) - 1)

    @property
    def is_in_transaction(self) -> bool:
        """Whether one runs."""
        return self._db.in_transaction

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens within is durable at its end, or undone.

        Raises:
            SetupError: it cannot be written; nothing was.
        """
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._told():
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                with self._told():
                    self._db.execute("ROLLBACK")

    def run(self, statement: str, *values: Cell) -> None:
        """Run a statement that gives nothing back.

        Raises:
            SetupError: it cannot be run.
        """
        with self._told():
            self._db.execute(statement, values)

    def run_many(self, statement: str, rows: Iterable[Sequence[Cell]]) -> None:
        """Run a statement for each row."""
        with self._told():
            self._db.executemany(statement, rows)

    def one(self, statement: str, *values: Cell) -> Any:
        """The first row that it gives; None without one."""
        with self._told():
            return self._db.execute(statement, values).fetchone()

    def each(self, statement: str, *values: Cell) -> Iterator[Any]:
        """Its rows, one at a time."""
        with self._told(), closing(self._db.execute(statement, values)) as cursor:
            yield from cursor

    def unusable(self, why: object, hint: str = _KEEP) -> SetupError:
        """The error that says so."""
        return SetupError(f"the state in {self._path} cannot be kept: {why}", hint=hint)

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW
            os.close(os.open(self._path, flags, 0o600))
            _settle(self._path.parent)
        return sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S
        )

    def _prepare(self, tables: Sequence[str], application_id: int, schema: int) -> None:
        self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        with self.transaction():
            if self.one("SELECT 1 FROM sqlite_master") is None:
                for statement in tables:
                    self.run(statement)
                self.run(f"PRAGMA application_id = {application_id}")
                self.run(f"PRAGMA user_version = {schema}")
        if self.one("PRAGMA application_id") != (application_id,):
            raise SetupError(f"{self._path} holds no state", hint="move it away")
        [version] = self.one("PRAGMA user_version")
        if version != schema:
            raise SetupError(
                f"{self._path} has layout {version}, this trivet knows {schema}",
                hint="update trivet",
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise self.unusable(error, _HINTS.get(code, _KEEP)) from error
        except OSError as error:
            hint = "check who owns it, and the room on the disk"
            raise self.unusable(error, hint) from error


def _lock(path: Path) -> int:
    """Two processes with one file would use the same operation ids twice."""
    name = path.with_name(path.name + ".lock")
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise SetupError(
            f"{path} is open in another process", hint="is the device running already?"
        ) from error
    return handle


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
