"""Identities: the household's certificate authority and its devices' certificates.

    <folder>/household.json          the household's name
    <folder>/ca.pem                  the authority's certificate
    <folder>/ca.key                  its private key, only where devices are admitted
    <folder>/charter.bin             its signed rules; see charter.py
    <folder>/devices/<id>/cert.pem   a device's certificate
    <folder>/devices/<id>/key.pem    its private key

Keys are ECDSA P-256, readable by their owner alone from the moment they exist. What is
made is made in full elsewhere and then moved into place, so a crash leaves nothing
half-written.

Source: RFC 5280 (certificates), RFC 9525 (names in TLS).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.device import DeviceKind
from trivet.domain.error import SetupError, UsageError
from trivet.fabric import certificate, charter, disk, key, roll
from trivet.fabric.charter import Member
from trivet.fabric.request import fingerprint, new_key, public_der
from trivet.fabric.roll import Authority

_VERSION = 1


class Household(msgspec.Struct, frozen=True):
    """A household's folder on this machine.

    Attributes:
        folder: where it is.
        name: the household's name, as it stands in keys and certificates.
    """

    folder: Path
    name: str

    @property
    def ca_path(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def ca_key_path(self) -> Path:
        """The authority's private key; absent where no device can be admitted."""
        return self.folder / "ca.key"

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices whose certificates are in this folder, sorted."""
        folder = self.folder / "devices"
        return tuple(sorted(p.parent.name for p in folder.glob("*/cert.pem")))


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
    """

    household: str
    device: str
    kind: DeviceKind
    ca_path: Path
    cert_path: Path
    key_path: Path
    expires: datetime


def create_household(
    folder: Path, name: str, *, now: datetime | None = None
) -> Household:
    """Found a household: make its certificate authority in `folder`.

    Args:
        folder: must not exist yet, or be empty.
        name: up to 63 lower case letters, digits and hyphens.
        now: time of founding, the clock's if None.

    Raises:
        UsageError: a bad name, or something is in `folder` already.
        SetupError: `folder` cannot be written.
    """
    key.check_id(name, "household name")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "a household" if (folder / "household.json").exists() else "something"
        raise UsageError(
            f"{folder} holds {what} already", hint="choose a folder that is empty"
        )
    private = new_key()
    cert = certificate.authority(private, name, clock(now))
    founding = roll.founding(Authority(cert, private))
    with disk.made_whole(folder) as draft:
        (draft / "devices").mkdir(mode=0o700)
        disk.write_new(draft / "household.json", household_text(name))
        disk.write_new(draft / "ca.pem", certificate.to_pem(cert))
        disk.write_new(draft / "ca.key", certificate.key_to_pem(private), disk.SECRET)
        disk.write_new(draft / charter.FILE, charter.sign(founding, private))
    return Household(folder, name)


def load_household(folder: Path) -> Household:
    """The household in `folder`.

    Raises:
        SetupError: there is none, or it cannot be read.
    """
    path = folder / "household.json"
    try:
        data = json.loads(disk.read(path, "found a household here first"))
        version, name = data["version"], data["name"]
        key.check_id(name, "household name")
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise SetupError(
            f"{path} is damaged: {error}", hint="restore it from a backup"
        ) from error
    if version != _VERSION:
        raise SetupError(
            f"{path} is of version {version}, this trivet reads {_VERSION}",
            hint="update trivet",
        )
    return Household(folder, name)


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
        write_identity(draft, private, cert)
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
    private = load_key(folder / "key.pem", "admit the device first")
    old = _certificate(folder / "cert.pem", "admit the device first")
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
    private = load_key(key_path, hint)
    cert = _certificate(cert_path, hint)
    now = clock(now)
    ca = authority_certificate(household, now)
    _check_time(cert, cert_path, now, f"renew the certificate of {device}")
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
    )


def authority(household: Household, now: datetime | None = None) -> Authority:
    """What this machine issues with.

    Raises:
        SetupError: the authority's key is not here or not fit for use.
    """
    hint = "admit devices on the machine that founded the household"
    private = load_key(household.ca_key_path, hint)
    ca = authority_certificate(household, now)
    if ca.public_key() != private.public_key():
        raise SetupError(
            f"{household.ca_key_path} is not the key of {household.ca_path}",
            hint="restore the two together",
        )
    return Authority(ca, private)


def authority_certificate(
    household: Household, now: datetime | None = None
) -> x509.Certificate:
    """The household's authority, as this machine trusts it.

    Raises:
        SetupError: it is missing, damaged, of another household or not valid now.
    """
    path = household.ca_path
    ca = _certificate(path, "copy it from where the household was founded")
    _check_time(ca, path, clock(now), "found the household anew")
    if certificate.household_of(ca) != household.name:
        raise SetupError(
            f"{path} is of the household {certificate.household_of(ca)!r}, "
            f"not of {household.name}",
            hint="copy ca.pem and household.json together",
        )
    return ca


def clock(now: datetime | None = None) -> datetime:
    """`now`, or the clock's time where none is given.

    Raises:
        UsageError: it says no time zone.
    """
    if now is None:
        return datetime.now(UTC)
    if now.tzinfo is None:
        raise UsageError(f"{now} says no time zone", hint="pass an aware datetime")
    return now


def _check_time(cert: x509.Certificate, path: Path, now: datetime, hint: str) -> None:
    if now > cert.not_valid_after_utc:
        raise SetupError(f"{path} expired on {cert.not_valid_after_utc:%F}", hint=hint)
    if now < cert.not_valid_before_utc:
        raise SetupError(
            f"{path} is valid from {cert.not_valid_before_utc:%F} on, it is {now:%F}",
            hint="set this machine's clock",
        )


def _certificate(path: Path, hint: str) -> x509.Certificate:
    try:
        return certificate.from_pem(disk.read(path, hint))
    except ValueError as error:
        raise SetupError(f"{path} is no certificate: {error}", hint=hint) from error


def household_text(name: str) -> bytes:
    """What stands in `household.json`."""
    return (json.dumps({"version": _VERSION, "name": name}, indent=2) + "\n").encode()


def write_identity(
    draft: Path, private: ec.EllipticCurvePrivateKey, cert: x509.Certificate
) -> None:
    """Write a device's key and certificate into a folder that is still a draft."""
    disk.write_new(draft / "cert.pem", certificate.to_pem(cert))
    disk.write_new(draft / "key.pem", certificate.key_to_pem(private), disk.SECRET)


def load_key(path: Path, hint: str) -> ec.EllipticCurvePrivateKey:
    """A private key that only its owner can read.

    Raises:
        SetupError: it is missing, unreadable, readable by others, or none.
    """
    data = disk.read_secret(path, hint)
    try:
        return certificate.key_from_pem(data)
    except ValueError as error:
        raise SetupError(f"{path} is no private key: {error}", hint=hint) from error
