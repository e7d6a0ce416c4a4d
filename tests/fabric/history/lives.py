"""Samples, leases and a look into files, for the tests of the history."""

from __future__ import annotations

from pathlib import Path

from trivet.domain import Lease, Purpose, Sample, Value
from trivet.domain.sample import Quality
from trivet.fabric.history import History
from trivet.fabric.history.reader import Reader
from trivet.fabric.history.row import Kept

T0 = 1_760_000_100.0  # at the begin of an interval of five minutes
DAY_S = 86_400.0


def speed(time: float, value: Value = 50.0, quality: Quality = Quality.GOOD) -> Sample:
    return Sample("car", "Vehicle.Speed", time, value, quality)


def lease_of(
    owner: str = "phone",
    recipient: str = "car",
    paths: tuple[str, ...] = ("location", "batt"),
    until: float = T0 + 3600,
    id: str = "0" * 16,
    purpose: Purpose = Purpose.NAVIGATION,
) -> Lease:
    return Lease(id, owner, recipient, paths, purpose, T0, until)


def kept(path: Path) -> list[Kept]:
    with Reader(path) as reader:
        return list(reader.rows())


def aged(history: History, now: float) -> tuple[int, int]:
    """Age to the end; samples that became summaries, and what was too old."""
    folded = ended = 0
    for _ in range(10_000):
        step = history.age(now)
        folded, ended = folded + step.folded, ended + step.ended
        if step.is_done:
            return folded, ended
    raise AssertionError("it never was done")


def holds(path: Path, marker: bytes) -> bool:
    """Whether the bytes are in the file, or in any beside it."""
    return any(marker in file.read_bytes() for file in path.parent.iterdir())
