"""Which runs began, kept over a restart: what must run at most once is written first.

A run's id is written before it begins, and an id that is there never begins again. Ids
grow with time, so the oldest may be forgotten: from then on no id as old begins.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

import msgspec

from trivet.domain.error import SetupError

#: Runs of one asker that are kept.
KEPT = 20_000
#: An output longer than this is not kept over a restart.
MAX_OUTPUT = 64 * 1024
_SCHEMA = """
create table if not exists run (
  asker text not null, run text not null, state text not null, output blob,
  primary key (asker, run)
) without rowid;
create table if not exists floor (asker text primary key, run text not null);
create table if not exists learned (one integer primary key, estimates blob not null);
"""


class Record(msgspec.Struct, frozen=True):
    """What is known of a run.

    Attributes:
        state: `begun`, `ended`, or `barred`: it never began and never will.
        output: what it gave, where that was kept.
    """

    state: str
    output: bytes | None = None


class Journal:
    """Runs that began, in a file; on any thread, one at a time.

    Args:
        path: the file; `:memory:` forgets all at the end.

    Raises:
        SetupError: it cannot be opened.
    """

    def __init__(self, path: Path | str = ":memory:", kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = Lock()
        try:
            self._base = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None
            )
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SetupError(
                f"the journal {path} cannot be opened: {error}",
                hint="move it away; what it kept from running twice may then do so",
            ) from error

    def begin(self, asker: str, run: str) -> bool:
        """Write down that a run begins; False if it must not: it did, or is barred.

        Raises:
            SetupError: it cannot be written; then the run must not begin.
        """
        return self._insert(asker, run, "begun")

    def bar(self, asker: str, run: str) -> bool:
        """Write down that a run never begins; False if it is there already.

        Raises:
            SetupError: it cannot be written, so nothing is promised.
        """
        return self._insert(asker, run, "barred")

    def end(self, asker: str, run: str, output: bytes | None) -> None:
        """It ended; an output that is short is kept.

        Raises:
            SetupError: it cannot be written; it counts as begun for ever.
        """
        is_short = output is not None and len(output) <= MAX_OUTPUT
        with self._lock, _told():
            self._base.execute(
                "update run set state = 'ended', output = ?"
                " where asker = ? and run = ?",
                (output if is_short else None, asker, run),
            )

    def find(self, asker: str, run: str) -> Record | None:
        """What is known of a run, None if nothing is."""
        with self._lock, _told(), closing(self._base.cursor()) as cursor:
            cursor.execute(
                "select state, output from run where asker = ? and run = ?",
                (asker, run),
            )
            row = cursor.fetchone()
            if row is not None:
                return Record(*row)
            return Record("barred") if run <= self._floor(asker) else None

    def learned(self) -> bytes:
        """The estimates that were kept last; see Estimates. Empty if none were.

        Raises:
            SetupError: they cannot be read.
        """
        with self._lock, _told(), closing(self._base.cursor()) as cursor:
            cursor.execute("select estimates from learned")
            row = cursor.fetchone()
            return b"" if row is None else bytes(row[0])

    def keep_learned(self, estimates: bytes) -> None:
        """Keep estimates for the next start.

        Raises:
            SetupError: they cannot be written; the old ones are kept.
        """
        with self._lock, _told():
            self._base.execute("replace into learned values (1, ?)", (estimates,))

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        with self._lock:
            self._base.close()

    def _floor(self, asker: str) -> str:
        row = self._base.execute(
            "select run from floor where asker = ?", (asker,)
        ).fetchone()
        return str(row[0]) if row is not None else ""

    def _insert(self, asker: str, run: str, state: str) -> bool:
        with self._lock, _told():
            if run <= self._floor(asker):
                return False
            try:
                self._base.execute(
                    "insert into run (asker, run, state) values (?, ?, ?)",
                    (asker, run, state),
                )
            except sqlite3.IntegrityError:
                return False
            self._forget(asker)
        return True

    def _forget(self, asker: str) -> None:
        """Forget an asker's oldest runs, when there are many."""
        (count,) = self._base.execute(
            "select count(*) from run where asker = ?", (asker,)
        ).fetchone()
        if count <= self._kept + self._kept // 10:
            return
        oldest = "select run from run where asker = ? order by run limit ?"
        excess = count - self._kept
        (last,) = self._base.execute(
            f"select max(run) from ({oldest})", (asker, excess)
        ).fetchone()
        self._base.execute("begin immediate")
        try:
            self._base.execute(
                "insert or replace into floor values (?, ?)", (asker, last)
            )
            self._base.execute(
                "delete from run where asker = ? and run <= ?", (asker, last)
            )
            self._base.execute("commit")
        finally:
            if self._base.in_transaction:
                self._base.execute("rollback")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SetupError(
            f"the journal of runs cannot be used: {error}",
            hint="make room on its disk, or check who owns the file",
        ) from error
