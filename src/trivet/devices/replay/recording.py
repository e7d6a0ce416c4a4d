"""Recordings: many files as one life, in order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from trivet.devices.replay.order import sort_samples
from trivet.devices.replay.reader import Options, Reader
from trivet.devices.replay.registry import detect
from trivet.devices.replay.report import Report
from trivet.domain.sample import Sample, Value

_Stream = Iterator[Sample]


class _Later(NamedTuple):
    """A file in order whose turn comes at the event time of its first sample."""

    first: float
    path: Path
    reader: Reader


def read(
    paths: Iterable[Path], report: Report, options: Options | None = None
) -> Iterator[Sample]:
    """Yield the samples of all files in order of event time.

    The promise: time never goes back from one sample to the next, whatever the files
    hold; samples of one time come in the order of the files. A sample that is in two
    files is given once. Memory does not grow with the length of the files: those of an
    ordered format are opened only when their time has come, so that as many are open as
    overlap; the others are sorted on disk, all before the first sample is given.

    Args:
        paths: files, as from `find_recordings`.
        report: filled as the samples are taken.
        options: for all of the files.

    Raises:
        InputError: as `Reader.read`; or a file is of no known format.
    """
    options = options or Options()
    waiting: list[_Later] = []
    unordered: list[tuple[Path, Reader]] = []
    for path in paths:
        reader = detect(path)
        if not reader.ordered:
            unordered.append((path, reader))
            continue
        first = _first_time(reader, path, options)
        if first is None:
            # nothing in it, but what is wrong with it belongs in the report
            yield from reader.read(path, report, options)
        else:
            waiting.append(_Later(first, path, reader))
    waiting.sort(key=lambda later: later.first)
    streams: list[_Stream] = []
    if unordered:
        all_of_them = chain.from_iterable(
            reader.read(path, report, options) for path, reader in unordered
        )
        streams.append(sort_samples(all_of_them))
    merged = _merge(streams, waiting, report, options)
    alone = len(waiting) + len(unordered) == 1
    yield from merged if alone else _once(merged, report)


def _first_time(reader: Reader, path: Path, options: Options) -> float | None:
    samples = reader.read(path, Report(), options)
    try:
        sample = next(samples, None)
    finally:
        close = getattr(samples, "close", None)
        if close:
            close()
    return None if sample is None else sample.time


def _merge(
    streams: Sequence[_Stream],
    waiting: Sequence[_Later],
    report: Report,
    options: Options,
) -> Iterator[Sample]:
    """Merge streams that are in order, opening each waiting file when it is due."""
    heap: list[tuple[float, int, Sample, _Stream]] = []
    entered = 0

    def enter(stream: _Stream) -> None:
        nonlocal entered
        entered += 1
        sample = next(stream, None)
        if sample is not None:
            heappush(heap, (sample.time, entered, sample, stream))

    for stream in streams:
        enter(stream)
    due = 0
    while heap or due < len(waiting):
        while due < len(waiting) and (not heap or waiting[due].first <= heap[0][0]):
            later = waiting[due]
            due += 1
            enter(later.reader.read(later.path, report, options))
        if not heap:
            continue
        _, order, sample, stream = heappop(heap)
        until = min(
            heap[0][0] if heap else float("inf"),
            waiting[due].first if due < len(waiting) else float("inf"),
        )
        yield sample
        # as long as nothing else is due this stream needs no heap
        for sample in stream:
            if sample.time >= until:
                heappush(heap, (sample.time, order, sample, stream))
                break
            yield sample


def _once(samples: Iterator[Sample], report: Report) -> Iterator[Sample]:
    """Leave out what is there twice: same device, path, time and value."""
    now = float("-inf")
    seen: set[tuple[str, str, Value]] = set()
    for sample in samples:
        if sample.time != now:
            now = sample.time
            seen.clear()
        key = (sample.device, sample.path, sample.value)
        if key in seen:
            report.counts[key[:2]] -= 1
            report.skip("the same sample twice", f"{sample.device}.{sample.path}", now)
            continue
        seen.add(key)
        yield sample
