"""What runs beside ends with a word, or with the one that ended."""

from __future__ import annotations

import asyncio

import pytest

from trivet.fabric.background import cancel, first_of, keep_up


async def fail() -> None:
    raise KeyError("it")


async def last() -> None:
    await asyncio.Event().wait()


async def test_what_was_to_last_and_fails_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = keep_up(fail(), "the meeting")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "the meeting has ended" in caplog.text
    assert "KeyError" in caplog.text


async def test_what_is_cancelled_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    await cancel(keep_up(last(), "the meeting"))
    await asyncio.sleep(0)
    assert caplog.text == ""


async def test_the_first_that_fails_ends_the_others() -> None:
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await last()
        finally:
            ended.set()

    with pytest.raises(KeyError):
        await first_of(wait(), fail())
    assert ended.is_set()
