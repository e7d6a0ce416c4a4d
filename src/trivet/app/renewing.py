"""Certificates renewed by themselves: a device's side, and an issuer's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from trivet.domain import (
    PeerError,
    RefusedError,
    RevokedError,
    SetupError,
    TrivetError,
    UsageError,
)
from trivet.domain.wire import Document, Message
from trivet.fabric import charter
from trivet.fabric.charter import own_charter
from trivet.fabric.household import Household, authority
from trivet.fabric.identity import Identity, load_identity
from trivet.fabric.late import late_address, renew_late
from trivet.fabric.late_server import LateServer
from trivet.fabric.link import Link
from trivet.fabric.notice import check_standing
from trivet.fabric.refounding import word_for
from trivet.fabric.renewal import LateDesk, answer_member
from trivet.fabric.renewer import Renewer
from trivet.fabric.roll import Authority

log = logging.getLogger("trivet.app")

#: Asked of an issuer: a new certificate for the asker's key.
RENEW = "renew"
#: Longest sleep in seconds: the clock may be set meanwhile, the machine wake, or
#: another process put another certificate in place.
SLEEP_S = 2.0
#: Seconds between two looks whether this device has become an issuer.
LOOK_S = 2.0


def _clock() -> datetime:
    return datetime.now(UTC)


class Opened:
    """The authority's key, opened once for as long as its file stays what it is.

    With a passphrase opening it is slow by intent, and who asks must not cause that.

    Args:
        household: the household's folder on this machine.
    """

    def __init__(self, household: Household) -> None:
        self._household = household
        self._turn = asyncio.Lock()
        self._kept: tuple[tuple[int, int], Authority] | None = None

    async def authority(self, now: datetime) -> Authority:
        """What this machine issues with.

        Raises:
            SetupError: the authority's key is not here or not fit for use.
        """
        async with self._turn:
            path = self._household.ca_key_path
            try:
                found = path.stat()
            except OSError as error:
                raise SetupError(f"{path}: {error.strerror}") from error
            stamp = found.st_mtime_ns, found.st_ino
            if self._kept is None or self._kept[0] != stamp:
                opened = await asyncio.to_thread(authority, self._household, now)
                self._kept = stamp, opened
            return self._kept[1]


class Renewing:
    """Keeps one device's certificate from ending; renews others' where it can.

    Args:
        household: the household's folder on this machine.
        device: this device's id.
        link: its place on the fabric.
        renewed: takes up the new identity; see Keeper.renewed.
        clock: the time now.
        connect: `host:port` of the devices that it dials, for when it is late.
    """

    def __init__(
        self,
        household: Household,
        device: str,
        link: Link,
        renewed: Callable[[Identity], Awaitable[None]],
        clock: Callable[[], datetime] = _clock,
        connect: Sequence[str] = (),
    ) -> None:
        self._household = household
        self._device = device
        self._link = link
        self._renewed = renewed
        self._clock = clock
        self._connect = tuple(connect)
        self._opened = Opened(household)
        self._renewer = Renewer(household, device)
        self._shown = self._look()
        link.answer(RENEW, self._asked)

    async def run(self) -> None:
        """Renew when it is time, until cancelled."""
        while True:
            await self._reread()
            left_s = (self._renewer.wake_at() - self._clock()).total_seconds()
            if left_s > 0:
                await asyncio.sleep(min(left_s, SLEEP_S))
            else:
                await self.renew()

    async def renew(self) -> bool:
        """Ask whoever is there for a new certificate; whether one was given."""
        identity = await self._ask_members() or await self._prove()
        if identity is None:
            self._renewer.failed(self._clock())
            log.warning("%s: nobody in reach renewed its certificate", self._device)
            return False
        self._shown = self._look()
        await self._renewed(identity)
        return True

    async def _reread(self) -> None:
        """Show a certificate that another process has renewed, as a person may."""
        found = self._look()
        if found == self._shown:
            return
        self._shown = found
        try:
            identity = load_identity(self._household, self._device, now=self._clock())
        except SetupError as error:
            log.warning("%s: its new certificate: %s", self._device, error)
            return
        await self._renewed(identity)

    def _look(self) -> tuple[int, int]:
        path = self._household.folder / "devices" / self._device / "cert.pem"
        try:
            found = path.stat()
        except OSError:
            return 0, 0  # whoever reads it says so
        return found.st_mtime_ns, found.st_ino

    async def _ask_members(self) -> Identity | None:
        request = Document(RENEW, self._renewer.request())
        for issuer in (self._device, *sorted(self._link.alive)):
            try:
                answer = await self._put(issuer, request)
                identity = self._renewer.take(answer, self._clock())
            except TrivetError as error:
                log.info("%s: %s gave no certificate: %s", self._device, issuer, error)
                continue
            log.info("%s: certificate renewed by %s", self._device, issuer)
            return identity
        return None

    async def _prove(self) -> Identity | None:
        """When it has ended no member is in reach: prove the key instead."""
        if not self._renewer.is_late(self._clock()):
            return None
        ca_path = self._household.ca_path
        try:
            return await renew_late(self._renewer, ca_path, self._connect, self._clock)
        except TrivetError as error:
            log.warning("%s: late, and no certificate: %s", self._device, error)
            return None

    async def _put(self, issuer: str, request: Document) -> bytes:
        if issuer == self._device:
            answer: Message = await self._asked(issuer, request)
        else:
            answer = await self._link.ask(issuer, RENEW, request)
        if not isinstance(answer, Document):
            raise RefusedError(f"{issuer} answered a {type(answer).__name__}")
        return answer.body

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("renew wants a request")
        now = self._clock()
        try:
            issuer = await self._opened.authority(now)
        except SetupError as error:
            raise RefusedError(
                f"{self._device} cannot renew certificates", hint="ask an issuer"
            ) from error
        agreed = own_charter(self._household.folder)
        pem = answer_member(issuer, agreed, asker, message.body, now=now)
        return Document("certificate", pem)


class LateDoor:
    """Where this device serves late ones, from when on it can issue certificates.

    Args:
        household: the household's folder on this machine.
        identity: this device's; shown to whoever dials.
        listen: `host:port` of its own session; late devices dial the port after it.
        clock: the time now.
    """

    def __init__(
        self,
        household: Household,
        identity: Identity,
        listen: str,
        clock: Callable[[], datetime] = _clock,
    ) -> None:
        self._household = household
        self._identity = identity
        self._listen = listen
        self._clock = clock
        self._desk = LateDesk()
        self._opened = Opened(household)
        self._server: LateServer | None = None

    def show(self, identity: Identity) -> None:
        """Show this certificate from now on."""
        self._identity = identity
        if self._server is not None:
            self._server.show(identity)

    async def run(self) -> None:
        """Serve until cancelled; without a free port, say so and do nothing.

        What the device is for goes on without it, and others may issue as well.
        """
        try:
            await self._serve()
        except (SetupError, UsageError) as error:
            log.warning("%s: no late renewals: %s", self._identity.device, error)
        await asyncio.Event().wait()

    async def _serve(self) -> None:
        address = late_address(self._listen)
        await self._issuer()

        async def answer(proof: bytes) -> bytes:
            issuer = await self._opened.authority(self._clock())
            agreed = await asyncio.to_thread(own_charter, self._household.folder)
            return self._desk.answer(issuer, agreed, proof, now=self._clock())

        def challenge() -> bytes:
            return self._desk.challenge(self._clock())

        def word(device: str) -> bytes:
            return word_for(self._household, device)

        self._server = LateServer(self._identity, challenge, answer, word)
        await self._server.run(address)

    async def _issuer(self) -> None:
        """Wait until there is something to sign with."""
        while not self._household.ca_key_path.exists():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        await self._opened.authority(self._clock())


async def current_identity(
    household: Household,
    device: str,
    connect: Sequence[str] = (),
    clock: Callable[[], datetime] = _clock,
) -> Identity:
    """A device's identity, its certificate renewed first where that has ended.

    Args:
        household: the household's folder on this machine.
        device: the device's id.
        connect: `host:port` of the devices that it dials.
        clock: the time now.

    Raises:
        UsageError: a bad id or address.
        RevokedError: this device was shut out.
        SetupError: there is no identity that can be used, or renewed.
        RefusedError: the certificate has ended, and who answered renewed it not.
        UnreachableError: the certificate has ended, and nobody answered.
    """
    if (household.folder / charter.FILE).exists():
        check_standing(own_charter(household.folder), device)
    try:
        return load_identity(household, device, now=clock())
    except SetupError:
        renewer = Renewer(household, device)
        if not renewer.is_late(clock()):
            raise
    if household.ca_key_path.exists():
        now, agreed = clock(), own_charter(household.folder)
        issuer, request = authority(household, now), renewer.request()
        pem = answer_member(issuer, agreed, device, request, now=now)
        return renewer.take(pem, now)
    try:
        return await renew_late(renewer, household.ca_path, connect, clock)
    except RevokedError:
        raise
    except PeerError as error:
        raise type(error)(
            f"the certificate of {device} has ended and was not renewed: "
            f"{error.message}",
            hint=error.hint,
        ) from error
