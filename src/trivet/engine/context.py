"""The context: what is known now, the latest sample of each signal."""

from __future__ import annotations

from collections.abc import Iterator

from trivet.domain.sample import Position, Sample, Value


class Context:
    """Latest sample of every signal of every device, by event time.

    A late sample never replaces a newer one.
    """

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], Sample] = {}

    def learn_one(self, sample: Sample) -> None:
        """Take up one sample."""
        key = (sample.device, sample.path)
        known = self._latest.get(key)
        if known is None or sample.time >= known.time:
            self._latest[key] = sample

    def sample(self, device: str, path: str) -> Sample | None:
        """Latest sample of a signal, None when none was seen."""
        return self._latest.get((device, path))

    def value(self, device: str, path: str) -> Value | None:
        """Latest value of a signal, None when none was seen."""
        sample = self._latest.get((device, path))
        return None if sample is None else sample.value

    def number(self, device: str, path: str) -> float | None:
        """Latest value as a number, None when none was seen or it is none."""
        value = self.value(device, path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    def position(self, device: str, path: str) -> Position | None:
        """Latest value as a position, None when none was seen or it is none."""
        value = self.value(device, path)
        return value if isinstance(value, Position) else None

    def of_device(self, device: str) -> Iterator[Sample]:
        """Latest samples of all signals of one device, by path."""
        for (owner, _), sample in sorted(self._latest.items()):
            if owner == device:
                yield sample

    def knowing(self, *samples: Sample) -> Context:
        """Another context: this one, with other latest samples of some signals."""
        other = Context()
        other._latest = self._latest | {(s.device, s.path): s for s in samples}
        return other


class NotedContext(Context):
    """A context that notes which signals were looked at."""

    def __init__(self) -> None:
        super().__init__()
        #: device and path of each, in the order in which they were first looked at
        self.seen: dict[tuple[str, str], None] = {}

    @classmethod
    def of(cls, context: Context) -> NotedContext:
        """The same knowledge, with nothing looked at yet."""
        noted = cls()
        noted._latest = context._latest
        return noted

    def sample(self, device: str, path: str) -> Sample | None:
        """See Context."""
        self.seen[device, path] = None
        return super().sample(device, path)

    def value(self, device: str, path: str) -> Value | None:
        """See Context."""
        self.seen[device, path] = None
        return super().value(device, path)

    def of_device(self, device: str) -> Iterator[Sample]:
        """See Context; of these, each one that was come to counts as looked at."""
        for sample in super().of_device(device):
            self.seen[device, sample.path] = None
            yield sample
