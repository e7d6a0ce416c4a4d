"""The inbox: from any thread to one reader, nothing lost, woken only when it waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread

import pytest

from trivet.domain import UsageError
from trivet.fabric.inbox import TURN, Inbox


class Counting(Inbox[int]):
    """An inbox that counts how often it called the loop."""

    calls = 0

    def _call_wake(self) -> None:
        self.calls += 1
        super()._call_wake()


async def take(inbox: Inbox[int], count: int) -> list[int]:
    async with asyncio.timeout(5):
        return [await anext(inbox) for _ in range(count)]


async def test_what_threads_put_arrives_whole_and_in_each_ones_order() -> None:
    inbox: Inbox[int] = Inbox(10_000)

    def put(first: int) -> None:
        for number in range(first, first + 1000):
            inbox.put(number)

    threads = [Thread(target=put, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    got = await take(inbox, 3000)
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(3000))
    for first in (0, 1000, 2000):
        own = [number for number in got if first <= number < first + 1000]
        assert own == sorted(own)
    assert inbox.dropped == 0


async def test_a_waiting_reader_is_called_once_and_a_busy_one_never() -> None:
    inbox = Counting(100)
    for number in range(10):
        inbox.put(number)
    assert await take(inbox, 10) == list(range(10))
    assert inbox.calls == 0
    reading = asyncio.ensure_future(take(inbox, 10))
    await asyncio.sleep(0)
    for number in range(10):
        inbox.put(number)
    assert await reading == list(range(10))
    assert inbox.calls == 1


async def test_a_reader_that_gave_up_leaves_what_came_to_the_next_one() -> None:
    inbox: Inbox[int] = Inbox(100)
    for number in range(20):
        reading = asyncio.ensure_future(anext(inbox))
        await asyncio.sleep(0)
        if number % 2:
            inbox.put(number)  # the call to wake it is under way already
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        if not number % 2:
            inbox.put(number)
        assert await take(inbox, 1) == [number]


async def test_a_full_inbox_drops_the_oldest_and_says_how_many() -> None:
    inbox: Inbox[int] = Inbox(3)
    for number in range(5):
        inbox.put(number)
    assert inbox.dropped == 2
    assert await take(inbox, 3) == [2, 3, 4]


async def test_a_closed_inbox_gives_what_is_left_and_ends() -> None:
    inbox: Inbox[int] = Inbox(3)
    inbox.put(1)
    inbox.close()
    inbox.put(2)
    assert [number async for number in inbox] == [1]


async def test_closing_ends_a_reader_that_waits() -> None:
    inbox: Inbox[int] = Inbox(3)
    reading = asyncio.ensure_future(anext(inbox, None))
    await asyncio.sleep(0)
    inbox.close()
    async with asyncio.timeout(5):
        assert await reading is None


async def test_two_readers_at_once_are_a_mistake() -> None:
    inbox: Inbox[int] = Inbox(3)
    reading = asyncio.ensure_future(anext(inbox))
    await asyncio.sleep(0)
    with pytest.raises(UsageError, match="two readers"):
        await anext(inbox)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading


async def test_a_flood_leaves_others_their_turn() -> None:
    inbox: Inbox[int] = Inbox(10 * TURN)
    for number in range(10 * TURN):
        inbox.put(number)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    await take(inbox, 10 * TURN)
    task.cancel()
    assert turns >= 9
