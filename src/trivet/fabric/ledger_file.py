"""The file of a ledger: SQLite that is durable when it says so, and never mended.

It keeps what it is given; whether that is sound is for ledger.py to say. What comes out
of it may have been put there by anybody, so rows are objects of any type.

Source: SQLite, "Write-Ahead Logging", https://sqlite.org/wal.html, and "Defense Against
The Dark Arts", https://sqlite.org/security.html.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from trivet.domain.error import SetupError
from trivet.fabric import ledger_chain as chain
from trivet.fabric.ledger_chain import Key

SCHEMA = 1
#: Marks the file as ours in its SQLite header ("trvl").
APPLICATION_ID = 0x7472766C
MEMORY = ":memory:"
#: How long to wait for another process that is writing.
_BUSY_S = 10.0
#: No row of ours takes more: an event takes less, and what else there is far less.
_MAX_ROW_BYTES = chain.MAX_BYTES + 64 * 1024

#: seq, event and hash of an entry; seq, hash and signature of a head.
Row: TypeAlias = tuple[Any, Any, Any]

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "trusted_schema = OFF",
    "cell_size_check = ON",
)
_FORBID = "BEGIN SELECT RAISE(ABORT, 'a ledger is only ever added to'); END"
# the triggers stop a slip; what shows an attack is the chain
_TABLES = (
    """CREATE TABLE genesis (
        one INTEGER PRIMARY KEY CHECK (one = 1), device TEXT NOT NULL,
        created REAL NOT NULL, salt BLOB NOT NULL) STRICT""",
    """CREATE TABLE entry (
        seq INTEGER PRIMARY KEY, event BLOB NOT NULL, hash BLOB NOT NULL) STRICT""",
    """CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL,
        hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT""",
    f"CREATE TRIGGER genesis_update BEFORE UPDATE ON genesis {_FORBID}",
    f"CREATE TRIGGER genesis_delete BEFORE DELETE ON genesis {_FORBID}",
    f"CREATE TRIGGER entry_update BEFORE UPDATE ON entry {_FORBID}",
    f"CREATE TRIGGER entry_delete BEFORE DELETE ON entry {_FORBID}",
    f"""CREATE TRIGGER entry_insert BEFORE INSERT ON entry
        WHEN NEW.seq != (SELECT coalesce(max(seq), 0) + 1 FROM entry) {_FORBID}""",
    f"CREATE TRIGGER head_delete BEFORE DELETE ON head {_FORBID}",
    f"""CREATE TRIGGER head_update BEFORE UPDATE ON head
        WHEN NEW.seq <= OLD.seq {_FORBID}""",
)
_KEEP = (
    "it is never mended: keep the file and what lies beside it as evidence, move them "
    "away, and a new ledger is begun"
)
_WAIT = "another program holds it: end that one, or try again"
_OWNER = "check who owns it and its folder"
_HINTS = {
    sqlite3.SQLITE_BUSY: _WAIT,
    sqlite3.SQLITE_LOCKED: _WAIT,
    sqlite3.SQLITE_FULL: "make room on the disk",
    sqlite3.SQLITE_IOERR: "check the disk and the room on it",
    sqlite3.SQLITE_READONLY: _OWNER,
    sqlite3.SQLITE_CANTOPEN: _OWNER,
}


class LedgerFile:
    """One open file; whoever holds it sees to it that one thread at a time calls.

    Attributes:
        start: the hash that the ledger begins with.
    """

    def __init__(
        self, path: Path | str, device: str, key: Key | None, now: float
    ) -> None:
        """Open the file, or make it, with no entry in it.

        Args:
            path: the file, or ":memory:".
            device: id of the device that it belongs to.
            key: signs where it ends, if it is made now.
            now: when it is made, if it is, in seconds since 1970-01-01 UTC.

        Raises:
            SetupError: it cannot be used, or is the ledger of another device.
        """
        self._path = str(path)
        self._device = device
        with self.told():
            if self._path != MEMORY:
                _make_private(Path(path))
            self._db = sqlite3.connect(
                self._path,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_S,
            )
            try:
                self._place = self._find()
                self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
                for pragma in _PRAGMAS:
                    self._db.execute(f"PRAGMA {pragma}")
                with self.transaction("IMMEDIATE"):
                    if not self._one("SELECT 1 FROM sqlite_master"):
                        self._begin(key, now)
                    self.start = self._check_whose()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        self._db.close()

    @contextmanager
    def transaction(self, kind: str = "DEFERRED") -> Iterator[None]:
        """What happens within is seen as of one moment, and kept whole or not at all.

        Raises:
            SetupError: the file is damaged, or cannot be written.
        """
        with self.told():
            self._db.execute(f"BEGIN {kind}")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def head(self) -> Row | None:
        """Number, hash and signature of where it ends."""
        found: Row | None = self._one("SELECT seq, hash, signature FROM head")
        return found

    def rows(self, after: int, limit: int) -> list[Row]:
        """Entries with a number above `after`, in order."""
        return self._db.execute(
            "SELECT seq, event, hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        ).fetchall()

    def last_two(self) -> list[Row]:
        """The last entry and the one before it, as far as there are any."""
        return self._db.execute(
            "SELECT seq, event, hash FROM entry ORDER BY seq DESC LIMIT 2"
        ).fetchall()

    def hash_at(self, seq: int) -> Any:
        """Hash of the entry `seq`, that of the beginning for 0, None without one."""
        if seq == 0:
            return self.start
        found = self._one("SELECT hash FROM entry WHERE seq = ?", seq)
        return found and found[0]

    def add(self, rows: Sequence[tuple[int, bytes, bytes]], signature: bytes) -> None:
        """Put entries after the last, and the head with them.

        Raises:
            SetupError: another file is in its place, or none: what is added here would
                be in a file that nobody can open any more.
        """
        if self._find() != self._place:
            raise SetupError(
                f"{self._path} was moved or replaced while it was in use",
                hint="start the device anew; until then it gives nothing away",
            )
        self._db.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)
        seq, _, digest = rows[-1]
        self._db.execute(
            "UPDATE head SET seq = ?, hash = ?, signature = ?", (seq, digest, signature)
        )

    def unsound(self, fault: str) -> SetupError:
        """The error that says so."""
        return SetupError(f"the ledger {self._path} is unsound: {fault}", hint=_KEEP)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say what SQLite and the system say in our words."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise self._unusable(error, _HINTS.get(code, _KEEP)) from error
        except UnicodeDecodeError as error:  # in the words for what it found damaged
            raise self._unusable("it is damaged", _KEEP) from error
        except OSError as error:
            raise self._unusable(error, _OWNER) from error

    def _find(self) -> tuple[int, int] | None:
        """Which file is in its place now."""
        if self._path == MEMORY:
            return None
        with suppress(FileNotFoundError):
            there = Path(self._path).stat()
            return there.st_dev, there.st_ino
        return None

    def _unusable(self, why: Exception | str, hint: str) -> SetupError:
        return SetupError(f"{self._path} cannot be used as a ledger: {why}", hint=hint)

    def _begin(self, key: Key | None, now: float) -> None:
        for statement in _TABLES:
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")
        salt = secrets.token_bytes(16)
        start = chain.genesis(self._device, now, salt)
        signature = chain.sign_head(key, self._device, 0, start)
        self._db.execute(
            "INSERT INTO genesis VALUES (1, ?, ?, ?)", (self._device, now, salt)
        )
        self._db.execute("INSERT INTO head VALUES (1, 0, ?, ?)", (start, signature))

    def _check_whose(self) -> bytes:
        if self._one("PRAGMA application_id") != (APPLICATION_ID,):
            raise SetupError(
                f"{self._path} is no ledger", hint="name another file, or move it away"
            )
        version = self._one("PRAGMA user_version")
        if version != (SCHEMA,):
            raise SetupError(
                f"{self._path} has layout {version and version[0]}, this trivet knows "
                f"{SCHEMA}",
                hint="update trivet",
            )
        strange = self._strange()
        if strange:
            raise self.unsound(f"it holds what no ledger does: {strange!r:.200}")
        row = self._one("SELECT device, created, salt FROM genesis")
        if row is None:
            raise self.unsound("its beginning is missing")
        if row[0] != self._device:
            raise SetupError(
                f"{self._path} is the ledger of {row[0]!r}, not of {self._device}",
                hint="each device has a file of its own",
            )
        return chain.genesis(*row)

    def _strange(self) -> str:
        """What is in the file besides tables and our triggers, empty when nothing is.

        A view in a table's place can go on without end, and a trigger do anything.
        """
        made = self._db.execute("SELECT type, rootpage, sql FROM sqlite_master")
        for kind, page, sql in made.fetchall():
            # a table of rootpage 0 is kept by a module, not in the file
            if sql not in _TABLES and (kind not in ("table", "index") or not page):
                return str(sql)
        return ""

    def _one(self, statement: str, *values: object) -> Any:
        return self._db.execute(statement, values).fetchone()


def _make_private(path: Path) -> None:
    """Make the file, readable by its owner alone, and its name sure on the disk."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
