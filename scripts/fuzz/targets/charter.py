"""Charters, envelopes and sealed keys: what members of a household show each other.

What is signed by itself turns almost every altered byte away at once. Who holds a key
signs what it likes, though: the targets whose name ends in `-signed` alter what is
inside, and sign that.
"""

from __future__ import annotations

from contextlib import suppress
from unittest.mock import patch

import msgspec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.signed import CA, DEVICE, ECDSA, OTHER, authority
from scripts.fuzz.tree import MSGPACK

from trivet.domain.device import DeviceKind
from trivet.domain.error import PeerError, WireError
from trivet.domain.wire import Ack, encode
from trivet.fabric import certificate, charter, seal
from trivet.fabric.charter import Charter, Member, newer, read_charter
from trivet.fabric.envelope import Opener, Sealer
from trivet.fabric.notice import read_notice, write_notice
from trivet.fabric.request import fingerprint, public_der
from trivet.fabric.signature import seal as sign_as

_TIME = 1_777_636_800.0
_PEM = certificate.to_pem(authority())
_MEMBERS = tuple(
    Member(name, kind, fingerprint(key), is_guest, _TIME, public_der(key))
    for name, kind, key, is_guest in (
        ("car", DeviceKind.CAR, DEVICE.public_key(), False),
        ("phone", DeviceKind.PHONE, OTHER.public_key(), True),
    )
)
_REVOKED = tuple(
    charter.sign_revocation(CA, "ours", name, print_ * 32, _TIME, "lost")
    for name, print_ in (("old-phone", "ab"), ("old-car", "cd"))
)
CHARTER = Charter("ours", 3, _MEMBERS, "", (_PEM.decode(),), _REVOKED[:1])
#: That charter, and others of the household: the first, one with other revocations.
SIGNED = charter.sign(CHARTER, CA)
_CHARTERS = (
    SIGNED,
    charter.sign(Charter("ours", 1, issuers=(_PEM.decode(),)), CA),
    newer(
        SIGNED,
        charter.sign(
            Charter("ours", 2, _MEMBERS[:1], "x", (_PEM.decode(),), _REVOKED[1:]), CA
        ),
    ),
)
_encoder = msgspec.msgpack.Encoder()


def _charter(data: bytes) -> None:
    with suppress(WireError):
        read_charter(data, [_PEM])
    # what was merged is read again, and merging it anew changes nothing
    merged = newer(SIGNED, data)
    read = read_charter(merged, [_PEM])
    assert {r.device for r in CHARTER.revoked} <= {r.device for r in read.revoked}
    assert not {m.device for m in read.members} & {r.device for r in read.revoked}
    assert newer(merged, data) == merged
    assert newer(merged, SIGNED) == merged


def _own(data: bytes) -> None:
    newer(data, SIGNED)


def _charter_signed(data: bytes) -> None:
    signer = fingerprint(CA.public_key())
    signed = (data, signer, sign_as(CA, "charter", data), ())
    _charter(b"\1" + _encoder.encode(signed))


def _bodies() -> tuple[bytes, ...]:
    return tuple(msgspec.msgpack.decode(data[1:])[0] for data in _CHARTERS)


# --- envelopes --------------------------------------------------------------------

_KEYS = {"phone": DEVICE.public_key(), "car": OTHER.public_key()}


def _envelopes() -> tuple[bytes, ...]:
    sealer = Sealer(DEVICE, "phone", boot=1, household="ours")
    return tuple(
        sealer.seal("home", path, data, _TIME)
        for path, data in (("location", b""), ("Vehicle.Speed", encode(Ack(True))))
    )


def _envelope(data: bytes) -> None:
    opener = Opener("home", key_of=_KEYS.get, household="ours")
    opened = opener.open(data, _TIME)
    try:
        opener.open(data, _TIME)
    except PeerError:
        return
    raise AssertionError(f"taken twice: {opened!r:.300}")


def _envelope_signed(data: bytes) -> None:
    r, s = decode_dss_signature(DEVICE.sign(b"trivet sealed 1\0\4ours" + data, ECDSA))
    _envelope(data + r.to_bytes(32, "big") + s.to_bytes(32, "big"))


# --- a key that is sealed to a device ---------------------------------------------


def _sealed_keys() -> tuple[bytes, ...]:
    with patch("trivet.fabric.seal.ec.generate_private_key", lambda curve: OTHER.real):
        return (seal.seal_to(DEVICE.public_key(), "issuer of ours", b"a key"),)


def _sealed_key(data: bytes) -> None:
    assert seal.unseal_with(DEVICE.real, "issuer of ours", data) == b"a key"


# --- a notice that a device is out ---------------------------------------------------


def _notice(data: bytes) -> None:
    found = read_notice(data)
    if found is None:
        return
    try:
        carried = charter.carry(SIGNED, (found,))
        kept = newer(SIGNED, carried)
    except WireError:
        return
    known = read_charter(kept, [_PEM]).revoked  # by an issuer's word alone
    assert {(r.device, r.signature) for r in known} <= _WORDS, known


_WORDS = {(r.device, r.signature) for r in _REVOKED}

TARGETS: Makers = {
    "charter": lambda: Target(
        "charter",
        _CHARTERS,
        _charter,
        (WireError,),
        codec=MSGPACK,
        head=1,
        slowness=5,
    ),
    "charter-own": lambda: Target(
        "charter-own", _CHARTERS, _own, (WireError,), codec=MSGPACK, head=1
    ),
    "charter-signed": lambda: Target(
        "charter-signed",
        _bodies(),
        _charter_signed,
        (WireError,),
        codec=MSGPACK,
        slowness=10,
    ),
    "envelope": lambda: Target(
        "envelope", _envelopes(), _envelope, (PeerError,), codec=MSGPACK, head=1
    ),
    "envelope-signed": lambda: Target(
        "envelope-signed",
        tuple(data[:-64] for data in _envelopes()),
        _envelope_signed,
        (PeerError,),
        codec=MSGPACK,
        head=1,
        slowness=2,
    ),
    "notice": lambda: Target(
        "notice",
        tuple(write_notice(CHARTER, r.device, r.fingerprint) for r in _REVOKED[:1]),
        _notice,
        (WireError,),
        codec=MSGPACK,
        head=17,
        slowness=5,
    ),
    "sealed-key": lambda: Target(
        "sealed-key", _sealed_keys(), _sealed_key, (ValueError,), slowness=5
    ),
}
