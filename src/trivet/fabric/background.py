"""Work beside the event loop, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any

log = logging.getLogger("trivet.fabric")


async def cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has ended; what it raised is its own matter."""
    task.cancel()
    await asyncio.wait([task])


def keep_up(life: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
    """Start what is to run until it is cancelled; should it fail, that is said at once.

    Args:
        life: runs.
        what: it is, for a person.
    """
    task = asyncio.get_running_loop().create_task(life)

    def tell(done: asyncio.Task[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.error("%s has ended: start the device anew", what, exc_info=error)

    task.add_done_callback(tell)
    return task


async def in_thread(work: Callable[[], None]) -> None:
    """Run blocking `work` in a thread that cannot hold up the program's end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        fault: BaseException | None = None
        try:
            work()
        except Exception as error:
            fault = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, fault)

    Thread(target=run, daemon=True, name="trivet-zenoh").start()
    await done


async def first_of(*lives: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, then end the others.

    Raises:
        What the one that ended raised.
    """
    running = [asyncio.ensure_future(life) for life in lives]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
