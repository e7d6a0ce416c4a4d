"""Refounding: the founder puts a new authority in the place of one that others hold.

A second issuer has the authority's key for good, and a thief of it has it too. What
neither has is the founder's key: it never leaves the machine that founded the
household, but in its backup, and its fingerprint stands in the authority's certificate
that each device has kept since it joined. So a new authority that the founder's key has
signed for takes the old one's place on every member; who was shut out before is left
behind, with the old authority and all that it signs.

    <folder>/founder.key        the key
    <folder>/refounded/<id>     the word on it that a member is to be handed

A member asks for its word at the door for late devices, see late.py. It is sealed to
the member's key, so whoever hands it over, or asks in another's name, learns nothing.

Source: for the higher key that is kept offline, The Update Framework, section 5.3.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta
from msgspec.structs import replace

from trivet.domain.error import RefusedError, SetupError, UsageError, WireError
from trivet.domain.sample import DeviceId
from trivet.fabric import certificate, charter, disk, seal, staged
from trivet.fabric.admit import check_issued, check_member, parse
from trivet.fabric.charter import Charter, Member
from trivet.fabric.household import (
    Household,
    authority,
    authority_certificate,
    clock,
    load_key,
    read_certificate,
)
from trivet.fabric.identity import Identity, load_identity
from trivet.fabric.request import fingerprint, load_public, new_key, public_der
from trivet.fabric.roll import Authority, enrol
from trivet.fabric.secret import find_passphrase, lock_key
from trivet.fabric.signature import Signature, is_sealed
from trivet.fabric.signature import seal as sign
from trivet.fabric.staged import Staged

#: A word longer than this is refused unread.
MAX_BYTES = charter.MAX_BYTES + 16 * 1024
_WHAT = "refounding"
_FOLDER = "refounded"
_Pem = Annotated[bytes, Meta(max_length=8192)]


class _Word(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a member is told: the new authority, its charter, and its certificate."""

    household: DeviceId
    recipient: DeviceId
    ca: _Pem
    charter: Annotated[bytes, Meta(max_length=charter.MAX_BYTES)]
    cert: _Pem


class _Signed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    founder: Annotated[bytes, Meta(max_length=200)]
    sealed: Annotated[bytes, Meta(max_length=MAX_BYTES)]
    signature: Signature


_encoder = msgspec.msgpack.Encoder()
_word_decoder = msgspec.msgpack.Decoder(_Word)
_signed_decoder = msgspec.msgpack.Decoder(_Signed)


def refound(
    household: Household,
    *,
    restored: Collection[str] = (),
    now: datetime | None = None,
) -> tuple[str, ...]:
    """Put a new authority in the place of the one that there is.

    Members and revocations stay; shut out first whom the household is to lose. Whoever
    could admit devices besides this machine no longer can, and can be let to anew.

    Args:
        household: must have the founder's and the authority's key in its folder.
        restored: devices of this folder that are to be members again, though whoever
            had the authority's key has shut them out.
        now: the clock's time if None.

    Returns:
        Ids of the members that must be paired anew: their keys are not in the charter.

    Raises:
        UsageError: a device to be restored was not shut out.
        SetupError: a key is not here or not fit for use, the household was founded
            before there were founders' keys, or the folder cannot be written.
    """
    now = clock(now)
    issuer = authority(household, now)
    founder = _founder(household, issuer.cert)
    with disk.locked(household.folder):
        old = _restore(household, charter.own_charter(household.folder), restored, now)
        made = _successor(issuer, founder, now)
        lost = tuple(m.device for m in old.members if not m.public_key)
        agreed = _agreed(old, made)
        data = charter.sign(agreed, made.private)
        certs = {m.device: _certify(household, made, m, now) for m in agreed.members}
        words = {
            member.device: _word(made, founder, member, data, certs[member.device])
            for member in agreed.members
        }
        staged.replace_all(
            household.folder, _files(household, made, data, certs, words)
        )
    return lost


