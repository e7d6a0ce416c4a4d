"""The report: what was understood of a recording, what was skipped, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

#: Characters of a bad value that an example shows.
EXAMPLE_CHARS = 60


class Skip(NamedTuple):
    """How often one reason held, and where it first did.

    Attributes:
        times: records skipped for this reason.
        first: the first of them: `file:line value`.
    """

    times: int
    first: str


class Report:
    """Counts of what readers gave and skipped; one report may serve many files.

    Attributes:
        counts: samples by (device, path).
        skipped: what was left out, by reason.
        files: files read to their end.
        first_time: event time of the earliest sample in s, None before the first.
        last_time: event time of the latest sample in s, None before the first.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.skipped: dict[str, Skip] = {}
        self.files = 0
        self.first_time: float | None = None
        self.last_time: float | None = None

    @property
    def understood(self) -> int:
        """Samples given, over all devices and paths."""
        return sum(self.counts.values())

    def skip(self, reason: str, where: str, value: object = "") -> None:
        """Count one record left out for `reason`, at `where` (`file:line`)."""
        known = self.skipped.get(reason)
        if known is None:
            self.skipped[reason] = Skip(1, f"{where} {shorten(value)}".rstrip())
        else:
            self.skipped[reason] = Skip(known.times + 1, known.first)

    def span(self, first: float, last: float) -> None:
        """Widen the time covered to hold `first` and `last`."""
        if self.first_time is None or first < self.first_time:
            self.first_time = first
        if self.last_time is None or last > self.last_time:
            self.last_time = last

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON."""
        counts: dict[str, dict[str, int]] = {}
        for (device, path), count in sorted(self.counts.items()):
            counts.setdefault(device, {})[path] = count
        return {
            "files": self.files,
            "understood": self.understood,
            "counts": counts,
            "skipped": {
                reason: {"count": skip.times, "first": skip.first}
                for reason, skip in sorted(self.skipped.items())
            },
            "first_time": self.first_time,
            "last_time": self.last_time,
        }


def shorten(value: object) -> str:
    """The value in one printable line of at most EXAMPLE_CHARS characters."""
    if isinstance(value, bytes):
        # cut first: the bytes may be a whole line of 64 KiB
        value = value[: 4 * EXAMPLE_CHARS].decode("utf-8", "replace")
    text = str(value)[: 4 * EXAMPLE_CHARS]
    text = "".join(c if c.isprintable() else " " for c in text).strip()
    return text if len(text) <= EXAMPLE_CHARS else text[: EXAMPLE_CHARS - 1] + "…"
