"""Whose recordings are read, which of their days, and what two people share.

GeoLife holds some files under two names, byte for byte. A file that several people
have stays with one: with a reported person if one has it, of several with the first by
name. The others are read without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from trivet.devices.replay import find_recordings
from trivet.domain import UsageError

#: The people that are reported on; nothing was fitted on them.
REPORTED = ("003", "004", "017", "030", "068", "128", "153", "167")
#: Kept for a last judgement: never opened, by any command here.
CLOSED = frozenset({"025", "085", "140", "144"})
#: Of each reported person's days the first are read; the rest is kept likewise.
SHARE_OF_DAYS = 0.75


class Shared(msgspec.Struct, frozen=True):
    """What the people of one folder have in common.

    Attributes:
        looked_at: files that were compared.
        copies: files that somebody else has too and keeps.
        dropped: of each person, the files to leave out.
    """

    looked_at: int
    copies: int
    dropped: Mapping[str, frozenset[Path]]


def everybody(folder: Path) -> list[str]:
    """The people of a folder, but those kept closed.

    Raises:
        UsageError: it holds none.
    """
    people = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    people = [p for p in people if p not in CLOSED and (folder / p).is_dir()]
    if not people:
        raise UsageError(
            f"{str(folder)!r} holds no folder a person",
            hint="name GeoLife's Data folder",
        )
    return people


def recordings(folder: Path, person: str) -> list[Path]:
    """The files of a person that may be read, by name.

    Raises:
        UsageError: the person is kept closed, or there is no such person.
    """
    if person in CLOSED:
        raise UsageError(
            f"person {person} is kept closed for a last judgement",
            hint=f"the reported ones are {' '.join(REPORTED)}",
        )
    if not (folder / person).is_dir():
        raise UsageError(f"there is no person {person!r} in {str(folder)!r}")
    files = find_recordings(folder / person)
    if person not in REPORTED:
        return files
    days = sorted({file.name[:8] for file in files})
    early = set(days[: int(len(days) * SHARE_OF_DAYS)])
    return [file for file in files if file.name[:8] in early]


def compare(folder: Path, people: Iterable[str]) -> Shared:
    """Which files of these people are the same, of those that may be read."""
    files = {person: recordings(folder, person) for person in people}
    sizes: dict[int, list[tuple[str, Path]]] = {}
    for person, own in files.items():
        for file in own:
            sizes.setdefault(file.stat().st_size, []).append((person, file))
    dropped: dict[str, set[Path]] = {person: set() for person in files}
    for some in sizes.values():
        if len({person for person, _ in some}) > 1:
            for person, file in _copies(some):
                dropped[person].add(file)
    return Shared(
        sum(len(own) for own in files.values()),
        sum(len(own) for own in dropped.values()),
        {person: frozenset(own) for person, own in dropped.items()},
    )


def _copies(files: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Of files of one size, those that another person keeps."""
    same: dict[bytes, list[tuple[str, Path]]] = {}
    for person, file in files:
        same.setdefault(blake2b(file.read_bytes()).digest(), []).append((person, file))
    found = []
    for some in same.values():
        keeper = min((p not in REPORTED, p) for p, _ in some)[1]
        found += [(person, file) for person, file in some if person != keeper]
    return found
