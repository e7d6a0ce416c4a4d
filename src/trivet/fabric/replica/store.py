"""What a replica keeps, before it says that it has it.

update    the signed updates, numbered as they were taken in
ground    the snapshot that stands for what was forgotten, and what it covers
seen      each device's last word on what it has
again     own changes to be made again, in another incarnation
about     whose it is, and who it writes as
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trivet.fabric.replica.store_file import StoreFile
from trivet.fabric.replica.update import Update
from trivet.fabric.replica.vector import Head, mark_of

SCHEMA = 1
#: Marks the file as ours ("trvs").
APPLICATION_ID = 0x74727673
TABLES = (
    """CREATE TABLE about (
        one INTEGER PRIMARY KEY CHECK (one = 1), device TEXT NOT NULL,
        household TEXT NOT NULL, incarnation INTEGER NOT NULL,
        inode INTEGER NOT NULL) STRICT""",
    """CREATE TABLE "update" (
        number INTEGER PRIMARY KEY, peer BLOB NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, raw BLOB NOT NULL,
        changes BLOB, UNIQUE (peer, start)) STRICT""",
    """CREATE TABLE ground (
        one INTEGER PRIMARY KEY CHECK (one = 1), snapshot BLOB NOT NULL,
        heads BLOB NOT NULL) STRICT""",
    """CREATE TABLE seen (
        device TEXT PRIMARY KEY, made INTEGER NOT NULL, raw BLOB NOT NULL) STRICT""",
    """CREATE TABLE again (
        number INTEGER PRIMARY KEY, changes BLOB NOT NULL) STRICT""",
)


class Known(NamedTuple):
    """A peer, as far as it is known.

    Attributes:
        author: the device that it is.
        fingerprint: of the device's key.
        incarnation: which of the device's.
        end: number of its next operation.
        digest: of its last update that is known.
    """

    author: str
    fingerprint: bytes
    incarnation: int
    end: int
    digest: bytes

    @property
    def head(self) -> Head:
        """As it stands in a vector."""
        return Head(self.end, mark_of(self.digest))


class About(NamedTuple):
    """Whose file it is, who it writes as, and the inode that it had."""

    device: str
    household: str
    incarnation: int
    inode: int


class Row(NamedTuple):
    """An update that is kept: its number, and its bytes."""

    number: int
    raw: bytes


class ReplicaStore(StoreFile):
    """The tables of a replica, in one file."""

    def about(self) -> About | None:
        """Whose it is; None for a new file."""
        row = self.one("SELECT device, household, incarnation, inode FROM about")
        return None if row is None else About(*row)

    def set_about(self, about: About) -> None:
        """Say whose it is and who it writes as."""
        self.run("REPLACE INTO about VALUES (1, ?, ?, ?, ?)", *about)

    # --- updates ----------------------------------------------------------------

    def add(self, update: Update, changes: bytes | None = None) -> None:
        """Keep an update behind the others, with the own changes that it is made of."""
        claim = update.claim
        self.run(
            'INSERT INTO "update" (peer, start, "end", raw, changes) '
            "VALUES (?, ?, ?, ?, ?)",
            _key(update.peer),
            claim.start,
            claim.end,
            update.raw,
            changes,
        )

    def rows(self) -> Iterator[Row]:
        """All updates, in the order in which they were taken in."""
        statement = 'SELECT number, raw FROM "update" ORDER BY number'
        return (Row(*row) for row in self.each(statement))

    def of_peer(self, peer: int, start: int) -> Iterator[Row]:
        """Updates of one peer that begin at or after `start`, in order."""
        statement = (
            'SELECT number, raw FROM "update" WHERE peer = ? AND start >= ? '
            "ORDER BY start"
        )
        return (Row(*row) for row in self.each(statement, _key(peer), start))

    def at(self, peer: int, start: int) -> bytes | None:
        """The update of a peer that begins at `start`."""
        row = self.one(
            'SELECT raw FROM "update" WHERE peer = ? AND start = ?', _key(peer), start
        )
        return None if row is None else row[0]

    def before(self, peer: int, end: int) -> bytes | None:
        """The last update of a peer that begins before `end`."""
        row = self.one(
            'SELECT raw FROM "update" WHERE peer = ? AND start < ? '
            "ORDER BY start DESC LIMIT 1",
            _key(peer),
            end,
        )
        return None if row is None else row[0]

    def size(self) -> tuple[int, int]:
        """How many updates are kept, and their bytes."""
        count, total = self.one(
            'SELECT count(*), coalesce(sum(length(raw)), 0) FROM "update"'
        )
        return count, total

    def last_number(self) -> int:
        """Number of the update taken in last, 0 without one."""
        row = self.one('SELECT coalesce(max(number), 0) FROM "update"')
        return int(row[0])

    def forget(self, covered: Mapping[int, int]) -> None:
        """Delete the updates that a snapshot covers."""
        self.run_many(
            'DELETE FROM "update" WHERE peer = ? AND "end" <= ?',
            [(_key(peer), end) for peer, end in covered.items()],
        )

    def remove(self, numbers: Sequence[int]) -> None:
        """Delete updates by their numbers."""
        self.run_many('DELETE FROM "update" WHERE number = ?', [(n,) for n in numbers])

    # --- ground -----------------------------------------------------------------

    def ground(self) -> tuple[bytes, bytes] | None:
        """The snapshot, and the heads that it covers, as bytes."""
        row = self.one("SELECT snapshot, heads FROM ground")
        return None if row is None else (row[0], row[1])

    def set_ground(self, snapshot: bytes, heads: bytes) -> None:
        """Let a snapshot stand for what it covers."""
        self.run("REPLACE INTO ground VALUES (1, ?, ?)", snapshot, heads)

    # --- seen and again ---------------------------------------------------------

    def seen(self) -> dict[str, tuple[int, bytes]]:
        """When each device last said what it has, and its words."""
        found = self.each("SELECT device, made, raw FROM seen")
        return {device: (made, raw) for device, made, raw in found}

    def seen_at(self, device: str) -> int | None:
        """When a device last said what it has; None if it never did."""
        row = self.one("SELECT made FROM seen WHERE device = ?", device)
        return None if row is None else int(row[0])

    def set_seen(self, device: str, made: int, raw: bytes) -> None:
        """Keep a device's word."""
        self.run("REPLACE INTO seen VALUES (?, ?, ?)", device, made, raw)

    def put_aside(self, numbers: Sequence[int]) -> None:
        """Keep the changes of own updates, to be made again."""
        self.run_many(
            'INSERT INTO again (changes) SELECT changes FROM "update" '
            "WHERE number = ? AND changes IS NOT NULL",
            [(n,) for n in numbers],
        )

    def again(self) -> list[tuple[int, bytes]]:
        """What is to be made again, in order."""
        return list(self.each("SELECT number, changes FROM again ORDER BY number"))

    def drop_again(self, number: int) -> None:
        """It was made again."""
        self.run("DELETE FROM again WHERE number = ?", number)

    def tidy(self) -> None:
        """Give the room of what was deleted back to the disk.

        Raises:
            SetupError: there is no room to do it.
        """
        self.run("VACUUM")
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")


def _key(peer: int) -> bytes:
    return peer.to_bytes(8, "big")
