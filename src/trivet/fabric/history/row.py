"""What a history tells of itself: its rows, and what there is of each signal."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trivet.domain.sample import Quality, Value


class What(StrEnum):
    """What a row is."""

    #: a sample as it was received
    SAMPLE = "sample"
    #: the mean of an interval's numbers, at the interval's begin
    MEAN = "mean"
    #: of an interval's samples that are no numbers: the first, at its own time
    FIRST = "first"
    #: one that differed from the one before, at its own time
    CHANGE = "change"
    #: the last, at its own time
    LAST = "last"


class Kept(msgspec.Struct, frozen=True, gc=False):
    """One row of a history.

    Attributes:
        device: whose sample.
        path: of which signal.
        time: event time, in seconds since 1970-01-01 UTC.
        value: the value, or the mean of an interval's.
        quality: how far to trust it.
        what: what it is.
        every_s: length of the interval that it stands for, 0 for a sample.
        count: samples that it stands for, 0 where another row of the interval says so.
        low: the least of an interval's numbers.
        high: the greatest.
        changes: how often an interval's state changed.
        lease: the lease that it was received under, empty for this device's own.
        purpose: that lease's purpose.
    """

    device: str
    path: str
    time: float
    value: Value
    quality: Quality = Quality.GOOD
    what: What = What.SAMPLE
    every_s: int = 0
    count: int = 1
    low: float | None = None
    high: float | None = None
    changes: int | None = None
    lease: str = ""
    purpose: str = ""


class Stream(msgspec.Struct, frozen=True):
    """What there is of one signal.

    Attributes:
        device: whose.
        path: the signal.
        samples: as they were received.
        intervals: summaries.
        first: event time of the first.
        last: event time of the last.
        bytes: about what it takes in the file.
        lease: the lease that it was received under, empty for this device's own.
        purpose: that lease's purpose.
        until: event time at which that lease ends, 0 for this device's own.
    """

    device: str
    path: str
    samples: int
    intervals: int
    first: float
    last: float
    bytes: int
    lease: str = ""
    purpose: str = ""
    until: float = 0.0
