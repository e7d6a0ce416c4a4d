"""Admission: an issuer certifies a device's request, and the device keeps what it gets.

The private key never leaves the device; the charter records what was admitted.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import UsageError, WireError
from trivet.fabric import certificate, disk, key
from trivet.fabric.charter import FILE, Charter, read_charter, save_charter
from trivet.fabric.household import (
    Household,
    authority,
    authority_certificate,
    clock,
    household_text,
    load_household,
    load_key,
)
from trivet.fabric.identity import Identity, enrol, load_identity, write_identity
from trivet.fabric.request import Request, fingerprint
from trivet.fabric.secret import Secret


def admit(
    household: Household,
    request: Request,
    *,
    now: datetime | None = None,
    is_guest: bool = False,
) -> bytes:
    """Certify a device's request and record it as a member.

    The same key may come again for the same id, as when the answer was lost.

    Args:
        household: must have the authority's key in its folder.
        request: as `read_request` checked it.
        now: time of admission, the clock's if None.
        is_guest: whether it belongs to somebody who is not of the household.

    Returns:
        The device's certificate in PEM.

    Raises:
        UsageError: another household's request, or an id or key that was revoked or
            belongs to another member.
        SetupError: the authority's key is not here or not fit for use.
    """
    if request.household != household.name:
        raise UsageError(
            f"{request.device} asks to belong to {request.household}, "
            f"not to {household.name}",
            hint="ask the household that it named, or start the pairing anew",
        )
    now = clock(now)
    issuer = authority(household, now)
    cert = certificate.device(
        *issuer,
        request.public_key,
        key.check_id(request.device),
        request.kind,
        request.hosts,
        now,
        certificate.DEVICE_DAYS,
    )
    public = request.public_key
    enrol(household, issuer, request.device, request.kind, public, now, is_guest)
    return certificate.to_pem(cert)


def keep(
    folder: Path,
    *,
    device: str,
    private: ec.EllipticCurvePrivateKey,
    cert_pem: bytes,
    ca_pem: bytes,
    charter: bytes,
    now: datetime | None = None,
    passphrase: Secret | None = None,
) -> Identity:
    """Keep what an issuer answered, on the machine of the device that asked.

    All of it is checked before anything is written. In a folder that holds the same
    household already, the device is added to it, or its certificate replaced.

    Args:
        folder: the household's on this machine; new, empty, or of the same household.
        device: the id that was asked for.
        private: the key that the request was made with.
        cert_pem: the device's certificate.
        ca_pem: the authority's certificate, which the pairing has vouched for.
        charter: the household's charter.
        now: the clock's time if None.
        passphrase: locks the key; None for the environment's, if any.

    Raises:
        WireError: the certificate is not for this key and id, not by this authority,
            not valid now, or the charter does not have the device as a member.
        UsageError: the folder holds something else already.
        SetupError: it cannot be written; then nothing was.
    """
    now = clock(now)
    cert, ca = parse(cert_pem, "certificate"), parse(ca_pem, "authority")
    _check(cert, ca, device, private, now)
    household = Household(folder, certificate.household_of(ca), passphrase)
    check_member(read_charter(charter, [ca_pem]), household.name, device, private)
    if folder.exists() and any(folder.iterdir()):
        _check_same(household, ca)
        _join(household, device, private, cert, charter)
    else:
        with disk.made_whole(folder) as draft:
            own = draft / "devices" / device
            own.mkdir(parents=True, mode=0o700)
            disk.write_new(draft / "household.json", household_text(household.name))
            disk.write_new(draft / "ca.pem", certificate.to_pem(ca))
            disk.write_new(draft / FILE, charter)
            write_identity(own, private, cert, passphrase)
    return load_identity(household, device, now=now)


def _check(
    cert: x509.Certificate,
    ca: x509.Certificate,
    device: str,
    private: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> None:
    """What a joiner checks of an issuer's answer."""
    if not certificate.is_authority(ca) or not certificate.is_issued_by(ca, ca):
        raise WireError("the authority's certificate is none")
    check_issued(cert, ca, device, private)
    if not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc:
        raise WireError(
            f"the certificate is valid from {cert.not_valid_before_utc:%F} to "
            f"{cert.not_valid_after_utc:%F}, it is {now:%F}",
            hint="set this machine's clock",
        )


def check_issued(
    cert: x509.Certificate,
    ca: x509.Certificate,
    device: str,
    private: ec.EllipticCurvePrivateKey,
) -> None:
    """Refuse a certificate that this authority did not issue to this device and key.

    Raises:
        WireError: it did not.
    """
    if not certificate.is_issued_by(cert, ca):
        raise WireError("the certificate is not by the authority that came with it")
    if certificate.is_authority(cert):
        raise WireError("the certificate is an authority's, not a device's")
    if cert.public_key() != private.public_key():
        raise WireError("the certificate is for another key than the one asked for")
    if certificate.device_of(cert) != device:
        raise WireError(f"the certificate is for {certificate.device_of(cert)!r}")


def check_member(
    charter: Charter, name: str, device: str, private: ec.EllipticCurvePrivateKey
) -> None:
    """Refuse a charter in which this device is no member with this key.

    Raises:
        WireError: it is not.
    """
    member = charter.member(device)
    if charter.household != name or member is None:
        raise WireError(f"the charter does not have {device} as a member")
    if member.fingerprint != fingerprint(private.public_key()):
        raise WireError(f"the charter has {device} with another key")


def _check_same(household: Household, ca: x509.Certificate) -> None:
    """Refuse a folder that holds anything but this household."""
    folder = household.folder
    if not (folder / "household.json").exists():
        raise UsageError(
            f"{folder} holds something already", hint="choose a folder that is empty"
        )
    there = load_household(folder)
    if there.name != household.name or authority_certificate(there) != ca:
        raise UsageError(
            f"{folder} holds another household, {there.name}",
            hint="choose a folder that is empty",
        )


def _join(
    household: Household,
    device: str,
    private: ec.EllipticCurvePrivateKey,
    cert: x509.Certificate,
    charter: bytes,
) -> None:
    """Keep an identity in the folder of the same household."""
    own = household.folder / "devices" / device
    if own.exists():
        known = load_key(own / "key.pem", household.passphrase, "choose another id")
        if fingerprint(known.public_key()) != fingerprint(private.public_key()):
            raise UsageError(
                f"{device} has an identity already in {own}",
                hint="renew it, or choose another id",
            )
    save_charter(household.folder, charter)
    if own.exists():
        disk.replace(own / "cert.pem", certificate.to_pem(cert))
        return
    with disk.made_whole(own) as draft:
        write_identity(draft, private, cert, household.passphrase)


def parse(pem: bytes, what: str) -> x509.Certificate:
    """The certificate in PEM that somebody handed over.

    Raises:
        WireError: it is none, or cannot be read in full.
    """
    try:
        cert = certificate.from_pem(pem)
        certificate.is_authority(cert)  # its extensions can be read
        cert.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise WireError(f"malformed {what}: {error}") from error
    return cert
