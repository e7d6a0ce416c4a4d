"""Renewal: short-lived certificates that a device has renewed before they end.

Over a link of the household a member sends a request by the key that it is known by.
A device that came too late for that has no such link; it proves its key instead:

    device                                issuer
      |  -- asks ------------------------>  |
      |  <-------------------- challenge -- |   random, dated, recognised by its issuer
      |  -- request, old certificate,       |
      |     challenge, signature --------->  |  each challenge answered once
      |  <------------------ certificate -- |

What passes there is public, so the link need not be trusted: whoever listens learns a
certificate without its key. Nothing here reads a file or a clock; see renewer.py.

Source: RFC 5280; for the two thirds of a life, RFC 9773 and common ACME practice.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta

from trivet.domain.error import RefusedError, WireError
from trivet.fabric import certificate, request
from trivet.fabric.charter import Charter, is_revoked
from trivet.fabric.notice import write_notice
from trivet.fabric.request import Request, fingerprint, read_request
from trivet.fabric.roll import Authority
from trivet.fabric.signature import Signature, is_sealed, seal

#: A certificate that ended longer ago takes a person, and pairing anew.
LATE = timedelta(days=90)
#: How long a challenge can be answered.
CHALLENGE_S = 60
MAX_BYTES = 16 * 1024
_PROOF = "late renewal"
_DATE, _NONCE, _MARK = 8, 16, 32


class _Proof(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    request: Annotated[bytes, Meta(max_length=request.MAX_BYTES)]
    old: Annotated[bytes, Meta(max_length=4096)]
    challenge: Annotated[bytes, Meta(max_length=_DATE + _NONCE + _MARK)]
    signature: Signature = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Proof)


def due(cert: x509.Certificate) -> datetime:
    """When a certificate is to be renewed: at two thirds of its life."""
    begin, end = cert.not_valid_before_utc, cert.not_valid_after_utc
    return begin + (end - begin) * 2 / 3


def answer_member(
    issuer: Authority,
    charter: Charter,
    asker: str,
    data: bytes,
    *,
    now: datetime,
    days: int = certificate.DEVICE_DAYS,
) -> bytes:
    """An issuer's answer to a request that a member sent over a link of the household.

    Args:
        issuer: what to sign with.
        charter: as the issuer knows it.
        asker: the member's id, as the link has authenticated it.
        data: the request in DER.
        now: time of issue.
        days: how long the new certificate is to hold.

    Returns:
        The new certificate in PEM.

    Raises:
        WireError: `data` is no request.
        RefusedError: it is for somebody else, by another key, or of a revoked device.
    """
    asked = read_request(data)
    if asked.device != asker:
        raise RefusedError(
            f"{asker} asks for a certificate of {asked.device}",
            hint="a device renews its own certificate alone",
        )
    return _certify(issuer, charter, asked, now, days)


def prove(
    private: ec.EllipticCurvePrivateKey,
    household: str,
    data: bytes,
    old_pem: bytes,
    challenge: bytes,
) -> bytes:
    """A late device's proof that the key of its ended certificate is still its own.

    Args:
        private: the device's key.
        household: the household's name.
        data: the request in DER, by the same key.
        old_pem: the certificate that has ended.
        challenge: what the issuer answered first.

    Raises:
        WireError: the challenge is none.
    """
    if len(challenge) != _DATE + _NONCE + _MARK:
        raise WireError(f"a challenge of {len(challenge)} bytes is none")
    old = certificate.to_der(certificate.from_pem(old_pem))
    draft = _Proof(data, old, challenge)
    signature = seal(private, _PROOF, _said(household, draft))
    return _encoder.encode(msgspec.structs.replace(draft, signature=signature))


class LateDesk:
    """Where an issuer serves late devices, over links that it does not trust.

    A challenge is dated and marked with a key of this desk instead of being kept, so
    whoever asks for many fills no memory; only challenges that were answered rightly
    are kept, until they end by themselves.

    Args:
        random: so many bytes that nobody can foresee.
    """

    def __init__(self, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        self._key = random(32)
        self._answered: dict[bytes, datetime] = {}

    def challenge(self, now: datetime) -> bytes:
        """A challenge that can be answered once, within CHALLENGE_S."""
        head = int(now.timestamp()).to_bytes(_DATE, "big") + self._random(_NONCE)
        return head + self._mark(head)

    def answer(
        self,
        issuer: Authority,
        charter: Charter,
        data: bytes,
        *,
        now: datetime,
        days: int = certificate.DEVICE_DAYS,
    ) -> bytes:
        """The new certificate in PEM for a device that proves its key.

        Args:
            issuer: what to sign with.
            charter: as the issuer knows it.
            data: as `prove` made it.
            now: time of issue.
            days: how long the new certificate is to hold.

        Returns:
            The certificate; for who was revoked, the notice of that.

        Raises:
            WireError: `data` is no proof.
            RefusedError: the challenge is not of this desk, too old or answered
                already; the old certificate is another's, another household's, or
                ended more than LATE ago; or the device is no member.
        """
        proof, asked, old = _read(data)
        self._check_fresh(proof.challenge, now)
        if not is_sealed(
            asked.public_key, proof.signature, _PROOF, _said(issuer.household, proof)
        ):
            raise RefusedError(f"{asked.device} did not prove that the key is its own")
        _check_old(issuer, asked, old, now)
        notice = write_notice(charter, asked.device, asked.fingerprint)
        made = notice or _certify(issuer, charter, asked, now, days)
        self._answered[proof.challenge] = now + timedelta(seconds=CHALLENGE_S)
        return made

    def _check_fresh(self, challenge: bytes, now: datetime) -> None:
        head, mark = challenge[: _DATE + _NONCE], challenge[_DATE + _NONCE :]
        if not hmac.compare_digest(mark, self._mark(head)):
            raise RefusedError("the challenge is not of this issuer", hint="ask again")
        given = datetime.fromtimestamp(int.from_bytes(head[:_DATE], "big"), UTC)
        if not timedelta(seconds=-1) <= now - given <= timedelta(seconds=CHALLENGE_S):
            raise RefusedError("the challenge is too old", hint="ask again")
        self._answered = {c: end for c, end in self._answered.items() if end >= now}
        if challenge in self._answered:
            raise RefusedError("the challenge was answered already", hint="ask again")

    def _mark(self, head: bytes) -> bytes:
        return hmac.digest(self._key, head, "sha256")


def check_answer(
    old: x509.Certificate, pem: bytes, ca: x509.Certificate, now: datetime
) -> x509.Certificate:
    """The certificate that an issuer answered with, checked by the device that asked.

    Raises:
        WireError: it is none, not by this household's authority, of another device,
            kind or key, not valid now, or ends no later than the old one.
    """
    try:
        new = certificate.from_pem(pem)
        is_ours = new.public_key() == old.public_key() and new.subject == old.subject
    except (ValueError, UnsupportedAlgorithm) as error:
        raise WireError(f"malformed certificate: {error}") from error
    if not certificate.is_issued_by(new, ca):
        raise WireError("the new certificate is not by this household's authority")
    if not is_ours or certificate.is_authority(new):
        raise WireError("the new certificate is not for this device and its key")
    if not new.not_valid_before_utc <= now < new.not_valid_after_utc:
        raise WireError("the new certificate is not valid now", hint="set the clock")
    if new.not_valid_after_utc <= old.not_valid_after_utc:
        raise WireError("the new certificate ends no later than the old one")
    return new


def _certify(
    issuer: Authority, charter: Charter, asked: Request, now: datetime, days: int
) -> bytes:
    """The new certificate, if the charter has this device with this key."""
    if asked.household != issuer.household or charter.household != issuer.household:
        raise RefusedError(f"{asked.device} asks the household {asked.household}")
    if is_revoked(charter, asked.device, asked.fingerprint):
        raise RefusedError(
            f"{asked.device} was revoked", hint="pair it anew, with a new id and key"
        )
    member = charter.member(asked.device)
    if member is None:
        raise RefusedError(f"{asked.device} is not a member", hint="pair it first")
    if member.fingerprint != asked.fingerprint:
        raise RefusedError(
            f"{asked.device} is known by another key",
            hint="a certificate is renewed for the key that was admitted",
        )
    if member.kind is not asked.kind:
        raise RefusedError(f"{asked.device} is a {member.kind}, not a {asked.kind}")
    cert = certificate.device(
        *issuer, asked.public_key, asked.device, member.kind, asked.hosts, now, days
    )
    return certificate.to_pem(cert)


def _check_old(
    issuer: Authority, asked: Request, old: x509.Certificate, now: datetime
) -> None:
    if not certificate.is_issued_by(old, issuer.cert):
        raise RefusedError("the old certificate is not of this household")
    if certificate.device_of(old) != asked.device:
        raise RefusedError(f"the old certificate is not that of {asked.device}")
    public = old.public_key()
    if (
        not isinstance(public, ec.EllipticCurvePublicKey)
        or fingerprint(public) != asked.fingerprint
    ):
        raise RefusedError("the old certificate is for another key")
    if now - old.not_valid_after_utc > LATE:
        raise RefusedError(
            f"the certificate of {asked.device} ended on {old.not_valid_after_utc:%F}, "
            f"more than {LATE.days} days ago",
            hint="revoke it and pair the device anew, under a new id",
        )


def _read(data: bytes) -> tuple[_Proof, Request, x509.Certificate]:
    if len(data) > MAX_BYTES:
        raise WireError(f"a proof of {len(data)} bytes: the most is {MAX_BYTES}")
    try:
        proof = _decoder.decode(data)
        old = certificate.from_der(proof.old)
    except (msgspec.MsgspecError, ValueError, UnsupportedAlgorithm) as error:
        raise WireError(f"malformed proof: {error}") from error
    return proof, read_request(proof.request), old


def _said(household: str, proof: _Proof) -> bytes:
    digests = sha256(proof.request).digest(), sha256(proof.old).digest()
    return _encoder.encode((household, proof.challenge, *digests))
