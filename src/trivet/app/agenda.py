"""A person's calendar as the mind sees it: a file that is read anew when it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from pathlib import Path

from trivet.devices.calendar import Calendar, read_calendar
from trivet.domain import TrivetError
from trivet.domain.appointment import Appointment

#: How far ahead appointments are looked at, and how often the file is: event seconds.
AHEAD_S, LOOK_S = 30 * 3600.0, 60.0


class Agenda:
    """The appointments of one `.ics` file.

    What cannot be read is told once, and the appointments read before stand.

    Args:
        path: the file.
        tell: is told what is wrong with it, one line for a person.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell
        self._calendar: Calendar | None = None
        self._stamp: tuple[int, int] | None = None
        self._fault = ""
        self._looked = float("-inf")
        self._found: Sequence[Appointment] = ()

    def around(self, time: float, zone: tzinfo) -> Sequence[Appointment]:
        """What goes on at event time `time`, and begins in the next AHEAD_S."""
        if 0.0 <= time - self._looked < LOOK_S:
            return self._found
        self._looked = time
        try:
            self._read()
        except (TrivetError, OSError) as error:
            self._tell_once(str(error))
        if self._calendar is not None:
            try:
                self._found = self._calendar.between(time, time + AHEAD_S, zone)
            except TrivetError as error:
                self._found = ()
                self._tell_once(str(error))
        return self._found

    def _read(self) -> None:
        """Read the file if it is another one than before."""
        found = self._path.stat()
        stamp = found.st_mtime_ns, found.st_size
        if stamp != self._stamp:
            self._stamp = stamp
            self._calendar = read_calendar(self._path)
            self._fault = ""

    def _tell_once(self, fault: str) -> None:
        if fault != self._fault:
            self._tell(f"the calendar {self._path}: {fault}")
        self._fault = fault
