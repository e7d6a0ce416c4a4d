"""Deleting from a history, and remembering what was forgotten and who is to be asked.

All functions run within a transaction of the file: what is deleted, that it was, and
who has still to be asked are kept together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trivet.domain.error import UsageError
from trivet.fabric.history.file import HistoryFile
from trivet.fabric.history.forget import Forget, decode_forget, encode_forget

#: How long it is remembered that something was forgotten, in seconds: longer than
#: anything that comes late is under way.
REMEMBERED_S = 400 * 86_400.0
#: Wishes of one owner that are remembered; of more the oldest go.
MAX_REMEMBERED = 1_000
#: Levels of `scrub` in the settings: nothing to do, some day, now.
CLEAN, SOME_DAY, NOW = 0, 1, 2
WAITING, CLEANING, ANSWERED = "waiting", "cleaning", "answered"


class Erased(msgspec.Struct, frozen=True):
    """What was deleted.

    Attributes:
        samples: as they were received.
        intervals: summaries.
        partly: of these, such as lay partly outside of what was to be forgotten: what
            they were made of is gone, so that nothing less than all of them could go.
    """

    samples: int = 0
    intervals: int = 0
    partly: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(
            self.samples + other.samples,
            self.intervals + other.intervals,
            self.partly + other.partly,
        )


class Memory(msgspec.Struct, frozen=True):
    """Something that was forgotten.

    Attributes:
        owner: whose samples.
        time: event time at which it was wished.
        wish: what.
        samples: how many were deleted here, as often as it was asked.
        intervals: how many summaries.
    """

    owner: str
    time: float
    wish: Forget
    samples: int
    intervals: int


class Pending(msgspec.Struct, frozen=True):
    """A device that is asked to forget what it was given.

    Attributes:
        peer: the device.
        wish: what it is to forget.
        state: waiting; cleaning: it deleted the copies, and its file is still being
            cleaned; answered.
        time: event time of the last change.
        samples: copies that it deleted.
        intervals: summaries that it deleted.
        error: why the last attempt failed, empty if none did.
    """

    peer: str
    wish: Forget
    state: str
    time: float
    samples: int = 0
    intervals: int = 0
    error: str = ""


def erase(file: HistoryFile, wish: Forget, owner: str, *, is_own: bool) -> Erased:
    """Delete what a wish covers of one owner's samples: its own, or copies of them."""
    condition = "lease = 0" if is_own else "lease != 0"
    streams = file.rows(
        f"SELECT id, path FROM stream WHERE owner = ? AND {condition}", owner
    ).fetchall()
    erased = Erased()
    for stream, path in streams:
        if wish.names(path):
            erased += _erase_stream(file, stream, wish.since, wish.until)
    if erased.samples or erased.intervals:
        drop_empty(file)
        owe_scrub(file, NOW)
    return erased


def drop_stream(file: HistoryFile, stream: int) -> int:
    """Delete a stream and all in it; how many samples and summaries it had."""
    gone = file.run("DELETE FROM raw WHERE stream = ?", stream)
    gone += file.run("DELETE FROM interval WHERE stream = ?", stream)
    file.run("DELETE FROM stream WHERE id = ?", stream)
    return gone


def drop_empty(file: HistoryFile) -> None:
    """Delete streams that hold nothing, and leases that are over and have no stream."""
    file.run(
        "DELETE FROM stream WHERE "
        "NOT EXISTS (SELECT 1 FROM raw WHERE raw.stream = stream.id) AND "
        "NOT EXISTS (SELECT 1 FROM interval WHERE interval.stream = stream.id)"
    )
    file.run(
        "DELETE FROM lease WHERE "
        "NOT EXISTS (SELECT 1 FROM stream WHERE stream.lease = lease.id)"
    )


def owe_scrub(file: HistoryFile, level: int) -> None:
    """Deleted bytes are to be cleaned away: some day, or now."""
    file.set("scrub", max(level, file.setting("scrub", CLEAN)))


