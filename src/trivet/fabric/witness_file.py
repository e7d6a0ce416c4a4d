"""What a device keeps of where others' ledgers end: one file, whole or not there.

    byte 0      version of the format
    the rest    MessagePack: a list of [device, head, time, fault, against]

Each change is on the disk when it returns. The greatest head of each device is kept;
once a device has shown one that contradicts it, both stay as evidence until a person
accepts the device's ledger as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from trivet.domain.error import SetupError, UsageError
from trivet.domain.sample import DeviceId
from trivet.fabric import disk
from trivet.fabric.ledger_chain import SignedHead

#: Devices that are kept; a household has no more members.
MAX_DEVICES = 256
_FORMAT = 1
_HINT = "it is never mended: move it away, and a new one is begun"


class Kept(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is kept of one device.

    Attributes:
        device: whose ledger.
        head: the greatest that it showed.
        time: when it did, in seconds since 1970-01-01 UTC.
        fault: why its ledger is not to be relied on, empty while nothing is known.
        against: the head that contradicted `head`, None where none did.
    """

    device: DeviceId
    head: SignedHead
    time: float
    fault: Annotated[str, Meta(max_length=1000)] = ""
    against: SignedHead | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(
    Annotated[tuple[Kept, ...], Meta(max_length=MAX_DEVICES)]
)
_Rows = dict[str, Kept]


class WitnessFile:
    """The file of one device; several processes may use it.

    Args:
        path: the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> tuple[Kept, ...]:
        """What is kept, by device.

        Raises:
            SetupError: the file cannot be read.
        """
        return tuple(self._load().values())

    def kept(self, device: str) -> Kept | None:
        """What is kept of one device, None for nothing.

        Raises:
            SetupError: the file cannot be read.
        """
        return self._load().get(device)

    def keep(self, head: SignedHead, time: float) -> None:
        """Keep a head that was checked, unless a greater one or a fault is there.

        Raises:
            SetupError: the file cannot be read or written.
        """

        def change(rows: _Rows) -> None:
            there = rows.get(head.device)
            if there is None and len(rows) >= MAX_DEVICES:
                raise UsageError(f"{MAX_DEVICES} ledgers are kept already")
            if there is None or not (there.fault or there.head.seq > head.seq):
                rows[head.device] = Kept(head.device, head, time)

        self._change(change)

    def accuse(self, device: str, fault: str, against: SignedHead | None) -> None:
        """Keep what contradicts a device's head; the first fault stays.

        Raises:
            SetupError: the file cannot be read or written.
        """

        def change(rows: _Rows) -> None:
            there = rows.get(device)
            if there is not None and not there.fault:
                rows[device] = replace(there, fault=fault[:1000], against=against)

        self._change(change)

    def accept(self, device: str) -> Kept:
        """Forget what is kept of a device: its next head is where it begins anew.

        Returns:
            What was forgotten.

        Raises:
            UsageError: nothing is kept of it.
            SetupError: the file cannot be read or written.
        """
        gone: list[Kept] = []

        def change(rows: _Rows) -> None:
            if device not in rows:
                raise UsageError(
                    f"nothing is kept of a ledger of {device}",
                    hint="trivet ledger witnesses lists what is kept",
                )
            gone.append(rows.pop(device))

        self._change(change)
        return gone[0]

    def _change(self, change: Callable[[_Rows], None]) -> None:
        with disk.locked(self._path.parent):
            before = self._load()
            after = dict(before)
            change(after)
            if after != before:
                rows = tuple(after[device] for device in sorted(after))
                data = bytes([_FORMAT]) + _encoder.encode(rows)
                disk.replace(self._path, data, disk.SECRET)

    def _load(self) -> _Rows:
        if not self._path.exists():
            return {}
        data = disk.read(self._path, _HINT)
        try:
            if data[:1] != bytes([_FORMAT]):
                raise ValueError("it is of another version")
            return {row.device: row for row in _decoder.decode(memoryview(data)[1:])}
        except (ValueError, msgspec.MsgspecError, RecursionError) as error:
            raise SetupError(f"{self._path} is damaged: {error}", hint=_HINT) from error
