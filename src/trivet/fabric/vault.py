"""What keeps a household from being lost: its backup, and a second issuer.

Both hold the authority's private key, one sealed with a passphrase, one to the key of
a single device. A household that loses every copy of it has to be founded anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import InputError, UsageError, WireError
from trivet.domain.sample import DeviceId
from trivet.fabric import certificate, disk, seal
from trivet.fabric.charter import FILE, load_charter, own_charter, read_charter
from trivet.fabric.household import (
    Household,
    authority,
    authority_certificate,
    household_text,
    load_household,
    load_key,
)
from trivet.fabric.identity import write_identity
from trivet.fabric.request import fingerprint
from trivet.fabric.secret import (
    Secret,
    check_passphrase,
    find_passphrase,
    is_locked,
    lock_key,
)

_HINT = "take a backup that is whole"
_Pem = Annotated[bytes, Meta(max_length=8192)]


class _Device(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    device: DeviceId
    cert: _Pem
    private: _Pem


class _Backup(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    household: DeviceId
    ca: _Pem
    ca_key: _Pem
    charter: bytes
    devices: tuple[_Device, ...] = ()
    founder_key: _Pem = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Backup)


def export_household(household: Household, out: Path, passphrase: str) -> None:
    """Write the authority, the charter and this machine's identities into one file.

    Args:
        household: must have the authority's key in its folder.
        out: the file, which must not be there yet.
        passphrase: opens it again; it need not be the one that locks the keys here.

    Raises:
        UsageError: `out` is there already.
        SetupError: a key is missing or does not open, the passphrase is too short, or
            `out` cannot be written; then nothing is left of it.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", hint="choose another name")
    issuer = authority(household)
    devices = []
    for device in household.devices:
        folder = household.folder / "devices" / device
        private = load_key(folder / "key.pem", household.passphrase, _HINT)
        cert = disk.read(folder / "cert.pem", _HINT)
        devices.append(_Device(device, cert, certificate.key_to_pem(private)))
    backup = _Backup(
        1,
        household.name,
        certificate.to_pem(issuer.cert),
        certificate.key_to_pem(issuer.private),
        load_charter(household.folder),
        tuple(devices),
        _founder_key(household),
    )
    text = _encoder.encode(backup)
    disk.replace(
        out, seal.seal(check_passphrase(passphrase), "backup", text), disk.SECRET
    )


