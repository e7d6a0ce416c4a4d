"""What a device must not forget about seats, whatever becomes of it.

It is on the disk, whole, before the device says a word that depends on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from trivet.domain.error import SetupError
from trivet.domain.sample import DeviceId
from trivet.fabric import disk
from trivet.fabric.seat.word import MAX_ROLLS, Roll, SeatName, Token

#: More seats than these are not believed.
MAX_SEATS = 32
_VERSION = 1


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One seat, as this device knows it.

    Attributes:
        token: the greatest that it promised.
        holder: to whom.
        floor: the least token of that device that counts, since the last other one.
        rolls: which rolls it stands by; see roll.py.
        won: the token with which this device itself held last, 0 if another was
            promised the seat since, or it gave it away.
    """

    token: Annotated[int, Meta(ge=1, le=1 << 53)]
    holder: DeviceId
    floor: Annotated[int, Meta(ge=1, le=1 << 53)]
    rolls: Annotated[tuple[Roll, ...], Meta(max_length=MAX_ROLLS)]
    won: Token = 0


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it.

    Attributes:
        version: of the form.
        first: the first roll that this device knew.
        seats: the seats of which it promised one.
    """

    version: Annotated[int, Meta(ge=_VERSION, le=_VERSION)] = _VERSION
    first: Roll | None = None
    seats: Annotated[dict[SeatName, Record], Meta(max_length=MAX_SEATS)] = {}


class Book(Protocol):
    """Keeps a page."""

    def load(self) -> Page | None:
        """What was kept; None if nothing ever was."""
        ...

    def keep(self, page: Page) -> None:
        """Keep it; on return it stands, whatever happens.

        Raises:
            SetupError: it cannot be kept; what was kept before still is.
        """
        ...


class MemoryBook:
    """A book that lives as long as the object: for tests."""

    def __init__(self) -> None:
        self.page: Page | None = None

    def load(self) -> Page | None:
        """What was kept."""
        return self.page

    def keep(self, page: Page) -> None:
        """Keep it."""
        self.page = page


class FileBook:
    """A book in a file, replaced in one step and forced down to the disk.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Page | None:
        """What was kept.

        Raises:
            SetupError: the file is damaged or cannot be read.
        """
        if not self._path.exists():
            return None
        # a voter that forgot would let two devices act at once
        hint = "do not delete it: revoke this device, and admit it anew"
        data = disk.read(self._path, hint)
        try:
            return msgspec.json.decode(data, type=Page)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SetupError(f"{self._path} is damaged: {error}", hint=hint) from error

    def keep(self, page: Page) -> None:
        """Keep it.

        Raises:
            SetupError: it cannot be written.
        """
        disk.replace(self._path, msgspec.json.encode(page) + b"\n", disk.SECRET)
