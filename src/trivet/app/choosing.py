"""The log of what was weighed and said, kept on the device that leads.

One JSON line a choice, for its owner's eyes: what the skills claimed, how likely it was
to be said, whether it was, and what was answered. It stays on this device, holds the
last `MAX_CHOICES`, and what is forgotten of a person's ways goes from it as well.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from trivet.app.hub import Hub
from trivet.domain import InputError, SetupError, TrivetError
from trivet.engine.choice import MAX_CHOICES, Choice, from_lines, to_lines
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
        """Write what was settled since the last time; a fault is logged once."""
        settled = self._hub.mind.suggester.choices.settled
        if not settled:
            return
        try:
            kept = self._known() + list(settled)
            self._write(kept[-MAX_CHOICES:])
            settled.clear()
            self._fault = ""
        except TrivetError as error:
            if str(error) != self._fault:
                log.error("%s: choices not kept: %s", self._hub.device, error)
            self._fault = str(error)

    async def forget(self, owner: str, wish: Forget) -> None:
        """Of a span in which somebody's samples are forgotten nothing is left.

        What was weighed comes from all devices together, so it goes whoever's it was.

        Raises:
            SetupError: the file cannot be written.
        """
        self._hub.mind.suggester.choices.forget(wish.since, wish.until)
        kept = self._known()
        left = [one for one in kept if not wish.since <= one.time < wish.until]
        if len(left) < len(kept):
            self._write(left)

    def _known(self) -> list[Choice]:
        if self._kept is None:
            try:
                self._kept = read_choices(self._file)
            except InputError as error:
                aside = self._file.with_suffix(".damaged")
                log.error("%s is damaged, and is %s now: %s", self._file, aside, error)
                self._file.replace(aside)
                self._kept = []
        return self._kept

    def _write(self, choices: Iterable[Choice]) -> None:
        """All of it or nothing, readable by its owner alone."""
        kept = list(choices)
        part = self._file.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(to_lines(kept))
                out.flush()
                os.fsync(out.fileno())
            part.replace(self._file)
        except OSError as error:
            raise SetupError(
                f"{self._file} cannot be written: {error.strerror}",
                hint="make room on the disk, or let its owner write there",
            ) from error
        self._kept = kept


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
