"""Certificates renewed by themselves: a device's side, and an issuer's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from trivet.domain import RefusedError, SetupError, TrivetError, UsageError
from trivet.domain.wire import Document, Message
from trivet.fabric.charter import own_charter
from trivet.fabric.household import Household, authority
from trivet.fabric.identity import Identity
from trivet.fabric.link import Link
from trivet.fabric.renewal import answer_member
from trivet.fabric.renewer import Renewer

log = logging.getLogger("trivet.app")

#: Asked of an issuer: a new certificate for the asker's key.
RENEW = "renew"
#: Longest sleep in seconds: the clock may be set meanwhile.
SLEEP_S = 600.0


def _clock() -> datetime:
    return datetime.now(UTC)


class Renewing:
    """Keeps one device's certificate from ending; renews others' where it can.

    Args:
        household: the household's folder on this machine.
        device: this device's id.
        link: its place on the fabric.
        renewed: takes up the new identity; see Keeper.renewed.
        clock: the time now.
    """

    def __init__(
        self,
        household: Household,
        device: str,
        link: Link,
        renewed: Callable[[Identity], Awaitable[None]],
        clock: Callable[[], datetime] = _clock,
    ) -> None:
        self._household = household
        self._device = device
        self._link = link
        self._renewed = renewed
        self._clock = clock
        self._renewer = Renewer(household, device)
        link.answer(RENEW, self._asked)

    async def run(self) -> None:
        """Renew when it is time, until cancelled."""
        while True:
            left_s = (self._renewer.wake_at() - self._clock()).total_seconds()
            if left_s > 0:
                await asyncio.sleep(min(left_s, SLEEP_S))
            else:
                await self.renew()

    async def renew(self) -> bool:
        """Ask whoever is there for a new certificate; whether one was given."""
        request = Document(RENEW, self._renewer.request())
        for issuer in (self._device, *sorted(self._link.alive)):
            try:
                answer = await self._put(issuer, request)
                identity = self._renewer.take(answer, self._clock())
            except TrivetError as error:
                log.info("%s: %s gave no certificate: %s", self._device, issuer, error)
                continue
            log.info("%s: certificate renewed by %s", self._device, issuer)
            await self._renewed(identity)
            return True
        self._renewer.failed(self._clock())
        log.warning("%s: nobody in reach renewed its certificate", self._device)
        return False

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
            issuer = authority(self._household, now)
        except SetupError as error:
            raise RefusedError(
                f"{self._device} cannot renew certificates", hint="ask an issuer"
            ) from error
        agreed = own_charter(self._household.folder)
        pem = answer_member(issuer, agreed, asker, message.body, now=now)
        return Document("certificate", pem)
