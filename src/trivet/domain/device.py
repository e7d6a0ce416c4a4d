"""A device: a node with an identity; and the one door by which kinds of it enter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from trivet.domain.sample import DeviceId, Sample, Value
from trivet.domain.signal import Signal


class DeviceKind(StrEnum):
    """What a device is to its household."""

    PHONE = "phone"
    CAR = "car"
    HOME = "home"
    OTHER = "other"


class Device(msgspec.Struct, frozen=True, omit_defaults=True, tag="device"):
    """A device of the household and the signals that it offers."""

    id: DeviceId
    kind: DeviceKind
    name: Annotated[str, Meta(max_length=100)] = ""
    signals: tuple[Signal, ...] = ()


class Adapter(ABC):
    """What stands between trivet and a real, recorded or simulated device.

    Time is passed in: the same adapter serves a live day, a replayed year and a test.
    """

    @property
    @abstractmethod
    def device(self) -> Device:
        """The device this adapter speaks for."""

    @abstractmethod
    def samples(self, until: float) -> Iterator[Sample]:
        """Yield what became true after the last call and up to event time `until`.

        Samples come in order of event time. Calling again with an earlier `until`
        yields nothing.
        """

    @abstractmethod
    def command(self, path: str, value: Value, time: float) -> None:
        """Give the actuator `path` the target `value` at event time `time`.

        Its effect is seen in later samples.

        Raises:
            UsageError: no such signal, not an actuator, or a value out of range.
        """

    def close(self) -> None:  # noqa: B027 - most adapters hold nothing
        """Release what the adapter holds. Calling it twice is allowed."""
