"""A certificate request: a device asks to be admitted, its private key staying with it.

Source: RFC 2986 (PKCS #10), RFC 5280 section 4.1.2.7 (SubjectPublicKeyInfo).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from trivet.domain.device import DeviceKind
from trivet.domain.error import UsageError, WireError
from trivet.fabric import certificate, key

#: A request longer than this is refused unread.
MAX_BYTES = 8 * 1024
MAX_HOSTS = 16
_SUBJECT = (
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
)


class Request(msgspec.Struct, frozen=True):
    """What a device asks to have certified; it has shown that it holds the key.

    Attributes:
        household: the household that it wants to belong to.
        device: the id that it wants.
        kind: what it says it is.
        hosts: names and addresses at which it says others may dial it.
        public_key: its public key, on the curve P-256.
        fingerprint: of that key; see `fingerprint`.
    """

    household: str
    device: str
    kind: DeviceKind
    hosts: tuple[str, ...]
    public_key: ec.EllipticCurvePublicKey
    fingerprint: str


def new_key() -> ec.EllipticCurvePrivateKey:
    """A private key on the curve P-256, from the system's randomness."""
    return ec.generate_private_key(ec.SECP256R1())


def public_der(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as a SubjectPublicKeyInfo in DER."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def load_public(der: bytes) -> ec.EllipticCurvePublicKey:
    """The public key in DER, on P-256.

    Raises:
        WireError: it is none.
    """
    try:
        public = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WireError(f"{len(der)} bytes are no public key: {error}") from error
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise WireError(f"a {type(public).__name__} is not on P-256")
    if not isinstance(public.curve, ec.SECP256R1):
        raise WireError(f"a key on {public.curve.name} is not on P-256")
    return public


def fingerprint(public_key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo, 64 hexadecimal digits."""
    return sha256(public_der(public_key)).hexdigest()


def make_request(
    private: ec.EllipticCurvePrivateKey,
    household: str,
    device: str,
    kind: DeviceKind,
    hosts: Sequence[str] = (),
) -> bytes:
    """A request in DER, signed with the key that it is for.

    Args:
        private: the device's key; it does not become part of the request.
        household: the household's name.
        device: the id that the device is to have.
        kind: what it is to the household.
        hosts: names and addresses at which others dial it.

    Raises:
        UsageError: a bad id, name or host, or more than MAX_HOSTS hosts.
    """
    key.check_id(household, "household name")
    key.check_id(device)
    names = [certificate.general_name(host) for host in dict.fromkeys(hosts)]
    if len(names) > MAX_HOSTS:
        raise UsageError(f"{len(names)} hosts: the most is {MAX_HOSTS}")
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name(
            [
                x509.NameAttribute(oid, text)
                for oid, text in zip(
                    _SUBJECT, (household, kind.value, device), strict=True
                )
            ]
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    signed = builder.sign(private, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def read_request(data: bytes) -> Request:
    """The request in `data`, its signature checked against its own key.

    Raises:
        WireError: it is none of ours, too long, or not signed by the key it is for.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"a request of {len(data)} bytes: the most is {MAX_BYTES}")
    try:
        return _read(x509.load_der_x509_csr(data))
    except InvalidSignature:
        raise WireError("the request is not signed by the key it is for") from None
    except (
        ValueError,
        TypeError,
        UsageError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise WireError(f"malformed certificate request: {error}") from error


def _read(csr: x509.CertificateSigningRequest) -> Request:
    public = csr.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(
        public.curve, ec.SECP256R1
    ):
        raise WireError("the request's key is not on the curve P-256")
    algorithm = csr.signature_hash_algorithm
    if not isinstance(algorithm, hashes.SHA256):
        raise WireError("the request is not signed with SHA-256")
    public.verify(csr.signature, csr.tbs_certrequest_bytes, ec.ECDSA(algorithm))
    if [part.oid for part in csr.subject] != list(_SUBJECT):
        raise WireError("the request's subject is not household, kind and device")
    household, kind, device = (str(part.value) for part in csr.subject)
    key.check_id(household, "household name")
    key.check_id(device)
    hosts = _hosts(csr)
    return Request(
        household, device, DeviceKind(kind), hosts, public, fingerprint(public)
    )


def _hosts(csr: x509.CertificateSigningRequest) -> tuple[str, ...]:
    """The hosts asked for; no other extension is granted, so none may be there."""
    found: list[str] = []
    for extension in csr.extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName):
            raise WireError(
                f"the request has the extension {extension.oid.dotted_string}"
            )
        found += [certificate.host_of(name) for name in extension.value]
    if len(found) > MAX_HOSTS:
        raise WireError(f"a request for {len(found)} hosts: the most is {MAX_HOSTS}")
    return tuple(found)
