"""What comes from other devices: verified, set in order, and kept before it is said.

    signature -> author, peer -> known? follows? builds on what is here? -> Loro -> disk

The signature on the last update of a run stands for the run, since each names the
digest of the one before. A device that was shut out signs no more: what was taken from
it before is handed on with the signature of the member that hands it on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import PeerError, RefusedError, WireError
from trivet.fabric.access import Party
from trivet.fabric.replica.journal import Journal
from trivet.fabric.replica.update import (
    BEGINNING,
    MAX_BYTES,
    Update,
    fingerprint_bytes,
    is_signed,
    read_update,
    sign,
)
from trivet.fabric.replica.vector import MAX_PEERS, Vector, covers, meet, read_seen

log = logging.getLogger("trivet.fabric")

_VOUCHER = "state voucher"
#: Incarnations of one device: it takes a new one when it was restored, and else not.
MAX_INCARNATIONS = 128


class Roll(Protocol):
    """Who belongs to the household now; see app.trust.Household."""

    @property
    def members(self) -> Mapping[str, Party]:
        """The devices by their ids."""
        ...

    @property
    def keys(self) -> Mapping[str, ec.EllipticCurvePublicKey]:
        """Their public keys."""
        ...


class Carried(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False
):
    """An update on its way.

    Attributes:
        raw: as its author signed it.
        voucher: the giver's signature, where the author is of the household no more.
    """

    raw: Annotated[bytes, Meta(max_length=MAX_BYTES)]
    voucher: Annotated[bytes, Meta(max_length=64)] = b""


class Fork(msgspec.Struct, frozen=True):
    """Two updates of one author that follow the same one.

    Attributes:
        author: the device.
        peer: its number in that incarnation.
        start: number of the first operation that they disagree on.
        giver: the device that showed the other one.
    """

    author: str
    peer: int
    start: int
    giver: str


class Receipt(msgspec.Struct, frozen=True):
    """What came of updates that were given.

    Attributes:
        taken: how many are kept now that were not before.
        roots: the roots that they touch.
        is_behind: whether some wait for others that are not here.
        faults: why some were refused.
        forks: what was found forked.
    """

    taken: int = 0
    roots: frozenset[str] = frozenset()
    is_behind: bool = False
    faults: tuple[PeerError, ...] = ()
    forks: tuple[Fork, ...] = ()


class Intake:
    """Takes in what others give, for one journal.

    Args:
        journal: where it goes.
        roll: says who belongs to the household now.
    """

    def __init__(self, journal: Journal, roll: Callable[[], Roll]) -> None:
        self._journal = journal
        self._roll = roll
        self._failing: set[int] = set()

    def take(self, giver: str, given: Sequence[Carried]) -> Receipt:
        """Take in updates, in a transaction of the journal.

        What is wrong with one is told and holds up its author's later ones alone.

        Raises:
            RefusedError: the giver is no member.
            SetupError: they cannot be kept; none is.
        """
        check_member(self._roll(), giver)
        return _Taking(self._journal, self._roll(), giver, self._failing).run(given)


class _Taking:
    """One call of `take`."""

    def __init__(
        self, journal: Journal, roll: Roll, giver: str, failing: set[int]
    ) -> None:
        self._journal = journal
        self._roll = roll
        self._giver = giver
        self._failing = failing  # peers that signed what Loro failed on
        self._prints: dict[str, bytes] = {}
        self._faults: dict[int, PeerError] = {}
        self._unread: list[PeerError] = []
        self._forks: list[Fork] = []
        self._roots: set[str] = set()
        self._taken = 0
        self._is_behind = False

    def run(self, given: Sequence[Carried]) -> Receipt:
        updates = self._read(given)
        trusted = self._trusted(updates)
        for (update, _), is_trusted in zip(updates, trusted, strict=True):
            if update.peer in self._faults:
                continue
            try:
                self._place(update, is_trusted)
            except PeerError as error:
                self._faults[update.peer] = error
        return Receipt(
            self._taken,
            frozenset(self._roots),
            self._is_behind,
            (*self._unread, *self._faults.values()),
            tuple(self._forks),
        )

    def _read(self, given: Sequence[Carried]) -> list[tuple[Update, bytes]]:
        found = []
        for carried in given:
            try:
                found.append((read_update(carried.raw), carried.voucher))
            except WireError as error:
                self._unread.append(error)
        return found

    def _trusted(self, updates: Sequence[tuple[Update, bytes]]) -> list[bool]:
        """Whether each is its author's: by its signature, or that of the next one."""
        trusted = [False] * len(updates)
        later: dict[int, tuple[Update, bool]] = {}
        for index in range(len(updates) - 1, -1, -1):
            update, voucher = updates[index]
            after = later.get(update.peer)
            stands = after is not None and after[1] and _follows(after[0], update)
            trusted[index] = stands or self._is_authentic(update, voucher)
            later[update.peer] = update, trusted[index]
        return trusted

    def _is_authentic(self, update: Update, voucher: bytes) -> bool:
        claim, household = update.claim, self._journal.household
        key = self._key_of(claim.author, claim.fingerprint)
        if key is not None:
            return update.is_signed_by(key, household)
        if claim.author == self._journal.device or not voucher:
            return False
        giver = self._roll.keys.get(self._giver)
        said = update.digest + voucher
        return giver is not None and is_signed(giver, _VOUCHER, household, said)

    def _key_of(
        self, author: str, fingerprint: bytes
    ) -> ec.EllipticCurvePublicKey | None:
        """The author's key if it may write now, and with this one."""
        return writing_key(self._roll, author, fingerprint, self._prints)

    def _place(self, update: Update, is_trusted: bool) -> None:
        journal, claim = self._journal, update.claim
        if not is_trusted:
            raise self._refusal(update)
        known = journal.heads.get(update.peer)
        who = claim.author, claim.fingerprint, claim.incarnation
        if known is not None and who != known[:3]:
            raise WireError(f"an update of {claim.author} under another's number")
        if known is None:
            self._check_room(claim.author)
        if self._is_known(update):
            return
        span = update.span()
        if journal.fault_of(update, span):
            self._is_behind = True
            return
        if update.peer in self._failing:
            raise RefusedError(
                f"{claim.author} wrote what cannot be read: no more of it is tried",
                hint="update trivet on both devices, and start this one anew",
            )
        try:
            self._roots |= journal.take(update, span)
        except WireError:
            self._failing.add(update.peer)
            raise
        self._taken += 1
        if update.peer == journal.peer:  # so this device forgot what it wrote
            log.warning("%s: restored from a backup: writes anew", journal.device)
            journal.renew()

    def _check_room(self, author: str) -> None:
        heads = self._journal.heads.values()
        if (
            len(heads) >= MAX_PEERS
            or sum(known.author == author for known in heads) >= MAX_INCARNATIONS
        ):
            raise RefusedError(
                f"{author} writes under too many numbers",
                hint="its clock or disk is at fault, or it floods: look at it",
            )

    def _is_known(self, update: Update) -> bool:
        """Whether it is here already.

        Raises:
            RefusedError: another one of its author is in its place.
        """
        journal, claim = self._journal, update.claim
        known = journal.heads.get(update.peer)
        if known is None or claim.start > known.end:
            return False
        floor = journal.ground.get(update.peer)
        if floor is not None and claim.end <= floor.end:
            return True
        if claim.start == known.end:
            if claim.previous == known.digest:
                return False
        elif journal.store.at(update.peer, claim.start) == update.raw:
            return True
        elif update.peer == journal.peer and self._is_first(update):
            self._give_way(update)
            return False
        self._forks.append(Fork(claim.author, update.peer, claim.start, self._giver))
        raise RefusedError(
            f"{claim.author} wrote two things as its number {claim.start}: "
            f"{self._giver} has another than {journal.device}",
            hint=f"{claim.author} was restored from a backup, or its key is in other "
            "hands: then revoke it",
        )

    def _is_first(self, update: Update) -> bool:
        """Whether this is where it goes another way than what is here."""
        start, before = update.claim.start, BEGINNING
        ground = self._journal.ground.get(update.peer)
        raw = self._journal.store.before(update.peer, start)
        if raw is not None:
            before = read_update(raw).digest
        elif ground is not None:
            before = ground.digest
        return update.claim.previous == before

    def _give_way(self, update: Update) -> None:
        """Others know another continuation of this device: go on from theirs."""
        journal = self._journal
        log.warning(
            "%s: restored from a backup: what it wrote since is written again",
            journal.device,
        )
        rows = list(journal.store.of_peer(update.peer, update.claim.start))
        numbers = [row.number for row in rows]
        journal.store.put_aside(numbers)
        journal.store.remove(numbers)
        journal.renew()
        journal.refound()

    def _refusal(self, update: Update) -> PeerError:
        author = update.claim.author
        party = self._roll.members.get(author)
        if party is None:
            return RefusedError(
                f"{author} is of this household no more",
                hint=f"{self._giver} hears of it with the charter",
            )
        if party.is_guest:
            return RefusedError(f"{author} is a guest and writes no state")
        return WireError(
            f"an update is not as {author} signed it",
            hint=f"{self._giver} alters it, or the key of {author} is another",
        )


