"""What arrives: raw bytes under a key, opened into who sent what on which path."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import lru_cache
from typing import Self

import msgspec

from trivet.domain.error import WireError
from trivet.domain.wire import Message, decode
from trivet.fabric import key
from trivet.fabric.inbox import Inbox

_parse_stream = lru_cache(maxsize=4096)(key.parse_stream)


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message that a device sent to this one.

    Attributes:
        owner: id of the device that sent it.
        path: the path that it was published on.
        message: the message.
    """

    owner: str
    path: str
    message: Message


def open_letter(text: str, data: bytes) -> Received:
    """The message that arrived as `data` under the key `text`.

    Raises:
        WireError: it is none of ours.
    """
    stream = _parse_stream(text)
    return Received(stream.owner, stream.path, decode(data))


class Subscription:
    """Reads an inbox, without what is no message of ours and who is shut out."""

    def __init__(
        self,
        inbox: Inbox[tuple[str, bytes]],
        barred: Container[str],
        note_malformed: Callable[[WireError], None],
    ) -> None:
        self._inbox = inbox
        self._barred = barred
        self._note_malformed = note_malformed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Received:
        """The next message; ends when the link is closed and its inbox empty."""
        while True:
            try:
                received = open_letter(*await self._inbox.__anext__())
                if received.owner not in self._barred:
                    return received
            except WireError as error:
                self._note_malformed(error)
