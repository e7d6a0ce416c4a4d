"""Long bytes in parts: cut up at one end, put together at the other, within bounds."""

from __future__ import annotations

from collections.abc import Iterator

from trivet.domain.error import WireError
from trivet.fabric.offload.message import PART_BYTES


def first_part(data: bytes) -> bytes:
    """What goes with the message that announces the rest."""
    return data[:PART_BYTES]


def further_parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The rest, with the index of each part; the first one's is 0."""
    for index, start in enumerate(range(PART_BYTES, len(data), PART_BYTES), 1):
        yield index, data[start : start + PART_BYTES]


class Parcel:
    """Puts parts together. It never holds more than was announced.

    Args:
        size: bytes of the whole, as announced.
        first: the first part.

    Raises:
        WireError: the first part is not what such a whole begins with.
    """

    def __init__(self, size: int, first: bytes) -> None:
        self.size = size
        self._parts: list[bytes] = []
        self._held = 0
        self.add(0, first)

    @property
    def count(self) -> int:
        """Parts that have come."""
        return len(self._parts)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self._held == self.size

    def add(self, index: int, data: bytes) -> bool:
        """Take a part in; False if it came before and is the same.

        Raises:
            WireError: it is out of turn, of a wrong length, or another than before.
        """
        if index < len(self._parts):
            if self._parts[index] != data:
                raise WireError(f"part {index} came twice, and not the same")
            return False
        due = min(PART_BYTES, self.size - self._held)
        if index != len(self._parts) or (self.is_whole and index):
            raise WireError(f"part {index} came where {len(self._parts)} was due")
        if len(data) != due:
            raise WireError(f"part {index} has {len(data)} bytes, {due} were due")
        self._parts.append(data)
        self._held += len(data)
        return True

    def open(self) -> bytes:
        """The whole; the parcel is empty from then on."""
        data = b"".join(self._parts)
        self._parts = []
        return data