def word_for(household: Household, device: str) -> bytes:
    """What this member is to be handed; empty when there is nothing for it.

    Who was shut out since has nothing to come.

    Raises:
        SetupError: it cannot be read.
    """
    path = household.folder / _FOLDER / device
    if (
        not path.exists()
        or charter.own_charter(household.folder).member(device) is None
    ):
        return b""
    return disk.read(path, "refound the household anew")


def adopt(
    household: Household, device: str, data: bytes, *, now: datetime | None = None
) -> Identity | None:
    """Take up the authority that the founder has put in place, if it is a new one.

    All of it is checked before anything is written. A key of the old authority that
    this device had goes.

    Args:
        household: the folder on this device's machine.
        device: this device's id.
        data: as `word_for` gave it on the founder's machine.
        now: the clock's time if None.

    Returns:
        The device's identity under the new authority; None if it has that already.

    Raises:
        WireError: it is no such word, or not for this device.
        RefusedError: it is not of this household's founder, or an older one.
        SetupError: this device's own files cannot be read or written.
    """
    now = clock(now)
    known = authority_certificate(household, now)
    path = household.folder / "devices" / device / "key.pem"
    private = load_key(path, household.passphrase, "pair this device anew")
    word = _open(household, device, data, known, private)
    ca, cert = parse(word.ca, "authority"), parse(word.cert, "certificate")
    path = path.with_name("cert.pem")
    is_known = ca == known  # another device of this folder may have taken it up
    mine = read_certificate(path, "pair this device anew")
    if is_known and certificate.is_issued_by(mine, ca):
        return None
    check_issued(cert, ca, device, private)
    files = Staged()
    if not is_known:
        _check_newer(household.name, ca, known, now)
        files.put("ca.pem", certificate.to_pem(ca))
    files.put(f"devices/{device}/cert.pem", certificate.to_pem(cert))
    if not is_known:
        agreed = charter.read_charter(word.charter, [word.ca])
        check_member(agreed, household.name, device, private)
        files.put(charter.FILE, word.charter)
    with disk.locked(household.folder):
        staged.replace_all(household.folder, files)
    if not is_known:
        household.ca_key_path.unlink(missing_ok=True)
    return load_identity(household, device, now=min(now, cert.not_valid_after_utc))


# --- the founder's side -------------------------------------------------------------


def _founder(household: Household, ca: x509.Certificate) -> ec.EllipticCurvePrivateKey:
    mark = certificate.founder_of(ca)
    if not mark:
        raise SetupError(
            f"{household.name} was founded before a household had a founder's key",
            hint="found it anew, and pair its devices anew",
        )
    hint = "refound it on the machine that founded it, or where its backup was imported"
    private = load_key(household.founder_key_path, household.passphrase, hint)
    if fingerprint(private.public_key()) != mark:
        raise SetupError(
            f"{household.founder_key_path} is not the key that {household.ca_path} "
            "names",
            hint="restore the two together",
        )
    return private


def _successor(
    issuer: Authority, founder: ec.EllipticCurvePrivateKey, now: datetime
) -> Authority:
    private = new_key()
    mark = fingerprint(founder.public_key())
    # of two made within a second the later one must be known by its begin
    earliest = (
        issuer.cert.not_valid_before_utc + certificate.SKEW + timedelta(seconds=1)
    )
    now = max(now, earliest)
    cert = certificate.authority(private, issuer.household, now, mark)
    return Authority(cert, private)


def _restore(
    household: Household, old: Charter, restored: Collection[str], now: datetime
) -> Charter:
    """The charter with these devices of the folder in it again."""
    for device in sorted(restored):
        if all(r.device != device for r in old.revoked):
            raise UsageError(f"{device} was not shut out")
        path = household.folder / "devices" / device / "cert.pem"
        cert = read_certificate(path, "only devices of this folder can be restored")
        public = cert.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)  # as we made it
        kind, der = certificate.kind_of(cert), public_der(public)
        since = now.timestamp()
        member = Member(device, kind, fingerprint(public), False, since, der)
        left = tuple(r for r in old.revoked if r.device != device)
        old = enrol(replace(old, revoked=left), member)
    return old


