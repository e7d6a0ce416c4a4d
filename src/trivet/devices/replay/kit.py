"""The KIT Automotive OBD-II data set thinned to 1 Hz: one table of many drives.

The drives are named in a table beside it; from `2017-07-05_Seat_Leon_RT_S_Stau` come
the day, the origin RT and the destination S. Times are seconds of the local day.

Source: M. Weber, "Automotive OBD-II Dataset", KIT, DOI 10.35097/1130.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

from trivet.devices.replay.instant import epoch_of_day
from trivet.devices.replay.obd_column import CAR_SIGNALS, Column, column_of
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.table import rows
from trivet.domain.device import DeviceKind
from trivet.domain.sample import TRANSITION_ENTER, TRANSITION_LEAVE, Sample

#: Where the data set was driven.
KIT_ZONE = "Europe/Berlin"
_HEADER = b"trip,s,"
_TRIPS = "kit_trips.csv"
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)_.+?_([A-Z]{1,4})_([A-Z]{1,4})(?:_.*)?")
#: One day of driving at 1 Hz holds 86,400.
MAX_DAY_ROWS = 500_000


@dataclass(frozen=True)
class Drive:
    """What the name of a drive tells.

    Attributes:
        day: local date, 2017-07-05.
        origin: short name of the place it began at.
        destination: short name of the place it ended at.
    """

    day: str
    origin: str
    destination: str


def drive_of(name: str) -> Drive | None:
    """What a name such as `2017-07-05_Seat_Leon_RT_S_Stau` tells, None if nothing."""
    found = _NAME.fullmatch(name)
    return Drive(*found.groups()) if found else None


@dataclass
class _Trip:
    drive: Drive
    rows: list[tuple[int, bytes]] = field(default_factory=list)

    def begin_s(self) -> float:
        return _second(self.rows[0][1])


class KitReader(Reader):
    """Reads the table of drives; `kit_trips.csv` must lie beside it.

    In the table the drives of one day are in any order: they are given by time. At the
    begin of a drive its origin is left, at its end its destination is entered.
    """

    name = "kit"
    title = "KIT OBD-II drives at 1 Hz (kit_obd_1hz.csv)"
    kind = DeviceKind.CAR
    signals = CAR_SIGNALS
    ordered = True

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the first columns of its header."""
        return head.startswith(_HEADER)

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the drives of each day by time."""
        drives = _read_trips(source)
        columns: list[tuple[int, Column]] = []
        day: list[_Trip] = []
        held, present = 0, b""
        for line in source.lines():
            if source.line == 1:
                columns = _columns(line)
                continue
            trip = line.split(b",", 1)[0]
            if trip != present or not day:
                drive = drives.get(trip.decode("latin-1").strip())
                if drive is None:
                    source.skip("a drive without a name in kit_trips", line)
                    continue
                present = trip
                if day and day[-1].drive.day != drive.day:
                    yield from self._day(source, options, columns, day)
                    day, held = [], 0
                day.append(_Trip(drive))
            if not isfinite(_second(line)):
                source.skip("not a second of the day", line)
                continue
            held += 1
            if held > MAX_DAY_ROWS:
                raise source.error(f"a day of more than {MAX_DAY_ROWS} rows")
            day[-1].rows.append((source.line, line))
        yield from self._day(source, options, columns, day)

    def _day(
        self,
        source: Source,
        options: Options,
        columns: list[tuple[int, Column]],
        day: list[_Trip],
    ) -> Iterator[Sample]:
        line = source.line
        for trip in sorted((t for t in day if t.rows), key=_Trip.begin_s):
            yield from self._trip(source, options, columns, trip)
        source.line = line

    def _trip(
        self,
        source: Source,
        options: Options,
        columns: list[tuple[int, Column]],
        trip: _Trip,
    ) -> Iterator[Sample]:
        device = self.device_of(options)
        begin_s = trip.begin_s()
        zone = options.zone or ZoneInfo(KIT_ZONE)
        begin = epoch_of_day(trip.drive.day, begin_s, zone)
        source.line = trip.rows[0][0]
        if begin is None:
            source.skip("not a day", trip.drive.day)
            return
        time = begin
        yield Sample(device, TRANSITION_LEAVE, begin, trip.drive.origin)
        for source.line, line in trip.rows:
            fields = line.split(b",")
            time = begin + (_second(line) - begin_s)
            for at, column in columns:
                if at >= len(fields) or not (text := fields[at].strip()):
                    continue
                try:
                    value = column.value(float(text))
                except ValueError:
                    value = None
                if value is None:
                    source.skip(f"no value of {column.path}", text)
                else:
                    yield Sample(device, column.path, time, value)
        yield Sample(device, TRANSITION_ENTER, time, trip.drive.destination)


def _second(line: bytes) -> float:
    try:
        return float(line.split(b",", 2)[1])
    except (ValueError, IndexError):
        return float("nan")


def _columns(header: bytes) -> list[tuple[int, Column]]:
    names = header.decode("utf-8", "replace").strip().split(",")
    known = ((at, column_of(name)) for at, name in enumerate(names))
    return [(at, column) for at, column in known if column is not None]


def _read_trips(source: Source) -> dict[str, Drive]:
    for suffix in ("", ".xz", ".gz"):
        path = source.path.with_name(_TRIPS + suffix)
        if path.is_file():
            break
    else:
        raise source.error(
            "the names of its drives are missing", hint=f"put {_TRIPS} beside it"
        )
    drives: dict[str, Drive] = {}
    with Source(path) as table:
        for row in rows(table, ","):
            drive = drive_of(row[1]) if len(row) > 1 else None
            if drive is not None:
                drives[row[0]] = drive
            elif table.line > 1:
                raise table.error(f"not the name of a drive: {row[1:2]}")
            if len(drives) > MAX_DAY_ROWS:
                raise table.error(f"more than {MAX_DAY_ROWS} drives")
    return drives
