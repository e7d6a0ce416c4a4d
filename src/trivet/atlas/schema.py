"""The index file: an SQLite database with an R*Tree, its version, and how to open it.

Source: SQLite documentation, "The SQLite R*Tree Module", "PRAGMA application_id",
"PRAGMA user_version".
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trivet.domain.error import SetupError

#: Marks the file as ours: "trvt".
APPLICATION_ID = 0x74727674
#: Raised with each change that older code could not read.
VERSION = 1
#: How long to wait for somebody else's import to end.
BUSY_S = 5.0

#: An import writes all over its indexes: pages it returns to are kept at hand.
_WRITE_CACHE_KIB = 64 * 1024

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

_TABLES = """
CREATE TABLE source (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,
    attribution TEXT NOT NULL
);
CREATE TABLE point (
    number INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    lat REAL NOT NULL,
    lon REAL NOT NULL,
    opening_hours TEXT NOT NULL,
    cuisine TEXT NOT NULL,
    capacity INTEGER NOT NULL
);
CREATE INDEX point_source ON point (source);
CREATE INDEX point_kind ON point (kind, lat, lon);
CREATE VIRTUAL TABLE box USING rtree (number, south, north, west, east);
CREATE TABLE word (
    word TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (word, number)
) WITHOUT ROWID;
"""


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file into a SetupError that names it."""
    try:
        yield
    except sqlite3.Error as error:
        # ProgrammingError, of a closed database, has no code
        is_busy = getattr(error, "sqlite_errorcode", 0) in _BUSY
        raise SetupError(
            f"the map index {path} cannot be used: {error}",
            hint="an import is at work, try again when it is done"
            if is_busy
            else "if it is damaged, delete it and import the map again",
        ) from error


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, and may be used from any one thread at a time.

    Raises:
        SetupError: no such file, not an index of ours, or of a newer version.
    """
    if not path.is_file():
        raise SetupError(f"no map index at {path}", hint="import a map first")
    with database_errors(path):
        try:
            return _open_reader(path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
        # The power failed within a commit. Whoever may write undoes it by looking.
        with closing(_connect(path)) as database:
            _check(database, path)
        return _open_reader(path)


def _open_reader(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_S,
        check_same_thread=False,
        isolation_level=None,
    )
    try:
        _check(database, path)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on the index at `path`, which is made where there is none.

    What is written is seen by readers all at once when the block ends, and not at all
    when it ends with an error or the power fails. A new index is written beside its
    place and moved there when complete.

    Raises:
        SetupError: the file is not an index of ours, of a newer version, held by
            another import, or cannot be written.
    """
    if path.exists():
        with database_errors(path), closing(_connect(path)) as database:
            _check(database, path)
            # readers go on with the old map until the commit: keep dirty pages here
            database.execute("PRAGMA cache_spill = OFF")
            database.execute("BEGIN IMMEDIATE")
            yield from _committed(database)
        return
    try:
        handle, name = tempfile.mkstemp(".new", f"{path.name}.", path.parent)
    except OSError as error:
        raise SetupError(
            f"the map index {path} cannot be made: {error.strerror}"
        ) from error
    os.close(handle)
    fresh = Path(name)
    try:
        with database_errors(path), closing(_connect(fresh)) as database:
            _create(database)
            yield from _committed(database)
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)
    finally:
        for litter in (fresh, Path(f"{name}-journal")):
            litter.unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)


def _committed(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    database.execute(f"PRAGMA cache_size = -{_WRITE_CACHE_KIB}")
    try:
        yield database
    except BaseException:
        # a full disk has undone it already
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _create(database: sqlite3.Connection) -> None:
    try:
        database.execute("CREATE VIRTUAL TABLE temp.probe USING rtree (a, b, c)")
    except sqlite3.OperationalError as error:
        raise _no_rtree() from error
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.strip().split(";\n"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {VERSION}")


def _check(database: sqlite3.Connection, path: Path) -> None:
    try:
        owner = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        owner = version = 0
    if owner != APPLICATION_ID:
        raise SetupError(
            f"{path} is not a map index", hint="name another file, or move it away"
        )
    if version > VERSION:
        raise SetupError(
            f"the map index {path} has version {version}, this trivet reads {VERSION}",
            hint="update trivet, or import the map anew into another file",
        )
    if version < VERSION:
        raise SetupError(
            f"the map index {path} has version {version}, which trivet never wrote",
            hint="delete it and import the map again",
        )
    try:
        database.execute("SELECT number FROM box LIMIT 0")
    except sqlite3.OperationalError as error:
        if "no such module" not in str(error):
            raise
        raise _no_rtree() from error


def _no_rtree() -> SetupError:
    return SetupError(
        f"this Python's SQLite {sqlite3.sqlite_version} has no R*Tree",
        hint="use a Python whose SQLite has the RTREE module",
    )
