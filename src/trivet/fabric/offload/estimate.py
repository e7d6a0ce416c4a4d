"""How long things take, learned as they happen: on a log scale, forgetting slowly.

What a run takes on a device is positive, skewed, and changes with the season: a
processor throttles, somebody watches a film. So the logarithm of it is followed by its
mean and its mean deviation, each moved by a share of every surprise, as TCP follows
its round trips; one odd run moves neither far.

Source: RFC 6298; V. Jacobson, "Congestion avoidance and control", 1988.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import exp, inf, log, sqrt
from typing import Final, Self

import msgspec

from trivet.domain.error import InputError
from trivet.fabric.offload.task import Cost

#: Seconds that a task of each class takes on the reference processor, to begin with.
PRIOR_S: Final = {Cost.LIGHT: 0.01, Cost.MEDIUM: 0.3, Cost.HEAVY: 3.0}
#: `benchmark_s` of the processor that these are for.
REFERENCE_S = 0.02
#: Spread of what is not known at all; of what is known of another device.
UNKNOWN_SPREAD, CARRIED_SPREAD = 1.2, 0.5
#: Share of a surprise that moves the mean, and the deviation, in the long run.
GAIN, SPREAD_GAIN = 0.125, 0.1
#: A surprise counts for no more than this many spreads.
CLIP = 4.0
#: A spread less than this is not believed.
LEAST_SPREAD = 0.05
#: Standard deviation of a normal distribution with mean deviation 1.
_PER_DEVIATION = 1.2533
_SHORTEST_S = 1e-12
#: No logarithm of seconds is further from 0.
_MOST = 50.0
#: Seconds of being in reach after which half of what was learned of losses is forgotten
_LOSS_MEMORY_S = 900.0
#: To begin with, a device is thought to be lost once an hour; so weakly that a few
#: losses change it.
_LOSSES, _WATCHED_S = 0.01, 36.0
_MAX_KNOWN = 4096
#: What an unknown way takes: there and back, in seconds, and bytes a second.
_TRIP_S, _RATE = 0.03, 4e6
_SMALL = 16 * 1024


class Level(msgspec.Struct):
    """A positive quantity that is seen again and again.

    Attributes:
        mean: of its logarithm.
        deviation: mean deviation of its logarithm.
        count: how often it was seen.
    """

    mean: float = 0.0
    deviation: float = 0.0
    count: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether it can have been learned."""
        is_known = abs(self.mean) < _MOST and 0.0 <= self.deviation < _MOST
        return is_known and self.count >= 0

    @property
    def median(self) -> float:
        """What it is half of the time, or less."""
        return exp(self.mean)

    @property
    def spread(self) -> float:
        """Standard deviation of its logarithm; wider while little was seen."""
        if not self.count:
            return UNKNOWN_SPREAD
        known = max(LEAST_SPREAD, _PER_DEVIATION * self.deviation)
        return sqrt(known**2 + CARRIED_SPREAD**2 / self.count**2)

    def see(self, value: float) -> None:
        """It was `value` this time."""
        new = log(max(value, _SHORTEST_S))
        if not self.count:
            self.mean, self.deviation, self.count = new, 0.0, 1
            return
        limit = CLIP * max(self.spread, LEAST_SPREAD)
        surprise = min(max(new - self.mean, -limit), limit)
        self.count += 1
        self.mean += surprise * max(GAIN, 1.0 / self.count)
        gain = max(SPREAD_GAIN, 1.0 / self.count)
        self.deviation += (abs(surprise) - self.deviation) * gain

    def see_at_least(self, value: float) -> None:
        """It was given up at `value`: all that is known is that it was no less."""
        if self.count and log(max(value, _SHORTEST_S)) > self.mean:
            self.see(value)


