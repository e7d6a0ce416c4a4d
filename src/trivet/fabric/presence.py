"""Who is there: life signs in, changes out; pure, with the time passed in.

A device is there while its liveliness token stands and its heartbeat goes on. The
token falls at once when a device leaves or its connection breaks. The heartbeat is
for the device that freezes: under heavy TLS traffic the transport may never notice
that its peer has stopped reading.
"""

from __future__ import annotations

import msgspec

#: More devices than this in one household are not believed.
MAX_DEVICES = 256


class Liveness(msgspec.Struct, frozen=True, gc=False):
    """A device came or went.

    Attributes:
        device: its id.
        is_alive: True when it came.
    """

    device: str
    is_alive: bool


class Presence:
    """Keeps who is there, from tokens, heartbeats and the passing of time.

    Args:
        silence_s: seconds without a heartbeat after which a device counts as gone.
    """

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s
        self._heard: dict[str, float] = {}  # devices whose token stands
        self._alive: set[str] = set()

    @property
    def alive(self) -> frozenset[str]:
        """Ids of the devices that are there."""
        return frozenset(self._alive)

    def is_alive(self, device: str) -> bool:
        """Whether a device is there."""
        return device in self._alive

    def token(self, device: str, is_standing: bool, time: float) -> list[Liveness]:
        """A device's token was put up or fell at monotonic `time` in seconds."""
        if not is_standing:
            self._heard.pop(device, None)
        elif device in self._heard or len(self._heard) < MAX_DEVICES:
            self._heard[device] = time
        return self._changes(time)

    def heard(self, device: str, time: float) -> list[Liveness]:
        """A device's heartbeat was heard at monotonic `time` in seconds."""
        if device in self._heard:
            self._heard[device] = time
        return self._changes(time)

    def tick(self, time: float) -> list[Liveness]:
        """Monotonic `time` in seconds has come."""
        return self._changes(time)

    def _changes(self, time: float) -> list[Liveness]:
        now_alive = {
            device
            for device, heard in self._heard.items()
            if time - heard <= self._silence_s
        }
        gone = [Liveness(d, False) for d in sorted(self._alive - now_alive)]
        come = [Liveness(d, True) for d in sorted(now_alive - self._alive)]
        self._alive = now_alive
        return gone + come
