"""Tables: rows of a CSV file, one at a time.

Source: RFC 4180, read by the standard library's `csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from trivet.devices.replay.source import Source


def rows(source: Source, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows that are not empty.

    `source.line` is the line at which a row ends.

    Raises:
        InputError: a quote that never closes, or a NUL.
    """
    reader = csv.reader(source.text_lines(), delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if row:
                yield row
    except csv.Error as error:
        raise source.error(f"malformed CSV: {error}") from error


def delimiter_of(head: bytes) -> str:
    """The character that parts the columns of the first line."""
    line = head.split(b"\n", 1)[0]
    return max(",;\t", key=lambda mark: line.count(mark.encode()))
