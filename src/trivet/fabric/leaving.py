"""Leaving the fabric in bounded time, whatever state the others are in.

Zenoh's `close` waits up to ten seconds for a peer that does not answer, and a link
that is cut while it waits does not end the wait. So the roll is called before, and
the links of whoever does not answer are cut first. A session that is still open when
the interpreter ends would never let it end; one is closed then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container
from contextlib import suppress
from threading import Condition, Thread
from time import sleep
from typing import NamedTuple

from trivet.domain.error import SetupError
from trivet.fabric.background import in_thread
from trivet.fabric.heart import Heart

log = logging.getLogger("trivet.fabric")

#: Seconds that the others have to answer, and that Zenoh has to see a cut link.
ROLL_S, SETTLE_S = 0.25, 0.05
#: Seconds that taking down a token may take.
WORD_S = 0.1
#: Seconds that calls under way have to end.
DEAF_S = 0.3
#: Least seconds that closing itself may take.
_LEAST_S = 0.3
#: Seconds for which a session that was left to itself may hold its address: Zenoh takes
#: ten to close one at the most; and between two looks whether it still does.
FREE_S, AGAIN_S = 12.0, 0.2


class Ears:
    """What still listens: Zenoh calls back on threads of its own, one a subscription.

    A closed session goes on calling with what had come before. A call that comes back
    into an interpreter that has ended brings the process down, so whoever closes a
    session waits until the last one has gone deaf.
    """

    def __init__(self) -> None:
        self._count = 0
        self._change = Condition()

    def open(self) -> Callable[[], None]:
        """One more. Returns what is to be called when it has gone deaf."""
        with self._change:
            self._count += 1
        return self._close

    def wait(self, limit_s: float) -> bool:
        """Wait until all are deaf. Returns whether they are."""
        with self._change:
            return self._change.wait_for(lambda: self._count == 0, limit_s)

    def _close(self) -> None:
        with self._change:
            self._count -= 1
            self._change.notify_all()


class Way(NamedTuple):
    """The steps of leaving.

    Attributes:
        withdraw: takes down the device's token, so that nobody begins anything more;
            blocks.
        settle: ends what is under way.
        close: closes the session; blocks.
    """

    withdraw: Callable[[], None]
    settle: Callable[[], Awaitable[None]]
    close: Callable[[], None]


async def leave(
    device: str,
    heart: Heart,
    way: Way,
    limit_s: float,
    barred: Container[str] = (),
) -> None:
    """Close a session; after `limit_s` it is left to itself.

    Args:
        device: the device that leaves.
        heart: its own.
        way: the steps of it.
        limit_s: seconds that it may take, but for answering.
        barred: devices that are shut out.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    mute = await heart.call_roll(min(ROLL_S, limit_s / 3), barred)
    is_cut = heart.cut(mute) > 0
    if is_cut:
        log.info("%s: leaves without word to %s", device, ", ".join(sorted(mute)))
    if is_cut or not mute:  # else it would wait for whoever is mute
        with suppress(TimeoutError):
            async with asyncio.timeout(WORD_S):
                await in_thread(way.withdraw)
    if is_cut:
        await asyncio.sleep(SETTLE_S)
    left_s = max(limit_s - (loop.time() - began), _LEAST_S)
    await way.settle()
    heart.pause()
    try:
        async with asyncio.timeout(left_s):
            await in_thread(way.close)
    except TimeoutError:
        log.warning("%s: leaving took over %g s", device, limit_s)


async def once_free(
    begin: Callable[[], Awaitable[None]], fault: type[Exception]
) -> None:
    """Begin anew, as soon as the session before has let go of its address.

    Args:
        begin: opens a session.
        fault: what it raises when it cannot; raised on if it is anything else, or
            after FREE_S.
    """
    end = asyncio.get_running_loop().time() + FREE_S
    while True:
        try:
            await begin()
        except fault as error:
            is_taken = "address already in use" in str(error).lower()
            if not is_taken or asyncio.get_running_loop().time() > end:
                raise
        else:
            return
        await asyncio.sleep(AGAIN_S)


def leave_at_exit(
    heart: Heart, close: Callable[[], None], ears: Ears, limit_s: float
) -> None:
    """Close a session that nobody closed, when the interpreter ends.

    A thread of Zenoh's that came back into an interpreter that has ended would bring
    the process down, and the process waits for ever for those that do not.
    """
    heart.end()
    if heart.cut():
        sleep(SETTLE_S)

    def run() -> None:
        with suppress(Exception):  # there is nobody left to tell
            close()

    closing = Thread(target=run, daemon=True, name="trivet-zenoh")
    closing.start()
    closing.join(limit_s)
    ears.wait(DEAF_S)


def not_opened(device: str, error: Exception) -> SetupError:
    """What is told of a session that could not be opened."""
    return SetupError(
        f"{device} cannot open its session: {error}",
        hint="if it listens: is the port taken by another program?",
    )
