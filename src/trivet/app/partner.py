"""Another device that is there, and the task that keeps a replica even with its."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from trivet.fabric.background import cancel
from trivet.fabric.replica.vector import Vector

#: Seconds between two rounds with a device that is there.
SYNC_S = 30.0
#: Seconds until what another device gave is given on: its author is likely to have
#: given it there itself.
RELAY_S = 0.5


class Partner:
    """A device that is there, and the task that keeps even with it.

    Attributes:
        device: its id.
        theirs: what it has, as far as is known.

    Args:
        device: its id.
        keep_even: called with the partner, and whether this is a round of both ways.
    """

    def __init__(
        self, device: str, keep_even: Callable[[Partner, bool], Awaitable[None]]
    ) -> None:
        self.device = device
        self.theirs: Vector | None = None
        self._keep_even = keep_even
        self._woken = asyncio.Event()
        self._is_round = True
        self._later: asyncio.TimerHandle | None = None
        self._task = asyncio.ensure_future(self._run())

    def wake(self, *, is_round: bool = False) -> None:
        """There is something to give; with `is_round`, or to take."""
        self._is_round = self._is_round or is_round
        self._woken.set()

    def wake_later(self) -> None:
        """There is something to give on, soon."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(RELAY_S, self._wake_now)

    def _wake_now(self) -> None:
        self._later = None
        self.wake()

    async def end(self) -> None:
        """Stop."""
        if self._later is not None:
            self._later.cancel()
        await cancel(self._task)

    async def _run(self) -> None:
        while True:
            is_round, self._is_round = self._is_round, False
            await self._keep_even(self, is_round)
            try:
                async with asyncio.timeout(SYNC_S):
                    await self._woken.wait()
            except TimeoutError:
                self._is_round = True
            self._woken.clear()
