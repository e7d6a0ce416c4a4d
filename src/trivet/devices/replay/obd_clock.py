"""When a row of an OBD-II log was true: the time columns of the logging apps.

Torque writes `GPS Time` with an offset and `Device Time` without; OBD Fusion seconds
after a `# StartTime` above the header; Car Scanner and the KIT data set the time of
day, with the date in the file's name. Others write ISO 8601 or seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from trivet.devices.replay.instant import (
    epoch,
    epoch_of_american,
    epoch_of_day,
    epoch_of_number,
    epoch_of_torque,
    seconds_of_clock,
)
from trivet.devices.replay.obd_column import plain
from trivet.devices.replay.reader import Options
from trivet.devices.replay.source import Source
from trivet.devices.replay.track import number

#: Event time in s of a row's text, None when it is no time.
Clock: TypeAlias = Callable[[str], float | None]

_RELATIVE = frozenset({"timesec", "times", "seconds", "timeseconds", "elapsedtimesec"})
_ABSOLUTE = frozenset({"time", "timestamp", "datetime", "date", "timeutc"})
TIME_NAMES = _RELATIVE | _ABSOLUTE | {"gpstime", "devicetime"}
START = re.compile(r"#?\s*StartTime\s*=\s*(.+?)\s*", re.I)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
#: A count of seconds since 1970 above this is one of milliseconds.
_MILLISECONDS = 1e11
_HALF_DAY_S = 43_200.0
_DAY_S = 86_400.0


def time_column(header: Sequence[str], has_zone: bool) -> int | None:
    """Index of the best time column, None when there is none.

    Args:
        header: the column names.
        has_zone: a zone is known, so that local times can be used.
    """
    names = [plain(name) for name in header]
    best = ("devicetime", "gpstime") if has_zone else ("gpstime", "devicetime")
    for name in best:
        if name in names:
            return names.index(name)
    found = [at for at, name in enumerate(names) if name in TIME_NAMES]
    return found[0] if found else None


def clock_of(name: str, start: str, source: Source, options: Options) -> Clock:
    """How to read the time column `name`.

    Args:
        name: its header.
        start: what a `StartTime` line above the header said, else empty.
        source: the file; its name may hold the date.
        options: for the zone of local times.

    Raises:
        InputError: the zone is needed and was not given, or the date is nowhere.
    """
    key, zone = plain(name), options.zone
    if key == "devicetime":
        needed = options.need_zone(source.path)
        return lambda text: epoch_of_torque(text, needed) or epoch(text, needed)
    if key == "gpstime":
        return lambda text: epoch_of_torque(text, zone) or epoch(text, zone)
    if key in _RELATIVE and start:
        begin = epoch_of_american(start, options.need_zone(source.path))
        if begin is None:
            raise source.error(f"not a start time: {start[:40]!r}")
        return lambda text: _plus(begin, number(text))
    if key in _RELATIVE:
        return _DayClock(source, options, number)

    day_clock: list[_DayClock] = []

    def absolute(text: str) -> float | None:
        count = epoch_of_number(text)
        if count is not None:
            return count / 1000 if count > _MILLISECONDS else count
        if seconds_of_clock(text) is None:
            if epoch(text) is None and zone is None and _DATE.match(text):
                options.need_zone(source.path)
            return epoch(text, zone)
        if not day_clock:
            day_clock.append(_DayClock(source, options, seconds_of_clock))
        return day_clock[0](text)

    return absolute


class _DayClock:
    """Reads times of the local day that the file's name gives."""

    def __init__(
        self, source: Source, options: Options, read: Callable[[str], float | None]
    ) -> None:
        found = _DATE.search(source.path.name)
        if found is None:
            raise source.error(
                "its times have no date",
                hint="begin the file's name with the date: 2024-10-25 ...",
            )
        self._day = found[0]
        self._zone = options.need_zone(source.path)
        self._read = read
        self._last_s = 0.0
        self._past_s = 0.0

    def __call__(self, text: str) -> float | None:
        second = self._read(text)
        if second is None or not 0.0 <= second < 10 * _DAY_S:
            return None
        if second < self._last_s - _HALF_DAY_S:
            # a drive past midnight
            self._past_s += _DAY_S
        self._last_s = second
        return epoch_of_day(self._day, second + self._past_s, self._zone)


def _plus(begin: float, seconds: float | None) -> float | None:
    return None if seconds is None else begin + seconds
