"""Tasks between devices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.app.allies import trust_of
from tests.fabric.offload.work import Wish, grow

from trivet.app.offloading import Offloader, open_offloader
from trivet.domain import Device, DeviceKind
from trivet.fabric import MemoryFabric


async def test_runs() -> None:
    fabric = MemoryFabric("ours")
    async with AsyncExitStack() as stack:
        households = []
        for name in ("car", "phone"):
            trust = trust_of(Device(name, DeviceKind(name)))
            stack.callback(trust.close)
            link = await stack.enter_async_context(
                fabric.open_session(name, gate=trust.gate)
            )
            trust.attach(link)
            households.append(
                await stack.enter_async_context(
                    open_offloader(
                        link, trust, tasks=(grow,), slots=int(name == "phone")
                    )
                )
            )
        got = await households[0].run(grow, Wish("ab", 3))
        assert got.name == "ababab"
        print(households[0].past)
