"""A replica: one device's copy of the household's state, durable and convergent.

What is written here or taken in here is on this device's disk before it is said to be.
Any two replicas that have seen the same updates show the same state, in whatever order
and however often these came. Any thread may call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock

from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import RefusedError, UsageError, WireError
from trivet.fabric.replica import change
from trivet.fabric.replica.change import MAX_CHANGES, Change
from trivet.fabric.replica.document import read_snapshot
from trivet.fabric.replica.ground import Ground, read_ground, sign_ground
from trivet.fabric.replica.handover import (
    MAX_GIVEN,
    Handover,
    find_forked,
    hand_over,
)
from trivet.fabric.replica.intake import (
    Carried,
    Fork,
    Intake,
    Receipt,
    Roll,
    check_member,
    seen_by_all,
)
from trivet.fabric.replica.journal import Journal
from trivet.fabric.replica.schema import MIGRATIONS, Migration, settle
from trivet.fabric.replica.state import State
from trivet.fabric.replica.vector import (
    Head,
    Seen,
    Vector,
    covers,
    read_seen,
    rows_of,
    sign_seen,
)


class Replica:
    """The household's state on one device.

    Args:
        path: the file that it is kept in.
        device: id of the device.
        household: the household's name.
        private: the device's key, which signs what it writes.
        roll: says who belongs to the household now.
        migrations: how older schemas become newer ones; see schema.py.

    Raises:
        SetupError: the file cannot be used, is damaged, another device's, or open in
            another process.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        household: str,
        private: ec.EllipticCurvePrivateKey,
        roll: Callable[[], Roll],
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        self.device = device
        self._household = household
        self._roll = roll
        self._migrations = migrations
        self._lock = RLock()
        self._journal = Journal(path, device, household, private)
        self._intake = Intake(self._journal, roll)
        self._state: State | None = None
        self._vector = self._journal.vector
        self._given: Ground | None = None
        self.forks: dict[int, Fork] = {}
        try:
            self._write_again()
            self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        with self._lock:
            self._journal.close()

    @property
    def state(self) -> State:
        """What stands in it now."""
        known = self._state
        if known is not None:  # what is being written is not there yet
            return known
        with self._lock:
            if self._state is None:
                self._state = State(self._journal.values())
            return self._state

    @property
    def vector(self) -> dict[int, Head]:
        """How far it knows each peer, at no wait."""
        return self._vector

    def writes_as(self, peer: int) -> bool:
        """Whether this device writes under that number now."""
        with self._lock:
            return peer == self._journal.peer

    def author_of(self, peer: int) -> str:
        """The device that wrote under a number; empty when it is not known."""
        with self._lock:
            known = self._journal.heads.get(peer)
            return "" if known is None else known.author

    @property
    def size(self) -> tuple[int, int]:
        """How many signed updates it keeps, and their bytes."""
        with self._lock:
            return self._journal.store.size()

    # --- writing ----------------------------------------------------------------

    def write(self, *changes: Change) -> frozenset[str]:
        """Make changes, all or none; they are durable when it returns.

        Returns:
            The roots that they touch.

        Raises:
            UsageError: a change that cannot be made.
            RefusedError: this device is a guest, or of the household no more.
            SetupError: it cannot be kept, as on a full disk; the state is as it was.
        """
        return self.write_all([changes])

    def write_all(self, edits: Sequence[Sequence[Change]]) -> frozenset[str]:
        """Make several edits in one go: one signature and one wait for the disk."""
        batches = _batches(edits)
        with self._lock:
            check_member(self._roll(), self.device)
            with self._journal.transaction():
                roots = [self._journal.write(batch) for batch in batches]
            self._changed()
        return frozenset().union(*roots)

    # --- exchange ---------------------------------------------------------------

    def receive(self, giver: str, given: Sequence[Carried]) -> Receipt:
        """Take in what a member gives; it is durable when it returns.

        Raises:
            RefusedError: the giver is no member.
            SetupError: it cannot be kept; then nothing is.
        """
        with self._lock:
            try:
                with self._journal.transaction():
                    receipt = self._intake.take(giver, given)
                self._state = None
                self.forks.update({fork.peer: fork for fork in receipt.forks})
                self._write_again()
                if receipt.taken:
                    self._migrate()
            finally:
                self._changed()
            return receipt

    def lacking(self, theirs: Vector, most: int = MAX_GIVEN) -> Handover:
        """What the holder of a vector lacks, up to `most` bytes."""
        with self._lock:
            return hand_over(self._journal, self._roll(), theirs, most)

    def forked(self, theirs: Vector) -> frozenset[int]:
        """Peers of which the holder of a vector has other updates than here."""
        with self._lock:
            return find_forked(self._journal, theirs)

    # --- what others have -------------------------------------------------------

    def declare(self, made: int) -> bytes:
        """This device's signed word on what it has: all that another device had.

        Args:
            made: the time, in milliseconds since 1970-01-01 UTC.
        """
        with self._lock:
            journal = self._journal
            last = journal.store.seen_at(self.device)
            if last is not None:  # a clock that was put back makes no word an old one
                made = max(made, last + 1)
            seen = Seen(self.device, made, rows_of(self.vector))
            raw = sign_seen(journal.private, self._household, seen)
            self._note(seen, raw)
            return raw

    @property
    def is_new(self) -> bool:
        """Whether this device never said what it has."""
        return not self.has_said(self.device)

    def has_said(self, device: str) -> bool:
        """Whether a device's word on what it has is known."""
        with self._lock:
            return self._journal.store.seen_at(device) is not None

    def note_seen(self, statements: Sequence[bytes]) -> None:
        """Keep what members say that they have; the newest word of each.

        Raises:
            WireError: one is not its device's own word. Those before it are kept.
        """
        with self._lock:
            for raw in statements:
                seen = read_seen(raw, self._household, self._roll().keys)
                if seen is not None:
                    self._note(seen, raw)

    def seen(self) -> dict[str, bytes]:
        """The newest word of each member; nobody takes that of who is one no more."""
        with self._lock:
            said, keys = self._journal.store.seen(), self._roll().keys
            return {d: raw for d, (_, raw) in said.items() if d in keys}

    def _note(self, seen: Seen, raw: bytes) -> None:
        last = self._journal.store.seen_at(seen.device)
        if last is None or last < seen.made:
            with self._journal.store.transaction():
                self._journal.store.set_seen(seen.device, seen.made, raw)

    # --- compaction -------------------------------------------------------------

    def compact(self) -> bool:
        """Let a snapshot stand for what every device has seen; whether any gave way.

        Every member that is no guest must have said what it has, and this device must
        have all of that: then whatever is written later builds on it.
        """
        with self._lock:
            known = seen_by_all(
                self.device,
                self.vector,
                self._journal.store.seen(),
                self._household,
                self._roll(),
            )
            if not known or not self._journal.compact(known):
                return False
            self._given = None
            self._changed()
            self._journal.store.tidy()
            return True

    def ground(self) -> Ground | None:
        """The snapshot to give to a device that has nothing, in this device's name."""
        with self._lock:
            kept = self._journal.store.ground()
            if kept is None:
                return None
            if self._given is None:
                journal = self._journal
                self._given = sign_ground(
                    journal.private,
                    self._household,
                    self.device,
                    journal.ground,
                    kept[0],
                )
            return self._given

    def adopt(self, giver: str, raw: bytes, proof: bytes = b"") -> frozenset[str]:
        """Start anew from another device's ground; own writes are made again on it.

        A device takes it that never said what it has, being new, and one that is
        shown its own word that it has seen all this: it forgot it since. Nobody
        else's state can be replaced.

        Args:
            giver: the device that gives it.
            raw: the ground.
            proof: this device's own statement, as the giver kept it.

        Returns:
            The roots that there are; none if it brings nothing new.

        Raises:
            RefusedError: the giver is no member, or this device never had all that.
            WireError: it is not what it says.
            SetupError: it cannot be kept; the state is as it was.
        """
        with self._lock:
            journal = self._journal
            check_member(self._roll(), giver)
            ground = read_ground(raw, self._household, self._roll().keys)
            if ground.giver != giver:
                raise WireError(f"a ground of {ground.giver} that {giver} gives")
            if covers(
                self.vector, {peer: known.head for peer, known in ground.heads.items()}
            ):
                return frozenset()
            self._check_need(ground, proof)
            ends = {peer: known.end for peer, known in ground.heads.items()}
            if read_snapshot(ground.data) != ends:
                raise WireError("a ground covers other operations than it says")
            with journal.transaction():
                journal.renew()
                journal.refound((ground.data, ground.heads))
            self._given = None
            self._changed()
            self._write_again()
            self._migrate()
            return frozenset(journal.values())

    def write_anew(self) -> None:
        """Make again, on all that is here, what a new device wrote on less.

        Whoever compacted before it came has forgotten what less there was. Without a
        ground nobody has, and what is written stays as it is.

        Raises:
            SetupError: it cannot be kept; the state is as it was.
        """
        with self._lock:
            journal = self._journal
            rows = list(journal.store.of_peer(journal.peer, 0))
            if not self.is_new or not journal.ground or not rows:
                return
            with journal.transaction():
                numbers = [row.number for row in rows]
                journal.store.put_aside(numbers)
                journal.store.remove(numbers)
                journal.renew()
                journal.refound()
            self._changed()
            self._write_again()

    def _check_need(self, ground: Ground, proof: bytes) -> None:
        journal = self._journal
        ends = {peer: known.head for peer, known in ground.heads.items()}
        if self.is_new:
            return
        if proof:
            keys = {self.device: journal.private.public_key()}
            seen = read_seen(proof, self._household, keys)
            if seen is not None and covers(seen.vector, ends):
                return
        raise RefusedError(
            f"{ground.giver} forgot what {self.device} never saw",
            hint="set the state's file aside to start from that device's",
        )

    # --- what is due ------------------------------------------------------------

    def _write_again(self) -> None:
        """Make anew, on the ground that there is, what a restored device wrote."""
        journal = self._journal
        waiting = journal.store.again()
        if not waiting:
            return
        with journal.transaction():
            for number, data in waiting:
                journal.write([change.read(data)])
                journal.store.drop_again(number)
        self._changed()

    def _changed(self) -> None:
        self._state = None
        self._vector = self._journal.vector

    def _migrate(self) -> None:
        """Bring the schema to this version's, if it is an older one's."""
        party = self._roll().members.get(self.device)
        if party is not None and not party.is_guest:
            settle(self._migrations, lambda: self.state, lambda made: self.write(*made))


def _batches(edits: Sequence[Sequence[Change]]) -> list[list[Sequence[Change]]]:
    batches: list[list[Sequence[Change]]] = [[]]
    total = 0
    for edit in edits:
        size = len(change.check(edit))
        if not edit:
            raise UsageError("a write without a change")
        if total + size > MAX_CHANGES:
            batches.append([])
            total = 0
        batches[-1].append(edit)
        total += size
    return batches
