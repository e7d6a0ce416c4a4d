from __future__ import annotations

from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.domain import DeviceKind, UsageError, WireError
from trivet.fabric.request import (
    MAX_BYTES,
    MAX_HOSTS,
    fingerprint,
    make_request,
    new_key,
    read_request,
)

KEY = new_key()
GOOD = make_request(KEY, "ours", "car", DeviceKind.CAR, ["car.local", "fd00::1"])
SAME = read_request(GOOD)


def csr(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = (
        (NameOID.ORGANIZATION_NAME, "ours"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "car"),
        (NameOID.COMMON_NAME, "car"),
    ),
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY,
    extension: x509.ExtensionType | None = None,
    algorithm: hashes.SHA256 | hashes.SHA384 | None = None,
) -> bytes:
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in subject])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    made = builder.sign(private, algorithm or hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def test_a_request_is_read_back_as_it_was_made() -> None:
    read = read_request(GOOD)
    assert (read.household, read.device, read.kind) == ("ours", "car", DeviceKind.CAR)
    assert read.hosts == ("car.local", "fd00::1")
    assert read.public_key == KEY.public_key()
    assert read.fingerprint == fingerprint(KEY.public_key())


def test_a_fingerprint_names_one_key() -> None:
    prints = {fingerprint(new_key().public_key()) for _ in range(4)}
    assert len(prints) == 4
    assert all(len(p) == 64 for p in prints)


@pytest.mark.parametrize(
    ("household", "device", "hosts"),
    [
        ("../x", "car", ()),
        ("ours", "Car", ()),
        ("ours", "car", ("tls/x",)),
        ("ours", "car", tuple(f"h{i}" for i in range(MAX_HOSTS + 1))),
    ],
)
def test_what_could_not_be_admitted_is_not_asked_for(
    household: str, device: str, hosts: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError):
        make_request(KEY, household, device, DeviceKind.CAR, hosts)


def test_attack_ask_with_a_public_key_of_somebody_else() -> None:
    """The request is signed by another key than the one that it carries."""
    theirs = new_key()
    forged = csr(private=theirs)

    def point(private: ec.EllipticCurvePrivateKey) -> bytes:
        return private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    with pytest.raises(WireError, match="not signed by the key"):
        read_request(forged.replace(point(theirs), point(KEY)))


@pytest.mark.parametrize(
    "extension",
    [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.SubjectAlternativeName([x509.DNSName("*.local")]),
        x509.SubjectAlternativeName([x509.RFC822Name("a@b.c")]),
        x509.SubjectAlternativeName([x509.DNSName("")]),
        x509.SubjectAlternativeName(
            [x509.DNSName(f"h{i}") for i in range(MAX_HOSTS + 1)]
        ),
    ],
)
def test_attack_ask_for_more_than_a_device_may_be(
    extension: x509.ExtensionType,
) -> None:
    with pytest.raises(WireError):
        read_request(csr(extension=extension))


ORG, UNIT, CN = (
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
)


@pytest.mark.parametrize(
    "subject",
    [
        [],
        [(ORG, "ours"), (CN, "car")],
        [(ORG, "ours"), (UNIT, "car"), (CN, "car"), (CN, "home")],
        [(CN, "home"), (ORG, "ours"), (UNIT, "car"), (CN, "car")],
        [(ORG, "ours"), (UNIT, "king"), (CN, "car")],
        [(ORG, "ours"), (UNIT, "car"), (CN, "car/**")],
        [(ORG, "ours"), (UNIT, "car"), (CN, "car\n")],
        [(ORG, "Ours"), (UNIT, "car"), (CN, "car")],
    ],
)
def test_attack_ask_under_two_names_or_a_strange_one(
    subject: list[tuple[x509.ObjectIdentifier, str]],
) -> None:
    with pytest.raises(WireError):
        read_request(csr(subject))


def test_only_our_curve_and_hash_are_taken() -> None:
    with pytest.raises(WireError, match="P-256"):
        read_request(csr(private=ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(WireError, match="P-256"):
        read_request(csr(private=rsa.generate_private_key(65537, 1024)))
    with pytest.raises(WireError, match="SHA-256"):
        read_request(csr(algorithm=hashes.SHA384()))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_attack_a_request_of_hostile_bytes(data: st.DataObject) -> None:
    """Whatever comes is a request by its own key, or a WireError and nothing else."""
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(
            st.integers(0, 255)
        )
    cut = data.draw(st.sampled_from([len(broken), len(broken) // 2, 0]))
    tail = data.draw(st.binary(max_size=20))
    text = bytes(broken[:cut]) + tail
    try:
        read = read_request(text)
    except WireError:
        return
    # the same again: DER leaves a bit or two free, as the unused ones of a BIT STRING
    assert (read.device, read.fingerprint) == (SAME.device, SAME.fingerprint)


def test_attack_a_request_that_never_ends() -> None:
    with pytest.raises(WireError, match="the most is"):
        read_request(GOOD + bytes(MAX_BYTES))