def vouch(private: ec.EllipticCurvePrivateKey, household: str, update: Update) -> bytes:
    """A member's word that it took this update while its author was one too."""
    return sign(private, _VOUCHER, household, update.digest)[len(update.digest) :]


def check_member(roll: Roll, device: str) -> None:
    """Refuse a device that has no part in the household's state.

    Raises:
        RefusedError: it is a guest or a stranger.
    """
    party = roll.members.get(device)
    if party is None or party.is_guest:
        what = "a guest" if party is not None else "of this household no more"
        raise RefusedError(f"{device} is {what}: it has no part in the state")


def seen_by_all(
    me: str,
    mine: Vector,
    said: Mapping[str, tuple[int, bytes]],
    household: str,
    roll: Roll,
) -> dict[int, int]:
    """The operations that every member has that is no guest; nothing if one is unsure.

    Args:
        me: this device.
        mine: what it has.
        said: when each device last said what it has, and its words.
        household: the household's name.
        roll: who belongs to it.
    """
    vectors = [mine]
    for device, party in roll.members.items():
        if party.is_guest or device == me:
            continue
        if device not in said:
            return {}
        try:
            seen = read_seen(said[device][1], household, roll.keys)
        except WireError:  # said with a key that it has no more
            return {}
        if seen is None or not covers(mine, seen.vector):
            return {}
        vectors.append(seen.vector)
    return meet(vectors)


def writing_key(
    roll: Roll, author: str, fingerprint: bytes, prints: dict[str, bytes]
) -> ec.EllipticCurvePublicKey | None:
    """The key of an author that may write now, and with this one; None else.

    Args:
        roll: who belongs to the household.
        author: its id.
        fingerprint: of the key that it wrote with.
        prints: fingerprints that were found before, by device.
    """
    party, key = roll.members.get(author), roll.keys.get(author)
    if party is None or party.is_guest or key is None:
        return None
    if author not in prints:
        prints[author] = fingerprint_bytes(key)
    return key if prints[author] == fingerprint else None


def _follows(after: Update, update: Update) -> bool:
    return (
        after.claim.previous == update.digest
        and after.claim.author == update.claim.author
    )
