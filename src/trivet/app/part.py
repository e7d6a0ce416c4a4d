"""A phone's or a car's part: it lives on when asked, and gives its samples."""

from __future__ import annotations

from trivet.domain import Adapter, Sample, TrivetError, UsageError
from trivet.domain.wire import Ack, Advance, Command, Message, Watermark
from trivet.fabric.link import Link

#: Asked of a simulated or replayed device: live on until an event time.
ADVANCE = "advance"
#: Asked of a device: give an actuator a target value.
COMMAND = "command"
#: Asked of the home: what the person said to a suggestion.
ANSWER = "answer"
#: Path on which suggestions reach the surfaces.
SUGGESTION = "suggestion"
#: Path on which forecasts reach the surfaces.
FORECAST = "forecast"


class Part:
    """Serves one adapter on a link.

    Args:
        adapter: the device.
        link: its place on the fabric.
    """

    def __init__(self, adapter: Adapter, link: Link) -> None:
        self._adapter = adapter
        self._link = link
        self._sent: dict[str, int] = {}
        link.answer(ADVANCE, self._advance)
        link.answer(COMMAND, self._command)

    async def _advance(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Advance):
            raise UsageError("advance wants an event time")
        for sample in self._adapter.samples(message.until):
            await self._give(asker, sample)
        return Watermark(message.until, self._sent.get(asker, 0))

    async def _give(self, recipient: str, sample: Sample) -> None:
        await self._link.publish(recipient, sample, sample.path)
        self._sent[recipient] = self._sent.get(recipient, 0) + 1

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
