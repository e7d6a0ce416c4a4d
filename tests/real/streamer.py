"""A device that streams to all others, and prints who comes, who goes and what comes.

    python tests/real/streamer.py FOLDER DEVICE (listen|connect) HOST:PORT

A number goes to everybody who is there, 50 times a second. Lines: `there DEVICE`,
`gone DEVICE`, `got DEVICE NUMBER`, and each second `lost NUMBER`.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from trivet.domain.wire import Watermark
from trivet.fabric import (
    Link,
    SessionConfig,
    load_household,
    load_identity,
    open_session,
)

EACH_S = 0.02


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


async def watch(link: Link) -> None:
    async for life in link.watch():
        say("there" if life.is_alive else "gone", life.device)


async def read(link: Link) -> None:
    async for received in link.subscribe():
        if isinstance(received.message, Watermark):
            say("got", received.owner, received.message.sent)


async def stream(link: Link) -> None:
    for number in count():
        for device in link.alive:
            await link.publish(device, Watermark(1.0, number), "number")
        if number % 50 == 0:
            say("lost", link.lost, dict(link.lost_from))
        await asyncio.sleep(EACH_S)


async def main(folder: str, device: str, way: str, address: str) -> None:
    identity = load_identity(load_household(Path(folder)), device)
    if way == "listen":
        config = SessionConfig(identity, listen=(address,))
    else:
        config = SessionConfig(identity, connect=(address,))
    async with open_session(config) as link:
        await asyncio.gather(watch(link), read(link), stream(link))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
