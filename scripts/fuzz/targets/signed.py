"""Keys, certificates and signatures that are the same in every process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from trivet.fabric import certificate

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class FixedKey(ec.EllipticCurvePrivateKey):
    """A private key made of a number, whose signatures are always the same.

    Source: RFC 6979 (deterministic ECDSA).
    """

    def __init__(self, number: int) -> None:
        self.real = ec.derive_private_key(number, ec.SECP256R1())

    def sign(
        self,
        data: bytes | bytearray | memoryview[int],
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """Sign; the algorithm is ECDSA with SHA-256, whatever is asked for."""
        assert not isinstance(signature_algorithm.algorithm, Prehashed)
        return self.real.sign(data, ECDSA)

    def exchange(
        self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey
    ) -> bytes:
        """As the real key."""
        return self.real.exchange(algorithm, peer_public_key)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """As the real key."""
        return self.real.public_key()

    @property
    def curve(self) -> ec.EllipticCurve:
        """As the real key."""
        return self.real.curve

    @property
    def key_size(self) -> int:
        """As the real key."""
        return self.real.key_size

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """As the real key."""
        return self.real.private_numbers()

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> bytes:
        """As the real key."""
        return self.real.private_bytes(encoding, format, encryption_algorithm)

    def __copy__(self) -> FixedKey:
        return self

    def __deepcopy__(self, memo: object) -> FixedKey:
        return self


CA, DEVICE, OTHER = FixedKey(0xCA11), FixedKey(0xDE1CE), FixedKey(0x07E5)


def name_of(*parts: str) -> x509.Name:
    """Household, kind and device as a subject; fewer from the front."""
    oids = (
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.COMMON_NAME,
    )
    return x509.Name(
        [x509.NameAttribute(o, t) for o, t in zip(oids, parts, strict=False)]
    )


def authority(
    household: str = "ours",
    key: FixedKey = CA,
    founder: str = "",
    begin: datetime = NOW - timedelta(days=1),
) -> x509.Certificate:
    """A household's certificate, as `certificate.authority` makes it."""
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, household),
        x509.NameAttribute(NameOID.COMMON_NAME, "household"),
    ]
    if founder:
        names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, founder))
    name, public = x509.Name(names), key.public_key()
    return (
        _begin(name, name, public, 7, 7000, begin)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(certificate._usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .sign(key.real, hashes.SHA256(), ecdsa_deterministic=True)
    )


def device(ca: x509.Certificate | None = None, key: FixedKey = CA) -> x509.Certificate:
    """A device's certificate of that household."""
    names = [certificate.general_name(host) for host in ("localhost", "192.168.1.20")]
    ca = authority() if ca is None else ca
    return (
        _begin(name_of("ours", "car", "car"), ca.subject, DEVICE.public_key(), 8, 14)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(certificate._usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key.real, hashes.SHA256(), ecdsa_deterministic=True)
    )


def request(*subject: str, hosts: Sequence[str] = ()) -> x509.CertificateSigningRequest:
    """A request by the device's key, as `request.make_request` makes it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(name_of(*subject))
    if hosts:
        names = [certificate.general_name(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return builder.sign(DEVICE.real, hashes.SHA256(), ecdsa_deterministic=True)


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    serial: int,
    days: int,
    begin: datetime = NOW - timedelta(days=1),
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(NOW + timedelta(days=days))
    )
