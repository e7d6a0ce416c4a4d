"""A second issuer is made: the running device carries the offer, its peer takes it."""

from __future__ import annotations

import asyncio
import logging
from time import monotonic

from trivet.domain import RefusedError, TrivetError, UsageError
from trivet.domain.wire import Ack, Document, Message
from trivet.fabric.household import Household
from trivet.fabric.link import Link
from trivet.fabric.succession import (
    load_offer,
    open_offers,
    take_offer,
    withdraw_offer,
)

log = logging.getLogger("trivet.app")

#: Put to a member by an issuer: the authority's key, sealed to it.
ISSUER = "issuer"
#: Seconds between two looks for offers, and until one that was refused is tried again.
LOOK_S, AGAIN_S = 1.0, 60.0
#: Seconds that the other may take: with a passphrase its keys open slowly.
ANSWER_S = 20.0


class Issuing:
    """Carries this machine's offers to their recipients, and takes one up.

    Args:
        household: the household's folder on this machine.
        device: this device's id.
        link: its place on the fabric.
    """

    def __init__(self, household: Household, device: str, link: Link) -> None:
        self._household = household
        self._device = device
        self._link = link
        self._again_at: dict[str, float] = {}
        link.answer(ISSUER, self._asked)

    async def run(self) -> None:
        """Carry over what is offered to whoever is in reach, until cancelled."""
        while True:
            await self.carry()
            await asyncio.sleep(LOOK_S)

    async def carry(self) -> None:
        """Carry over, now, what is offered to whoever is in reach."""
        try:
            offered = open_offers(self._household)
        except TrivetError as error:
            log.warning("%s: offers cannot be read: %s", self._device, error)
            return
        for device in offered:
            if device not in self._link.alive:
                self._again_at.pop(device, None)  # when it comes it is tried at once
            elif monotonic() >= self._again_at.get(device, 0.0):
                await self._carry_to(device)

    async def _carry_to(self, device: str) -> None:
        try:
            offer = Document(ISSUER, load_offer(self._household, device))
            answer = await self._link.ask(device, ISSUER, offer, timeout_s=ANSWER_S)
            if answer != Ack(True):
                raise RefusedError(f"{device} answered a {type(answer).__name__}")
        except TrivetError as error:
            self._again_at[device] = monotonic() + AGAIN_S
            log.warning("%s: %s is no issuer yet: %s", self._device, device, error)
            return
        withdraw_offer(self._household, device)
        log.warning("%s: %s can admit devices from now on", self._device, device)

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("issuer wants an offer")
        me = self._household, self._device
        await asyncio.to_thread(take_offer, *me, asker, message.body)
        log.warning("%s can admit devices from now on, by %s", self._device, asker)
        return Ack(True)
