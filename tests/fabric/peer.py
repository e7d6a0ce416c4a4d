"""A device in a process of its own, which a test may stop, kill or keep busy.

    python tests/fabric/peer.py FOLDER DEVICE ADDRESS WHAT

It dials ADDRESS, prints `there` when the home is, and then does WHAT:
`idle`, `flood` (publish to the home as fast as it goes, then print how many),
`stuck` (block its event loop for 7 s, then print `turned`), `slow` (take what comes
far too slowly for a second, then close and end), or `leave` (end the interpreter with
the session open).
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from trivet.domain import Device, DeviceKind, Signal
from trivet.domain.wire import Ack, Message
from trivet.fabric import (
    Link,
    Received,
    SessionConfig,
    load_household,
    load_identity,
    open_session,
)
from trivet.fabric.session import ZenohLink

#: About 16 KB on the wire.
BULK = Device("home", DeviceKind.HOME, signals=(Signal("a" * 200),) * 80)
FLOOD_S, STUCK_S = 1.5, 7.0


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def state(asker: str, message: Message | None) -> Message:
    return Ack(True)


def take_slowly(link: Link, received: Received) -> None:
    time.sleep(0.005)


async def flood(link: Link) -> None:
    count, end = 0, time.monotonic() + FLOOD_S
    while time.monotonic() < end:
        await link.publish("home", BULK, "flood")
        count += 1
    say(count)


async def act(link: ZenohLink, what: str) -> None:
    if what == "flood":
        await flood(link)
    elif what == "stuck":
        time.sleep(STUCK_S)  # noqa: ASYNC251
        say("turned")
    for _ in range(600):
        await asyncio.sleep(0.1)


async def main(folder: str, device: str, address: str, what: str) -> None:
    identity = load_identity(load_household(Path(folder)), device)
    config = SessionConfig(identity, connect=(address,))
    if what == "leave":
        await leave_open(config)
        return
    slowly = take_slowly if what == "slow" else None
    async with open_session(
        config, answers={"state": state}, on_message=slowly
    ) as link:
        await link.reach("home", 20)
        say("there")
        if what == "slow":
            await asyncio.sleep(1.0)
            return
        await act(link, what)


_kept: list[object] = []


async def leave_open(config: SessionConfig) -> None:
    """Open a session, forget to close it, and go."""
    manager = open_session(config)
    _kept.append(manager)
    link = await manager.__aenter__()
    await link.reach("home", 20)
    say("there")
    await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
