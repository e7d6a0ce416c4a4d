"""Certificates as values: made, read and checked, with no file and no clock.

A device's id is its certificate's common name, the household its organization, the
device's kind its organizational unit.

Source: RFC 5280, sections 4.2.1.1 to 4.2.1.12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trivet.domain.device import DeviceKind
from trivet.domain.error import UsageError

#: A household outlives its devices' certificates: those renew themselves, and one that
#: cannot, because it was stolen or shut out, soon ends.
AUTHORITY_DAYS = 20 * 365
DEVICE_DAYS = 14
#: Clocks of a phone, a car and a home differ: certificates begin a day early.
SKEW = timedelta(days=1)
_DATES = ("not_valid_before_utc", "not_valid_after_utc")
_LOCAL = ("localhost", "127.0.0.1")
_HOST_NAME = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)


def authority(
    private: ec.EllipticCurvePrivateKey,
    household: str,
    now: datetime,
    founder: str = "",
) -> x509.Certificate:
    """A household's own certificate, signed by itself; it signs devices only.

    Args:
        private: the authority's key.
        household: the household's name.
        now: time of issue.
        founder: fingerprint of the key that may put another authority in its place;
            empty if none may.
    """
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, household),
        x509.NameAttribute(NameOID.COMMON_NAME, "household"),
    ]
    if founder:
        names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, founder))
    name = x509.Name(names)
    public = private.public_key()
    until = timedelta(days=AUTHORITY_DAYS)
    return (
        _begin(name, name, public, now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .sign(private, hashes.SHA256())
    )


def device(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    device_id: str,
    kind: DeviceKind,
    hosts: Sequence[str],
    now: datetime,
    days: int,
) -> x509.Certificate:
    """A device's certificate, for both ends of a TLS connection.

    Raises:
        UsageError: a host is no name or address, or `days` is below 1.
    """
    if days < 1:
        raise UsageError(f"a certificate of {days} days never holds")
    until = min(timedelta(days=days), ca.not_valid_after_utc - now)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, household_of(ca)),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, kind.value),
            x509.NameAttribute(NameOID.COMMON_NAME, device_id),
        ]
    )
    both_ends = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    names = [general_name(host) for host in dict.fromkeys((*_LOCAL, *hosts))]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _begin(name, ca.subject, public, now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both_ends), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(issuer, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def is_issued_by(cert: x509.Certificate, ca: x509.Certificate) -> bool:
    """Whether `ca` signed `cert`, and for the same household."""
    try:
        cert.verify_directly_issued_by(ca)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return household_of(cert) == household_of(ca)


def is_authority(cert: x509.Certificate) -> bool:
    """Whether the certificate may sign others; ValueError when it cannot be read."""
    try:
        found = cert.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def device_of(cert: x509.Certificate) -> str:
    """The device's id, empty when the certificate names none."""
    return _attribute(cert, NameOID.COMMON_NAME)


def household_of(cert: x509.Certificate) -> str:
    """The household's name, empty when the certificate names none."""
    return _attribute(cert, NameOID.ORGANIZATION_NAME)


def founder_of(cert: x509.Certificate) -> str:
    """Fingerprint of the key that outranks this authority; empty if none does."""
    return _attribute(cert, NameOID.SERIAL_NUMBER)


def kind_of(cert: x509.Certificate) -> DeviceKind:
    """What the device is to its household; `other` when it does not say."""
    text = _attribute(cert, NameOID.ORGANIZATIONAL_UNIT_NAME)
    return DeviceKind(text) if text in set(DeviceKind) else DeviceKind.OTHER


def to_pem(cert: x509.Certificate) -> bytes:
    """The certificate as PEM text."""
    return cert.public_bytes(serialization.Encoding.PEM)


def from_pem(data: bytes) -> x509.Certificate:
    """The certificate in PEM text; ValueError when there is none."""
    return _whole(x509.load_pem_x509_certificate, data)


def to_der(cert: x509.Certificate) -> bytes:
    """The certificate in DER."""
    return cert.public_bytes(serialization.Encoding.DER)


def from_der(data: bytes) -> x509.Certificate:
    """The certificate in DER; ValueError when there is none."""
    return _whole(x509.load_der_x509_certificate, data)


def key_to_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key as PEM text: PKCS 8, unencrypted, its file guards it."""
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_from_pem(
    data: bytes, password: bytes | None = None
) -> ec.EllipticCurvePrivateKey:
    """The private key in PEM text; ValueError when there is no elliptic curve key."""
    try:
        private = serialization.load_pem_private_key(data, password)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("it is not of an elliptic curve")
    return private


def _whole(load: Callable[[bytes], x509.Certificate], data: bytes) -> x509.Certificate:
    """A certificate all of which can be read; ValueError when any of it cannot.

    Its parts are parsed only when they are asked for: without this, a key or extension
    that is malformed would be an error of whoever asks first.
    """
    try:
        cert = load(data)
        cert.public_key()
        for part in ("subject", "issuer", "extensions", *_DATES):
            getattr(cert, part)
    except (
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise ValueError(str(error)) from error
    return cert


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    until: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + until)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(host: str) -> x509.GeneralName:
    """A host as it stands in a certificate.

    Raises:
        UsageError: it is no name or address.
    """
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise UsageError(
            f"{host[:253]!r} is neither a host name nor an address",
            hint="give it without a port or scheme: home.local, 192.168.1.20",
        )
    return x509.DNSName(host)


def host_of(name: x509.GeneralName) -> str:
    """A host as it stands in somebody's request.

    Raises:
        UsageError: it is no name or address.
    """
    if isinstance(name, x509.IPAddress):
        return str(ip_address(str(name.value)))
    if isinstance(name, x509.DNSName):
        general_name(name.value)
        return name.value
    raise UsageError(f"a {type(name).__name__} is neither a host name nor an address")


def hosts_of(cert: x509.Certificate) -> tuple[str, ...]:
    """The hosts that a certificate names, besides those that every device has.

    Raises:
        ValueError: its extensions cannot be read.
        UsageError: it names something else than hosts.
    """
    try:
        found = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(h for n in found.value if (h := host_of(n)) not in _LOCAL)


def _attribute(cert: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = cert.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
