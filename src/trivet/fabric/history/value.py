"""A sample's value as one cell of an SQLite table, and back, with nothing lost.

    bool                    BLOB of one byte, 0 or 1
    int                     INTEGER; from 2^63 on a BLOB of nine bytes, b"u" first
    float                   REAL
    str                     TEXT
    Position                BLOB: which of its parts are there, then each as a double

Source: SQLite, "STRICT Tables", https://sqlite.org/stricttables.html (type ANY).
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import TypeAlias

from trivet.domain.error import UsageError
from trivet.domain.sample import Position, Value

Cell: TypeAlias = int | float | str | bytes

_FALSE, _TRUE = b"\0", b"\1"
_UNSIGNED = struct.Struct(">cQ")
_LEAST, _MOST, _BEYOND = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
#: A position's parts that need not be there, and the bit of each in the first byte.
_OPTIONAL = (("accuracy_m", 1), ("altitude_m", 2), ("speed_mps", 4), ("course_deg", 8))
#: Marks a position, so that no other cell of ours has such a first byte.
_POSITION = 0x40


def to_cell(value: Value) -> Cell:
    """The cell of a value.

    Raises:
        UsageError: a number that is not finite, or a value that no message can carry.
    """
    kind = type(value)
    if kind is float:
        if isfinite(value):  # type: ignore[arg-type]
            return value  # type: ignore[return-value]
        raise UsageError(f"{value} is not a finite number")
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Position):
        return _packed(value)
    raise UsageError(f"a {kind.__name__} cannot be kept: {value!r:.100}")


def from_cell(cell: object) -> Value:
    """The value of a cell.

    Raises:
        ValueError: no cell of ours.
    """
    if isinstance(cell, int | float | str):
        return cell
    if not isinstance(cell, bytes) or not cell:
        raise ValueError(f"{cell!r:.100} is no value")
    if len(cell) == 1:
        if cell not in (_FALSE, _TRUE):
            raise ValueError(f"{cell!r} is neither true nor false")
        return cell == _TRUE
    if cell[:1] == b"u" and len(cell) == _UNSIGNED.size:
        return int(_UNSIGNED.unpack(cell)[1])
    return _unpacked(cell)


def _whole(value: int) -> Cell:
    if _LEAST <= value <= _MOST:
        return int(value)
    if 0 < value <= _BEYOND:
        return _UNSIGNED.pack(b"u", value)
    raise UsageError(f"{value:.3e} is beyond 64 bits")


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{value!r:.100} is no text: {error.reason}") from error
    return value


def _packed(value: Position) -> bytes:
    flags, parts = _POSITION, [value.lat, value.lon]
    for name, bit in _OPTIONAL:
        part = getattr(value, name)
        if part is not None:
            flags |= bit
            parts.append(part)
    if not all(isfinite(part) for part in parts):
        raise UsageError(f"{value} has a number that is not finite")
    return struct.pack(f">B{len(parts)}d", flags, *parts)


def _unpacked(cell: bytes) -> Position:
    flags = cell[0]
    if flags & ~0xF != _POSITION or len(cell) != 17 + 8 * (flags & 0xF).bit_count():
        raise ValueError(f"{cell!r:.100} is no value")
    lat, lon, *rest = struct.unpack(f">{(len(cell) - 1) // 8}d", cell[1:])
    there = [name for name, bit in _OPTIONAL if flags & bit]
    return Position(lat, lon, **dict(zip(there, rest, strict=True)))
