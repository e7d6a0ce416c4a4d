"""The days before today, learned by a process of their own while the page comes up."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread

from trivet.domain import SetupError


class Past:
    """Something long to learn, under way in a fork of this process.

    What is learned comes back as bytes that are read as data, never run. Make one
    before the process has an event loop or a thread: those do not survive a fork.

    Args:
        learn: learns; gives what it learned.
        after_s: seconds that it waits first, for others to have the processor.
    """

    def __init__(self, learn: Callable[[], bytes], after_s: float = 0.0) -> None:
        fork = multiprocessing.get_context("fork")
        self._reader, writer = fork.Pipe(duplex=False)
        with writer:
            self._process = fork.Process(
                target=_send,
                args=(learn, self._reader, writer, after_s),
                daemon=True,
            )
            self._process.start()

    async def take(self) -> bytes:
        """Wait until it is learned; to be called once.

        Raises:
            SetupError: the process ended without an answer.
        """
        is_there = asyncio.Event()
        loop, number = asyncio.get_running_loop(), self._reader.fileno()
        loop.add_reader(number, is_there.set)
        try:
            await is_there.wait()
        finally:
            loop.remove_reader(number)
        try:
            return self._reader.recv_bytes()
        except EOFError as error:
            raise SetupError(
                "the process that learns the past ended without an answer",
                hint="what it said is above; is there memory left?",
            ) from error

    def close(self) -> None:
        """End the process, whether it is done or not."""
        self._process.kill()
        self._process.join()
        self._reader.close()


def _send(
    learn: Callable[[], bytes], reader: Connection, writer: Connection, after_s: float
) -> None:
    reader.close()  # so that writing fails when nobody reads any more
    os.nice(5)  # who waits for the page goes before who waits for what is learned
    Thread(target=_end_with_parent, daemon=True).start()
    time.sleep(after_s)
    with writer, suppress(BrokenPipeError, KeyboardInterrupt):
        writer.send_bytes(learn())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
