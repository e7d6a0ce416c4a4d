"""What a replica gives to another one: what that one lacks, as much as fits.

It is given in the order in which it was taken in, so each update comes after those that
it builds on. How far the other one is, it says each time: what is lost on the way is
given again, and a handover that broke off goes on where it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping

import msgspec

from trivet.fabric.replica.intake import Carried, Roll, vouch, writing_key
from trivet.fabric.replica.journal import Journal
from trivet.fabric.replica.update import Update, read_update
from trivet.fabric.replica.vector import Head, Vector, mark_of

#: Bytes of updates in one message, and what each takes besides its own.
MAX_GIVEN, _EACH = 200 * 1024, 80


class Handover(msgspec.Struct, frozen=True):
    """What is given.

    Attributes:
        carried: updates.
        has_more: whether more is lacking.
        forked: peers of which the two have different updates.
        needs_ground: what is lacking was forgotten: a ground comes first.
    """

    carried: tuple[Carried, ...] = ()
    has_more: bool = False
    forked: tuple[int, ...] = ()
    needs_ground: bool = False


def hand_over(
    journal: Journal, roll: Roll, theirs: Vector, most: int = MAX_GIVEN
) -> Handover:
    """What the holder of the vector `theirs` lacks, up to `most` bytes."""
    starts, forked = {}, []
    for peer, known in journal.heads.items():
        start = theirs[peer].end if peer in theirs else 0
        floor = journal.ground.get(peer)
        if floor is not None and start < floor.end:
            return Handover(needs_ground=True)
        if start and _is_forked(journal, peer, theirs[peer]):
            forked.append(peer)
        elif start < known.end:
            starts[peer] = start
    updates, has_more = _collect(journal, starts, most)
    return Handover(_carry(journal, roll, updates), has_more, tuple(forked))


def find_forked(journal: Journal, theirs: Vector) -> frozenset[int]:
    """Peers of which the holder of the vector `theirs` has other updates than here.

    Of a peer that it knows further, it is for that one to find out.
    """
    return frozenset(
        peer
        for peer, head in theirs.items()
        if peer in journal.heads and _is_forked(journal, peer, head)
    )


def _is_forked(journal: Journal, peer: int, head: Head) -> bool:
    """Whether the other one has something else of this peer than this device."""
    known, floor = journal.heads[peer], journal.ground.get(peer)
    if head.end > known.end:
        return False  # the other one sees it
    if head.end == known.end:
        return head.mark != known.head.mark
    if floor is not None and head.end == floor.end:
        return head.mark != floor.head.mark
    raw = journal.store.before(peer, head.end)
    if raw is None:
        return True
    update = read_update(raw)
    return update.claim.end != head.end or mark_of(update.digest) != head.mark


def _collect(
    journal: Journal, starts: Mapping[int, int], most: int
) -> tuple[list[Update], bool]:
    rows = [journal.store.of_peer(peer, start) for peer, start in starts.items()]
    found: list[Update] = []
    total = 0
    try:
        for row in heapq.merge(*rows):
            total += len(row.raw) + _EACH
            if total > most and found:
                return found, True
            found.append(read_update(row.raw))
    finally:
        for each in rows:
            _close(each)
    return found, False


def _close(rows: Iterator[object]) -> None:
    close = getattr(rows, "close", None)
    if close is not None:
        close()


def _carry(journal: Journal, roll: Roll, updates: list[Update]) -> tuple[Carried, ...]:
    """The updates, each run ending in a signature that the other one believes."""
    prints: dict[str, bytes] = {}
    carried: list[Carried] = []
    ended: set[int] = set()
    for update in reversed(updates):
        claim, voucher = update.claim, b""
        if update.peer not in ended:
            key = writing_key(roll, claim.author, claim.fingerprint, prints)
            if key is None:
                voucher = vouch(journal.private, journal.household, update)
            elif not update.is_signed_by(key, journal.household):
                continue  # the next one's stands for it, and is given with it later
            ended.add(update.peer)
        carried.append(Carried(update.raw, voucher))
    return tuple(reversed(carried))
