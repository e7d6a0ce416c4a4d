"""The history of one device: its own samples, and copies that it holds under leases.

Nobody else's samples are kept without a lease, and none longer than it allows.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trivet.domain.error import UsageError
from trivet.domain.lease import Lease
from trivet.domain.sample import Sample
from trivet.fabric.history import erasure, retention
from trivet.fabric.history.erasure import CLEAN, NOW, Erased, Memory, Pending
from trivet.fabric.history.forget import Forget, Forgotten
from trivet.fabric.history.retention import Aged
from trivet.fabric.history.rule import Rule
from trivet.fabric.history.shelf import Shelf

#: What the file may hold unless the owner says otherwise.
MAX_BYTES = 512 * 1024 * 1024


class Held(msgspec.Struct, frozen=True):
    """A lease under which copies are here.

    Attributes:
        owner: whose samples.
        lease: its id, or that of the one that took its place last.
        purpose: what for.
        until: event time at which it ends by itself, or did.
    """

    owner: str
    lease: str
    purpose: str
    until: float


class History(Shelf):
    """Samples that are kept. Any thread may call it."""

    def note(self, sample: Sample) -> None:
        """Keep a sample of this device's own; it is durable after the next `flush`.

        Raises:
            UsageError: it is another device's, or no sample that a message can carry.
        """
        if sample.device != self.device:
            raise UsageError(
                f"{sample.path} of {sample.device} is not {self.device}'s own",
                hint="what others give is kept under its lease",
            )
        self._note(sample, None)

    def note_copy(self, sample: Sample, lease: Lease) -> None:
        """Keep a sample that another device gave under a lease, as `note`.

        Raises:
            UsageError: the lease does not give it to this device.
        """
        if (
            lease.owner == self.device
            or lease.recipient != self.device
            or sample.device != lease.owner
            or sample.path not in lease.paths
        ):
            raise UsageError(
                f"lease {lease.id} of {lease.owner} does not give {sample.path} of "
                f"{sample.device} to {self.device}"
            )
        self._note(sample, lease)

    # --- leases -------------------------------------------------------------------

    def follow(self, lease: Lease) -> None:
        """A lease runs: copies received under those that it takes the place of stay.

        Raises:
            SetupError: the file cannot be written.
        """
        self._change(lambda: self._intake.follow(lease), keeps=True)

    def end_lease(self, owner: str, lease: str, now: float) -> None:
        """A lease ended at event time `now`; `lapse` deletes what came under it.

        Raises:
            SetupError: the file cannot be written.
        """
        self._change(
            lambda: self._file.run(
                "UPDATE lease SET until = min(until, ?) "
                "WHERE owner = ? AND (lease = ? OR current = ?)",
                *(now, owner, lease, lease),
            ),
            keeps=True,
        )

    def leases(self) -> list[Held]:
        """The leases under which copies are here, as they were heard of last."""
        with self._opened():
            rows = self._file.rows(
                "SELECT DISTINCT owner, current, purpose, until FROM lease ORDER BY id"
            )
            return [Held(*row) for row in rows]

    def owners(self) -> list[str]:
        """Devices that there are copies of."""
        with self._opened():
            rows = self._file.rows(
                "SELECT DISTINCT owner FROM stream WHERE lease != 0 ORDER BY owner"
            )
            return [owner for (owner,) in rows]

    def lapse(self, now: float) -> int:
        """Delete copies whose lease is over; how many samples and summaries.

        Raises:
            SetupError: the file cannot be written.
        """
        after_s = self.copies_s
        return self._do(lambda: retention.lapse(self._file, now, after_s))

    # --- growing old --------------------------------------------------------------

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that the owner made; see rule.rule_of for what holds."""
        with self._opened():
            self._intake.refresh()
            return self._intake.rules

    def set_rule(self, rule: Rule) -> None:
        """Have a rule hold, in the place of the one for the same pattern.

        Raises:
            SetupError: the file cannot be written.
        """
        row = rule.pattern, rule.raw_s, rule.every_s, rule.for_s
        self._change(
            lambda: self._file.run(
                "INSERT OR REPLACE INTO rule VALUES (?, ?, ?, ?)", *row
            )
        )

    def drop_rule(self, pattern: str) -> None:
        """Have no rule of its own hold for a pattern.

        Raises:
            UsageError: there is none.
            SetupError: the file cannot be written.
        """
        gone = self._change(
            lambda: self._file.run("DELETE FROM rule WHERE pattern = ?", pattern)
        )
        if not gone:
            raise UsageError(f"there is no rule for {pattern!r}")

    @property
    def copies_s(self) -> float:
        """How long copies stay after their lease has ended, in seconds."""
        return float(self._setting("copies_s", 0))

    @property
    def max_bytes(self) -> int:
        """What the file may hold before the oldest makes room."""
        return int(self._setting("max_bytes", MAX_BYTES))

    def set_copies(self, seconds: float) -> None:
        """Have copies stay for so long after their lease has ended."""
        self._set("copies_s", max(0.0, seconds))

    def set_max_bytes(self, count: int) -> None:
        """Have the file hold no more than this, in bytes."""
        self._set("max_bytes", max(1 << 20, count))

    def age(self, now: float) -> Aged:
        """Do a step of what the rules want; call it until it says that it is done.

        Raises:
            SetupError: the file cannot be written.
        """
        rules = self.rules
        return self._do(lambda: retention.age(self._file, rules, now))

    def make_room(self, now: float) -> int:
        """Delete the oldest if the file is too large; how many samples and summaries.

        Raises:
            SetupError: the file cannot be written.
        """
        most = self.max_bytes
        return self._do(lambda: retention.make_room(self._file, most, now))

    @property
    def squeezed(self) -> tuple[int, float]:
        """How many went to make room so far, and up to which event time."""
        count, until = self._setting("squeezed"), self._setting("squeezed_until")
        return int(count), float(until)

    # --- forgetting ---------------------------------------------------------------

    def forget(self, wish: Forget, now: float, holders: Iterable[str]) -> Erased:
        """Forget samples of this device's own, and keep who is to be asked to.

        Args:
            wish: what.
            now: event time.
            holders: devices that may hold copies; see holder.holders.

        Raises:
            SetupError: the file cannot be written; nothing is forgotten then.
        """
        peers = [peer for peer in holders if peer != self.device]

        def work() -> Erased:
            erased = erasure.erase(self._file, wish, self.device, is_own=True)
            erasure.remember(self._file, self.device, wish, now, erased)
            erasure.await_peers(self._file, wish, peers, now)
            return erased

        self._try_flush()
        return self._change(work)

    def forget_copies(self, owner: str, wish: Forget, now: float) -> Forgotten:
        """Forget what another device gave, at its wish or this device's owner's.

        Only copies of that device's samples go, whatever the wish says.

        Args:
            owner: the device that gave it, as the link vouches for it.
            wish: what.
            now: event time.

        Raises:
            UsageError: it wished something else under this id before.
            SetupError: the file cannot be written; nothing is forgotten then.
        """

        def work() -> Forgotten:
            erasure.check_id(self._file, owner, wish)
            erased = erasure.erase(self._file, wish, owner, is_own=False)
            counts = erasure.remember(self._file, owner, wish, now, erased)
            return Forgotten(wish.id, *counts, self._file.setting("scrub") < NOW)

        self._try_flush()
        return self._change(work)

    @property
    def owed(self) -> int:
        """Whether deleted bytes are to be cleaned away: CLEAN, SOME_DAY or NOW."""
        return int(self._setting("scrub", CLEAN))

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in the file or beside it; see HistoryFile.

        Returns:
            False if another program reads the file: then it is to be done again.

        Raises:
            SetupError: it cannot be done, for lack of room in most cases.
        """
        with self._opened():
            self._is_scrubbing = True
            try:
                if not self._file.scrub():
                    return False
            finally:
                self._is_scrubbing = False
            self._change(lambda: self._file.set("scrub", CLEAN), keeps=True)
            return True

    def memories(self, *, unrecorded: bool = False) -> list[Memory]:
        """What was forgotten; or of it what is not in the ledger yet."""
        with self._opened():
            return erasure.memories(self._file, unrecorded=unrecorded)

    def note_recorded(self, owner: str, wish_id: str) -> None:
        """The ledger has it that this was forgotten."""
        self._change(
            lambda: erasure.note_recorded(self._file, owner, wish_id), keeps=True
        )

    def pendings(self) -> list[Pending]:
        """The devices that were or are to be asked to forget."""
        with self._opened():
            return erasure.pendings(self._file, self.device)

    def set_pending(self, pending: Pending) -> None:
        """Keep how it stands with a device that was asked."""
        self._change(lambda: erasure.set_pending(self._file, pending), keeps=True)
