"""What it costs to keep a history, to let it grow old, and to forget for good.

    python -m benchmarks.history

Keeping stands beside SQLite alone with the same rows, in the same run and in turn:
`executemany` into a table of the same columns, once as durable as the history (256 rows
a transaction) and once all in one transaction. Compare ratios, the times are this
machine's.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

import psutil

from trivet.domain import Position, Sample, Value
from trivet.fabric.history import History, make_forget, make_rule
from trivet.fabric.history.shelf import BATCH

MILLION = 1_000_000
PART, ROUNDS = 100_000, 3
SIGNALS = 20
#: A million samples of 20 signals, one each 40 s: some 23 days.
EVERY_S = 40.0
START, DAY_S = 1_760_000_100.0, 86_400.0
#: Stands in the week that is forgotten, as a text and as a number.
MARKER, NUMBER = "the-place-of-that-week", 4242.4242

Rows = list[tuple[str, float, str]]


def samples(count: int, seed: int = 7) -> Iterator[Sample]:
    """Numbers, states and positions of one car, in order of event time."""
    rng = Random(seed)
    for number in range(count):
        signal, time = number % SIGNALS, START + number // SIGNALS * EVERY_S
        value: Value = rng.random() * 100
        if signal == 0:
            value = Position(60.0 + rng.random() / 100, 24.9 + rng.random() / 100, 5.0)
        elif signal in (1, 2):
            value = rng.random() < 0.5
        elif signal == 3:
            value = rng.choice(("open", "closed"))
        yield Sample("car", f"Vehicle.Signal{signal}", time, value)


def rows() -> Rows:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as folder:
        return [*keeping(Path(folder)), *a_million(Path(folder))]


# --- keeping ------------------------------------------------------------------------


def keeping(folder: Path) -> Rows:
    """Samples kept a second, beside SQLite alone."""
    made = list(samples(PART))
    plain = [
        (number % SIGNALS, s.time, number * 0.5, int(s.quality))
        for number, s in enumerate(made)
    ]
    ways: dict[str, Callable[[Path], None]] = {
        "history": lambda path: keep(path, made),
        "durable": lambda path: insert(path, plain, BATCH),
        "one": lambda path: insert(path, plain, PART),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        for name, way in ways.items():
            began = perf_counter()
            way(folder / f"{name}{number}.db")
            took[name].append(perf_counter() - began)
    rates = {name: PART / median(times) for name, times in took.items()}
    return [
        ("history: samples kept", rates["history"], "per s"),
        ("SQLite alone, executemany, 256 a transaction", rates["durable"], "per s"),
        ("  as many as that", rates["history"] / rates["durable"], "times"),
        ("SQLite alone, executemany, one transaction", rates["one"], "per s"),
        ("  as many as that", rates["history"] / rates["one"], "times"),
        ("history, one sample at a time and durable", single(folder), "per s"),
    ]


def keep(path: Path, made: list[Sample]) -> None:
    with History(path, "car") as history:
        for sample in made:
            history.note(sample)
            if history.waiting >= BATCH:
                history.flush()


def insert(path: Path, made: list[tuple[int, float, float, int]], batch: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(
            "CREATE TABLE sample (stream INTEGER, time REAL, value REAL, "
            "quality INTEGER, PRIMARY KEY (stream, time)) WITHOUT ROWID"
        )
        source = iter(made)
        while part := list(islice(source, batch)):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?)", part)
            db.execute("COMMIT")


def single(folder: Path) -> float:
    with History(folder / "single.db", "car") as history:
        began = perf_counter()
        for sample in samples(500):
            history.note(sample)
            history.flush()
        return 500 / (perf_counter() - began)


# --- a million ------------------------------------------------------------------------


def a_million(folder: Path) -> Rows:
    """What a million samples take, how they grow old, and how a week is forgotten."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=live, args=(str(folder), theirs))
    process.start()
    try:
        if not ours.poll(900):
            raise TimeoutError("a million samples took too long")
        found: Rows = ours.recv()
    finally:
        process.join(10)
        process.kill()
    return found


def live(folder: str, pipe: Connection) -> None:
    """In a process of its own, so that its memory is the history's."""
    process = psutil.Process()
    forgotten, aged = Path(folder) / "forgotten.db", Path(folder) / "aged.db"
    with History(forgotten, "car") as history:
        before = process.memory_info().rss
        fill(history)
        grown = process.memory_info().rss - before
        history._file.shrink()  # brings the log into the file
        size = forgotten.stat().st_size / MILLION
        found = forget_week(history, forgotten)
    with History(aged, "car") as history:
        fill(history)
        found += grow_old(history, aged)
    pipe.send(
        [
            ("memory that a million samples left behind", grown / 1e6, "MB"),
            ("on the disk", size, "bytes a sample"),
            *found,
        ]
    )


def fill(history: History) -> None:
    week = START + 7 * DAY_S, START + 14 * DAY_S
    for sample in samples(MILLION):
        if week[0] <= sample.time < week[1] and sample.path.endswith(("l3", "l4")):
            value = MARKER if sample.path.endswith("l3") else NUMBER
            sample = Sample("car", sample.path, sample.time, value)
        history.note(sample)
        if history.waiting >= 10 * BATCH:
            history.flush()
    history.flush()


def forget_week(history: History, path: Path) -> Rows:
    markers = MARKER.encode(), struct.pack(">d", NUMBER)
    there = sum(count(path, marker) for marker in markers)
    wish = make_forget(since=START + 7 * DAY_S, until=START + 14 * DAY_S)
    began = perf_counter()
    erased = history.forget(wish, START + 30 * DAY_S, ())
    deleted = perf_counter()
    if not history.scrub():
        raise RuntimeError("the file was in use")
    cleaned = perf_counter()
    left = sum(count(path, marker) for marker in markers)
    return [
        ("samples of a week, of a million", erased.samples, "samples"),
        ("forgetting them: deleted", deleted - began, "s"),
        ("  and the file without a byte of them", cleaned - deleted, "s"),
        ("  traces of them before", there, "in the files"),
        ("  traces of them after", left, "in the files"),
    ]


def count(path: Path, marker: bytes) -> int:
    """How often the marker stands in the file and in those beside it."""
    files = path.parent.glob(f"{path.name}*")
    return sum(file.read_bytes().count(marker) for file in files)


def grow_old(history: History, path: Path) -> Rows:
    history.set_rule(make_rule("**", 0, 300, 365 * 86_400))
    now, folded, steps = START + 40 * DAY_S, 0, []
    is_done = False
    while not is_done:
        began = perf_counter()
        step = history.age(now)
        steps.append(perf_counter() - began)
        folded, is_done = folded + step.folded, step.is_done
    history._file.shrink()
    (summaries,) = history._file.one("SELECT count(*) FROM interval")
    took = sum(steps)
    return [
        ("summing up a million samples in 5 minutes each", took, "s"),
        ("  that is", folded / took, "samples per s"),
        ("  longest step", max(steps), "s"),
        ("  summaries", summaries, "summaries"),
        ("  size of the file after", path.stat().st_size / 1e6, "MB"),
    ]


def main() -> None:
    for name, value, unit in rows():
        sys.stdout.write(f"{name:52} {value:14,.3f} {unit}\n")


if __name__ == "__main__":
    main()
