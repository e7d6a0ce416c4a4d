"""A phone's or a car's part: it lives on when asked, and gives what is leased."""

from __future__ import annotations

from collections import deque

from trivet.app.trust import Trust
from trivet.domain import (
    Adapter,
    DeviceKind,
    Forecast,
    Purpose,
    Suggestion,
    TrivetError,
    UsageError,
)
from trivet.domain.sample import LOCATION
from trivet.domain.wire import Ack, Advance, Command, Message, Watermark
from trivet.fabric.lease_gate import FORECAST, SUGGESTION
from trivet.fabric.lessee import Wish
from trivet.fabric.link import Link

#: Asked of a simulated or replayed device: live on until an event time.
ADVANCE = "advance"
#: Asked of a device: give an actuator a target value.
COMMAND = "command"
#: Asked of the home: what the person said to a suggestion.
ANSWER = "answer"


#: What a phone and a car want of the others while they run.
WISHES = {
    DeviceKind.PHONE: (
        Wish("home", (FORECAST, SUGGESTION), Purpose.DISPLAY),
        Wish("car", ("Vehicle.IsMoving",), Purpose.SAFETY),
    ),
    DeviceKind.CAR: (
        Wish("home", (FORECAST, SUGGESTION), Purpose.DISPLAY),
        Wish("phone", (LOCATION,), Purpose.NAVIGATION),
    ),
}


class Part:
    """Serves one adapter on a link.

    Args:
        adapter: the device.
        link: its place on the fabric.
        trust: its leases; attached to the link here.
    """

    def __init__(self, adapter: Adapter, link: Link, trust: Trust) -> None:
        self._adapter = adapter
        self._link = link
        self._trust = trust
        self._sent: dict[str, int] = {}
        #: the newest suggestions and forecasts for this surface, newest last
        self.shown: deque[Suggestion | Forecast] = deque(maxlen=64)
        trust.attach(link, WISHES.get(adapter.device.kind, ()))
        link.answer(ADVANCE, self._advance)
        link.answer(COMMAND, self._command)

    async def run(self) -> None:
        """Take in what others send until the link closes."""
        async for received in self._link.subscribe():
            heard = await self._trust.hear(received)
            if heard and isinstance(heard.message, Suggestion | Forecast):
                self.shown.append(heard.message)

    async def _advance(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Advance):
            raise UsageError("advance wants an event time")
        for sample in self._adapter.samples(message.until):
            for recipient in await self._trust.live(sample):
                self._sent[recipient] = self._sent.get(recipient, 0) + 1
        await self._trust.tick(message.until)
        return Watermark(message.until, self._sent.get(asker, 0))

    async def _command(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Command):
            raise UsageError("command wants a path, a value and a time")
        return obey(self._adapter, message)


def obey(adapter: Adapter, command: Command) -> Ack:
    """Give the command to the device; what it says to it."""
    try:
        adapter.command(command.path, command.value, command.time)
    except TrivetError as error:
        return Ack(False, str(error))
    return Ack(True)
