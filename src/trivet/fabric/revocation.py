"""Revocation: an issuer shuts out a device's id and key, for good.

Its certificate lives on until its end; what keeps the device out is that every other
device that has heard of the revocation no longer lets it speak.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from trivet.domain.error import UsageError
from trivet.fabric.charter import (
    Charter,
    Revocation,
    is_revoked,
    sign_revocation,
)
from trivet.fabric.household import Household, authority, clock
from trivet.fabric.roll import amend

__all__ = ["Revocation", "is_revoked", "revoke"]
_MAX_REASON = 200


def revoke(
    household: Household, device: str, *, reason: str, now: datetime | None = None
) -> Revocation:
    """Shut a member out, in the charter on disk, one version higher.

    Revoking again hands back the revocation that there is.

    Args:
        household: must have the authority's key in its folder.
        device: the member's id.
        reason: one line for a person, up to 200 characters.
        now: the clock's time if None.

    Raises:
        UsageError: there is no such member, or the reason is not one printable line.
        SetupError: the authority's key is not here, or the charter cannot be written.
    """
    now = clock(now)
    if len(reason) > _MAX_REASON or not (reason.isprintable() and reason.strip()):
        raise UsageError(f"{reason[:_MAX_REASON]!r} is not one line that says why")
    issuer = authority(household, now)

    def change(old: Charter) -> Charter:
        if any(r.device == device for r in old.revoked):
            return old
        member = old.member(device)
        if member is None:
            ids = ", ".join(m.device for m in old.members) or "nobody"
            raise UsageError(
                f"{device} is not a member of {household.name}", hint=f"members: {ids}"
            )
        made = sign_revocation(
            issuer.private,
            household.name,
            device,
            member.fingerprint,
            now.timestamp(),
            reason,
        )
        members = tuple(m for m in old.members if m is not member)
        return replace(old, members=members, revoked=(*old.revoked, made))

    after = amend(household.folder, issuer, change)
    return next(r for r in after.revoked if r.device == device)
