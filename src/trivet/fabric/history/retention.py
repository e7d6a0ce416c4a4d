"""Growing old: samples become summaries, copies end with their lease, room is kept.

Everything goes by event time: doing it again, later or in other steps gives the same.
A summary and the end of the samples that it is made of are one transaction, and hold
whole intervals; samples that come late find their summary and are merged into it.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import closing

import msgspec

from trivet.domain.sample import Quality
from trivet.fabric.history.erasure import (
    SOME_DAY,
    drop_empty,
    drop_stream,
    forget_memories,
    owe_scrub,
)
from trivet.fabric.history.file import HistoryFile
from trivet.fabric.history.interval import (
    Interval,
    Point,
    begin_of,
    decode_body,
    encode_body,
    merge,
    summarise,
)
from trivet.fabric.history.rule import Rule, rule_of
from trivet.fabric.history.value import from_cell

log = logging.getLogger("trivet.fabric")

#: An interval waits so long after its end for what comes late, in seconds.
LATE_S = 900
#: Samples that one step takes, and then to the end of the last one's interval.
STEP = 20_000
#: What is left of the room when it was made, and how much of the history's span goes
#: at a time to make it.
_ROOM, _PART = 0.9, 64
#: Copies of others' samples make room first when they are more than one in so many.
_COPIES = 4


class Aged(msgspec.Struct, frozen=True):
    """What a step did.

    Attributes:
        folded: samples that became summaries.
        ended: samples and summaries that were too old to be kept.
        is_done: nothing more is to be done now.
    """

    folded: int = 0
    ended: int = 0
    is_done: bool = True


def age(file: HistoryFile, rules: Sequence[Rule], now: float) -> Aged:
    """Do a step of what the rules want; call it until it says that it is done.

    Args:
        file: of the history.
        rules: in force.
        now: event time.

    Raises:
        SetupError: the file cannot be written; it is as before the step.
    """
    folded = ended = 0
    for stream, path in file.rows("SELECT id, path FROM stream").fetchall():
        rule = rule_of(rules, path)
        with file.transaction():
            ended += _end(file, stream, now - rule.for_s)
            if rule.every_s:
                folded += _fold(file, stream, rule, now)
        if folded >= STEP:
            return Aged(folded, ended, is_done=False)
    if folded or ended:
        with file.transaction():
            drop_empty(file)
    with file.transaction():
        forget_memories(file, now)
    return Aged(folded, ended)


def lapse(file: HistoryFile, now: float, after_s: float) -> int:
    """Delete copies whose lease ended so long ago; how many samples and summaries."""
    over = "SELECT id FROM lease WHERE until + ? <= ?"
    if file.one(over, after_s, now) is None:
        return 0
    with file.transaction():
        streams = file.rows(
            f"SELECT id FROM stream WHERE lease IN ({over})", after_s, now
        ).fetchall()
        gone = sum(drop_stream(file, stream) for (stream,) in streams)
        file.run("DELETE FROM lease WHERE until + ? <= ?", after_s, now)
        if gone:
            owe_scrub(file, SOME_DAY)
    return gone


def make_room(file: HistoryFile, max_bytes: int, now: float) -> int:
    """Delete the oldest if the file is too large; how many samples and summaries.

    Copies of others' samples go first where they are many: nobody can fill this
    device's history with what it sends.
    """
    if file.used_bytes <= max_bytes:
        return 0
    gone, last = 0, 0.0
    while file.used_bytes > _ROOM * max_bytes:
        with file.transaction():
            step, until = _drop_oldest(file, _fullest(file), now)
            if not step:
                break
            gone, last = gone + step, max(last, until)
            file.set("squeezed", file.setting("squeezed") + step)
            file.set("squeezed_until", max(until, file.setting("squeezed_until")))
            drop_empty(file)
            owe_scrub(file, SOME_DAY)
    if gone:
        file.shrink()
        log.warning(
            "%s holds %d bytes at most: %d of the oldest went, of event times before "
            "%.0f",
            *(file.path, max_bytes, gone, last),
        )
    return gone


# --- within -------------------------------------------------------------------------


def _end(file: HistoryFile, stream: int, horizon: float) -> int:
    samples = file.run("DELETE FROM raw WHERE stream = ? AND time < ?", stream, horizon)
    if samples:
        _subtract(file, stream, samples)
    return samples + file.run(
        "DELETE FROM interval WHERE stream = ? AND begin < ? AND begin + every_s <= ?",
        *(stream, horizon, horizon),
    )


def _fold(file: HistoryFile, stream: int, rule: Rule, now: float) -> int:
    """Put summaries in the place of samples, a step of them at the most."""
    age_s = max(rule.raw_s, LATE_S)
    horizon = begin_of(max(now - age_s, 0.0), rule.every_s)
    first = file.one(
        "SELECT 1 FROM raw WHERE stream = ? AND time < ? LIMIT 1", stream, horizon
    )
    if first is None:
        return 0
    folded, end = 0, 0.0
    made: list[Interval] = []
    # closed before anything is deleted from what it reads
    with closing(_grouped(file, stream, horizon, rule.every_s)) as groups:
        for begin, points in groups:
            if folded >= STEP and begin >= end:
                break
            made += summarise(points, begin, rule.every_s)
            folded, end = folded + len(points), begin + rule.every_s
    for interval in made:
        _put(file, stream, interval)
    file.run("DELETE FROM raw WHERE stream = ? AND time < ?", stream, min(end, horizon))
    _subtract(file, stream, folded)
    return folded


def _grouped(
    file: HistoryFile, stream: int, horizon: float, every_s: int
) -> Generator[tuple[float, list[Point]], None, None]:
    """The samples before `horizon`, interval by interval, of a full one in parts."""
    rows = file.rows(
        "SELECT time, value, quality FROM raw WHERE stream = ? AND time < ? "
        "ORDER BY time",
        *(stream, horizon),
    )
    begin, points = -1.0, list[Point]()
    for time, cell, quality in rows:
        if points and (time >= begin + every_s or len(points) >= STEP):
            yield begin, points
            points = []
        if not points:
            begin = begin_of(time, every_s)
        points.append(Point(time, from_cell(cell), Quality(quality)))
    if points:
        yield begin, points


def _put(file: HistoryFile, stream: int, interval: Interval) -> None:
    """Keep a summary, merged with what there is of its interval."""
    at = stream, interval.begin, interval.every_s, int(interval.kind)
    there = file.one(
        "SELECT quality, body FROM interval "
        "WHERE stream = ? AND begin = ? AND every_s = ? AND kind = ?",
        *at,
    )
    if there is not None:
        quality, body = there
        before = Interval(
            interval.begin,
            interval.every_s,
            Quality(quality),
            decode_body(interval.kind, body),
        )
        interval = merge(before, interval)
    file.run(
        "INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?, ?)",
        *(*at, int(interval.quality), encode_body(interval.body)),
    )


def _subtract(file: HistoryFile, stream: int, samples: int) -> None:
    file.run("UPDATE stream SET samples = samples - ? WHERE id = ?", samples, stream)


def _fullest(file: HistoryFile) -> str:
    """Which streams make room: copies if they are many, else all."""
    copies, total = file.one(
        "SELECT coalesce(sum(samples * (lease != 0)), 0), coalesce(sum(samples), 0) "
        "FROM stream"
    )
    return "WHERE lease != 0" if copies * _COPIES > total else ""


def _drop_oldest(file: HistoryFile, which: str, now: float) -> tuple[int, float]:
    """Delete the oldest part of some streams; how many, and up to when."""
    streams = [row[0] for row in file.rows(f"SELECT id FROM stream {which}")]
    spans = [span for stream in streams if (span := _span(file, stream)) is not None]
    if not spans:
        return 0, 0.0
    first, last = min(s for s, _ in spans), max(e for _, e in spans)
    # one time in a far future must not make a part of all there is
    until = first + max((min(last, now) - first) / _PART, 1.0)
    gone = 0
    for stream in streams:
        samples = file.run(
            "DELETE FROM raw WHERE stream = ? AND time < ?", stream, until
        )
        _subtract(file, stream, samples)
        gone += samples + file.run(
            "DELETE FROM interval WHERE stream = ? AND begin < ?", stream, until
        )
    return gone, until


def _span(file: HistoryFile, stream: int) -> tuple[float, float] | None:
    """Event times of the first and last of a stream."""
    ends = [
        end
        for table, time in (("raw", "time"), ("interval", "begin"))
        for way in ("min", "max")
        if (
            end := file.one(
                f"SELECT {way}({time}) FROM {table} WHERE stream = ?", stream
            )[0]
        )
        is not None
    ]
    return (min(ends), max(ends)) if ends else None
