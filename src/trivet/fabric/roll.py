"""The roll: how an issuer changes the charter that it keeps, one version at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from trivet.domain.error import UsageError
from trivet.fabric import certificate, charter, disk
from trivet.fabric.charter import Charter, Member

log = logging.getLogger("trivet.fabric")


class Authority(NamedTuple):
    """What an issuer signs with."""

    cert: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    @property
    def household(self) -> str:
        """Name of the household that it speaks for."""
        return certificate.household_of(self.cert)


def founding(authority: Authority) -> Charter:
    """The first charter of a household: no members, the shipped policy."""
    pem = certificate.to_pem(authority.cert).decode()
    return Charter(authority.household, 1, issuers=(pem,))


def amend(
    folder: Path, authority: Authority, change: Callable[[Charter], Charter]
) -> Charter:
    """Change the charter in `folder` and sign it anew, one version higher.

    A change that changes nothing leaves the version as it is. A household that was
    founded before there were charters gets its first one.

    Args:
        folder: the household's.
        authority: its issuer.
        change: the charter that is to be, out of the one that is; it may refuse.

    Raises:
        UsageError: the changed charter is too long or contradicts itself.
        SetupError: the charter cannot be read or written; then nothing has changed.
    """
    with disk.locked(folder):
        is_new = not (folder / charter.FILE).exists()
        old = founding(authority) if is_new else charter.own_charter(folder)
        new = change(old)
        if new == old and not is_new:
            return old
        new = replace(new, version=old.version if is_new else old.version + 1)
        charter.save_unlocked(folder, charter.sign(new, authority.private))
        return new


def reconcile(folder: Path, authority: Authority, theirs: bytes) -> Charter:
    """Take up another charter as an issuer: what either admitted stays admitted.

    Members leave by revocation alone, so of two issuers that each admitted somebody
    without hearing of the other, or of a backup and what happened since, the lower
    version's members are signed anew beside the higher one's, unless an id or a key
    is revoked or taken there.

    Raises:
        WireError: `theirs` is not signed by an issuer of this household.
        SetupError: the charter cannot be read or written; then nothing has changed.
    """
    mine = charter.own_charter(folder)
    charter.save_charter(folder, theirs)
    issuers = [pem.encode() for pem in mine.issuers]
    other = charter.read_charter(theirs, issuers)

    def change(best: Charter) -> Charter:
        for member in (*mine.members, *other.members):
            if best.member(member.device) is not None:
                continue
            try:
                best = enrol(best, member)
            except UsageError as error:
                log.info("%s stays out: %s", member.device, error.message)
        return best

    return amend(folder, authority, change)


def enrol(old: Charter, member: Member) -> Charter:
    """The charter with this member in it, for as long as it is not revoked.

    A member that comes again with the same key keeps the day of its first admission.

    Raises:
        UsageError: its id or key was revoked, or belongs to another member.
    """
    check_free(old, member.device, member.fingerprint)
    known = old.member(member.device)
    if known is not None:
        member = replace(member, since=known.since)
    others = [m for m in old.members if m.device != member.device]
    members = sorted((*others, member), key=lambda m: m.device)
    return replace(old, members=tuple(members))


def check_free(charter_: Charter, device: str, fingerprint: str) -> None:
    """Refuse an id or a key that cannot be admitted.

    Raises:
        UsageError: it was revoked, or belongs to another member.
    """
    for revocation in charter_.revoked:
        if revocation.device == device:
            raise UsageError(
                f"the id {device} was revoked: {revocation.reason}",
                hint="a revoked id is never used again; choose another one",
            )
        if revocation.fingerprint == fingerprint:
            raise UsageError(
                f"the key of {device} was revoked, as that of {revocation.device}",
                hint=f"make a new key on {device}, then ask again",
            )
    for member in charter_.members:
        if member.device == device and member.fingerprint != fingerprint:
            raise UsageError(
                f"the id {device} belongs to another key",
                hint=f"choose another id; or, if that device is gone for good, "
                f"trivet device revoke {device}, and choose another id still",
            )
        if member.device != device and member.fingerprint == fingerprint:
            raise UsageError(
                f"the key of {device} is that of {member.device}",
                hint=f"make a new key on {device}, then ask again",
            )
