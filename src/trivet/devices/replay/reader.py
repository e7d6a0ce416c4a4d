"""The reader: one class a format, from a recording's bytes to samples."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from trivet.devices.replay.look import describe
from trivet.devices.replay.report import Report
from trivet.devices.replay.source import Source
from trivet.domain.device import DeviceKind
from trivet.domain.error import InputError, UsageError
from trivet.domain.sample import Position, Sample
from trivet.domain.signal import Signal

#: 1990-01-01 UTC: no recording is older; a clock that was never set says 1970 or 1980.
EARLIEST_TIME = 631_152_000.0
#: 2200-01-01 UTC, the end of event time.
LATEST_TIME = 7_258_118_400.0
_DEVICE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Options:
    """What a recording does not say itself.

    Attributes:
        device: id that its samples get; empty for the format's own default.
        zone: time zone of times written with no offset; None when not known.
        person: whose recording it is; Home Assistant's `person.<person>` then gives
            the position of the phone.
    """

    device: str = ""
    zone: tzinfo | None = None
    person: str = ""

    def __post_init__(self) -> None:
        if self.device and not _DEVICE_ID.fullmatch(self.device):
            raise UsageError(
                f"device {self.device!r} is no device id",
                hint="lower case letters, digits and hyphens: phone, car, home",
            )

    def need_zone(self, path: Path) -> tzinfo:
        """The zone, for a format that writes local times.

        Raises:
            InputError: no zone was given.
        """
        if self.zone is None:
            raise InputError(
                "its times are local and it does not say where",
                path=str(path),
                hint="give the option zone, such as Europe/Berlin",
            )
        return self.zone


class Reader(ABC):
    """Reads one format of recording.

    A new format is a subclass with `parse`; `read` keeps the promises of all of them.

    Attributes:
        name: short and unique: `geolife`.
        title: for a person: "GeoLife track (.plt)".
        kind: what recorded it.
        signals: what it may give, where the format itself says so.
        ordered: whether its files are in order of time. If so, a record that goes
            back in time is a fault; if not, `replay.read` sorts.
    """

    name: str
    title: str
    kind: DeviceKind
    signals: tuple[Signal, ...] = ()
    ordered: bool = False

    @abstractmethod
    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether a file looks like this format.

        Args:
            path: its name may tell; it is not opened.
            head: its first bytes, unpacked; at most 16 KiB.
        """

    @abstractmethod
    def parse(self, source: Source, options: Options) -> Iterator[Sample]:
        """Yield the samples in the file's order, calling `source.skip` for what is bad.

        What `read` checks for every format need not be checked here: that times are
        between 1990 and 2200 and positions on Earth.
        """

    def device_of(self, options: Options) -> str:
        """The device id of the samples: as asked for, else the kind's name."""
        return options.device or self.kind.value

    def read(
        self, path: Path, report: Report, options: Options | None = None
    ) -> Iterator[Sample]:
        """Yield the samples of a file, in the file's order.

        Records that are wrong are skipped and counted in `report`. A position at the
        time of the one before it is a double: skipped too.

        Raises:
            InputError: the file cannot be opened, is not of this format, ends too
                early, or needs an option that was not given.
        """
        with Source(path, report) as source:
            if not self.recognises(path, source.head):
                raise InputError(
                    f"this is no {self.title}: it looks like {describe(source.head)}",
                    path=str(path),
                )
            yield from self._checked(source, report, options or Options())
            report.files += 1

    def _checked(
        self, source: Source, report: Report, options: Options
    ) -> Iterator[Sample]:
        counts, ordered = report.counts, self.ordered
        first, last = LATEST_TIME, EARLIEST_TIME
        fixed: float | None = None
        try:
            for sample in self.parse(source, options):
                time, value = sample.time, sample.value
                fault = "" if EARLIEST_TIME <= time <= LATEST_TIME else _TIME_FAULT
                if not fault and ordered and time < last:
                    fault = "time goes back"
                if not fault and isinstance(value, Position):
                    fault = position_fault(value)
                    if not fault and time == fixed:
                        fault = "a second position at the same time"
                    if not fault:
                        fixed = time
                if fault:
                    source.skip(fault, f"{sample.path} at {time}: {_brief(value)}")
                    continue
                if time < first:
                    first = time
                if time > last:
                    last = time
                source.good += 1
                key = (sample.device, sample.path)
                counts[key] = counts.get(key, 0) + 1
                yield sample
        finally:
            if first <= last:
                report.span(first, last)


_TIME_FAULT = "time is not between 1990 and 2200"


def position_fault(position: Position) -> str:
    """What is wrong with a position, empty when nothing is."""
    if not -90.0 <= position.lat <= 90.0:
        return "latitude is not between -90 and 90"
    if not -180.0 <= position.lon <= 180.0:
        return "longitude is not between -180 and 180"
    if position.lat == 0.0 == position.lon:
        # what a receiver writes before its first fix
        return "position is 0, 0: no fix"
    return ""


def _brief(value: object) -> str:
    if isinstance(value, Position):
        return f"{value.lat}, {value.lon}"
    return str(value)
