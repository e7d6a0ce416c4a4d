"""A recording as a device: replay enters by the same door as a live one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trivet.devices.replay.reader import Options
from trivet.devices.replay.recording import read
from trivet.devices.replay.registry import detect
from trivet.devices.replay.report import Report
from trivet.domain.device import Adapter, Device
from trivet.domain.error import UsageError
from trivet.domain.sample import Sample, Value


class ReplayAdapter(Adapter):
    """One device, as its recordings tell of it.

    Attributes:
        report: what was understood and skipped so far.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        options: Options | None = None,
        report: Report | None = None,
    ) -> None:
        """Open the recordings of one device.

        Args:
            paths: one or more files, as from `find_recordings`.
            options: for all of them.
            report: to fill; a new one by default.

        Raises:
            UsageError: no files, or files of more than one device.
            InputError: a file is no recording that is known.
        """
        options = options or Options()
        readers = {reader.name: reader for reader in map(detect, paths)}.values()
        devices = sorted({reader.device_of(options) for reader in readers})
        if len(devices) != 1:
            raise UsageError(
                f"a replayed device needs recordings of one device, not of "
                f"{', '.join(devices) or 'none'}",
                hint="make one ReplayAdapter for each device",
            )
        kind = next(iter(readers)).kind
        signals = {s.path: s for reader in readers for s in reader.signals}
        self._device = Device(
            devices[0],
            kind,
            f"{options.person}'s {kind.value}" if options.person else "",
            tuple(signals.values()),
        )
        self.report = Report() if report is None else report
        self._stream = read(paths, self.report, options)
        self._next: Sample | None = None
        self._closed = False

    @property
    def device(self) -> Device:
        """The recorded device. A home's signals are known only from its samples."""
        return self._device

    @property
    def begins(self) -> float | None:
        """Event time of the next sample in s, None when there are no more."""
        sample = self._peek()
        return None if sample is None else sample.time

    def samples(self, until: float) -> Iterator[Sample]:
        """Yield what was recorded after the last call and up to event time `until`."""
        while (sample := self._peek()) is not None and sample.time <= until:
            self._next = None
            yield sample

    def command(self, path: str, value: Value, time: float) -> None:
        """Refuse: what was recorded has happened.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"{path} cannot be set to {value!r}: {self._device.id} is a recording"
        )

    def close(self) -> None:
        """Close the files."""
        self._closed = True
        self._next = None
        close = getattr(self._stream, "close", None)
        if close:
            close()

    def _peek(self) -> Sample | None:
        while self._next is None and not self._closed:
            sample = next(self._stream, None)
            if sample is None:
                self._closed = True
            elif sample.device == self._device.id:
                self._next = sample
        return self._next
