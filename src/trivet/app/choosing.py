"""The log of what was weighed and said, kept on the device that leads.

One JSON line a choice, for its owner's eyes: what the skills claimed, how likely it was
to be said, whether it was, and what was answered. It stays on this device, holds the
last `MAX_CHOICES`, and what is forgotten of a person's ways goes from it as well.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from trivet.app.hub import Hub
from trivet.domain import InputError, SetupError, TrivetError
from trivet.engine.choice import Choice, ChoiceLog, from_lines, to_lines
from trivet.fabric.history import Forget

log = logging.getLogger("trivet.app")

#: Real seconds between two looks at what was settled.
LOOK_S = 30.0


class Choosing:
    """Keeps one mind's choices in a file.

    Args:
        file: where they are kept; made when there is something to keep.
        hub: the device that leads.
    """

    def __init__(self, file: Path, hub: Hub) -> None:
        self._file = file
        self._hub = hub
        #: what the file holds, None before it was read
        self._kept: list[Choice] | None = None
        self._fault = ""

    async def run(self) -> None:
        """Keep them until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                self.keep()
        finally:
            self.keep()

    def keep(self) -> None:
        """Write what was settled, or undone, since; a fault is logged once."""
        try:
            self._recall()
            self._write()
            self._fault = ""
        except TrivetError as error:
            if str(error) != self._fault:
                log.error("%s: choices not kept: %s", self._hub.device, error)
            self._fault = str(error)

    async def forget(self, owner: str, wish: Forget) -> None:
        """Of a span in which somebody's samples are forgotten nothing is left.

        What was weighed comes from all devices together, so it goes whoever's it was.

        Raises:
            SetupError: the file cannot be read or written.
        """
        self._recall()
        self._choices.forget(wish.since, wish.until)
        self._write()

    @property
    def _choices(self) -> ChoiceLog:
        return self._hub.mind.suggester.choices

    def _recall(self) -> None:
        """Put what the file holds before what was settled since, once."""
        if self._kept is not None:
            return
        try:
            self._kept = read_choices(self._file)
        except InputError as error:
            aside = self._file.with_suffix(".damaged")
            log.error("%s is damaged, and is %s now: %s", self._file, aside, error)
            try:
                self._file.replace(aside)
            except OSError as fault:
                raise _unwritable(self._file, fault) from fault
            self._kept = []
        self._choices.recall(self._kept)

    def _write(self) -> None:
        """All of it or nothing, readable by its owner alone; only what is news."""
        kept = list(self._choices.settled)
        if kept == self._kept:
            return
        part = self._file.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(to_lines(kept))
                out.flush()
                os.fsync(out.fileno())
            part.replace(self._file)
        except OSError as error:
            raise _unwritable(self._file, error) from error
        self._kept = kept


def _unwritable(file: Path, error: OSError) -> SetupError:
    return SetupError(
        f"{file} cannot be written: {error.strerror}",
        hint="make room on the disk, or let its owner write there",
    )


def read_choices(file: Path) -> list[Choice]:
    """The choices in a file, none when there is no file.

    Raises:
        InputError: a line is damaged; says which.
        SetupError: the file cannot be read.
    """
    try:
        return from_lines(file.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SetupError(
            f"{file} cannot be read: {error.strerror}",
            hint="it is readable by its owner alone",
        ) from error
