"""What the three simulated devices share: they live day by day, event by event.

A device prepares one local day at a time, so a long life needs no more memory than a
day. Its events are handled strictly in order and never beyond the asked time, so many
small steps and one big step give the same samples.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import timedelta
from heapq import heappop, heappush
from math import isfinite
from typing import TypeAlias

import msgspec

from trivet.devices.world.life import Life, Lived
from trivet.domain.device import Adapter, Device
from trivet.domain.error import UsageError
from trivet.domain.sample import Sample, Value
from trivet.domain.signal import SignalKind


class Act(msgspec.Struct, frozen=True):
    """Something that happens to a device at an event time.

    Attributes:
        time: when.
        what: an entity's or signal's path, or the name of a happening.
        value: what it becomes; None for a happening.
    """

    time: float
    what: str
    value: Value | None = None


Event: TypeAlias = Sample | Act


class SimulatedAdapter(Adapter):
    """A device of the simulated household."""

    def __init__(self, device: Device, life: Life, start: float, end: float) -> None:
        self._device = device
        self._life = life
        self._start = start
        self._end = end
        self._signals = {signal.path: signal for signal in device.signals}
        self._pending: deque[Sample] = deque()
        self._commands: list[tuple[float, int, Act]] = []
        self._given = 0
        self._today: deque[Event] = deque()
        self._next_day = life.date_of(start)
        self._now = start

    @property
    def device(self) -> Device:
        """The device and its signals."""
        return self._device

    def samples(self, until: float) -> Iterator[Sample]:
        """Yield what became true after the last call and up to event time `until`."""
        until = min(until, self._end)
        while True:
            while self._pending:
                if self._pending[0].time > until:
                    return
                yield self._pending.popleft()
            event = self._pop(until)
            if event is None:
                self._now = max(self._now, until)
                return
            self._now = max(self._now, event.time)
            if isinstance(event, Sample):
                self._pending.append(event)
            else:
                self._pending.extend(self._apply(event))

    def command(self, path: str, value: Value, time: float) -> None:
        """Give an actuator a target value; it acts at once, never in the past.

        Raises:
            UsageError: no such signal, not an actuator, or a value out of range.
        """
        signal = self._signals.get(path)
        if signal is None:
            raise UsageError(
                f"{self._device.id} has no signal {path!r}",
                hint="its device description lists them",
            )
        if signal.kind is not SignalKind.ACTUATOR:
            raise UsageError(
                f"{path} of {self._device.id} is a {signal.kind}, not an actuator"
            )
        signal.check(value)
        if not all(isfinite(x) for x in (value, time) if isinstance(x, float)):
            raise UsageError(f"{path} cannot be {value!r} at {time}: not finite")
        act = Act(max(time, self._now), path, value)
        self._given += 1
        heappush(self._commands, (act.time, self._given, act))

    def _pop(self, until: float) -> Event | None:
        """The next event up to `until`; a command goes after what is due with it."""
        while not self._today and self._next_day_start() <= until:
            self._begin_day()
        due = self._today[0].time if self._today else self._next_day_start()
        if self._commands and self._commands[0][0] < due:
            if self._commands[0][0] > until:
                return None
            return heappop(self._commands)[2]
        if not self._today or due > until:
            return None
        return self._today.popleft()

    def _next_day_start(self) -> float:
        return self._life.midnight(self._next_day)

    def _begin_day(self) -> None:
        lived = self._life.day(self._next_day)
        self._next_day += timedelta(days=1)
        events = sorted(self._events(lived), key=lambda event: event.time)
        self._today.extend(
            e for e in events if self._start <= e.time and lived.start <= e.time
        )

    @abstractmethod
    def _events(self, lived: Lived) -> Iterable[Event]:
        """What happens on a day, in any order; those of one time keep theirs."""

    @abstractmethod
    def _apply(self, act: Act) -> Iterable[Sample]:
        """Let something happen; give the samples, all at its time."""
