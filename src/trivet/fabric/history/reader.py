"""Reading a history as it is at one moment, beside whoever writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trivet.domain.error import SetupError
from trivet.domain.sample import Quality
from trivet.fabric.history.file import APPLICATION_ID
from trivet.fabric.history.forget import Forget
from trivet.fabric.history.interval import (
    Interval,
    Numbers,
    States,
    decode_body,
)
from trivet.fabric.history.row import Kept, Stream, What
from trivet.fabric.history.value import from_cell

#: Rows of a stream from which its bytes are estimated, and what each takes besides its
#: value: its time, quality and place in the tree.
_LOOKED_AT, _ROW_BYTES = 200, 14


class Reader:
    """The history in a file, as it is when it is first looked at; for one thread.

    While it is open nothing that is deleted leaves the file.
    """

    def __init__(self, path: Path) -> None:
        """Open a history to read.

        Raises:
            SetupError: there is none, or it cannot be read.
        """
        self._path = path
        if not path.exists():
            raise SetupError(
                f"there is no history at {path}",
                hint="it begins when the device first runs",
            )
        with self._told():
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None)
            try:
                self._db.execute("PRAGMA trusted_schema = OFF")
                if self._one("PRAGMA application_id")[0] != APPLICATION_ID:
                    raise SetupError(f"{path} is no history")
                self._db.execute("BEGIN")
            except BaseException:
                self._db.close()
                raise

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
        """Close the file."""
        self._db.close()

    def rows(self, wanted: Forget | None = None, device: str = "") -> Iterator[Kept]:
        """What is kept, signal by signal in order of event time.

        Args:
            wanted: only the span and signals that it names; None for all.
            device: only samples of this device.

        Raises:
            SetupError: the file is damaged.
        """
        with self._told():
            for stream, *whose in self._streams(device):
                if wanted is None or wanted.names(whose[1]):
                    yield from self._intervals(stream, whose, wanted)
                    yield from self._raw(stream, whose, wanted)

    def last_time(self) -> float:
        """Event time of the newest that there is, 0 for an empty history.

        Raises:
            SetupError: the file is damaged.
        """
        with self._told():
            lasts = [self._ends("raw", "time", row[0])[1] for row in self._streams("")]
            return max(0.0, *lasts) if lasts else 0.0

    def count(
        self, wanted: Forget, device: str, *, is_own: bool = True
    ) -> tuple[int, int]:
        """How many samples and summaries a wish to forget is about.

        Args:
            wanted: the wish.
            device: whose, all if empty.
            is_own: of this device's own samples, not of copies.

        Raises:
            SetupError: the file is damaged.
        """
        samples = intervals = 0
        with self._told():
            for stream, _, path, lease, _ in self._streams(device):
                if wanted.names(path) and is_own == (not lease):
                    for_raw, bounds = _span(wanted, "time >=", "time")
                    (found,) = self._one(
                        f"SELECT count(*) FROM raw WHERE stream = ?{for_raw}",
                        *(stream, *bounds),
                    )
                    samples += found
                    touched, _ = _span(wanted, "begin + every_s >", "begin")
                    (found,) = self._one(
                        f"SELECT count(*) FROM interval WHERE stream = ?{touched}",
                        *(stream, *bounds),
                    )
                    intervals += found
        return samples, intervals

    def streams(self) -> list[Stream]:
        """What there is of each signal, by device and path.

        Raises:
            SetupError: the file is damaged.
        """
        with self._told():
            found = [self._measured(*row) for row in self._streams("")]
            return [stream for stream in found if stream.samples or stream.intervals]

    # --- within -------------------------------------------------------------------

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise SetupError(
                f"{self._path} cannot be read as a history: {error}",
                hint="move it away, and a new history is begun",
            ) from error

    def _one(self, statement: str, *values: object) -> Any:
        return self._db.execute(statement, values).fetchone()

    def _streams(self, device: str) -> list[Any]:
        """Id, owner, path, lease and purpose of the streams."""
        return self._db.execute(
            "SELECT stream.id, stream.owner, path, coalesce(lease.lease, ''), "
            "coalesce(purpose, '') FROM stream LEFT JOIN lease "
            "ON stream.lease = lease.id WHERE ? IN ('', stream.owner) "
            "ORDER BY stream.owner, path, stream.lease",
            [device],
        ).fetchall()

    def _raw(
        self, stream: int, whose: list[str], wanted: Forget | None
    ) -> Iterator[Kept]:
        device, path, lease, purpose = whose
        where, bounds = _span(wanted, "time >=", "time")
        rows = self._db.execute(
            f"SELECT time, value, quality FROM raw WHERE stream = ?{where} "
            "ORDER BY time",
            [stream, *bounds],
        )
        for time, cell, quality in rows:
            value = from_cell(cell)
            yield Kept(
                *(device, path, time, value, Quality(quality)),
                lease=lease,
                purpose=purpose,
            )

    def _intervals(
        self, stream: int, whose: list[str], wanted: Forget | None
    ) -> Iterator[Kept]:
        where, bounds = _span(wanted, "begin + every_s >", "begin")
        rows = self._db.execute(
            "SELECT begin, every_s, kind, quality, body FROM interval "
            f"WHERE stream = ?{where} ORDER BY begin, every_s, kind",
            [stream, *bounds],
        )
        for begin, every_s, kind, quality, body in rows:
            interval = Interval(
                begin, every_s, Quality(quality), decode_body(kind, body)
            )
            yield from _as_rows(interval, whose)

    def _measured(
        self, stream: int, device: str, path: str, lease: str, purpose: str
    ) -> Stream:
        samples, until = self._one(
            "SELECT samples, coalesce(until, 0.0) FROM stream LEFT JOIN lease "
            "ON stream.lease = lease.id WHERE stream.id = ?",
            stream,
        )
        first, last = self._ends("raw", "time", stream)
        (intervals,) = self._one(
            "SELECT count(*) FROM interval WHERE stream = ?", stream
        )
        begin, end = self._ends("interval", "begin", stream)
        size = samples * self._row_bytes("raw", "value", stream)
        size += intervals * self._row_bytes("interval", "body", stream)
        return Stream(
            device,
            path,
            samples,
            intervals,
            min(first, begin),
            max(last, end),
            int(size),
            lease,
            purpose,
            until,
        )

    def _ends(self, table: str, time: str, stream: int) -> tuple[float, float]:
        first, last = (
            self._one(f"SELECT {way}({time}) FROM {table} WHERE stream = ?", stream)[0]
            for way in ("min", "max")
        )
        if first is None:
            return float("inf"), float("-inf")
        return first, last

    def _row_bytes(self, table: str, column: str, stream: int) -> float:
        (mean,) = self._one(
            f"SELECT avg(CASE typeof({column}) WHEN 'integer' THEN 3 WHEN 'real' "
            f"THEN 8 ELSE length({column}) END) FROM "
            f"(SELECT {column} FROM {table} WHERE stream = ? LIMIT {_LOOKED_AT})",
            stream,
        )
        return _ROW_BYTES + (mean or 0.0)


def _span(wanted: Forget | None, last: str, first: str) -> tuple[str, list[float]]:
    """A condition for what lies in a span, as erasing sees it, and its numbers."""
    if wanted is None:
        return "", []
    return f" AND {last} ? AND {first} < ?", [wanted.since, wanted.until]


def _as_rows(interval: Interval, whose: list[str]) -> Iterator[Kept]:
    device, path, lease, purpose = whose
    body = interval.body
    if isinstance(body, Numbers):
        yield Kept(
            device,
            path,
            interval.begin,
            body.mean,
            interval.quality,
            What.MEAN,
            interval.every_s,
            body.count,
            body.low,
            body.high,
            lease=lease,
            purpose=purpose,
        )
        return
    points = body.points if isinstance(body, States) else (body.first, body.last)
    for number, point in enumerate(points):
        is_last = number == len(points) - 1
        yield Kept(
            device,
            path,
            point.time,
            point.value,
            point.quality,
            What.LAST if is_last else What.CHANGE if number else What.FIRST,
            interval.every_s,
            body.count if is_last else 0,
            changes=body.changes if isinstance(body, States) and is_last else None,
            lease=lease,
            purpose=purpose,
        )
