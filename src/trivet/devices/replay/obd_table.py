"""OBD-II logs with a column a signal: Torque, OBD Fusion, and drives as KIT wrote them.

Source: the header names of `obd_column`, the time columns of `obd_clock`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from trivet.devices.replay.kit import KIT_ZONE, drive_of
from trivet.devices.replay.obd_clock import START, Clock, clock_of, time_column
from trivet.devices.replay.obd_column import (
    CAR_SIGNALS,
    LATITUDE,
    LONGITUDE,
    Column,
    column_of,
)
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.source import Source
from trivet.devices.replay.table import delimiter_of, rows
from trivet.devices.replay.track import number
from trivet.domain.device import DeviceKind
from trivet.domain.sample import TRANSITION_ENTER, TRANSITION_LEAVE, Sample

#: Lines above the header that may hold a start time or a title.
_LINES_ABOVE = 5
#: What apps write where a sensor gave nothing.
_NOTHING = frozenset({"", "-", "–", "N/A", "NaN", "nan", "NODATA", "∞"})


class ObdTableReader(Reader):
    """Reads logs of one column a signal.

    A file named as a drive of the KIT data set leaves its origin at the first row and
    enters its destination at the last; its times are those of Berlin unless a zone is
    given.
    """

    name = "obd-table"
    title = "OBD-II log with a column a signal (Torque, OBD Fusion, KIT)"
    kind = DeviceKind.CAR
    signals = CAR_SIGNALS

    def recognises(self, path: Path, head: bytes) -> bool:
        """By a header with a time and a signal that is known."""
        lines = head.split(b"\n", _LINES_ABOVE)[:_LINES_ABOVE]
        return any(_is_header(_split(line)) for line in lines)

    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the signals of each row."""
        device = self.device_of(options)
        drive = drive_of(source.path.name.split(".")[0])
        if drive and options.zone is None:
            options = replace(options, zone=ZoneInfo(KIT_ZONE))
        left = False
        time: float | None = None
        for time, values in _rows(source, options):
            if drive and not left:
                left = True
                yield Sample(device, TRANSITION_LEAVE, time, drive.origin)
            for path, value in values:
                yield Sample(device, path, time, value)
        if drive and time is not None:
            yield Sample(device, TRANSITION_ENTER, time, drive.destination)


def _rows(
    source: Source, options: Options
) -> Iterator[tuple[float, list[tuple[str, float | int]]]]:
    """Event time, and path with value, of each row below a header."""
    columns: list[tuple[int, Column]] = []
    clock: Clock | None = None
    at_time, start, header = 0, "", [""]
    for row in rows(source, delimiter_of(_header_line(source.head))):
        if row == header:
            continue
        if _is_header(row):
            # an app that begins anew in the same file writes it again
            header = row
            columns = _columns(source, row, known=bool(columns))
            at_time = time_column(row, options.zone is not None) or 0
            clock = clock_of(row[at_time], start, source, options)
            continue
        if clock is None:
            found = START.fullmatch(row[0])
            start = found[1] if found else start
            continue
        time = clock(row[at_time].strip()) if at_time < len(row) else None
        if time is None:
            source.skip("not a time", row[at_time] if at_time < len(row) else "")
            continue
        yield time, _values(source, row, columns)


def _values(
    source: Source, row: list[str], columns: list[tuple[int, Column]]
) -> list[tuple[str, float | int]]:
    values: list[tuple[str, float | int]] = []
    for at, column in columns:
        text = row[at].strip() if at < len(row) else ""
        if text in _NOTHING:
            continue
        raw = number(text)
        value = None if raw is None else column.value(raw)
        if value is None:
            source.skip(f"no value of {column.path}", text)
        else:
            values.append((column.path, value))
    here = dict(values)
    if here.get(LATITUDE) == 0.0 == here.get(LONGITUDE):
        source.skip("position is 0, 0: no fix", "0, 0", is_fault=False)
        return [pair for pair in values if pair[0] not in (LATITUDE, LONGITUDE)]
    return values


def _columns(
    source: Source, header: list[str], known: bool
) -> list[tuple[int, Column]]:
    columns: dict[str, tuple[int, Column]] = {}
    for at, name in enumerate(header):
        column = column_of(name.strip())
        if column is None:
            if not known and name.strip() and time_column([name], False) is None:
                source.skip("a column that is not known", name, is_fault=False)
        elif column.path not in columns:
            columns[column.path] = (at, column)
    return list(columns.values())


def _is_header(row: list[str]) -> bool:
    return time_column(row, False) is not None and any(
        column_of(name.strip()) for name in row
    )


def _split(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").removeprefix("\ufeff")
    return [cell.strip().strip('"') for cell in text.split(delimiter_of(line))]


def _header_line(head: bytes) -> bytes:
    for line in head.split(b"\n", _LINES_ABOVE)[:_LINES_ABOVE]:
        if _is_header(_split(line)):
            return line
    return head
