"""A bounded queue from any thread to one reader on an event loop.

A wake-up of the loop costs as much as a hundred appends, so there is one only when the
reader waits: a reader that is busy finds what was appended meanwhile by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock
from typing import Generic, Self, TypeVar

from trivet.domain.error import UsageError

T = TypeVar("T")

#: Items taken in a row before others on the loop get their turn.
TURN = 64


class Inbox(Generic[T]):
    """Oldest first out; when full, the oldest is dropped and counted.

    `put` may be called from any thread; all else belongs to the loop it was made on.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise UsageError(f"an inbox of {capacity} places holds nothing")
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque(maxlen=capacity)
        self._lock = Lock()
        self._arrived = 0
        self._taken = 0
        self._in_a_row = 0
        self._is_awaited = False
        self._is_closed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def dropped(self) -> int:
        """How many items were pushed out by newer ones."""
        with self._lock:
            return self._arrived - self._taken - len(self._items)

    def put(self, item: T) -> None:
        """Append one item, from any thread; after `close` it is ignored."""
        with self._lock:
            if self._is_closed:
                return
            self._arrived += 1
            self._items.append(item)
            if not self._is_awaited:  # the reader is busy, or was called already
                return
            self._is_awaited = False
        self._call_wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The oldest item, as soon as there is one; ends when closed and empty.

        Raises:
            UsageError: there is another reader already.
        """
        while True:
            if self._items and self._in_a_row < TURN:
                self._check_unread()
                self._in_a_row += 1
                return self._pop()
            self._in_a_row = 0
            if self._items:
                await asyncio.sleep(0)
                continue
            if self._is_closed:
                raise StopAsyncIteration
            self._check_unread()
            with self._lock:
                if self._items or self._is_closed:  # it came in this moment
                    continue
                self._is_awaited = True
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def close(self) -> None:
        """End the reader once it has taken what is left. Twice is allowed."""
        with self._lock:
            self._is_closed = True
        self._call_wake()

    def _pop(self) -> T:
        with self._lock:
            self._taken += 1
            return self._items.popleft()

    def _check_unread(self) -> None:
        if self._waiter is not None:
            raise UsageError("two readers of one inbox: let one hand items on")

    def _call_wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop has ended: nobody is left to read
            self._is_closed = True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
