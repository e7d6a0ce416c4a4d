"""What keeps a history's samples until they are written, and its file whole.

What is noted waits in memory until `flush` writes it in one durable transaction; what
was flushed is there after any crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, RLock
from types import TracebackType
from typing import Any, Self, TypeVar

from trivet.domain.error import SetupError, UsageError
from trivet.domain.lease import Lease
from trivet.domain.sample import Sample
from trivet.fabric.history.file import HistoryFile
from trivet.fabric.history.intake import Intake, Waiting, waiting
from trivet.fabric.key import check_id

#: Samples that are written at once, when so many wait.
BATCH = 256
#: Samples that wait in memory while the file cannot be written; more are lost, and
#: that is told.
MAX_WAITING = 65_536

_T = TypeVar("_T")


class Shelf:
    """An open file and what waits for it. Any thread may call it.

    Attributes:
        device: id of the device that it belongs to.
        lost: samples that could not be kept: the file could not be written for so long
            that no more could wait.
        error: why the file could not be written last, empty when it can.
    """

    def __init__(self, path: Path | str, device: str) -> None:
        """Open a history, or begin one.

        Args:
            path: its file, or ":memory:".
            device: id of the device that it belongs to.

        Raises:
            UsageError: a bad id.
            SetupError: the file cannot be used, or is the history of another device.
        """
        self.device = check_id(device)
        self.lost = 0
        self.error = ""
        self._file = HistoryFile(path, device)
        # who holds the first may take the second, never the other way round
        self._lock, self._noting = RLock(), Lock()
        self._waiting: list[Waiting] = []
        self._writing = 0
        self._is_closed = self._is_scrubbing = False
        self._intake = Intake(self._file)

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
        """Write what waits and close the file. Calling it twice is allowed.

        Raises:
            SetupError: what waited could not be written; the file is closed all the
                same.
        """
        if self._is_scrubbing:
            self._file.interrupt()  # it is still owed, and done at the next start
        with self._lock:
            if self._is_closed:
                return
            try:
                self.flush()
            finally:
                self._is_closed = True
                self._file.close()

    @property
    def waiting(self) -> int:
        """Samples that are not durable yet."""
        return len(self._waiting) + self._writing

    def flush(self) -> int:
        """Write what waits; how many of it was new. It is durable when this returns.

        Raises:
            SetupError: it cannot be written; it waits on, see MAX_WAITING.
        """
        with self._lock:
            with self._noting:
                rows, self._waiting = self._waiting, []
                self._writing = len(rows)
            if not rows:
                return 0
            try:
                new = self._change(lambda: self._intake.write(rows), keeps=True)
            except BaseException as error:
                self.error = str(error)
                with self._noting:
                    rows += self._waiting
                    self.lost += max(0, len(rows) - MAX_WAITING)
                    self._waiting = rows[:MAX_WAITING]
                raise
            finally:
                self._writing = 0
            self.error = ""
            return new

    # --- within -------------------------------------------------------------------

    def _note(self, sample: Sample, lease: Lease | None) -> None:
        row = waiting(sample, lease)
        with self._noting:
            if len(self._waiting) < MAX_WAITING:
                self._waiting.append(row)
                return
            self.lost += 1

    def _try_flush(self) -> None:
        """Write what waits if that can be; what cannot is held back when it can."""
        with suppress(SetupError):
            self.flush()

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._is_closed:
                raise UsageError(f"the history of {self.device} is closed")
            with self._file.told():
                yield

    def _change(self, work: Callable[[], _T], *, keeps: bool = False) -> _T:
        """Do it in one transaction; `keeps` if no stream, rule or wish changes."""
        with self._opened():
            try:
                with self._file.transaction():
                    self._intake.refresh()
                    done = work()
            except BaseException:
                self._intake.reset()
                raise
            if not keeps:
                self._intake.reset()
            return done

    def _do(self, work: Callable[[], _T]) -> _T:
        """Do it; it makes its own transactions."""
        with self._opened():
            self._intake.reset()
            return work()

    def _setting(self, name: str, default: float = 0) -> Any:
        with self._opened():
            return self._file.setting(name, default)

    def _set(self, name: str, value: float) -> None:
        self._change(lambda: self._file.set(name, value), keeps=True)
