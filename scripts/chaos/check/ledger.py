"""Is every ledger whole, and was everything that came in it before it left?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from scripts.chaos.check.verdict import Verdict
from scripts.chaos.journal import Began, Book, Heard, Shut, Witnessed
from scripts.chaos.work.lease import LIFE

from trivet.domain import TrivetError
from trivet.fabric.event import EventKind
from trivet.fabric.ledger import Ledger
from trivet.fabric.ledger_chain import Entry, Key, parse_head
from trivet.fabric.witness_file import Kept


def check_chains(
    book: Book, files: Mapping[str, Path], keys: Mapping[str, Key]
) -> Verdict:
    """Every chain holds, and goes through every end that its device ever saw."""
    broken, entries = [], 0
    for device, path in files.items():
        witness = [line.head for line in book.of(device, Witnessed)]
        if not witness:
            broken.append(f"{device}: it never saw its ledger's end")
            continue
        try:
            with Ledger(path, device, key=keys[device]) as ledger:
                verdict = ledger.verify(parse_head(witness[-1]))
                gone = _missing(ledger, witness)
        except TrivetError as error:
            broken.append(f"{device}: {error}")
            continue
        entries += verdict.entries
        if not verdict.is_sound:
            broken.append(f"{device}: {verdict.fault} at {verdict.seq}")
        broken += [f"{device}: it no more goes through {head}" for head in gone]
    return Verdict("ledgers whole", entries, "entries", broken)


def _missing(ledger: Ledger, witness: Iterable[str]) -> list[str]:
    """The ends of it that were seen, and through which it does not go."""
    hashes = {entry.seq: entry.hash for entry in ledger.entries()}
    heads = [parse_head(text) for text in witness]
    return [str(h) for h in heads if h.seq and hashes.get(h.seq) != h.hash]


def check_disclosures(book: Book, entries: Mapping[str, Sequence[Entry]]) -> Verdict:
    """Whatever was heard is in its owner's ledger, under a lease that still ran."""
    broken, basis = [], 0
    owners = {
        owner: _Owner(book.of(owner, Began), found) for owner, found in entries.items()
    }
    for recipient, heard in book.all(Heard):
        basis += 1
        fault = owners[heard.owner].fault(recipient, heard)
        if fault:
            broken.append(
                f"{recipient} heard {heard.path} {heard.value:.0f} of {heard.owner}: "
                f"{fault}"
            )
    return Verdict(
        "nothing disclosed before the ledger had it", basis, "samples", broken
    )


def check_witnesses(
    kept: Mapping[str, Sequence[Kept]], entries: Mapping[str, Sequence[Entry]]
) -> Verdict:
    """Every ledger goes through the ends that others keep, and nobody is accused."""
    hashes = {
        device: {entry.seq: entry.hash for entry in found}
        for device, found in entries.items()
    }
    broken = [
        f"{device} accuses {one.device}: {one.fault}"
        if one.fault
        else f"{one.device}: {device} keeps {one.head.head}, which is not in it"
        for device, rows in kept.items()
        for one in rows
        if one.fault
        or (one.head.seq and hashes[one.device].get(one.head.seq) != one.head.head.hash)
    ]
    basis = sum(len(rows) for rows in kept.values())
    return Verdict("ledgers are what others saw of them", basis, "ends", broken)


def check_shut_out(book: Book, device: str) -> Verdict:
    """Nothing that was given after a device was shut out reached it."""
    shut = {
        who: line.value
        for who, line in book.all(Shut)
        if line.device == device and who != device
    }
    late = [
        f"{device} heard {h.path} {h.value:.0f} of {h.owner}, shut out at "
        f"{shut[h.owner]:.0f}"
        for h in book.of(device, Heard)
        if h.owner in shut and h.value > shut[h.owner]
    ]
    return Verdict("nothing flows to who was shut out", len(shut), "owners", late)


class _Owner:
    """What one owner's ledger says of what it gave, life by life."""

    def __init__(self, lives: Sequence[Began], entries: Sequence[Entry]) -> None:
        starts = sorted((began.seq, began.life) for began in lives)
        self._seqs = [seq for seq, _ in starts]
        self._lives = [life for _, life in starts]
        self._begun: dict[tuple[int, str, str], list[tuple[float, str]]] = {}
        self._ended: dict[str, float] = {}
        for entry in entries:
            self._take(entry)

    def fault(self, recipient: str, heard: Heard) -> str:
        """What the ledger has against a sample, empty for nothing."""
        life = int(heard.value) // LIFE
        begun = self._begun.get((life, recipient, heard.path), [])
        leases = {lease for first, lease in begun if first <= heard.time}
        if not leases:
            return "the ledger knows of no such disclosure"
        if all(self._ended.get(x, heard.time) < heard.time for x in leases):
            return "every lease that it can have come under had ended"
        return ""

    def _take(self, entry: Entry) -> None:
        event = entry.event
        if event.kind is EventKind.DISCLOSING:
            at = bisect_right(self._seqs, entry.seq - 1) - 1
            life = self._lives[at] if at >= 0 else 0
            for path in event.paths:
                found = self._begun.setdefault((life, event.peer, path), [])
                found.append((event.first, event.lease))
        elif event.kind is EventKind.END:
            self._ended[event.lease] = event.time


def read_entries(files: Mapping[str, Path]) -> Iterator[tuple[str, list[Entry]]]:
    """What each ledger holds.

    Raises:
        SetupError: one cannot be read.
    """
    for device, path in files.items():
        with Ledger(path, device) as ledger:
            yield device, list(ledger.entries())
