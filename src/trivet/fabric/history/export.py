"""A history as one file for other programs: Parquet, or CSV, whole or not at all.

Both have a row for each sample and, where samples have become summaries, rows for
those (see row.Kept), in the same columns:

    device, path, time (UTC, to the microsecond), what, every_s, count, quality,
    number, integer, flag, text, low, high, changes,
    lat, lon, accuracy_m, altitude_m, speed_mps, course_deg, lease, purpose

Of `number` to `lat` the one that the value's type asks for is filled, so that nothing
is guessed from a text. A whole number from 2^63 on is a `number`, the nearest there is.

Source: Apache Parquet, https://parquet.apache.org/docs/file-format/; RFC 4180 (CSV).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias

from trivet.domain.error import SetupError, UsageError
from trivet.fabric import disk
from trivet.fabric.history.row import Kept

#: Raised with each change of the columns.
LAYOUT = 1
#: Rows that are in memory at a time, and in a group of a Parquet file.
GROUP = 65_536
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = ("lat", "lon", "accuracy_m", "altitude_m", "speed_mps", "course_deg")
#: Column -> its type in Parquet.
COLUMNS = {
    "device": "string",
    "path": "string",
    "time": "timestamp",
    "what": "string",
    "every_s": "int32",
    "count": "int64",
    "quality": "string",
    "number": "double",
    "integer": "int64",
    "flag": "bool",
    "text": "string",
    "low": "double",
    "high": "double",
    "changes": "int64",
    **dict.fromkeys(_PARTS, "double"),
    "lease": "string",
    "purpose": "string",
}
#: Columns that every row fills.
REQUIRED = frozenset(
    (
        "device",
        "path",
        "time",
        "what",
        "every_s",
        "count",
        "quality",
        "lease",
        "purpose",
    )
)

Row: TypeAlias = dict[str, object]
Writer: TypeAlias = Callable[[IO[bytes], Iterable[Kept], str], int]


def export(path: Path, rows: Iterable[Kept], device: str) -> int:
    """Write rows to a file by its name's end, `.parquet` or `.csv`; how many.

    Args:
        path: the file; one that is there is replaced when the new one is whole.
        rows: see reader.Reader.rows.
        device: whose history it is.

    Raises:
        UsageError: the name ends in neither.
        SetupError: it cannot be written, or Parquet is wanted without its extra; then
            `path` is as it was.

    What `rows` raises is passed on, and `path` is as it was.
    """
    writers: dict[str, Writer] = {".parquet": _write_parquet, ".csv": _write_csv}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise UsageError(
            f"{path} is neither .parquet nor .csv", hint="end its name in one of them"
        )
    with _made_whole(path) as file:
        return write(file, rows, device)


def as_row(kept: Kept) -> Row:
    """A row as values by column; those that it does not fill are left out."""
    row: Row = {
        "device": kept.device,
        "path": kept.path,
        "time": round(kept.time * 1e6),
        "what": kept.what.value,
        "every_s": kept.every_s,
        "count": kept.count,
        "quality": kept.quality.name.lower(),
        "lease": kept.lease,
        "purpose": kept.purpose,
    }
    value = kept.value
    if isinstance(value, bool):
        row["flag"] = value
    elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        row["integer"] = value
    elif isinstance(value, int | float):
        row["number"] = float(value)
    elif isinstance(value, str):
        row["text"] = value
    else:
        row |= {name: getattr(value, name) for name in _PARTS}
    for name in ("low", "high", "changes"):
        if getattr(kept, name) is not None:
            row[name] = getattr(kept, name)
    return row


# --- within -------------------------------------------------------------------------


@contextmanager
def _made_whole(path: Path) -> Iterator[IO[bytes]]:
    """A draft that takes the place of `path` at the end, or vanishes on an error."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(draft, flags, disk.SECRET), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="check who owns its folder, and the room on the disk",
        ) from error


def _write_csv(file: IO[bytes], rows: Iterable[Kept], device: str) -> int:
    count = 0
    names = list(COLUMNS)
    writer = csv.writer(_Text(file))
    writer.writerow(names)
    for kept in rows:
        row = as_row(kept)
        row["time"] = _moment(row["time"])
        writer.writerow([_plain(row.get(name)) for name in names])
        count += 1
    return count


class _Text:
    """Takes the text of a csv.writer as UTF-8."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    # a float as the shortest text that is read as the same
    return repr(value) if isinstance(value, float) else value


def _moment(micros: object) -> str:
    assert isinstance(micros, int)
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _write_parquet(file: IO[bytes], rows: Iterable[Kept], device: str) -> int:
    pa, parquet = _arrow()
    schema, count, source = _schema(pa, device), 0, iter(rows)
    try:
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while group := [as_row(kept) for kept in islice(source, GROUP)]:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                count += len(group)
    except pa.ArrowException as error:
        raise SetupError(f"the Parquet file cannot be written: {error}") from error
    return count


def _schema(pa: Any, device: str) -> Any:
    time = pa.timestamp("us", tz="UTC")
    fields = [
        pa.field(
            name,
            time if kind == "timestamp" else pa.type_for_alias(kind),
            nullable=name not in REQUIRED,
        )
        for name, kind in COLUMNS.items()
    ]
    metadata = {"trivet.history": str(LAYOUT), "trivet.device": device}
    return pa.schema(fields, metadata=metadata)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SetupError(
            f"Parquet needs {error.name or 'pyarrow'}",
            hint="pip install 'trivet[export]', or export to a .csv",
        ) from error
    return pyarrow, pyarrow.parquet
