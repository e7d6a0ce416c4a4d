"""Identities: a device's key and certificate, as they are on this machine.

    <folder>/devices/<id>/cert.pem   a device's certificate
    <folder>/devices/<id>/key.pem    its private key; see household.py and secret.py

Source: RFC 5280 (certificates), RFC 9525 (names in TLS).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.device import DeviceKind
from trivet.domain.error import SetupError, UsageError
from trivet.fabric import certificate, charter, disk, key, roll
from trivet.fabric.charter import Member
from trivet.fabric.household import (
    Household,
    authority,
    authority_certificate,
    check_time,
    clock,
    create_household,
    load_household,
    load_key,
    read_certificate,
)
from trivet.fabric.request import fingerprint, new_key, public_der
from trivet.fabric.roll import Authority
from trivet.fabric.secret import (
    Secret,
    find_passphrase,
    lock_key,
)

__all__ = [
    "Household",
    "Identity",
    "create_household",
    "enrol",
    "issue",
    "load_household",
    "load_identity",
    "renew",
    "write_identity",
]


class Identity(msgspec.Struct, frozen=True):
    """What a device shows to others, checked when it was loaded.

    Attributes:
        household: the household's name.
        device: the device's id.
        kind: what the device is to the household.
        ca_path: the authority's certificate.
        cert_path: the device's certificate.
        key_path: the device's private key.
        expires: when the certificate ends.
        private: the private key in plain PEM, held in memory only.
    """

    household: str
    device: str
    kind: DeviceKind
    ca_path: Path
    cert_path: Path
    key_path: Path
    expires: datetime
    private: Secret

    def private_pem(self) -> bytes:
        """The private key, unlocked, for the transport and for signing."""
        return self.private.value


def issue(
    household: Household,
    device: str,
    kind: DeviceKind,
    *,
    hosts: Sequence[str] = (),
    now: datetime | None = None,
    days: int = certificate.DEVICE_DAYS,
) -> Identity:
    """Admit a device: make its key and certificate.

    Args:
        household: must have the authority's key in its folder.
        device: the device's id.
        kind: what it is to the household.
        hosts: names and addresses at which others dial it, besides this machine's
            own `localhost` and 127.0.0.1.
        now: time of issue, the clock's if None.
        days: how long the certificate holds.

    Raises:
        UsageError: a bad id or host, or the device has an identity already.
        SetupError: the authority's key is not here or not fit for use.
    """
    key.check_id(device)
    folder = household.folder / "devices" / device
    if folder.exists():
        raise UsageError(
            f"{device} has an identity already in {folder}",
            hint="renew it, or choose another id",
        )
    now = clock(now)
    issuer = authority(household, now)
    private = new_key()
    cert = certificate.device(
        *issuer, private.public_key(), device, kind, hosts, now, days
    )
    with disk.made_whole(folder) as draft:
        write_identity(draft, private, cert, household.passphrase)
    try:
        enrol(household, issuer, device, kind, private.public_key(), now)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return load_identity(household, device, now=now)


def renew(
    household: Household,
    device: str,
    *,
    hosts: Sequence[str] = (),
    now: datetime | None = None,
    days: int = certificate.DEVICE_DAYS,
) -> Identity:
    """Give a device a new certificate for the key that it has.

    A running device that listens shows the old one until its session is reopened.

    Raises:
        UsageError: a bad host.
        SetupError: the device's or the authority's key is missing or not fit for use.
    """
    now = clock(now)
    issuer = authority(household, now)
    folder = household.folder / "devices" / key.check_id(device)
    private = load_key(
        folder / "key.pem", household.passphrase, "admit the device first"
    )
    old = read_certificate(folder / "cert.pem", "admit the device first")
    public, kind = private.public_key(), certificate.kind_of(old)
    cert = certificate.device(
        *issuer, public, device, kind, hosts or certificate.hosts_of(old), now, days
    )
    enrol(household, issuer, device, kind, public, now)
    disk.replace(folder / "cert.pem", certificate.to_pem(cert))
    return load_identity(household, device, now=now)


def enrol(
    household: Household,
    issuer: Authority,
    device: str,
    kind: DeviceKind,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    is_guest: bool | None = None,
) -> None:
    """Record a member in the household's charter.

    Args:
        household: whose charter.
        issuer: its authority.
        device: the member's id.
        kind: what it is.
        public_key: its key.
        now: time of admission.
        is_guest: whether it is a guest's; None leaves a member what it is.

    Raises:
        UsageError: the id or the key was revoked, or belongs to another member.
        SetupError: the charter cannot be read or written.
    """

    def change(old: charter.Charter) -> charter.Charter:
        known = old.member(device)
        guest = (known is not None and known.is_guest) if is_guest is None else is_guest
        mark, der = fingerprint(public_key), public_der(public_key)
        return roll.enrol(old, Member(device, kind, mark, guest, now.timestamp(), der))

    roll.amend(household.folder, issuer, change)


def load_identity(
    household: Household, device: str, *, now: datetime | None = None
) -> Identity:
    """A device's identity, checked as its peers will check it.

    Raises:
        UsageError: a bad id.
        SetupError: something is missing, unreadable, readable by others, expired, not
            yet valid, of another household or device, or does not belong together.
    """
    folder = household.folder / "devices" / key.check_id(device)
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    hint = (
        f"admit {device} on the machine that founded the household, and copy {folder}"
    )
    private = load_key(key_path, household.passphrase, hint)
    cert = read_certificate(cert_path, hint)
    now = clock(now)
    ca = authority_certificate(household, now)
    check_time(cert, cert_path, now, f"renew the certificate of {device}")
    if cert.public_key() != private.public_key():
        raise SetupError(
            f"{key_path} is not the key of {cert_path}", hint="copy the two together"
        )
    if not certificate.is_issued_by(cert, ca):
        raise SetupError(
            f"{cert_path} was not issued by {household.ca_path}",
            hint=hint,
        )
    if certificate.device_of(cert) != device:
        raise SetupError(
            f"{cert_path} is the certificate of {certificate.device_of(cert)!r}, "
            f"not of {device}",
            hint="copy each device's own folder",
        )
    return Identity(
        household.name,
        device,
        certificate.kind_of(cert),
        household.ca_path,
        cert_path,
        key_path,
        cert.not_valid_after_utc,
        Secret(certificate.key_to_pem(private)),
    )


def write_identity(
    draft: Path,
    private: ec.EllipticCurvePrivateKey,
    cert: x509.Certificate,
    passphrase: Secret | None,
) -> None:
    """Write a device's key and certificate into a folder that is still a draft."""
    disk.write_new(draft / "cert.pem", certificate.to_pem(cert))
    disk.write_new(
        draft / "key.pem", lock_key(private, find_passphrase(passphrase)), disk.SECRET
    )