def _agreed(old: Charter, made: Authority) -> Charter:
    """The charter that there was, as the new authority's."""
    revoked = tuple(
        charter.sign_revocation(
            made.private, old.household, r.device, r.fingerprint, r.time, r.reason
        )
        for r in old.revoked
    )
    return replace(
        old,
        version=old.version + 1,
        members=tuple(m for m in old.members if m.public_key),
        issuers=(certificate.to_pem(made.cert).decode(),),
        revoked=revoked,
    )


def _certify(
    household: Household, made: Authority, member: Member, now: datetime
) -> bytes:
    """A member's certificate; for the hosts that it had, where that is known here."""
    path = household.folder / "devices" / member.device / "cert.pem"
    hosts: tuple[str, ...] = ()
    if path.exists():
        hosts = certificate.hosts_of(read_certificate(path, "admit it anew"))
    cert = certificate.device(
        *made,
        load_public(member.public_key),
        member.device,
        member.kind,
        hosts,
        now,
        certificate.DEVICE_DAYS - 1,  # so that one renewed at once ends later
    )
    return certificate.to_pem(cert)


def _word(
    made: Authority,
    founder: ec.EllipticCurvePrivateKey,
    member: Member,
    data: bytes,
    cert: bytes,
) -> bytes:
    ca = certificate.to_pem(made.cert)
    word = _Word(made.household, member.device, ca, data, cert)
    sealed = seal.seal_to(load_public(member.public_key), _WHAT, _encoder.encode(word))
    signature = sign(founder, _WHAT, _said(made.household, member.device, sealed))
    return _encoder.encode(_Signed(public_der(founder.public_key()), sealed, signature))


def _files(
    household: Household,
    made: Authority,
    data: bytes,
    certs: dict[str, bytes],
    words: dict[str, bytes],
) -> Staged:
    """In an order in which whoever reads one meanwhile finds what it builds on."""
    files = Staged()
    for device, word in words.items():
        files.put(f"{_FOLDER}/{device}", word)
    locked = lock_key(made.private, find_passphrase(household.passphrase))
    files.put("ca.key", locked, disk.SECRET)
    files.put("ca.pem", certificate.to_pem(made.cert))
    for device in household.devices:
        if device in certs:
            files.put(f"devices/{device}/cert.pem", certs[device])
    files.put(charter.FILE, data)
    return files


# --- a member's side ----------------------------------------------------------------


def _open(
    household: Household,
    device: str,
    data: bytes,
    known: x509.Certificate,
    private: ec.EllipticCurvePrivateKey,
) -> _Word:
    if len(data) > MAX_BYTES:
        raise WireError(f"a word of {len(data)} bytes: the most is {MAX_BYTES}")
    try:
        signed = _signed_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(f"malformed word of a founder: {error}") from error
    mark = certificate.founder_of(known)
    said = _said(household.name, device, signed.sealed)
    if (
        not mark
        or sha256(signed.founder).hexdigest() != mark
        or not is_sealed(load_public(signed.founder), signed.signature, _WHAT, said)
    ):
        raise RefusedError(
            f"the founder of {household.name} has not signed this for {device}"
        )
    try:
        return _word_decoder.decode(seal.unseal_with(private, _WHAT, signed.sealed))
    except (ValueError, msgspec.MsgspecError, UnicodeError) as error:
        raise WireError(f"no word of the founder for {device}: {error}") from error


def _check_newer(
    name: str, ca: x509.Certificate, known: x509.Certificate, now: datetime
) -> None:
    is_ours = certificate.household_of(ca) == name
    if not is_ours or certificate.founder_of(ca) != certificate.founder_of(known):
        raise RefusedError(f"the new authority is not one of {name}")
    if not certificate.is_authority(ca) or not certificate.is_issued_by(ca, ca):
        raise WireError("the new authority's certificate is none")
    if ca.not_valid_before_utc <= known.not_valid_before_utc:
        raise RefusedError("the authority that is here is a newer one")
    if not ca.not_valid_before_utc <= now <= ca.not_valid_after_utc:
        raise RefusedError("the new authority is not valid now", hint="set the clock")


def _said(household: str, recipient: str, sealed: bytes) -> bytes:
    return _encoder.encode((household, recipient, sealed))
