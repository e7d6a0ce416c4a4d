"""Order: any number of samples by event time, in bounded memory.

What does not fit is sorted in runs and laid in a temporary file, which has no name and
is gone when it is closed. Source: D. E. Knuth, The Art of Computer Programming, vol. 3,
section 5.4, external sorting by merging.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import BinaryIO

import msgspec

from trivet.domain.error import SetupError
from trivet.domain.sample import Sample

#: Samples held in memory at most (about 300 bytes each).
RUN_SAMPLES = 100_000
#: Samples read back from one run at a time.
_BATCH_SAMPLES = 256
_LENGTH_BYTES = 4

_by_time = attrgetter("time")


def sort_samples(samples: Iterable[Sample], run: int = RUN_SAMPLES) -> Iterator[Sample]:
    """Yield the samples by event time; those of one time keep their order.

    Args:
        samples: in any order; all are taken before the first is given.
        run: samples held in memory at most.

    Raises:
        SetupError: the temporary file cannot be written.
    """
    stream = iter(samples)
    chunk = sorted(islice(stream, run), key=_by_time)
    if len(chunk) < run:
        yield from chunk
        return
    with tempfile.TemporaryFile(prefix="trivet-") as file:
        runs: list[tuple[int, int]] = []
        while chunk:
            runs.append(_lay(file, chunk))
            chunk = sorted(islice(stream, run), key=_by_time)
        # merge is stable: of equal times the earlier run comes first
        yield from merge(*(_fetch(file, *span) for span in runs), key=_by_time)


def _lay(file: BinaryIO, samples: list[Sample]) -> tuple[int, int]:
    """Write one sorted run; give its first and last byte."""
    encode = msgspec.msgpack.Encoder().encode
    start = file.tell()
    try:
        for at in range(0, len(samples), _BATCH_SAMPLES):
            data = encode(samples[at : at + _BATCH_SAMPLES])
            file.write(len(data).to_bytes(_LENGTH_BYTES) + data)
        file.flush()
    except OSError as error:
        raise SetupError(
            f"samples cannot be sorted on disk: {error}",
            hint="free some space, or set TMPDIR to a folder that has it",
        ) from error
    return start, file.tell()


def _fetch(file: BinaryIO, start: int, end: int) -> Iterator[Sample]:
    decode = msgspec.msgpack.Decoder(list[Sample]).decode
    while start < end:
        file.seek(start)
        length = int.from_bytes(file.read(_LENGTH_BYTES))
        data = file.read(length)
        start += _LENGTH_BYTES + length
        yield from decode(data)
