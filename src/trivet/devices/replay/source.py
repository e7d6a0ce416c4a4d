"""A source: one file as bytes, decompressed as it goes, in bounded memory.

Whatever the file holds, no more than a few blocks of it are in memory at once, and
every fault is an InputError that names the file and the line.
"""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from trivet.devices.replay.report import Report
from trivet.domain.error import InputError

#: Bytes from the start of a file by which its format is recognised.
HEAD_BYTES = 16 * 1024
#: A line longer than this is not one of a recording.
MAX_LINE_BYTES = 64 * 1024
#: A record of JSON or XML longer than this is not one of a recording.
MAX_RECORD_BYTES = 4 * 1024 * 1024
#: With this many bad records and not one good, a file is not what it claims to be.
MAX_BAD_RECORDS = 1000
_BLOCK_BYTES = 128 * 1024
_XZ_MEMORY_BYTES = 128 * 1024 * 1024
_XZ_MAGIC = b"\xfd7zXZ\x00"
_GZIP_MAGIC = b"\x1f\x8b"


class _Xz(io.RawIOBase):
    """An .xz stream that may not ask for more than _XZ_MEMORY_BYTES to unpack."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpack = self._fresh()

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            packed = b""
            if self._unpack.eof:
                # streams may follow each other in one file
                packed = self._unpack.unused_data.lstrip(b"\0")
                packed = packed or self._file.read(_BLOCK_BYTES).lstrip(b"\0")
                if not packed:
                    return 0
                self._unpack = self._fresh()
            elif self._unpack.needs_input:
                packed = self._file.read(_BLOCK_BYTES)
                if not packed:
                    raise EOFError("the compressed file is cut off")
            data = self._unpack.decompress(packed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class Source:
    """One file being read.

    Attributes:
        path: the file.
        line: 1-based number of the line or record last given.
        good: samples given so far; kept by the reader that drives it.
    """

    def __init__(self, path: Path, report: Report | None = None) -> None:
        self.path = path
        self.line = 0
        self.good = 0
        self._bad = 0
        self._report = Report() if report is None else report
        self._budget = MAX_RECORD_BYTES
        self._file = self._open()
        try:
            self._peeked = self._read_block(HEAD_BYTES)
            while 0 < len(self._peeked) < HEAD_BYTES:
                more = self._read_block(HEAD_BYTES - len(self._peeked))
                if not more:
                    break
                self._peeked += more
        except InputError:
            self._file.close()
            raise
        self.head = self._peeked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def lines(self) -> Iterator[bytes]:
        """Each line without its end; `line` follows.

        Raises:
            InputError: a line is longer than MAX_LINE_BYTES, or reading fails.
        """
        rest = b""
        while True:
            block = self._take(_BLOCK_BYTES)
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if len(rest) > MAX_LINE_BYTES:
                self.line += len(lines) + 1
                raise self.error(
                    f"a line of more than {MAX_LINE_BYTES // 1024} KiB: "
                    "this is no recording of lines"
                )
            for line in lines:
                self.line += 1
                yield line
            if not block:
                break
        if rest:
            self.line += 1
            yield rest

    def text_lines(self) -> Iterator[str]:
        """Each line as text; a line that is not UTF-8 is skipped and counted."""
        for line in self.lines():
            if self.line == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self.skip("not UTF-8 text", line)
                continue
            yield text.rstrip("\r")

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, for parsers that pull; see `mark`.

        Raises:
            InputError: MAX_RECORD_BYTES were read since the last `mark`.
        """
        block = self._take(size if size >= 0 else _BLOCK_BYTES)
        self._budget -= len(block)
        if self._budget < 0:
            raise self.error(
                f"a record of more than {MAX_RECORD_BYTES >> 20} MiB: "
                "this is no recording"
            )
        return block

    def mark(self) -> None:
        """Say that a record was understood: the next may be MAX_RECORD_BYTES long."""
        self._budget = MAX_RECORD_BYTES

    def skip(self, reason: str, value: object = "", *, is_fault: bool = True) -> None:
        """Count the present record as left out.

        Args:
            reason: one of few: it must not hold the value itself.
            value: what was there.
            is_fault: the record is wrong; False if it is well-formed but of no use.

        Raises:
            InputError: MAX_BAD_RECORDS were bad and none was good.
        """
        self._report.skip(reason, f"{self.path.name}:{self.line}", value)
        self._bad += is_fault
        if self._bad >= MAX_BAD_RECORDS and not self.good:
            raise self.error(f"{self._bad} bad records and none good: {reason}")

    def error(self, message: str, *, hint: str = "") -> InputError:
        """An InputError at the present line."""
        return InputError(message, path=str(self.path), line=self.line, hint=hint)

    def _open(self) -> io.BufferedIOBase:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise InputError("not a file", path=str(self.path))
            file = self.path.open("rb")
            magic = file.read(6)
            file.seek(0)
        except (OSError, ValueError) as error:
            raise InputError(
                f"cannot be opened: {error}", path=str(self.path)
            ) from error
        if magic == _XZ_MAGIC:
            return io.BufferedReader(_Xz(file), _BLOCK_BYTES)
        if magic.startswith(_GZIP_MAGIC):
            return _Gzip(file)
        return file

    def _take(self, size: int) -> bytes:
        if self._peeked:
            block, self._peeked = self._peeked[:size], self._peeked[size:]
            return block
        return self._read_block(size)

    def _read_block(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            raise self.error(f"cannot be read on: {error}") from error


class _Gzip(gzip.GzipFile):
    """A .gz stream that closes the file below it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._below = file

    def close(self) -> None:
        super().close()
        self._below.close()
