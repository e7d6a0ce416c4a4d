"""A device's part: it lives on when asked, obeys, and gives what is leased of it."""

from __future__ import annotations

from collections.abc import Callable

from trivet.app.board import Board
from trivet.app.trust import Trust
from trivet.domain import (
    Adapter,
    DeviceKind,
    Purpose,
    Sample,
    TrivetError,
    UsageError,
)
from trivet.domain.sample import BATTERY, LOCATION
from trivet.domain.wire import Ack, Advance, Command, Message, Watermark
from trivet.fabric.lease_gate import FORECAST, SUGGESTION
from trivet.fabric.lessee import Wish
from trivet.fabric.letter import Received
from trivet.fabric.link import Link

#: Asked of a simulated or replayed device: live on until an event time.
ADVANCE = "advance"
#: Asked of a device: give an actuator a target value.
COMMAND = "command"

#: What each device wants of the others while it runs.
WISHES = {
    DeviceKind.HOME: (
        Wish("phone", (LOCATION, BATTERY), Purpose.ARRIVAL),
        Wish("car", ("Vehicle.**",), Purpose.COMFORT),
    ),
    DeviceKind.PHONE: (
        Wish("home", (FORECAST, SUGGESTION), Purpose.DISPLAY),
        Wish("car", ("Vehicle.IsMoving",), Purpose.SAFETY),
    ),
    DeviceKind.CAR: (
        Wish("home", (FORECAST, SUGGESTION), Purpose.DISPLAY),
        Wish("phone", (FORECAST, SUGGESTION), Purpose.DISPLAY),  # while it leads
        Wish("phone", (LOCATION,), Purpose.NAVIGATION),
    ),
}


class Part:
    """Serves one adapter on a link.

    Args:
        adapter: the device.
        link: its place on the fabric.
        trust: its leases, attached to the link.
    """

    def __init__(self, adapter: Adapter, link: Link, trust: Trust) -> None:
        self.link = link
        self.trust = trust
        self._adapter = adapter
        self._sent: dict[str, int] = {}
        self._takers: list[Callable[[Received], None]] = []
        self._keepers: list[Callable[[Sample], None]] = []
        self._checks: list[Callable[[str, Command], None]] = []
        #: the suggestions for the person where this device is
        self.board = Board(link, trust)
        link.answer(ADVANCE, self._advance)
        link.answer(COMMAND, self._command)

    def on_heard(self, take: Callable[[Received], None]) -> None:
        """Have `take` called with all that others send and that is not trust's own."""
        self._takers.append(take)

    def on_lived(self, keep: Callable[[Sample], None]) -> None:
        """Have `keep` called with each sample of this device."""
        self._keepers.append(keep)

    def on_command(self, check: Callable[[str, Command], None]) -> None:
        """Have `check` called before a command is obeyed; it raises to refuse it."""
        self._checks.append(check)

    async def run(self) -> None:
        """Take in what others send until the link closes."""
        async for received in self.link.subscribe():
            heard = await self.trust.hear(received)
            if heard is None:
                continue
            self.board.hear(heard)
            for take in self._takers:
                take(heard)

    async def live_on(self, until: float) -> None:
        """Let the device itself live on until an event time."""
        for sample in self._adapter.samples(until):
            self.board.learn(sample)
            for keep in self._keepers:
                keep(sample)
            for recipient in await self.trust.live(sample):
                self._sent[recipient] = self._sent.get(recipient, 0) + 1
        await self.trust.tick(until)
        self.board.look()

    def obey(self, asker: str, command: Command) -> Ack:
        """Give a command of `asker` to the device; what the device says to it."""
        try:
            for check in self._checks:
                check(asker, command)
            self._adapter.command(command.path, command.value, command.time)
        except TrivetError as error:
            return Ack(False, str(error)[:1000])
        return Ack(True)

    async def _advance(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Advance):
            raise UsageError("advance wants an event time")
        await self.live_on(message.until)
        return Watermark(message.until, self._sent.get(asker, 0))

    async def _command(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Command):
            raise UsageError("command wants a path, a value and a time")
        return self.obey(asker, message)
