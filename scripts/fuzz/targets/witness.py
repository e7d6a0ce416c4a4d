"""What devices ask, show and keep of where each other's ledgers end."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.signed import DEVICE, OTHER, FixedKey
from scripts.fuzz.tree import MSGPACK

from trivet.domain.error import SetupError, WireError
from trivet.fabric.ledger_chain import SignedHead, sign_head
from trivet.fabric.witness import Asked, Shown, fault_of, read_asked, read_shown, write
from trivet.fabric.witness_file import WitnessFile

_TIME = 1_777_636_800.0


def _head(device: str, key: FixedKey, seq: int, fill: int) -> SignedHead:
    digest = bytes([fill]) * 32
    return SignedHead(device, seq, digest, sign_head(key, device, seq, digest))


_KEPT = _head("phone", DEVICE, 7, 1)
_ASKED = (Asked(None), Asked(_KEPT, 12))
_SHOWN = (
    Shown(_KEPT),
    Shown(_head("phone", DEVICE, 9, 2), _KEPT, _head("car", OTHER, 300, 3)),
    Shown(_head("phone", DEVICE, 5, 2)),
)


def _asked(data: bytes) -> None:
    asked = read_asked(data)
    assert read_asked(write(asked)) == asked


def _shown(data: bytes) -> None:
    shown = read_shown(data)
    assert read_shown(write(shown)) == shown
    fault, _ = fault_of("phone", _KEPT, shown, DEVICE.public_key())
    if not fault:  # then the owner has signed that it goes on
        assert shown.head.seq >= _KEPT.seq
        before = shown.before or shown.head
        assert (before.seq, before.hash) == (_KEPT.seq, _KEPT.hash)


def _files() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "witness-home.bin"
        file = WitnessFile(path)
        file.keep(_KEPT, _TIME)
        one = path.read_bytes()
        file.keep(_head("car", OTHER, 3, 3), _TIME)
        file.accuse("phone", "it ends at 5", _head("phone", DEVICE, 5, 2))
        return one, path.read_bytes()


def _file(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "witness-home.bin"
        path.write_bytes(data)
        file = WitnessFile(path)
        before = file.all()
        with suppress(SetupError):
            file.keep(_head("tablet", OTHER, 3, 3), _TIME)
        assert {row.device for row in before} <= {row.device for row in file.all()}


TARGETS: Makers = {
    "heads-asked": lambda: Target(
        "heads-asked",
        tuple(map(write, _ASKED)),
        _asked,
        (WireError,),
        codec=MSGPACK,
    ),
    "heads-shown": lambda: Target(
        "heads-shown",
        tuple(map(write, _SHOWN)),
        _shown,
        (WireError,),
        codec=MSGPACK,
        slowness=2,
    ),
    "heads-kept": lambda: Target(
        "heads-kept",
        _files(),
        _file,
        (SetupError,),
        codec=MSGPACK,
        head=1,
        slowness=10,
    ),
}
