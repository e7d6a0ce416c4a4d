"""Who is there: life signs in, changes out; pure.

A device is there while its liveliness token stands and it has not fallen silent. The
token falls at once when a device leaves or its connection breaks. Silence, which
`pulse` finds, is for the device that freezes: under heavy TLS traffic the transport
may never notice that its peer has stopped reading.
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
    """Keeps who is there, from tokens and from silence."""

    def __init__(self) -> None:
        self._standing: set[str] = set()
        self._silent: set[str] = set()
        self._alive: set[str] = set()

    @property
    def alive(self) -> frozenset[str]:
        """Ids of the devices that are there."""
        return frozenset(self._alive)

    def is_alive(self, device: str) -> bool:
        """Whether a device is there."""
        return device in self._alive

    def token(self, device: str, is_standing: bool) -> list[Liveness]:
        """A device's token was put up or fell."""
        if not is_standing:
            self._standing.discard(device)
        elif len(self._standing) < MAX_DEVICES:
            self._standing.add(device)
        return self._change(device)

    def silence(self, device: str, is_silent: bool) -> list[Liveness]:
        """A device fell silent, or is heard again."""
        if not is_silent:
            self._silent.discard(device)
        elif device in self._standing or len(self._silent) < MAX_DEVICES:
            self._silent.add(device)
        return self._change(device)

    def _change(self, device: str) -> list[Liveness]:
        is_alive = device in self._standing and device not in self._silent
        if is_alive == (device in self._alive):
            return []
        if is_alive:
            self._alive.add(device)
        else:
            self._alive.discard(device)
        return [Liveness(device, is_alive)]
