"""A device's side of renewal: when to ask, with what, and how the answer is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509

from trivet.fabric import certificate, disk, renewal
from trivet.fabric.charter import own_charter
from trivet.fabric.household import (
    Household,
    authority_certificate,
    load_key,
    read_certificate,
)
from trivet.fabric.identity import Identity, load_identity, renew
from trivet.fabric.key import check_id
from trivet.fabric.notice import take_notice
from trivet.fabric.request import make_request

#: After a failure to renew, the next try waits between these, twice as long each time.
RETRY = timedelta(minutes=1), timedelta(hours=1)
_HINT = "pair this device first"


class Renewer:
    """Keeps one device's certificate from ending, and may begin when it has ended.

    Whoever drives it has the links and the clock: sleep until `wake_at`, send
    `request` to an issuer over a link of the household, or when `is_late` the `proof`
    over any link, then `take` the answer or say that it `failed`.

    Args:
        household: the household's folder on the device's machine.
        device: the device's id.
        hosts: what the next certificate is to be for; None for what this one is.

    Raises:
        SetupError: the device's certificate or key is missing or cannot be read.
    """

    def __init__(
        self, household: Household, device: str, hosts: Sequence[str] | None = None
    ) -> None:
        self._household = household
        self._device = check_id(device)
        self._hosts = hosts
        folder = household.folder / "devices" / device
        self._cert_path = folder / "cert.pem"
        self._private = load_key(folder / "key.pem", household.passphrase, _HINT)
        self._failures = 0
        self._retry_at: datetime | None = None

    def wake_at(self) -> datetime:
        """When to ask next: at two thirds of the life, after a failure a little later.

        It is in the past when it is time already.
        """
        at = renewal.due(self._certificate())
        return at if self._retry_at is None else max(at, self._retry_at)

    def is_late(self, now: datetime) -> bool:
        """Whether the certificate has ended, so that only a proof renews it."""
        return now > self._certificate().not_valid_after_utc

    def request(self) -> bytes:
        """What to send to an issuer: a request by the same key, for the same hosts."""
        old = self._certificate()
        return make_request(
            self._private,
            self._household.name,
            self._device,
            certificate.kind_of(old),
            certificate.hosts_of(old) if self._hosts is None else self._hosts,
        )

    def proof(self, challenge: bytes) -> bytes:
        """What to answer an issuer's challenge with, when it is late.

        Raises:
            WireError: the challenge is none.
        """
        return renewal.prove(
            self._private,
            self._household.name,
            self.request(),
            certificate.to_pem(self._certificate()),
            challenge,
        )

    def failed(self, now: datetime) -> None:
        """Note that no certificate came: nobody answered, or it was refused."""
        first, most = RETRY
        self._retry_at = now + min(first * 2 ** min(self._failures, 16), most)
        self._failures += 1

    def take(self, pem: bytes, now: datetime) -> Identity:
        """Keep the certificate that an issuer answered with.

        A session that listens shows the old one until it is reopened.

        Raises:
            RevokedError: the answer is that this device was shut out.
            WireError: it is not what was asked for; the old one is then untouched.
            SetupError: it cannot be written; the old one is then untouched.
        """
        take_notice(self._household.folder, self._device, pem)
        ca = authority_certificate(self._household, now)
        new = renewal.check_answer(self._certificate(), pem, ca, now)
        disk.replace(self._cert_path, certificate.to_pem(new))
        self._failures, self._retry_at = 0, None
        return load_identity(self._household, self._device, now=now)

    def _certificate(self) -> x509.Certificate:
        return read_certificate(self._cert_path, _HINT)


def renew_here(household: Household, now: datetime) -> tuple[str, ...]:
    """Renew what is due in an issuer's own folder; elsewhere, do nothing.

    A device that was revoked is left to end.

    Returns:
        Ids of the devices that were renewed.

    Raises:
        SetupError: a key or a certificate is not fit for use, or cannot be written.
    """
    if not household.ca_key_path.exists():
        return ()
    members = {m.device for m in own_charter(household.folder).members}
    due = []
    for device in household.devices:
        path = household.folder / "devices" / device / "cert.pem"
        if device in members and now >= renewal.due(read_certificate(path, _HINT)):
            renew(household, device, now=now)
            due.append(device)
    return tuple(due)
