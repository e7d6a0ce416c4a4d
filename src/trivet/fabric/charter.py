"""The charter: a household's signed rules, in one document with one version number.

    byte 0      version of the format
    the rest    MessagePack: [body, signer, signature, added revocations]
    body        MessagePack: [household, version, members, policy, issuers, revoked]

An issuer signs the body. Of two charters the higher version holds. Revocations are a
set that only grows: each is signed by itself, so that one that only the lower version
knows is carried on beside the higher one's body, and no order of meetings loses it.

Source: for the anti-rollback rule, The Update Framework, section 5.3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta
from msgspec.structs import replace

from trivet.domain.device import DeviceKind
from trivet.domain.error import SetupError, UsageError, WireError
from trivet.domain.sample import DeviceId, EventTime
from trivet.fabric import disk
from trivet.fabric.request import fingerprint as fingerprint_of
from trivet.fabric.signature import (
    Fingerprint,
    Issuers,
    Signature,
    is_sealed,
    issuers_of,
    seal,
)

#: A charter longer than this is refused unread.
MAX_BYTES = 200 * 1024
MAX_POLICY = 64 * 1024
FILE = "charter.bin"
_FORMAT = 1


class Member(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device that belongs to the household.

    Attributes:
        device: its id.
        kind: what it is to the household, as the issuer recorded it.
        fingerprint: of its public key; see `trivet.fabric.request.fingerprint`.
        is_guest: whether it belongs to somebody who is not of the household.
        since: event time of its admission.
        public_key: SubjectPublicKeyInfo in DER, for what is to be sealed to it.
    """

    device: DeviceId
    kind: DeviceKind
    fingerprint: Fingerprint
    is_guest: bool = False
    since: EventTime = 0.0
    public_key: Annotated[bytes, Meta(max_length=200)] = b""


class Revocation(
    msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True
):
    """An issuer's word that an id and a key are shut out, for good.

    Attributes:
        device: the id, never to be used again.
        fingerprint: of the key, never to be admitted again.
        time: event time of the revocation.
        reason: one line for a person.
        signer: fingerprint of the issuer's key.
        signature: the issuer's, ECDSA over SHA-256 in DER.
    """

    device: DeviceId
    fingerprint: Fingerprint
    time: EventTime
    reason: Annotated[str, Meta(max_length=200)]
    signer: Fingerprint
    signature: Signature


