"""The household's folder on this machine, and the authority that is in it.

    <folder>/household.json          the household's name
    <folder>/ca.pem                  the authority's certificate
    <folder>/ca.key                  its private key, only where devices are admitted
    <folder>/founder.key             the key that outranks it, where it was founded;
                                     see refounding.py
    <folder>/charter.bin             its signed rules; see charter.py
    <folder>/devices/<id>/           a device's identity; see identity.py

Private keys are ECDSA P-256, readable by their owner alone from the moment they exist,
and locked where the household has a passphrase. What is made is made in full elsewhere
and then moved into place, so a crash leaves nothing half-written.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from trivet.domain.error import SetupError, UsageError
from trivet.fabric import certificate, charter, disk, key, roll, staged
from trivet.fabric.request import fingerprint, new_key
from trivet.fabric.roll import Authority
from trivet.fabric.secret import (
    Secret,
    find_passphrase,
    is_locked,
    lock_key,
    unlock_key,
)

_VERSION = 1


class Household(msgspec.Struct, frozen=True):
    """A household's folder on this machine.

    Attributes:
        folder: where it is.
        name: the household's name, as it stands in keys and certificates.
        passphrase: locks the private keys in the folder; None for the environment's,
            see secret.py.
    """

    folder: Path
    name: str
    passphrase: Secret | None = None

    @property
    def ca_path(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    @property
    def ca_key_path(self) -> Path:
        """The authority's private key; absent where no device can be admitted."""
        return self.folder / "ca.key"

    @property
    def founder_key_path(self) -> Path:
        """The key that outranks the authority's; only where it was founded."""
        return self.folder / "founder.key"

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices whose certificates are in this folder, sorted."""
        folder = self.folder / "devices"
        return tuple(sorted(p.parent.name for p in folder.glob("*/cert.pem")))


def create_household(
    folder: Path,
    name: str,
    *,
    now: datetime | None = None,
    passphrase: Secret | None = None,
) -> Household:
    """Found a household: make its certificate authority in `folder`.

    Args:
        folder: must not exist yet, or be empty.
        name: up to 63 lower case letters, digits and hyphens.
        now: time of founding, the clock's if None.
        passphrase: locks the private keys; None for the environment's, if any.

    Raises:
        UsageError: a bad name, or something is in `folder` already.
        SetupError: `folder` cannot be written, or the passphrase is too short.
    """
    key.check_id(name, "household name")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "a household" if (folder / "household.json").exists() else "something"
        raise UsageError(
            f"{folder} holds {what} already", hint="choose a folder that is empty"
        )
    phrase = find_passphrase(passphrase)
    private, founder = new_key(), new_key()
    mark = fingerprint(founder.public_key())
    cert = certificate.authority(private, name, clock(now), mark)
    founding = roll.founding(Authority(cert, private))
    with disk.made_whole(folder) as draft:
        (draft / "devices").mkdir(mode=0o700)
        disk.write_new(draft / "household.json", household_text(name))
        disk.write_new(draft / "ca.pem", certificate.to_pem(cert))
        disk.write_new(draft / "ca.key", lock_key(private, phrase), disk.SECRET)
        locked = lock_key(founder, phrase)
        disk.write_new(draft / "founder.key", locked, disk.SECRET)
        disk.write_new(draft / charter.FILE, charter.sign(founding, private))
    return Household(folder, name, passphrase)


def load_household(folder: Path, passphrase: Secret | None = None) -> Household:
    """The household in `folder`, whose keys this passphrase unlocks.

    Raises:
        SetupError: there is none, or it cannot be read.
    """
    staged.resume(folder)
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
    return Household(folder, name, passphrase)


def authority(household: Household, now: datetime | None = None) -> Authority:
    """What this machine issues with.

    Raises:
        SetupError: the authority's key is not here or not fit for use.
    """
    hint = "admit devices on the machine that founded the household"
    private = load_key(household.ca_key_path, household.passphrase, hint)
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
    ca = read_certificate(path, "copy it from where the household was founded")
    check_time(ca, path, clock(now), "found the household anew")
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


def check_time(cert: x509.Certificate, path: Path, now: datetime, hint: str) -> None:
    """Refuse a certificate that does not hold now.

    Raises:
        SetupError: it has ended, or is not valid yet.
    """
    if now > cert.not_valid_after_utc:
        raise SetupError(f"{path} expired on {cert.not_valid_after_utc:%F}", hint=hint)
    if now < cert.not_valid_before_utc:
        raise SetupError(
            f"{path} is valid from {cert.not_valid_before_utc:%F} on, it is {now:%F}",
            hint="set this machine's clock",
        )


def read_certificate(path: Path, hint: str) -> x509.Certificate:
    """The certificate in a file.

    Raises:
        SetupError: it is missing, cannot be read, or is none.
    """
    try:
        return certificate.from_pem(disk.read(path, hint))
    except ValueError as error:
        raise SetupError(f"{path} is no certificate: {error}", hint=hint) from error


def household_text(name: str) -> bytes:
    """What stands in `household.json`."""
    return (json.dumps({"version": _VERSION, "name": name}, indent=2) + "\n").encode()


def load_key(
    path: Path, passphrase: Secret | None, hint: str
) -> ec.EllipticCurvePrivateKey:
    """A private key that only its owner can read.

    Raises:
        SetupError: it is missing, unreadable, readable by others, or none; or it is
            locked and the passphrase is missing or wrong.
    """
    data = disk.read_secret(path, hint)
    try:
        phrase = find_passphrase(passphrase) if is_locked(data) else None
        return unlock_key(data, phrase)
    except SetupError as error:
        raise SetupError(f"{path}: {error.message}", hint=error.hint) from error
    except ValueError as error:
        raise SetupError(f"{path} is no private key: {error}", hint=hint) from error