class Way(msgspec.Struct):
    """The way to a device: what a word takes, what bytes take, how often it breaks.

    Attributes:
        trip: seconds of a run with little to send, besides waiting and work.
        per_byte: seconds a byte of a large one.
        losses: how often the device was lost, forgetting.
        watched_s: for how long it was in reach, forgetting.
    """

    trip: Level
    per_byte: Level
    losses: float = _LOSSES
    watched_s: float = _WATCHED_S

    @property
    def is_sound(self) -> bool:
        """Whether it can have been learned."""
        is_known = 0.0 <= self.losses < inf and 0.0 < self.watched_s < inf
        return is_known and self.trip.is_sound and self.per_byte.is_sound

    def transfer_s(self, size: int) -> float:
        """What sending so many bytes there and back takes, half of the time."""
        trip_s = self.trip.median if self.trip.count else _TRIP_S
        per_byte_s = self.per_byte.median if self.per_byte.count else 1.0 / _RATE
        return trip_s + (size * per_byte_s if size > _SMALL else 0.0)

    def see(self, size: int, seconds: float) -> None:
        """Sending so many bytes took so long, besides waiting and work."""
        if size <= _SMALL:
            self.trip.see(max(seconds, 1e-4))
            return
        trip_s = self.trip.median if self.trip.count else 0.0
        self.per_byte.see(max(seconds - trip_s, 1e-4) / size)

    @property
    def loss_per_s(self) -> float:
        """How often the device is lost, in 1/s."""
        return self.losses / self.watched_s

    def watch(self, seconds: float) -> None:
        """It was in reach for so long."""
        kept = 0.5 ** (seconds / _LOSS_MEMORY_S)
        # what is forgotten gives way to what is thought to begin with
        self.losses = self.losses * kept + _LOSSES * (1.0 - kept)
        self.watched_s = self.watched_s * kept + _WATCHED_S * (1.0 - kept) + seconds

    def lose(self) -> None:
        """It was lost."""
        self.losses += 1.0


class Work(msgspec.Struct, frozen=True):
    """What a task takes on a device: median in seconds, and spread of its logarithm."""

    median_s: float
    spread: float


class _Kept(msgspec.Struct, frozen=True):
    """Estimates on a disk: of tasks, oldest first, and of ways."""

    work: list[tuple[str, str, Level]]
    ways: dict[str, Way]


_decoder = msgspec.msgpack.Decoder(_Kept)


class Estimates:
    """What this device knows of all: tasks on devices, and ways to them."""

    def __init__(self) -> None:
        self._work: OrderedDict[tuple[str, str], Level] = OrderedDict()
        self._ways: dict[str, Way] = {}

    @classmethod
    def restore(cls, data: bytes) -> Self:
        """Those that were written down.

        Raises:
            InputError: `data` is no such thing, or damaged.
        """
        made = cls()
        if not data:
            return made
        try:
            kept = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise InputError(f"no estimates of tasks: {error}") from error
        is_sound = all(level.is_sound for _, _, level in kept.work)
        if not is_sound or not all(way.is_sound for way in kept.ways.values()):
            raise InputError("estimates of tasks that nothing can have taught")
        made._work.update({(d, t): level for d, t, level in kept.work[-_MAX_KNOWN:]})
        made._ways.update(kept.ways)
        return made

    def to_bytes(self) -> bytes:
        """What is to be written down; see `restore`."""
        work = [(device, task, x) for (device, task), x in self._work.items()]
        known = [each for each in work if each[2].count]
        return msgspec.msgpack.encode(_Kept(known, self._ways))

    def way(self, device: str) -> Way:
        """The way to a device."""
        if device not in self._ways:
            self._ways[device] = Way(Level(), Level())
        return self._ways[device]

    def level(self, device: str, task: str) -> Level:
        """What is known first hand of a task on a device."""
        at = device, task
        if at not in self._work:
            self._work[at] = Level()
            if len(self._work) > _MAX_KNOWN:
                self._work.popitem(last=False)
        self._work.move_to_end(at)
        return self._work[at]

    def work(
        self,
        device: str,
        task: str,
        cost: Cost,
        benchmark_s: float,
        told: Work | None = None,
        elsewhere: Sequence[tuple[Work, float]] = (),
    ) -> Work:
        """What a task takes on a device.

        Args:
            device: the device.
            task: the task's name.
            cost: its class.
            benchmark_s: of that device.
            told: what the device says of itself, if it ran the task before.
            elsewhere: what it takes on other devices, each with its benchmark.
        """
        level = self.level(device, task)
        if level.count:
            return Work(level.median, level.spread)
        if told is not None:
            return told
        if elsewhere:
            known, its_benchmark_s = min(elsewhere, key=lambda each: each[0].spread)
            median_s = known.median_s * benchmark_s / its_benchmark_s
            return Work(median_s, known.spread + CARRIED_SPREAD)
        return Work(PRIOR_S[cost] * benchmark_s / REFERENCE_S, UNKNOWN_SPREAD)
