"""The fabric in one process: the twin of a Zenoh session, for tests and the demo.

Everything crosses it as bytes, so what the wire refuses is refused here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from trivet.domain.error import UnreachableError, UsageError
from trivet.fabric import key
from trivet.fabric.desk import Handler, Reply
from trivet.fabric.gate import Gate
from trivet.fabric.link import Link, Listener


class MemoryFabric:
    """A household whose devices live in this process, on one event loop."""

    def __init__(self, household: str = "household") -> None:
        self.household = key.check_id(household, "household name")
        self._links: dict[str, MemoryLink] = {}

    @asynccontextmanager
    async def open_session(
        self,
        device: str,
        *,
        gate: Gate | None = None,
        answers: Mapping[str, Handler] | None = None,
        on_message: Listener | None = None,
        capacity: int = 4096,
    ) -> AsyncIterator[Link]:
        """Put a device on the fabric, until the end of the `async with`.

        Raises:
            UsageError: a bad id, or the device is there already.
        """
        if device in self._links:
            raise UsageError(f"{device} is on this fabric already")
        link = MemoryLink(self, device, gate, answers, on_message, capacity)
        self._join(link)
        async with link:
            yield link

    def inject(self, recipient: str, text: str, data: bytes) -> None:
        """Hand raw bytes under the key `text` to a device, as a hostile peer would."""
        self._links[recipient]._arrived(text, data)

    def _join(self, link: MemoryLink) -> None:
        for other in self._links.values():
            other._see(link.device, is_alive=True)
            link._see(other.device, is_alive=True)
        self._links[link.device] = link

    def _part(self, link: MemoryLink) -> None:
        del self._links[link.device]
        for other in self._links.values():
            other._see(link.device, is_alive=False)

    def _at(self, device: str) -> MemoryLink | None:
        return self._links.get(device)


class MemoryLink(Link):
    """A device's place on a MemoryFabric."""

    def __init__(
        self,
        fabric: MemoryFabric,
        device: str,
        gate: Gate | None,
        answers: Mapping[str, Handler] | None,
        on_message: Listener | None,
        capacity: int,
    ) -> None:
        super().__init__(
            fabric.household,
            device,
            gate=gate,
            answers=answers,
            on_message=on_message,
            capacity=capacity,
        )
        self._fabric = fabric

    def _see(self, device: str, *, is_alive: bool) -> None:
        self._tell(self._presence.token(device, is_alive))

    def _send(self, text: str, data: bytes) -> None:
        link = self._fabric._at(key.parse_stream(text).recipient)
        if link is not None and link._listener is None:
            link._arrived(text, data)
        elif link is not None:  # not within the call of whoever published
            asyncio.get_running_loop().call_soon(link._arrived, text, data)

    async def _request(self, owner: str, question: str, data: bytes) -> Reply:
        text = key.question(self.household, owner, self.device, question)
        link = self._fabric._at(owner)
        if link is None:
            raise UnreachableError(f"{owner} has left", hint=self._absence_hint())
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def settle(reply: Reply) -> None:
            if not future.done():
                future.set_result(reply)

        link._desk.take(text, data, settle)
        return await future

    async def _shut(self) -> None:
        self._fabric._part(self)