def import_household(
    file: Path, folder: Path, passphrase: str, *, lock: Secret | None = None
) -> Household:
    """Bring a household back from its backup, whole or not at all.

    It then has the charter of that day; what happened since comes back from the first
    member that it meets. Two machines must not go on under one device's identity.

    Args:
        file: as `export_household` wrote it.
        folder: must not exist yet, or be empty.
        passphrase: the file's.
        lock: locks the keys in `folder`; None for the environment's, if any.

    Raises:
        UsageError: something is in `folder` already.
        InputError: `file` is no backup, damaged, cut off, or of another passphrase.
        SetupError: `file` cannot be read, or `folder` cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} holds something already", hint="choose a folder that is empty"
        )
    backup, ca_key, founder, keys = _open(file, passphrase)
    phrase = find_passphrase(lock)
    with disk.made_whole(folder) as draft:
        disk.write_new(draft / "household.json", household_text(backup.household))
        disk.write_new(draft / "ca.pem", backup.ca)
        disk.write_new(draft / "ca.key", lock_key(ca_key, phrase), disk.SECRET)
        if founder is not None:
            locked = lock_key(founder, phrase)
            disk.write_new(draft / "founder.key", locked, disk.SECRET)
        disk.write_new(draft / FILE, backup.charter)
        (draft / "devices").mkdir(mode=0o700)
        for device, private in zip(backup.devices, keys, strict=True):
            own = draft / "devices" / device.device
            own.mkdir(mode=0o700)
            write_identity(own, private, certificate.from_pem(device.cert), lock)
    return load_household(folder, lock)


def make_issuer(household: Household, device: str) -> bytes:
    """The authority's private key, sealed so that only this member's key opens it.

    Hand it over a link of the household; the device calls `become_issuer`. From then on
    it can admit, renew and revoke as well, and must be guarded as well.

    Raises:
        UsageError: the device is no member, a guest, or was admitted without its key.
        SetupError: the authority's key is not here or not fit for use.
    """
    issuer = authority(household)
    member = own_charter(household.folder).member(device)
    if member is None or not member.public_key:
        raise UsageError(
            f"{device} is not a member of {household.name}", hint="pair it first"
        )
    if member.is_guest:
        raise UsageError(
            f"{device} is a guest's", hint="only the household's own devices can issue"
        )
    public = serialization.load_der_public_key(member.public_key)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise UsageError(f"the key of {device} is not of an elliptic curve")
    text = certificate.key_to_pem(issuer.private)
    return seal.seal_to(public, f"issuer of {household.name}", text)


def become_issuer(household: Household, device: str, sealed: bytes) -> None:
    """Keep the authority's private key on a second device.

    That it is the household's own is seen by `ca.pem`, whoever handed it over.

    Args:
        household: the folder on that device's machine.
        device: the id of that device.
        sealed: as `make_issuer` made it.

    Raises:
        WireError: it is sealed to another key, damaged, or another authority's key.
        SetupError: the device's key is missing or does not open, or the authority's
            cannot be written.
    """
    path = household.folder / "devices" / device / "key.pem"
    mine = load_key(path, household.passphrase, "pair this device first")
    purpose = f"issuer of {household.name}"
    try:
        private = certificate.key_from_pem(seal.unseal_with(mine, purpose, sealed))
    except ValueError as error:
        raise WireError(f"no authority's key for {device}: {error}") from error
    if authority_certificate(household).public_key() != private.public_key():
        raise WireError(f"the key is not that of the authority of {household.name}")
    locked = lock_key(private, find_passphrase(household.passphrase))
    disk.replace(household.ca_key_path, locked, disk.SECRET)


def lock_household(household: Household, passphrase: Secret) -> int:
    """Lock every private key of a folder that is not locked yet.

    One that is locked must open with this passphrase: that is found out before
    anything is written, and a crash leaves each key either plain or locked with it.

    Returns:
        How many keys were plain.

    Raises:
        SetupError: the passphrase is too short, or a key is locked with another one.
    """
    phrase = check_passphrase(passphrase.value.decode())
    paths = sorted(household.folder.glob("devices/*/key.pem"))
    own = household.ca_key_path, household.founder_key_path
    paths += [path for path in own if path.exists()]
    found = {path: load_key(path, passphrase, _HINT) for path in paths}
    plain = [p for p in paths if not is_locked(disk.read_secret(p, _HINT))]
    for path in plain:
        disk.replace(path, lock_key(found[path], phrase), disk.SECRET)
    return len(plain)


def _open(
    file: Path, passphrase: str
) -> tuple[
    _Backup,
    ec.EllipticCurvePrivateKey,
    ec.EllipticCurvePrivateKey | None,
    list[ec.EllipticCurvePrivateKey],
]:
    """A backup's parts, each checked to be what it claims and to belong together."""
    data = disk.read(file, "name the file that `trivet household export` wrote")
    try:
        backup = _decoder.decode(seal.unseal(passphrase, "backup", data))
        if backup.version != 1:
            raise ValueError(f"it is of version {backup.version}; update trivet")
        ca = certificate.from_pem(backup.ca)
        ca_key = certificate.key_from_pem(backup.ca_key)
        found = backup.founder_key
        founder = certificate.key_from_pem(found) if found else None
        charter = read_charter(backup.charter, [backup.ca])
        keys = [certificate.key_from_pem(d.private) for d in backup.devices]
        certs = [certificate.from_pem(d.cert) for d in backup.devices]
    except (ValueError, msgspec.MsgspecError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"no backup that opens: {error}", path=str(file), hint=_HINT
        ) from error
    except WireError as error:
        raise InputError(error.message, path=str(file), hint=_HINT) from error
    names = {backup.household, certificate.household_of(ca), charter.household}
    pairs = zip([ca, *certs], [ca_key, *keys], strict=True)
    if len(names) > 1 or any(c.public_key() != k.public_key() for c, k in pairs):
        raise InputError("its parts do not belong together", path=str(file), hint=_HINT)
    mark = certificate.founder_of(ca)
    if founder is not None and fingerprint(founder.public_key()) != mark:
        raise InputError("the founder's key is another", path=str(file), hint=_HINT)
    return backup, ca_key, founder, keys


def _founder_key(household: Household) -> bytes:
    """The founder's key in plain PEM; empty where it is not."""
    path = household.founder_key_path
    if not path.exists():
        return b""
    return certificate.key_to_pem(load_key(path, household.passphrase, _HINT))
