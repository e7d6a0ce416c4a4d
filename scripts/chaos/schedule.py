"""Which fault strikes which device when: all of it follows from one number; pure.

Faults overlap, but no device is struck twice at once in the same way: what is dead
cannot be frozen. Every BREATH_EVERY faults the household is left alone for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from random import Random

import msgspec


class Kind(StrEnum):
    """What is done to a device."""

    #: its process is killed and started anew; with an amount, all that it started too
    KILL = "kill"
    #: its process is stopped and goes on
    FREEZE = "freeze"
    #: its network interface goes down
    CUT = "cut"
    #: it hears nothing of another one, or of all; they hear it
    DEAF = "deaf"
    #: it loses a share of what reaches it
    LOSS = "loss"
    #: what it sends comes late, each packet by the same time
    DELAY = "delay"
    #: what it sends comes late, each packet by a time of its own: out of order
    REORDER = "reorder"
    #: its wall clock jumps by an hour and back
    CLOCK = "clock"
    #: its disk is full
    DISK = "disk"


class Fault(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        number: its place in the schedule, from 0.
        kind: what is done.
        device: to whom.
        at_s: when it begins, in seconds from the start.
        for_s: how long it goes on, in seconds.
        peer: whom a deaf device does not hear; empty for all.
        amount: percent lost; milliseconds of delay; seconds that the clock jumps; 1 if
            all processes are killed.
    """

    number: int
    kind: Kind
    device: str
    at_s: float
    for_s: float
    peer: str = ""
    amount: int = 0

    @property
    def until_s(self) -> float:
        """When it is over, in seconds from the start."""
        return self.at_s + self.for_s

    def __str__(self) -> str:
        what = f"{self.kind} {self.device}"
        if self.peer:
            what += f" to {self.peer}"
        if self.amount:
            what += f" {self.amount}{_UNIT.get(self.kind, '')}"
        return f"{self.number:4} {self.at_s:8.2f} s {self.for_s:5.2f} s  {what}"


class Mix(msgspec.Struct, frozen=True):
    """How often a kind strikes, and how long.

    Attributes:
        weight: its share among the kinds.
        least_s: shortest time that it goes on.
        most_s: longest.
        group: no device is struck by two faults of a group at once.
    """

    weight: int
    least_s: float
    most_s: float
    group: str


MIX = {
    Kind.KILL: Mix(20, 0.2, 3.0, "process"),
    Kind.FREEZE: Mix(18, 0.2, 6.0, "process"),
    Kind.CUT: Mix(14, 0.5, 5.0, "cable"),
    Kind.DEAF: Mix(12, 0.5, 6.0, "hearing"),
    Kind.LOSS: Mix(10, 1.0, 6.0, "loss"),
    Kind.DELAY: Mix(5, 1.0, 6.0, "time"),
    Kind.REORDER: Mix(5, 1.0, 6.0, "time"),
    Kind.CLOCK: Mix(8, 2.0, 12.0, "clock"),
    Kind.DISK: Mix(8, 1.0, 6.0, "disk"),
}
#: What needs hosts with a network of their own.
NETWORK = frozenset({Kind.CUT, Kind.DEAF, Kind.LOSS, Kind.DELAY, Kind.REORDER})
#: Mean seconds between two faults' beginnings.
GAP_S = 0.95
#: After so many faults all of them end, and for so long none begins.
BREATH_EVERY, BREATH_S = 50, 8.0
HOUR_S = 3600
_UNIT = {
    Kind.KILL: " (all)",
    Kind.LOSS: " %",
    Kind.DELAY: " ms",
    Kind.REORDER: " ms",
    Kind.CLOCK: " s",
}


def make_schedule(
    seed: int,
    count: int,
    devices: Sequence[str],
    kinds: frozenset[Kind] = frozenset(MIX),
) -> tuple[Fault, ...]:
    """The faults of a run, in the order of their beginnings.

    Args:
        seed: the same one gives the same faults.
        count: how many.
        devices: who may be struck.
        kinds: which kinds there are.
    """
    return tuple(_draw(Random(seed), count, devices, sorted(kinds)))


def _draw(
    random: Random, count: int, devices: Sequence[str], kinds: Sequence[Kind]
) -> Iterator[Fault]:
    now_s, last_s = 0.0, 0.0
    busy: dict[tuple[str, str], float] = {}
    for number in range(count):
        if number and number % BREATH_EVERY == 0:
            now_s = last_s + BREATH_S
        now_s += random.expovariate(1.0 / GAP_S)
        kind, device = _choose(random, kinds, devices, busy, now_s)
        mix = MIX[kind]
        at_s = max(now_s, busy.get((device, mix.group), 0.0))
        for_s = round(random.uniform(mix.least_s, mix.most_s), 2)
        others = [other for other in devices if other != device]
        peer = random.choice(["", *others]) if kind is Kind.DEAF else ""
        amount = _amount(random, kind)
        fault = Fault(number, kind, device, round(at_s, 2), for_s, peer, amount)
        now_s = at_s
        busy[device, mix.group] = fault.until_s + 0.05
        last_s = max(last_s, fault.until_s)
        yield fault


def _choose(
    random: Random,
    kinds: Sequence[Kind],
    devices: Sequence[str],
    busy: dict[tuple[str, str], float],
    now_s: float,
) -> tuple[Kind, str]:
    """A kind and a device that is free for it; any, if there is none."""
    weights = [MIX[kind].weight for kind in kinds]
    for _ in range(100):
        kind = random.choices(kinds, weights)[0]
        device = random.choice(devices)
        if busy.get((device, MIX[kind].group), 0.0) <= now_s:
            break
    return kind, device


def _amount(random: Random, kind: Kind) -> int:
    if kind is Kind.KILL:
        return random.randint(0, 1)
    if kind is Kind.LOSS:
        return random.randint(5, 30)
    if kind in (Kind.DELAY, Kind.REORDER):
        return random.randint(20, 400)
    if kind is Kind.CLOCK:
        return random.choice((-HOUR_S, HOUR_S))
    return 0
