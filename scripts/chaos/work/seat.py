"""Seeks the household's seat, acts for it on others' things, and keeps a resource.

Every device is a resource too: what passes its fence is written down there. Between
asking whether it may act and acting, a device takes its time, as a busy one does.
"""

from __future__ import annotations

import asyncio
from random import Random
from time import monotonic, time

from scripts.chaos.founding import KINDS
from scripts.chaos.journal import Acted, Held, Journal, Refused
from scripts.chaos.work.sabotage import Sabotage
from scripts.chaos.work.setting import Settings

from trivet.app.part import COMMAND
from trivet.app.seating import Seating
from trivet.domain import DeviceKind, TrivetError, UsageError
from trivet.domain.wire import Ack, Command, Message
from trivet.fabric.link import Link
from trivet.fabric.seat import ENGINE, Standing

#: Between two acts, and the most that a device takes its time.
ACT_EVERY_S, DAWDLE_S = 0.25, 0.4
ASK_S = 1.5
#: What the shipped policy lets one kind set of another's: path and value.
COMMANDS = {
    (DeviceKind.PHONE, DeviceKind.HOME): ("light.chaos", "on"),
    (DeviceKind.CAR, DeviceKind.HOME): ("cover.chaos", "closed"),
    (DeviceKind.HOME, DeviceKind.CAR): ("Vehicle.Cabin.HVAC.Chaos", "on"),
}


class SeatWork:
    """One node's part in the seat, as who seeks it and as a resource.

    Args:
        settings: the node's.
        seating: its seats.
        link: its place on the fabric.
        journal: where it is written down.
    """

    def __init__(
        self, settings: Settings, seating: Seating, link: Link, journal: Journal
    ) -> None:
        self._me = settings.device
        self._seating, self._link, self._journal = seating, link, journal
        self._random = Random(settings.seed * 1000 + settings.life)
        self._steals = Sabotage.TOKEN in settings.sabotage
        self._is_quiet = False
        link.answer(COMMAND, self._commanded)

    def set_quiet(self, is_quiet: bool) -> None:
        """Act no more, or go on."""
        self._is_quiet = is_quiet

    async def run(self) -> None:
        """Act until cancelled."""
        while True:
            await asyncio.sleep(ACT_EVERY_S)
            if not self._is_quiet and self._may_act():
                try:
                    await self._act()
                except TrivetError as error:
                    self._journal.add(Refused(what="act", why=str(error)[:200]))

    def _may_act(self) -> bool:
        """Whether this device holds the seat at this moment; it is written down."""
        seen = monotonic()  # before: what is frozen in between is then no holder
        hold = self._seating.holding(ENGINE)
        if hold is not None and hold.standing is Standing.HOLDING:
            self._journal.add(Held(seat=ENGINE, token=hold.token, seen=seen))
            return True
        if self._steals and (token := self._seating.row(ENGINE).token):
            self._journal.add(Held(seat=ENGINE, token=token, seen=seen))
        return False

    async def _act(self) -> None:
        async with self._seating.acting(ENGINE) as token:
            await asyncio.sleep(self._random.uniform(0.0, DAWDLE_S))
            self._take(ENGINE, token, self._me)
            for device in sorted(self._link.alive):
                found = COMMANDS.get((KINDS[self._me], KINDS[device]))
                if found is not None:
                    command = Command(*found, time(), ENGINE, token)
                    await self._link.ask(device, COMMAND, command, timeout_s=ASK_S)

    async def _commanded(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Command):
            raise UsageError("command wants a command")
        self._take(message.seat, message.token, asker)
        return Ack(True)

    def _take(self, seat: str, token: int, asker: str) -> None:
        """Do what a holder wants, if the fence lets it."""
        self._seating.fence.admit(seat, token, asker)
        self._journal.add(Acted(seat=seat, token=token, holder=asker))