class Charter(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the household has agreed.

    Attributes:
        household: its name.
        version: raised with each change.
        members: the devices that belong to it, none of them revoked.
        policy: Cedar text; empty for the policy that is shipped.
        issuers: certificates in PEM of the authorities that may sign.
        revoked: what is shut out.
    """

    household: DeviceId
    version: Annotated[int, Meta(ge=1, le=1 << 53)]
    members: Annotated[tuple[Member, ...], Meta(max_length=256)] = ()
    policy: Annotated[str, Meta(max_length=MAX_POLICY)] = ""
    issuers: Annotated[
        tuple[Annotated[str, Meta(max_length=4096)], ...], Meta(max_length=4)
    ] = ()
    revoked: Annotated[tuple[Revocation, ...], Meta(max_length=256)] = ()

    def member(self, device: str) -> Member | None:
        """The member of this id, if it is one."""
        return next((m for m in self.members if m.device == device), None)


class _Signed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    body: Annotated[bytes, Meta(max_length=MAX_BYTES)]
    signer: Fingerprint
    signature: Signature
    added: Annotated[tuple[Revocation, ...], Meta(max_length=256)] = ()


_encoder = msgspec.msgpack.Encoder()
_signed_decoder = msgspec.msgpack.Decoder(_Signed)
_charter_decoder = msgspec.msgpack.Decoder(Charter)


def is_revoked(charter: Charter, device: str, fingerprint: str) -> bool:
    """Whether the id or the key was shut out; either is enough."""
    return any(
        r.device == device or r.fingerprint == fingerprint for r in charter.revoked
    )


def sign(charter: Charter, ca_key: ec.EllipticCurvePrivateKey) -> bytes:
    """The charter as bytes for the disk and the wire, signed by an issuer.

    Raises:
        UsageError: it would not be read again: too long, contradicting itself, or not
            signed by one of its own issuers.
    """
    body = _encoder.encode(charter)
    signer = fingerprint_of(ca_key.public_key())
    data = _pack(_Signed(body, signer, seal(ca_key, "charter", body)))
    try:
        _read(data, {signer: ca_key.public_key()})
    except WireError as error:
        raise UsageError(f"the charter cannot be signed: {error.message}") from error
    return data


def sign_revocation(
    ca_key: ec.EllipticCurvePrivateKey,
    household: str,
    device: str,
    fingerprint: str,
    time: float,
    reason: str,
) -> Revocation:
    """An issuer's word that shuts out an id and a key; see `revocation.revoke`."""
    signer = fingerprint_of(ca_key.public_key())
    draft = Revocation(device, fingerprint, time, reason, signer, b"")
    return replace(draft, signature=seal(ca_key, "revocation", _said(household, draft)))


def read_charter(data: bytes, cas: Sequence[bytes]) -> Charter:
    """The charter in `data`, with every revocation that is carried along.

    Args:
        data: as `sign` or `newer` made it.
        cas: certificates in PEM of the authorities that this device trusts.

    Raises:
        WireError: it is malformed, longer than MAX_BYTES, contradicts itself, or is
            not signed by one of `cas` as an issuer of its household.
    """
    return _read(data, issuers_of("", cas))[1]


def newer(mine: bytes, theirs: bytes) -> bytes:
    """What this device is to keep after it was shown another's charter.

    The higher version holds; of equal versions that differ, the one whose body is
    greater byte by byte, so that all devices choose alike. To it come the revocations
    of both.

    Args:
        mine: this device's own, which says what issuers are trusted.
        theirs: what another device showed.

    Raises:
        WireError: `theirs` is not signed by an issuer of `mine`, or `mine` is damaged.
    """
    issuers = _named(_body(_unpack(mine)))
    mine_signed, mine_read = _read(mine, issuers)
    theirs_signed, theirs_read = _read(theirs, issuers)
    if mine_read.household != theirs_read.household:
        raise WireError(
            f"a charter of {theirs_read.household}, not of {mine_read.household}"
        )
    best = max(
        (mine_read.version, mine_signed.body, mine_signed.signature, mine_signed),
        (
            theirs_read.version,
            theirs_signed.body,
            theirs_signed.signature,
            theirs_signed,
        ),
        key=lambda one: one[:3],
    )[3]
    return _carry(best, (*mine_read.revoked, *theirs_read.revoked))


def carry(data: bytes, revoked: Sequence[Revocation]) -> bytes:
    """The charter `data` with these revocations beside it: what who is out is handed.

    It tells of nothing else that was agreed since. Whoever reads it checks them.

    Raises:
        WireError: `data` is damaged.
        UsageError: it would be too long.
    """
    signed = _unpack(data)
    return _carry(signed, (*_body(signed).revoked, *signed.added, *revoked))


def load_charter(folder: Path) -> bytes:
    """The charter that this device keeps, as it was saved.

    Raises:
        SetupError: there is none, or it cannot be read.
    """
    return disk.read(folder / FILE, "take part in the household anew")


def save_charter(folder: Path, data: bytes) -> bytes:
    """Keep a charter, merged with the one that is there: see `newer`.

    Args:
        folder: the household's, with its `ca.pem`.
        data: as shown by another device, or just signed.

    Returns:
        What is kept now.

    Raises:
        WireError: it is not signed by an issuer of this household.
        SetupError: it cannot be written; the old one is then untouched.
    """
    with disk.locked(folder):
        return save_unlocked(folder, data)


def save_unlocked(folder: Path, data: bytes) -> bytes:
    """As `save_charter`, for a caller that holds the folder's lock."""
    path = folder / FILE
    if path.exists():
        data = newer(load_charter(folder), data)
    else:
        hint = "copy it from where the household was founded"
        read_charter(data, [disk.read(folder / "ca.pem", hint)])
    disk.replace(path, data)
    return data


def own_charter(folder: Path) -> Charter:
    """The charter that this device keeps, read.

    Raises:
        SetupError: there is none, or it is damaged.
    """
    hint = "take part in the household anew"
    data, ca = load_charter(folder), disk.read(folder / "ca.pem", hint)
    try:
        return read_charter(data, [ca])
    except WireError as error:
        raise SetupError(
            f"{folder / FILE} is damaged: {error.message}",
            hint="restore it from a backup",
        ) from error


def _read(data: bytes, issuers: Issuers) -> tuple[_Signed, Charter]:
    signed = _unpack(data)
    if not is_sealed(
        issuers.get(signed.signer), signed.signature, "charter", signed.body
    ):
        raise WireError(
            "the charter is not signed by an issuer of this household",
            hint="take part in the household anew",
        )
    charter = _body(signed)
    _check(charter, signed)
    charter = replace(charter, revoked=_union((*charter.revoked, *signed.added)))
    members = tuple(
        m for m in charter.members if not is_revoked(charter, m.device, m.fingerprint)
    )
    return signed, replace(charter, members=members)


def _check(charter: Charter, signed: _Signed) -> None:
    named = _named(charter)
    if signed.signer not in named:
        raise WireError("the charter does not name the issuer that signed it")
    for one in (*charter.revoked, *signed.added):
        said = _said(charter.household, one)
        if not is_sealed(named.get(one.signer), one.signature, "revocation", said):
            raise WireError(f"the revocation of {one.device} is not signed")
    for m in charter.members:
        if m.public_key and sha256(m.public_key).hexdigest() != m.fingerprint:
            raise WireError(f"the key of {m.device} does not have its fingerprint")
    for what, found in (
        ("id", [m.device for m in charter.members]),
        ("key", [m.fingerprint for m in charter.members]),
    ):
        if len(set(found)) != len(found):
            raise WireError(f"two members of the charter have the same {what}")


def _named(charter: Charter) -> Issuers:
    return issuers_of(charter.household, [pem.encode() for pem in charter.issuers])


def _body(signed: _Signed) -> Charter:
    try:
        return _charter_decoder.decode(signed.body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed charter: {error}") from error


def _unpack(data: bytes) -> _Signed:
    if len(data) > MAX_BYTES:
        raise WireError(f"a charter of {len(data)} bytes: the most is {MAX_BYTES}")
    if not data or data[0] != _FORMAT:
        raise WireError(
            f"no charter of format {_FORMAT}",
            hint="update trivet on the older of the two devices",
        )
    try:
        return _signed_decoder.decode(memoryview(data)[1:])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed charter: {error}") from error


def _pack(signed: _Signed) -> bytes:
    data = bytes([_FORMAT]) + _encoder.encode(signed)
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"a charter of {len(data)} bytes: the most is {MAX_BYTES}",
            hint="shorten the policy",
        )
    return data


def _carry(signed: _Signed, revoked: Sequence[Revocation]) -> bytes:
    """The same signed body with those revocations beside it that it does not have."""
    inside = _body(signed).revoked
    return _pack(
        replace(signed, added=tuple(r for r in _union(revoked) if r not in inside))
    )


def _union(revoked: Sequence[Revocation]) -> tuple[Revocation, ...]:
    """Each id and key once, the earliest word of each, in one order on every device."""
    first: dict[tuple[str, str], Revocation] = {}
    for one in sorted(revoked, key=lambda r: (r.time, r.signature)):
        first.setdefault((one.device, one.fingerprint), one)
    return tuple(first[mark] for mark in sorted(first))


def _said(household: str, r: Revocation) -> bytes:
    return _encoder.encode(
        (household, r.device, r.fingerprint, float(r.time), r.reason, r.signer)
    )
