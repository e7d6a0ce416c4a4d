"""The registry: every format that is known, and which of them a file is."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from trivet.devices.replay.casas import CasasReader
from trivet.devices.replay.geolife import GeolifeReader
from trivet.devices.replay.google_records import GoogleRecordsReader
from trivet.devices.replay.google_semantic import GoogleSemanticReader
from trivet.devices.replay.google_timeline import GoogleTimelineReader
from trivet.devices.replay.gpx import GpxReader
from trivet.devices.replay.home_assistant_csv import HomeAssistantCsvReader
from trivet.devices.replay.home_assistant_json import HomeAssistantJsonReader
from trivet.devices.replay.kit import KitReader
from trivet.devices.replay.look import describe
from trivet.devices.replay.obd_list import ObdListReader
from trivet.devices.replay.obd_table import ObdTableReader
from trivet.devices.replay.owntracks_rec import OwntracksReader
from trivet.devices.replay.reader import Reader
from trivet.devices.replay.source import Source
from trivet.domain.error import InputError

#: Entry points of this group are third parties' subclasses of Reader.
GROUP = "trivet.readers"

#: The first that recognises a file reads it: the strict before the lenient.
_BUILT_IN: tuple[type[Reader], ...] = (
    GeolifeReader,
    GpxReader,
    OwntracksReader,
    GoogleRecordsReader,
    GoogleSemanticReader,
    GoogleTimelineReader,
    KitReader,
    ObdListReader,
    ObdTableReader,
    CasasReader,
    HomeAssistantCsvReader,
    HomeAssistantJsonReader,
)


class Registry(Mapping[str, Reader]):
    """Readers by name: ours, then third parties' from the entry points of GROUP.

    Attributes:
        broken: third parties' entry points that gave no reader, with the reason.
    """

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self._readers: dict[str, Reader] | None = None

    def __getitem__(self, name: str) -> Reader:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Reader]:
        if self._readers is None:
            self._readers = {kind.name: kind() for kind in _BUILT_IN}
            for entry in entry_points(group=GROUP):
                # whatever a third party raises must not take our own readers away
                try:
                    reader = entry.load()()
                except Exception as error:
                    self.broken[entry.name] = repr(error)
                    continue
                if not isinstance(reader, Reader):
                    self.broken[entry.name] = f"{reader!r} is no Reader"
                elif reader.name in self._readers:
                    self.broken[entry.name] = f"the name {reader.name!r} is taken"
                else:
                    self._readers[reader.name] = reader
        return self._readers


READERS = Registry()


def detect(path: Path) -> Reader:
    """The reader of a file, by its first bytes.

    Raises:
        InputError: it cannot be opened, or no reader recognises it; says what it looks
            like and what is known.
    """
    with Source(path) as source:
        head = source.head
    for reader in READERS.values():
        if reader.recognises(path, head):
            return reader
    broken = "".join(f"; {name} failed: {why}" for name, why in READERS.broken.items())
    raise InputError(
        f"no recording that is known: it looks like {describe(head)}",
        path=str(path),
        hint=f"known are {_known()}{broken}",
    )


def find_recordings(path: Path) -> list[Path]:
    """The recordings at a path: the file itself, or all below a folder, by name.

    In a folder, hidden files and what no reader recognises are left out. Links to
    folders are not followed.

    Raises:
        InputError: there is nothing at the path, or no recording below it.
    """
    if not path.is_dir():
        detect(path)
        return [path]
    found = [
        file
        for folder, below, names in os.walk(path)
        for file in _visible(Path(folder), below, names)
        if _is_recording(file)
    ]
    if not found:
        raise InputError(
            "no recording in this folder", path=str(path), hint=f"known are {_known()}"
        )
    return sorted(found)


def _visible(folder: Path, below: list[str], names: list[str]) -> list[Path]:
    below[:] = [name for name in below if not name.startswith(".")]
    return [folder / name for name in names if not name.startswith(".")]


def _is_recording(file: Path) -> bool:
    try:
        detect(file)
    except InputError:
        return False
    return True


def _known() -> str:
    return ", ".join(reader.title for reader in READERS.values())
