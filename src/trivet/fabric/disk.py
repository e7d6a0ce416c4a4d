"""Files that are whole or not there: what is kept survives a crash in mid-write.

A file is written beside its place, forced down to the disk and moved in one step; so is
a folder. Secret files have their owner's mode from the moment they exist.

Source: POSIX rename(2), fsync(2), flock(2).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trivet.domain.error import SetupError

#: For one's own eyes, and for everybody's.
SECRET, PUBLIC = 0o600, 0o644
#: No file that is kept here is longer; one that is, is no file of ours.
_MAX_BYTES = 1 << 20


def read(path: Path, hint: str) -> bytes:
    """A file's bytes.

    Raises:
        SetupError: it is missing, too long or cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SetupError(f"{path} is longer than {_MAX_BYTES} bytes", hint=hint)
        return path.read_bytes()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing", hint=hint) from None
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}", hint="check who owns it"
        ) from error


def read_secret(path: Path, hint: str) -> bytes:
    """The bytes of a file that nobody but its owner may read.

    Raises:
        SetupError: it is missing, cannot be read, or others can read it.
    """
    data = read(path, hint)
    if path.stat().st_mode & 0o077:
        raise SetupError(
            f"{path} can be read by others than its owner",
            hint=f"chmod 600 {path}; if others may have read it, admit it anew",
        )
    return data


def write_new(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file that is not there yet; it never has a wider mode than `mode`.

    For drafts that are moved into place later; see `made_whole`.

    Raises:
        OSError: it is there, or cannot be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Put `data` in the place of `path` in one step.

    Raises:
        SetupError: it cannot be written; the old file is then untouched.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        try:
            write_new(draft, data, mode)
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _settle(path.parent)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be replaced: {error.strerror}", hint="check who owns it"
        ) from error


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A draft folder that becomes `folder` in one step, or vanishes on an error.

    Raises:
        SetupError: it cannot be made, or is there and not empty.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield draft
            os.replace(draft, folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _settle(folder.parent)
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be made: {error.strerror}",
            hint="check who owns its parent folder, and the space left",
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: of two processes that change it, one waits.

    Not to be taken twice by one thread.

    Raises:
        SetupError: the lock cannot be made.
    """
    try:
        handle = os.open(
            folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET
        )
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be locked: {error.strerror}", hint="check who owns it"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _settle(folder: Path) -> None:
    """Force a move in `folder` down to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
