"""What a chaos node did and saw, written down outside the product's own files.

One line a record, JSON, appended in one write; a line that a kill cut short is passed
over. Times are of the machine's monotonic clock, which all nodes share and no fault
moves. The judgement (check.py) rests on these lines and on the product's files alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TypeAlias, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all records have.

    Attributes:
        at: monotonic seconds.
        life: which start of the node it was, from 1.
    """

    at: float = 0.0
    life: int = 0


class Began(Record, frozen=True, tag="began"):
    """A node has begun; its ledger then ended at `seq`."""

    seq: int


class Witnessed(Record, frozen=True, tag="witnessed"):
    """The ledger ended here: this much must still be there afterwards."""

    head: str


class Heard(Record, frozen=True, tag="heard"):
    """A sample came from another device."""

    owner: str
    path: str
    time: float
    value: float


class Shut(Record, frozen=True, tag="shut"):
    """A device was shut out; nothing that was given after `value` may reach it."""

    device: str
    value: float


class Sighted(Record, frozen=True, tag="sighted"):
    """Who is there, as this node sees it, and what came lately."""

    alive: tuple[str, ...]
    flowing: tuple[str, ...] = ()
    state: str = ""


class Acked(Record, frozen=True, tag="acked"):
    """A write to the household's state was acknowledged."""

    key: str
    value: str


class Refused(Record, frozen=True, tag="refused"):
    """Something was not done, and the product said so."""

    what: str
    why: str


class Asked(Record, frozen=True, tag="asked"):
    """A task was asked for."""

    run: str
    task: str


class Answered(Record, frozen=True, tag="answered"):
    """It was done, by this device as it says."""

    run: str
    by: str


class Ran(Record, frozen=True, tag="ran"):
    """A task is being carried out, by this device."""

    run: str
    task: str
    by: str


class Held(Record, frozen=True, tag="held"):
    """This node holds a seat under this token; it looked at the moment `seen`."""

    seat: str
    token: int
    seen: float = 0.0


class Acted(Record, frozen=True, tag="acted"):
    """A resource did what the holder of a token told it to."""

    seat: str
    token: int
    holder: str


Line: TypeAlias = (
    Began
    | Witnessed
    | Heard
    | Shut
    | Sighted
    | Acked
    | Refused
    | Asked
    | Answered
    | Ran
    | Held
    | Acted
)
R = TypeVar("R", bound=Record)
_decoder = msgspec.json.Decoder(Line)


class Journal:
    """One node's lines.

    Args:
        path: the file.
        life: which start of the node this is.
    """

    def __init__(self, path: Path, life: int) -> None:
        self.life = life
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(path, flags, 0o600)
        os.write(self._file, b"\n")  # whatever the last life left unfinished ends here

    def add(self, record: Record, *, sure: bool = False) -> None:
        """Write a record; when `sure`, it is on the disk when this returns."""
        made = msgspec.structs.replace(record, at=monotonic(), life=self.life)
        os.write(self._file, msgspec.json.encode(made) + b"\n")
        if sure:
            os.fsync(self._file)


def append(path: Path, record: Record) -> None:
    """Add one record to a file that many processes write."""
    made = msgspec.structs.replace(record, at=monotonic())
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, msgspec.json.encode(made) + b"\n")
        os.fsync(file)
    finally:
        os.close(file)


class Book:
    """What a whole run wrote down, by device."""

    def __init__(self, lines: dict[str, list[Line]]) -> None:
        self._lines = lines

    @property
    def devices(self) -> list[str]:
        """Who wrote."""
        return sorted(self._lines)

    def of(self, device: str, kind: type[R]) -> list[R]:
        """A device's records of a kind, in the order of their writing."""
        return [line for line in self._lines.get(device, []) if isinstance(line, kind)]

    def all(self, kind: type[R]) -> list[tuple[str, R]]:
        """All records of a kind with whose they are, in the order of their times."""
        found = [(d, line) for d in self.devices for line in self.of(d, kind)]
        return sorted(found, key=lambda pair: pair[1].at)


def read_book(folder: Path, tail: int = 0) -> Book:
    """The journals in a folder, `DEVICE.jsonl` each.

    Args:
        folder: where they are.
        tail: bytes at the end of each that are read; 0 for all.
    """
    files = sorted(folder.glob("*.jsonl"))
    return Book({path.stem: list(read_lines(path, tail)) for path in files})


def read_lines(path: Path, tail: int = 0) -> Iterator[Line]:
    """The records in a journal, or in so many bytes at its end; none if it is not."""
    if not path.exists():
        return
    with path.open("rb") as file:
        if tail:
            file.seek(max(0, path.stat().st_size - tail))
        data = file.read()
    for text in data.splitlines():
        if text.strip():
            try:
                yield _decoder.decode(text)
            except msgspec.DecodeError:
                continue  # cut short by a kill
