"""The founder's word, sealed and signed as it should be, whatever is in it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import msgspec
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.file import scratch
from scripts.fuzz.targets.signed import CA, DEVICE, NOW, OTHER, authority, device
from scripts.fuzz.tree import MSGPACK

from trivet.domain.device import DeviceKind
from trivet.domain.error import RefusedError, TrivetError, WireError
from trivet.fabric import certificate, charter, disk, seal
from trivet.fabric.charter import Charter, Member
from trivet.fabric.household import Household, household_text
from trivet.fabric.identity import load_identity
from trivet.fabric.refounding import adopt
from trivet.fabric.request import fingerprint, public_der
from trivet.fabric.signature import seal as sign

_MARK = fingerprint(OTHER.public_key())  # the founder
_OLD = authority(founder=_MARK)
_NEW = authority(key=OTHER, founder=_MARK, begin=NOW - timedelta(hours=1))


def _charter(ca: bytes, by: int) -> bytes:
    der = public_der(DEVICE.public_key())
    car = Member(
        "car", DeviceKind.CAR, fingerprint(DEVICE.public_key()), public_key=der
    )
    agreed = Charter("ours", 2, (car,), issuers=(ca.decode(),))
    return charter.sign(agreed, (CA, OTHER)[by])


def _pem(new: bool) -> bytes:
    return certificate.to_pem(_NEW if new else _OLD)


def _word() -> bytes:
    cert = certificate.to_pem(device(_NEW, OTHER))
    return msgspec.msgpack.encode(
        ("ours", "car", _pem(True), _charter(_pem(True), 1), cert)
    )


def _lay(folder: Path) -> Household:
    own = folder / "devices" / "car"
    own.mkdir(parents=True)
    disk.write_new(folder / "household.json", household_text("ours"))
    disk.write_new(folder / "ca.pem", _pem(False))
    disk.write_new(folder / charter.FILE, _charter(_pem(False), 0))
    disk.write_new(own / "cert.pem", certificate.to_pem(device(_OLD)))
    disk.write_new(own / "key.pem", certificate.key_to_pem(DEVICE.real), disk.SECRET)
    return Household(folder, "ours")


def _files(folder: Path) -> dict[str, bytes]:
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != ".lock"]
    return {str(path): path.read_bytes() for path in paths}


def _adopting() -> Target:
    folder = scratch() / "car"

    def run(data: bytes) -> None:
        household = _lay(folder)
        try:
            sealed = seal.seal_to(DEVICE.public_key(), "refounding", data)
            said = msgspec.msgpack.encode(("ours", "car", sealed))
            signature = sign(OTHER, "refounding", said)
            signed = (public_der(OTHER.public_key()), sealed, signature)
            word, before = msgspec.msgpack.encode(signed), _files(folder)
            try:
                taken = adopt(household, "car", word, now=NOW)
            except TrivetError:
                assert _files(folder) == before, "half of it was kept"
                raise
            if taken is not None:
                assert load_identity(household, "car", now=NOW) == taken
                assert charter.own_charter(folder).member("car")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return Target(
        "refounding-signed",
        (_word(),),
        run,
        (WireError, RefusedError),
        codec=MSGPACK,
        slowness=50,
    )


TARGETS: Makers = {"refounding-signed": _adopting}
