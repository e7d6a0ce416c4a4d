"""Several files of a folder that change together, or not at all.

What is to be is made in full in `<folder>/staged`, which appears in one step, and then
moved to its places file by file. A crash on the way is made up for when the folder is
used next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from trivet.domain.error import SetupError
from trivet.fabric import disk

_FOLDER, _DONE = "staged", ".staged"
_MOST = 4096


class Staged(dict[str, tuple[bytes, int]]):
    """Files that are to be, in the order in which they take their places.

    By their path in the folder: their bytes and their mode.
    """

    def put(self, path: str, data: bytes, mode: int = disk.PUBLIC) -> None:
        """One more."""
        self[path] = (data, mode)


def replace_all(folder: Path, files: Mapping[str, tuple[bytes, int]]) -> None:
    """Put the files in their places; the caller holds the folder's lock.

    Raises:
        SetupError: they cannot be written. Nothing has changed, or what is left to do
            is done by `resume`.
    """
    with disk.made_whole(folder / _FOLDER) as draft:
        for number, (path, (data, mode)) in enumerate(files.items()):
            own = draft / f"{number:04d}"
            own.mkdir(mode=0o700)
            disk.write_new(own / "path", path.encode())
            disk.write_new(own / "data", data, mode)
    _finish(folder)


def resume(folder: Path) -> None:
    """Do what a crash left undone, if it left anything.

    Raises:
        SetupError: it cannot be written.
    """
    if (folder / _FOLDER).exists():
        with disk.locked(folder):
            _finish(folder)


def _finish(folder: Path) -> None:
    stage = folder / _FOLDER
    try:
        for path, data, mode in _read(stage):
            place = folder / path
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            disk.replace(place, data, mode)
        if stage.exists():  # in one step: half of it must not be put in place again
            done = folder / _DONE
            shutil.rmtree(done, ignore_errors=True)
            os.replace(stage, done)
            shutil.rmtree(done, ignore_errors=True)
    except OSError as error:
        raise SetupError(
            f"{stage} cannot be put in place: {error.strerror}",
            hint="check who owns it, and the space left",
        ) from error


def _read(stage: Path) -> Iterator[tuple[Path, bytes, int]]:
    for own in sorted(stage.glob("[0-9]" * 4)):
        path = Path((own / "path").read_bytes()[:_MOST].decode())
        data = own / "data"
        yield path, data.read_bytes(), data.stat().st_mode & 0o777
