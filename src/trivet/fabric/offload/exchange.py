"""Where words about tasks come in: for the worker, or for what is awaited of others."""

from __future__ import annotations

from trivet.domain.error import WireError
from trivet.domain.wire import Message
from trivet.fabric.link import Link
from trivet.fabric.offload.errand import Errands
from trivet.fabric.offload.message import (
    TASK,
    Cancel,
    Failure,
    Look,
    More,
    Part,
    Result,
    Status,
    Submit,
    pack,
    unpack,
)
from trivet.fabric.offload.worker import Worker


class Exchange:
    """Answers the question `task` on a link.

    The link's gate has asked the policy before; who asks is who the link says it is.

    Args:
        link: the device's place on the fabric.
        worker: what it runs for others and itself.
        errands: what others run for it.
    """

    def __init__(self, link: Link, worker: Worker, errands: Errands) -> None:
        self._worker = worker
        self._errands = errands
        link.answer(TASK, self._asked)

    async def _asked(self, asker: str, message: Message | None) -> Message:
        word = unpack(message)
        if isinstance(word, Look | Submit | Part | Status | Cancel):
            return pack(await self._worker.answer(asker, word))
        if isinstance(word, Result | More | Failure):
            return pack(self._errands.answer(asker, word))
        raise WireError(f"{asker} asked with a {type(word).__name__.lower()}")
