"""The ledger: what was granted, refused, ended and disclosed, in one file.

It is only ever added to, and each entry's hash binds all before it (ledger_chain.py).
Where it ends is kept beside it, signed with the device's key and written in the same
transaction. What that shows and what it cannot show is in docs/ledger.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import SetupError, UsageError
from trivet.domain.lease import matches
from trivet.fabric import ledger_chain as chain
from trivet.fabric.event import Event, EventKind
from trivet.fabric.key import check_id
from trivet.fabric.ledger_chain import Entry, Head, Key, SignedHead, Verdict
from trivet.fabric.ledger_file import LedgerFile, Row

_PAGE = 512
#: Below any number that SQLite can hold: what was smuggled in before 1 is seen too.
_BEFORE_ALL = -(1 << 63)


class Ledger:
    """A device's own record, safe on the disk when an append returns.

    Any thread may call it, and several processes may have it open. An unsound ledger
    can be read and verified but not added to: it is evidence, and is never mended.

    Attributes:
        device: id of the device that it belongs to.
    """

    def __init__(
        self,
        path: Path | str,
        device: str,
        *,
        key: Key | None = None,
        now: float | None = None,
    ) -> None:
        """Open a ledger, or begin one.

        Args:
            path: its file, or ":memory:".
            device: id of the device that it belongs to.
            key: the device's private key, which signs where the ledger ends; its
                public key to read and verify only; None for a ledger with no key.
            now: when it is begun, if it is, in seconds since 1970-01-01 UTC; the
                clock's if None.

        Raises:
            UsageError: a bad id, or a ledger would be begun with a public key.
            SetupError: the file cannot be used, or is the ledger of another device.
        """
        self.device = check_id(device)
        self._path = str(path)
        self._key = key
        self._lock = Lock()
        self._is_closed = False
        self._file = LedgerFile(path, device, key, time.time() if now is None else now)
        self._seq, self._hash, self._fault = 0, self._file.start, ""
        try:
            with self._file.transaction():
                self._look_at_end()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Calling it twice is allowed."""
        with self._lock:
            self._is_closed = True
            self._file.close()

    @property
    def fault(self) -> str:
        """What is wrong with its end, so that nothing can be added; empty if nothing.

        Its end is looked at when the ledger is opened, and again when anybody else
        changed it; `verify` looks at all of it.
        """
        return self._fault

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey | None:
        """The key that checks its end, None for a ledger without one."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.public_key()
        return self._key

    @property
    def head(self) -> Head:
        """Where the ledger ends now, as it is kept in the file.

        Raises:
            UsageError: the ledger is closed.
            SetupError: the file is damaged.
        """
        with self._opened():
            seq, digest, _ = self._file.head() or (None, None, None)
        if not isinstance(seq, int) or not isinstance(digest, bytes):
            raise self._file.unsound("its head is missing")
        return Head(seq, digest.hex(), seq)

    def sign_at(self, seq: int) -> SignedHead | None:
        """This device's word on its entry `seq`, for others to keep.

        Returns:
            None when there is no such entry.

        Raises:
            UsageError: there is no private key to sign with, or the ledger is closed.
            SetupError: the file is damaged.
        """
        if not isinstance(self._key, ec.EllipticCurvePrivateKey):
            raise UsageError(f"the ledger of {self.device} is not signed here")
        with self._opened():
            digest = self._file.hash_at(seq)
        if not isinstance(digest, bytes):
            return None
        signature = chain.sign_head(self._key, self.device, seq, digest)
        return SignedHead(self.device, seq, digest, signature)

    def append(self, event: Event) -> Entry:
        """Add one event; it is on the disk when this returns.

        Raises:
            UsageError: no event that can be kept, no private key to a signed ledger,
                or the ledger is closed.
            SetupError: the ledger is unsound, or its file cannot be written.
        """
        return self.append_many((event,))[0]

    def append_many(self, events: Iterable[Event]) -> list[Entry]:
        """Add several events in one transaction: all of them or none.

        Raises:
            UsageError: as `append`.
            SetupError: as `append`.
        """
        encoded = [chain.encode_event(event) for event in events]
        if not encoded:
            return []
        with self._opened():
            with self._file.transaction("IMMEDIATE"):
                self._check_end()
                rows, digest = [], self._hash
                for seq, data in enumerate(encoded, self._seq + 1):
                    digest = chain.link(digest, seq, data)
                    rows.append((seq, data, digest))
                signature = chain.sign_head(self._key, self.device, seq, digest)
                self._file.add(rows, signature)
            self._seq, self._hash = seq, digest
        return [Entry(n, chain.decode_event(d), h.hex()) for n, d, h in rows]

    def entries(
        self,
        *,
        after: int = 0,
        peer: str = "",
        path: str = "",
        kind: EventKind | None = None,
        since: float = 0.0,
        until: float = inf,
    ) -> Iterator[Entry]:
        """The entries that fit all of what is given, in the order of their writing.

        Args:
            after: only those with a greater number.
            peer: only those about this device.
            path: only those about a signal that this is, or is a pattern of.
            kind: only those of this kind.
            since: only those at or after this event time.
            until: only those before this event time.

        Raises:
            UsageError: the ledger is closed.
            SetupError: the file is damaged.
        """
        for row in self._rows(after):
            entry = self._entry(row)
            event = entry.event
            if (
                since <= event.time < until
                and peer in ("", event.peer)
                and kind in (None, event.kind)
                and (not path or any(matches(path, p) for p in event.paths))
            ):
                yield entry

    def verify(self, *witnesses: Head) -> Verdict:
        """Look at all of it: every entry, the end, and the signature under it.

        Without a key, a chain that somebody computed anew is not seen; without a
        witness, an older copy in the ledger's place is not.

        Args:
            witnesses: heads that other devices saw.

        Raises:
            UsageError: the ledger is closed.
        """
        walk = chain.Walk(self._file.start, witnesses)
        after, head = _BEFORE_ALL, None
        try:
            while True:
                rows, head = self._page(after)
                if not all(walk.step(*row) for row in rows):
                    return Verdict(False, walk.seq, walk.fault, walk.at)
                if len(rows) < _PAGE:
                    break
                after = rows[-1][0]
        except SetupError as error:
            return Verdict(False, walk.seq, error.message, walk.seq + 1)
        seq, digest, signature = head or (None, None, None)
        walk.end(seq, digest)
        fault = walk.fault or self._signature_fault(walk.seq, walk.hash, signature)
        return Verdict(
            not fault, walk.seq, fault, (walk.at or walk.seq) if fault else 0
        )

    # --- within -----------------------------------------------------------------

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise UsageError(f"the ledger {self._path} is closed")
            with self._file.told():
                yield

    def _page(self, after: int) -> tuple[list[Row], Row | None]:
        """Some entries and the head, as they were at one moment."""
        with self._opened(), self._file.transaction():
            return self._file.rows(after, _PAGE), self._file.head()

    def _rows(self, after: int) -> Iterator[Row]:
        while True:
            rows, _ = self._page(after)
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _entry(self, row: Row) -> Entry:
        seq, data, digest = row
        try:
            return Entry(seq, chain.decode_event(data), digest.hex())
        except (ValueError, TypeError, AttributeError) as error:
            raise self._file.unsound(f"entry {seq} is no event") from error

    def _check_end(self) -> None:
        """Raise unless something may be added after what is there."""
        stored = self._file.head()
        if stored is None or stored[:2] != (self._seq, self._hash):
            self._look_at_end()  # another process added to it, or somebody changed it
        if self._fault:
            raise self._file.unsound(self._fault)
        if self._key is None and stored is not None and stored[2]:
            raise UsageError(
                f"the ledger of {self.device} is signed and needs its key",
                hint="pass the device's private key",
            )

    def _look_at_end(self) -> None:
        """Check the last link and the head; what was seen before must still hold."""
        seq, digest, signature = self._file.head() or (None, None, None)
        last = self._file.last_two()
        if not isinstance(seq, int) or not isinstance(digest, bytes):
            self._fault = "its head is missing"
        elif self._file.hash_at(self._seq) != self._hash or seq < self._seq:
            self._fault = f"entry {self._seq} was there before and is no more"
        elif seq != (last[0][0] if last else 0):
            self._fault = f"its head is at {seq} and its last entry is not"
        elif digest != self._hash_of_end(last):
            self._fault = f"entry {seq} is not what was written there"
        else:
            self._fault = self._signature_fault(seq, digest, signature)
            if not self._fault:
                self._seq, self._hash = seq, digest

    def _hash_of_end(self, last: list[Row]) -> bytes | None:
        """The hash that the last entry must have, None when nothing can be right."""
        if not last:
            return self._file.start
        seq, data, digest = last[0]
        before = last[1][2] if len(last) > 1 else self._file.start
        if not isinstance(data, bytes) or not isinstance(before, bytes):
            return None
        found = chain.link(before, seq, data)
        return found if found == digest else None

    def _signature_fault(self, seq: int, digest: bytes, signature: object) -> str:
        if self._key is None:
            return ""
        if isinstance(signature, bytes) and chain.is_head_signed(
            self._key, self.device, seq, digest, signature
        ):
            return ""
        return f"its end at {seq} is not signed with the key of {self.device}"
