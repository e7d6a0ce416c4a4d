"""The desk: where questions put to this device are answered, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from typing import TypeAlias

import msgspec

from trivet.domain.error import RefusedError, TrivetError, UsageError, WireError
from trivet.domain.wire import Ack, Message, decode, encode
from trivet.fabric import key
from trivet.fabric.gate import Gate

log = logging.getLogger("trivet.fabric")

#: Answers a question: the asker's id and its message in, the answer out.
Handler: TypeAlias = Callable[[str, Message | None], Awaitable[Message]]
#: Questions answered at the same time; one more is refused.
MAX_ANSWERING = 64
#: Others see a device before all its parts offer their answers. What it is asked in so
#: many seconds after its first question waits for them.
PATIENCE_S = 2.0
_MAX_ERROR = 1000


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What goes back to an asker.

    Attributes:
        ok: whether the question was answered.
        data: the encoded answer; if not `ok`, an encoded Ack that says why.
    """

    ok: bool
    data: bytes


def refusal(why: str) -> Reply:
    """A reply that says no."""
    return Reply(False, encode(Ack(False, why[:_MAX_ERROR])))


class Desk:
    """Handlers by question, and the tasks that run them.

    Args:
        household: the household's name.
        device: id of the device whose desk this is.
        gate: what questions and answers pass.
        barred: ids of the devices that are shut out.
        note_malformed: is told of what could not be read, and of its sender.
    """

    def __init__(
        self,
        household: str,
        device: str,
        gate: Gate,
        barred: Container[str],
        note_malformed: Callable[[WireError], None],
    ) -> None:
        self._household = household
        self._device = device
        self._gate = gate
        self._barred = barred
        self._note_malformed = note_malformed
        self._handlers: dict[str, Handler] = {}
        self._tasks: set[asyncio.Task[Reply]] = set()
        self._offered = asyncio.Event()
        self._patient_until: float | None = None

    def set_handler(self, question: str, handler: Handler) -> None:
        """Let `handler` answer `question`.

        Raises:
            UsageError: no question's name, or it is answered already.
        """
        key.check_path(question, "question")
        if question in self._handlers:
            raise UsageError(f"the question {question!r} is answered already")
        self._handlers[question] = handler
        self._offered.set()

    def take(self, text: str, data: bytes, reply: Callable[[Reply], None]) -> None:
        """Answer what arrived under the key `text`; `reply` is called exactly once.

        Called on the loop. A link that closes meanwhile replies a refusal.
        """
        if len(self._tasks) >= MAX_ANSWERING:
            reply(refusal(f"{self._device} is busy with {MAX_ANSWERING} questions"))
            return
        if self._patient_until is None:
            self._patient_until = asyncio.get_running_loop().time() + PATIENCE_S
        task = asyncio.ensure_future(self._serve(text, data))
        self._tasks.add(task)

        def finish(task: asyncio.Task[Reply]) -> None:
            self._tasks.discard(task)
            leaving = refusal(f"{self._device} is leaving")
            reply(leaving if task.cancelled() else task.result())

        task.add_done_callback(finish)

    async def settle(self, limit_s: float) -> None:
        """Wait until what is under way is answered, or `limit_s` has passed."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=limit_s)

    async def close(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, text: str, data: bytes) -> Reply:
        try:
            return await self._answer(text, data)
        except TrivetError as error:
            if isinstance(error, WireError):
                self._note_malformed(error)
            return refusal(str(error))
        except Exception as error:
            log.exception("%s: the handler of %s failed", self._device, text)
            return refusal(f"its handler failed with {type(error).__name__}")

    async def _answer(self, text: str, data: bytes) -> Reply:
        asked = key.parse_question(text)
        if (asked.household, asked.owner) != (self._household, self._device):
            raise WireError(f"{text!r} is a question for another device")
        if asked.asker in self._barred:
            return refusal(f"{asked.asker} is shut out of this household")
        handler = await self._handler(asked.name)
        if handler is None:
            return refusal(f"no answer is offered to {asked.name!r}")
        message = decode(data) if data else None
        self._gate.admits(asked.asker, asked.name, message)
        answer = await handler(asked.asker, message)
        passed = self._gate.sends(asked.asker, asked.name, answer)
        if passed is None:
            raise RefusedError(f"the answer may not go to {asked.asker}")
        return Reply(True, encode(passed))

    async def _handler(self, question: str) -> Handler | None:
        """Who answers a question; who just came may offer it in a moment."""
        if question not in self._handlers:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._patient_until):
                    while question not in self._handlers:
                        self._offered.clear()
                        await self._offered.wait()
        return self._handlers.get(question)
