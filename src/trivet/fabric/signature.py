"""Signatures over our own documents, and whose they are.

Source: FIPS 186-5 (ECDSA), with P-256 and SHA-256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import WireError
from trivet.fabric import certificate
from trivet.fabric.request import fingerprint

#: SHA-256 of a public key, as `trivet.fabric.request.fingerprint` gives it.
Fingerprint: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
#: ECDSA in DER.
Signature: TypeAlias = Annotated[bytes, Meta(max_length=80)]
#: Public keys of authorities by fingerprint.
Issuers: TypeAlias = Mapping[str, ec.EllipticCurvePublicKey]


def seal(private: ec.EllipticCurvePrivateKey, what: str, text: bytes) -> bytes:
    """Sign `text` as a document of the kind `what`, and of no other kind."""
    return private.sign(_said(what, text), ec.ECDSA(hashes.SHA256()))


def is_sealed(
    public: ec.EllipticCurvePublicKey | None, seal: bytes, what: str, text: bytes
) -> bool:
    """Whether the holder of this key signed `text` as a document of the kind `what`.

    Nobody's key signed nothing: with None it is False.
    """
    if public is None:
        return False
    try:
        public.verify(seal, _said(what, text), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def issuers_of(household: str, pems: Sequence[bytes]) -> Issuers:
    """The keys of a household's authorities; empty `household` stands for any.

    Raises:
        WireError: a certificate is malformed, a device's, or another household's.
    """
    found = {}
    for pem in pems:
        cert = _authority(pem)
        if household and certificate.household_of(cert) != household:
            raise WireError("an issuer's certificate is of another household")
        public = cert.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise WireError("an issuer's key is not of an elliptic curve")
        found[fingerprint(public)] = public
    return found


def _authority(pem: bytes) -> x509.Certificate:
    try:
        cert = certificate.from_pem(pem)
        is_authority = certificate.is_authority(cert)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WireError(f"an issuer's certificate is malformed: {error}") from error
    if not is_authority:
        raise WireError("an issuer's certificate is that of a device")
    return cert


def _said(what: str, text: bytes) -> bytes:
    return f"trivet {what} 1\0".encode() + text
