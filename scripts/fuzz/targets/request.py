"""Requests, certificates and proofs: what X.509 carries, signed by who sends it."""

from __future__ import annotations

import tempfile
from base64 import encodebytes
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from scripts.fuzz.target import Makers, Target
from scripts.fuzz.targets.charter import CHARTER, SIGNED
from scripts.fuzz.targets.signed import (
    CA,
    DEVICE,
    ECDSA,
    NOW,
    FixedKey,
    authority,
    device,
    request,
)
from scripts.fuzz.tree import DER, MSGPACK, RAW, Node

from trivet.domain.error import TrivetError, WireError
from trivet.fabric import admit, certificate
from trivet.fabric.charter import read_charter
from trivet.fabric.renewal import LateDesk, check_answer, prove
from trivet.fabric.request import fingerprint, read_request
from trivet.fabric.roll import Authority
from trivet.fabric.signature import issuers_of, seal

#: AlgorithmIdentifier of ECDSA with SHA-256, in DER.
_ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302")
_CA, _DEVICE = authority(), device()
_CA_PEM, _DEVICE_PEM = certificate.to_pem(_CA), certificate.to_pem(_DEVICE)
_REQUESTS = tuple(
    request(*subject, hosts=hosts).public_bytes(Encoding.DER)
    for subject, hosts in (
        (("ours", "car", "car"), ()),
        (("ours", "phone", "phone"), ("a.local", "192.168.1.20", "fe80::1")),
    )
)
_PROOF = "late renewal"
_encoder = msgspec.msgpack.Encoder()


def _signed(key: FixedKey, inside: bytes) -> bytes:
    """What X.509 and PKCS #10 have in common: content, algorithm, signature."""
    bits = b"\0" + key.sign(inside, ECDSA)
    parts = [Node(RAW, inside), Node(RAW, _ALGORITHM), Node(0x03, bits)]
    return DER.dump(Node(0x30, children=parts))


def _pem(der: bytes) -> bytes:
    begin, end = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
    return begin + encodebytes(der) + end


def _request(data: bytes) -> None:
    read = read_request(data)
    assert read.fingerprint == fingerprint(read.public_key)
    # what is admitted stands in a certificate from then on
    public, hosts = read.public_key, read.hosts
    made = certificate.device(
        _CA, CA.real, public, read.device, read.kind, hosts, NOW, 14
    )
    assert certificate.device_of(made) == read.device
    assert certificate.household_of(made) == "ours"


def _keep(folder: Path, cert: bytes, ca: bytes) -> None:
    """As a joiner keeps what it was granted, but for the folder, which is taken."""
    admit.keep(
        folder,
        device="car",
        private=DEVICE.real,
        cert_pem=cert,
        ca_pem=ca,
        charter=SIGNED,
        now=NOW,
    )


class _Certificates:
    """By an authority that nobody vouches for, to all that take certificates."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="trivet-fuzz-")
        self._taken = Path(self._folder.name)
        (self._taken / "something").touch()

    def device(self, data: bytes) -> None:
        pem = _pem(_signed(CA, data))
        with suppress(WireError):
            check_answer(_DEVICE, pem, _CA, NOW)
        with suppress(TrivetError):
            _keep(self._taken, pem, _CA_PEM)

    def authority(self, data: bytes) -> None:
        pem = _pem(_signed(CA, data))
        with suppress(WireError):
            issuers_of("ours", [pem])
        with suppress(WireError):
            read_charter(SIGNED, [pem])
        with suppress(TrivetError):
            _keep(self._taken, _DEVICE_PEM, pem)


def _late(data: bytes) -> None:
    """A proof whose signature is right, by whoever holds the key of the request."""
    with suppress(msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        asked, old, challenge, _ = msgspec.msgpack.decode(data)
        digests = sha256(asked).digest(), sha256(old).digest()
        said = _encoder.encode(("ours", challenge, *digests))
        data = _encoder.encode((asked, old, challenge, seal(DEVICE, _PROOF, said)))
    LateDesk(bytes).answer(Authority(_CA, CA.real), CHARTER, data, now=NOW)


def _proof() -> bytes:
    challenge = LateDesk(bytes).challenge(NOW)
    return prove(DEVICE, "ours", _REQUESTS[0], _DEVICE_PEM, challenge)


def _make_request() -> Target:
    return Target("request", _REQUESTS, _request, (WireError,), codec=DER, slowness=2)


def _make_request_signed() -> Target:
    inside = tuple(
        DER.dump(found.children[0])
        for found in map(DER.parse, _REQUESTS)
        if found is not None and found.children
    )
    return Target(
        "request-signed",
        inside,
        lambda data: _request(_signed(DEVICE, data)),
        (WireError,),
        codec=DER,
        slowness=5,
    )


def _make_certificate() -> Target:
    inside = (_DEVICE.tbs_certificate_bytes,)
    run = _Certificates().device
    return Target("certificate-signed", inside, run, (), codec=DER, slowness=10)


def _make_authority() -> Target:
    inside = (_CA.tbs_certificate_bytes,)
    run = _Certificates().authority
    return Target("authority-signed", inside, run, (), codec=DER, slowness=10)


def _make_late() -> Target:
    run, corpus = _late, (_proof(),)
    allowed = (TrivetError,)
    return Target("late-signed", corpus, run, allowed, codec=MSGPACK, slowness=10)


TARGETS: Makers = {
    "request": _make_request,
    "request-signed": _make_request_signed,
    "certificate-signed": _make_certificate,
    "authority-signed": _make_authority,
    "late-signed": _make_late,
}