def remember(
    file: HistoryFile, owner: str, wish: Forget, now: float, erased: Erased
) -> tuple[int, int]:
    """Keep that something was forgotten; samples and summaries in all of this wish."""
    file.run(
        "INSERT INTO forgotten VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET "
        "samples = samples + excluded.samples, "
        "intervals = intervals + excluded.intervals",
        *(wish.id, owner, now, encode_forget(wish), erased.samples, erased.intervals),
    )
    file.run(
        "DELETE FROM forgotten WHERE owner = ? AND is_recorded = 1 "
        "AND id NOT IN (SELECT id FROM pending) AND id NOT IN "
        "(SELECT id FROM forgotten WHERE owner = ? ORDER BY time DESC LIMIT ?)",
        *(owner, owner, MAX_REMEMBERED),
    )
    samples, intervals = file.one(
        "SELECT samples, intervals FROM forgotten WHERE owner = ? AND id = ?",
        *(owner, wish.id),
    )
    return samples, intervals


def check_id(file: HistoryFile, owner: str, wish: Forget) -> None:
    """Raise UsageError if an owner wished something else under this id before."""
    row = file.one(
        "SELECT body FROM forgotten WHERE owner = ? AND id = ?", owner, wish.id
    )
    if row is not None and decode_forget(row[0]) != wish:
        raise UsageError(f"{owner} wished to forget something else as {wish.id}")


def memories(file: HistoryFile, *, unrecorded: bool = False) -> list[Memory]:
    """What was forgotten, oldest first; or of it what is not in the ledger yet."""
    condition = "WHERE is_recorded = 0" if unrecorded else ""
    rows = file.rows(
        f"SELECT owner, time, body, samples, intervals FROM forgotten {condition} "
        "ORDER BY time, owner, id"
    )
    return [
        Memory(owner, time, decode_forget(body), samples, intervals)
        for owner, time, body, samples, intervals in rows
    ]


def note_recorded(file: HistoryFile, owner: str, wish_id: str) -> None:
    """The ledger has it."""
    file.run(
        "UPDATE forgotten SET is_recorded = 1 WHERE owner = ? AND id = ?",
        *(owner, wish_id),
    )


def await_peers(
    file: HistoryFile, wish: Forget, peers: Iterable[str], now: float
) -> None:
    """Keep that these devices are to be asked."""
    file.run_many(
        "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?, 0, 0, '')",
        [(wish.id, peer, WAITING, now) for peer in peers],
    )


def set_pending(file: HistoryFile, pending: Pending) -> None:
    """Keep how it stands with a device that was asked."""
    file.run(
        "UPDATE pending SET state = ?, time = ?, samples = ?, intervals = ?, error = ? "
        "WHERE peer = ? AND id = ?",
        *(pending.state, pending.time, pending.samples, pending.intervals),
        *(pending.error[:500], pending.peer, pending.wish.id),
    )


def pendings(file: HistoryFile, device: str) -> list[Pending]:
    """The devices that were or are to be asked to forget `device`, oldest wish first.

    Args:
        file: of the device's history.
        device: its id.
    """
    rows = file.rows(
        "SELECT peer, body, state, pending.time, pending.samples, pending.intervals, "
        "error FROM pending JOIN forgotten ON forgotten.id = pending.id "
        "AND forgotten.owner = ? ORDER BY forgotten.time, peer",
        device,
    )
    return [Pending(peer, decode_forget(body), *rest) for peer, body, *rest in rows]


def forget_memories(file: HistoryFile, now: float) -> None:
    """Drop what was forgotten so long ago that nothing can bring it back."""
    file.run(
        "DELETE FROM pending WHERE state = ? AND time < ?",
        *(ANSWERED, now - REMEMBERED_S),
    )
    file.run(
        "DELETE FROM forgotten WHERE time < ? AND is_recorded = 1 AND "
        "id NOT IN (SELECT id FROM pending)",
        now - REMEMBERED_S,
    )


def _erase_stream(file: HistoryFile, stream: int, since: float, until: float) -> Erased:
    samples = file.run(
        "DELETE FROM raw WHERE stream = ? AND time >= ? AND time < ?",
        *(stream, since, until),
    )
    touched = "stream = ? AND begin < ? AND begin + every_s > ?"
    (partly,) = file.one(
        f"SELECT count(*) FROM interval WHERE {touched} "
        "AND (begin < ? OR begin + every_s > ?)",
        *(stream, until, since, since, until),
    )
    intervals = file.run(f"DELETE FROM interval WHERE {touched}", stream, until, since)
    file.run("UPDATE stream SET samples = samples - ? WHERE id = ?", samples, stream)
    return Erased(samples, intervals, partly)
