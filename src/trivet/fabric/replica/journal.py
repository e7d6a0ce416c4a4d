"""The journal: the document and the file under it, which say the same at all times.

What is in the document and not on the disk is not seen: where a write fails, the
document is made anew of what is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import PeerError, SetupError, UsageError, WireError
from trivet.fabric.replica import change
from trivet.fabric.replica.change import Change
from trivet.fabric.replica.document import StateDocument
from trivet.fabric.replica.ground import heads_from_bytes, heads_to_bytes
from trivet.fabric.replica.operation import Span
from trivet.fabric.replica.store import (
    APPLICATION_ID,
    SCHEMA,
    TABLES,
    About,
    Known,
    ReplicaStore,
)
from trivet.fabric.replica.update import (
    BEGINNING,
    MAX_BYTES,
    Claim,
    Update,
    fingerprint_bytes,
    new_incarnation,
    peer_of,
    read_update,
    sign_update,
)
from trivet.fabric.replica.vector import Head

log = logging.getLogger("trivet.fabric")

#: Operations after which a device goes on in another incarnation: Loro has 2^31.
_MOST = 1 << 30


class Journal:
    """The state of one device, on its disk and in memory. One thread at a time.

    Args:
        path: the file.
        device: id of the device.
        household: the household's name.
        private: the device's key, which signs what it writes.

    Attributes:
        store: the file.
        heads: how far each peer is known.
        ground: the same for what a snapshot stands for; empty without one.
        opened_at: number of the last update that was there when it was opened.

    Raises:
        SetupError: the file cannot be used, is damaged, or is another device's.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        household: str,
        private: ec.EllipticCurvePrivateKey,
    ) -> None:
        self.device = device
        self.household = household
        self.private = private
        self.fingerprint = fingerprint_bytes(private.public_key())
        self.store = ReplicaStore(path, TABLES, APPLICATION_ID, SCHEMA)
        self._is_broken = False
        self._is_named = False  # whether the file knows the incarnation
        try:
            self._incarnation = self._begin(path)
            self.opened_at = self.store.last_number()
            self.reload()
        except BaseException:
            self.store.close()
            raise

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        self.store.close()

    @property
    def peer(self) -> int:
        """Loro's number of this device, as it writes now."""
        return peer_of(self.fingerprint, self._incarnation)

    @property
    def vector(self) -> dict[int, Head]:
        """How far each peer is known."""
        return {peer: known.head for peer, known in self.heads.items()}

    def values(self) -> dict[str, object]:
        """All that stands in the document, by root."""
        self._check_sound()
        return self._doc.values()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens within is on the disk and in the document, or in neither.

        Raises:
            SetupError: it cannot be written.
        """
        self._check_sound()
        try:
            with self.store.transaction():
                yield
        except SetupError:
            # it may be on the disk all the same, under numbers that are then taken
            self._rename()
            self._undo()
            raise
        except BaseException:
            self._undo()
            raise

    def write(self, edits: Sequence[Sequence[Change]]) -> frozenset[str]:
        """Write edits, in a transaction, as one update; the roots that it touches.

        Raises:
            UsageError: it is too much for one update.
        """
        if self.peer in self.heads and self.heads[self.peer].end >= _MOST:
            self.renew()
        if not self._is_named:
            self.store.set_about(self._about())
            self._is_named = True
        written = self._doc.write(edits)
        if written is None:
            return frozenset()
        span, data = written
        known = self.heads.get(self.peer)
        claim = Claim(
            self.device,
            self.fingerprint,
            self._incarnation,
            span.start,
            span.end,
            BEGINNING if known is None else known.digest,
            data,
        )
        update = sign_update(self.private, self.household, claim)
        if len(update.raw) > MAX_BYTES:
            raise UsageError("this changes too much at once", hint="do it in parts")
        made = tuple(one for edit in edits for one in edit)
        self._keep(update, change.encode(made))
        return frozenset(map(change.root_of, made))

    def take(self, update: Update, span: Span) -> frozenset[str]:
        """Take in an update that follows what is known, in a transaction.

        Raises:
            WireError: Loro does not take it; the document is as it was.
        """
        try:
            self._doc.take(span)
        except WireError:
            self.reload()
            raise
        self._keep(update, None)
        return span.roots

    def fault_of(self, update: Update, span: Span) -> str:
        """Why an update cannot be taken now: something before it is missing."""
        known = self.heads.get(update.peer)
        if update.claim.start != (0 if known is None else known.end):
            return "an earlier one of its author is missing"
        for peer, number in span.needs:
            other = self.heads.get(peer)
            if other is None or other.end <= number:
                return "one that it builds on is missing"
        return ""

    def renew(self) -> None:
        """Write in another incarnation from now on, in a transaction."""
        self._rename()
        self._doc.write_as(self.peer)
        self.store.set_about(self._about())

    def reload(self) -> None:
        """Make the document anew of what is kept.

        Raises:
            SetupError: what is kept is damaged.
        """
        kept = self.store.ground()
        try:
            updates = [read_update(row.raw) for row in self.store.rows()]
            self.ground = {} if kept is None else heads_from_bytes(kept[1])
        except WireError as error:
            raise self.store.unusable(error.message) from error
        self.heads = {**self.ground, **{u.peer: known_by(u) for u in updates}}
        try:
            spans = (update.span() for update in updates)
            self._doc = StateDocument.of(self.peer, kept and kept[0], spans)
        except WireError as error:
            # what was taken one by one need not be readable in one go
            log.error("%s: the state is read one by one: %s", self.device, error)
            with self._within():
                self.refound()
        counters = self._doc.counters()
        if counters != {peer: known.end for peer, known in self.heads.items()}:
            raise self.store.unusable("what is kept does not fit together")

    def _within(self) -> AbstractContextManager[None]:
        """The transaction that runs, or one of its own."""
        is_running = self.store.is_in_transaction
        return nullcontext() if is_running else self.store.transaction()

    def refound(self, ground: tuple[bytes, dict[int, Known]] | None = None) -> None:
        """Build anew on a ground, in a transaction: what does not fit on it goes.

        Own updates that go are put aside, to be made again.

        Args:
            ground: a snapshot and what it covers; None for the one that there is.
        """
        if ground is not None:
            self.store.set_ground(ground[0], heads_to_bytes(ground[1]))
        kept = self.store.ground()
        snapshot = None if kept is None else kept[0]
        self.ground = {} if kept is None else heads_from_bytes(kept[1])
        self.heads = dict(self.ground)
        self._doc = StateDocument.of(self.peer, snapshot, [])
        spans: list[Span] = []
        gone: list[int] = []
        covered: list[int] = []
        for row in list(self.store.rows()):
            update = read_update(row.raw)
            known = self.heads.get(update.peer)
            if known is not None and update.claim.end <= known.end:
                is_new = row.number > self.opened_at  # a backup had it not
                is_own = update.claim.author == self.device
                (gone if is_own and is_new else covered).append(row.number)
            elif self._fits(update):
                spans.append(update.span())
            else:
                gone.append(row.number)
                self._doc = StateDocument.of(self.peer, snapshot, spans, at_once=1)
        if gone:
            log.warning("%s: %d updates do not fit any more", self.device, len(gone))
        self.store.put_aside(gone)
        self.store.remove([*gone, *covered])
        self._note_removed()

    def compact(self, known: dict[int, int]) -> bool:
        """Let a snapshot stand for what everybody has seen; whether any gave way."""
        covered = self._doc.ground_below(known)
        heads = {peer: self._head_at(peer, end) for peer, end in covered.items()}
        sound = {peer: head for peer, head in heads.items() if head is not None}
        if not covered or len(sound) < len(heads) or sound == self.ground:
            return False
        earlier: list[Span] = []
        later: list[Span] = []
        for row in self.store.rows():
            update = read_update(row.raw)
            is_covered = update.claim.end <= covered.get(update.peer, 0)
            (earlier if is_covered else later).append(update.span())
        kept = self.store.ground()
        past = StateDocument.of(self.peer, kept and kept[0], earlier)
        snapshot = past.snapshot()
        trial = StateDocument.of(self.peer, snapshot, later)
        if past.counters() != covered or (trial.values(), trial.counters()) != (
            self.values(),
            self._doc.counters(),
        ):
            return False
        with self.transaction():
            self.store.set_ground(snapshot, heads_to_bytes(sound))
            self.store.forget(covered)
            self._note_removed()
            self.reload()
        return True

    def _begin(self, path: Path) -> int:
        """Who it writes as; a copy of the file writes as another."""
        about = self.store.about()
        if about is not None and (about.device, about.household) != (
            self.device,
            self.household,
        ):
            raise SetupError(
                f"{path} is the state of {about.device} in {about.household}, not of "
                f"{self.device} in {self.household}",
                hint="each device has a file of its own",
            )
        if about is not None and about.inode == self.store.inode:
            return about.incarnation
        self._incarnation = new_incarnation(self.fingerprint)
        with self.store.transaction():
            self.store.set_about(self._about())
        return self._incarnation

    def _about(self) -> About:
        return About(self.device, self.household, self._incarnation, self.store.inode)

    def _keep(self, update: Update, changes: bytes | None) -> None:
        self.store.add(update, changes)
        self.heads[update.peer] = known_by(update)

    def _note_removed(self) -> None:
        """Numbers that are free now are given again, to what is new."""
        self.opened_at = min(self.opened_at, self.store.last_number())

    def _fits(self, update: Update) -> bool:
        claim, known = update.claim, self.heads.get(update.peer)
        try:
            span = update.span()
            follows = known is None or known.digest == claim.previous
            if not follows or self.fault_of(update, span):
                return False
            self._doc.take(span)
        except PeerError:
            return False
        self.heads[update.peer] = known_by(update)
        return True

    def _head_at(self, peer: int, end: int) -> Known | None:
        """The peer as it was when its next operation was `end`, if it ever was."""
        for known in (self.heads.get(peer), self.ground.get(peer)):
            if known is not None and known.end == end:
                return known
        raw = self.store.before(peer, end)
        if raw is None or peer not in self.heads:
            return None
        update = read_update(raw)
        if update.claim.end != end:
            return None
        return self.heads[peer]._replace(end=end, digest=update.digest)

    def _rename(self) -> None:
        self._incarnation = new_incarnation(self.fingerprint)
        self._is_named = False

    def _undo(self) -> None:
        """Forget what was not kept."""
        self._is_named = False
        try:
            self.reload()
        except SetupError:
            self._is_broken = True
            log.exception("%s: the state cannot be read any more", self.device)

    def _check_sound(self) -> None:
        if self._is_broken:
            raise self.store.unusable("its disk failed", "start the device anew")


def known_by(update: Update) -> Known:
    """Its peer, as far as it is known after it."""
    claim = update.claim
    return Known(
        claim.author, claim.fingerprint, claim.incarnation, claim.end, update.digest
    )
