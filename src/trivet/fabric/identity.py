"""Identities: the household's certificate authority and its devices' certificates.

    <folder>/household.json          the household's name
    <folder>/ca.pem                  the authority's certificate
    <folder>/ca.key                  its private key, only where devices are admitted
    <folder>/devices/<id>/cert.pem   a device's certificate
    <folder>/devices/<id>/key.pem    its private key

Keys are ECDSA P-256, readable by their owner alone from the moment they exist. What is
made is made in full elsewhere and then moved into place, so a crash leaves nothing
half-written. There is no revocation list: a device is shut out by its certificate's
end, or at once by the access rules of the others.

Source: RFC 5280 (certificates), RFC 9525 (names in TLS).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.device import DeviceKind
from trivet.domain.error import SetupError, UsageError
from trivet.fabric import certificate, key

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
    private = ec.generate_private_key(ec.SECP256R1())
    cert = certificate.authority(private, name, _clock(now))
    with _made_whole(folder) as draft:
        (draft / "devices").mkdir(mode=0o700)
        text = json.dumps({"version": _VERSION, "name": name}, indent=2) + "\n"
        _write(draft / "household.json", text.encode(), 0o644)
        _write(draft / "ca.pem", certificate.to_pem(cert), 0o644)
        _write(draft / "ca.key", certificate.key_to_pem(private), 0o600)
    return Household(folder, name)


def load_household(folder: Path) -> Household:
    """The household in `folder`.

    Raises:
        SetupError: there is none, or it cannot be read.
    """
    path = folder / "household.json"
    try:
        data = json.loads(_read(path, "found a household here first"))
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
    now = _clock(now)
    ca, ca_key = _authority(household, now)
    private = ec.generate_private_key(ec.SECP256R1())
    cert = certificate.device(
        ca, ca_key, private.public_key(), device, kind, hosts, now, days
    )
    with _made_whole(folder) as draft:
        _write(draft / "cert.pem", certificate.to_pem(cert), 0o644)
        _write(draft / "key.pem", certificate.key_to_pem(private), 0o600)
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
    now = _clock(now)
    ca, ca_key = _authority(household, now)
    folder = household.folder / "devices" / key.check_id(device)
    private = _private_key(folder / "key.pem", "admit the device first")
    old = _certificate(folder / "cert.pem", "admit the device first")
    kind = certificate.kind_of(old)
    cert = certificate.device(
        ca, ca_key, private.public_key(), device, kind, hosts, now, days
    )
    _replace(folder / "cert.pem", certificate.to_pem(cert))
    return load_identity(household, device, now=now)


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
    private = _private_key(key_path, hint)
    cert = _certificate(cert_path, hint)
    now = _clock(now)
    ca = _authority_certificate(household, now)
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


def _authority(
    household: Household, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    hint = "admit devices on the machine that founded the household"
    private = _private_key(household.ca_key_path, hint)
    ca = _authority_certificate(household, now)
    if ca.public_key() != private.public_key():
        raise SetupError(
            f"{household.ca_key_path} is not the key of {household.ca_path}",
            hint="restore the two together",
        )
    return ca, private


def _authority_certificate(household: Household, now: datetime) -> x509.Certificate:
    path = household.ca_path
    ca = _certificate(path, "copy it from where the household was founded")
    _check_time(ca, path, now, "found the household anew")
    if certificate.household_of(ca) != household.name:
        raise SetupError(
            f"{path} is of the household {certificate.household_of(ca)!r}, "
            f"not of {household.name}",
            hint="copy ca.pem and household.json together",
        )
    return ca


def _clock(now: datetime | None) -> datetime:
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
        return certificate.from_pem(_read(path, hint))
    except ValueError as error:
        raise SetupError(f"{path} is no certificate: {error}", hint=hint) from error


def _private_key(path: Path, hint: str) -> ec.EllipticCurvePrivateKey:
    data = _read(path, hint)
    if path.stat().st_mode & 0o077:
        raise SetupError(
            f"{path} can be read by others than its owner",
            hint=f"chmod 600 {path}; if others may have read it, admit it anew",
        )
    try:
        return certificate.key_from_pem(data)
    except ValueError as error:
        raise SetupError(f"{path} is no private key: {error}", hint=hint) from error


def _read(path: Path, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing", hint=hint) from None
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read: {error.strerror}", hint="check who owns it"
        ) from error


def _write(path: Path, data: bytes, mode: int) -> None:
    """Write a new file that never has a wider mode than `mode`, down to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of the public file `path` in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        _write(draft, data, 0o644)
        draft.replace(path)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be replaced: {error.strerror}", hint="check who owns it"
        ) from error


@contextmanager
def _made_whole(folder: Path) -> Iterator[Path]:
    """A draft folder that becomes `folder` in one step, or vanishes on an error."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            yield draft
            draft.rename(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise SetupError(
            f"{folder} cannot be made: {error.strerror}",
            hint="check who owns its parent folder, and the space left",
        ) from error
