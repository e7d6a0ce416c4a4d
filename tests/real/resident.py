"""A device with leases, a peer or a leaf; it prints what comes.

    python tests/real/resident.py FOLDER DEVICE (peer|leaf) [--listen AT]
        [--connect AT ...] [--router ID ...]

A car offers its speed and a phone its position, 20 times a second; each wants of the
others what the shipped policy gives it. Lines: `there DEVICE`, `gone DEVICE`,
`got OWNER PATH VALUE`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import count
from pathlib import Path
from time import time

from trivet.app.keeper import household_of
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind, Purpose, Sample, Signal
from trivet.domain.error import TrivetError
from trivet.domain.wire import Watermark
from trivet.fabric import (
    Link,
    SessionConfig,
    load_household,
    load_identity,
    open_session,
)
from trivet.fabric.charter import own_charter
from trivet.fabric.config import Role
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessee import Wish

EACH_S = 0.05
SPEED, BATTERY = "Vehicle.Speed", "batt"
OFFERS = {DeviceKind.CAR: SPEED, DeviceKind.PHONE: BATTERY}
#: What a kind of device wants of another kind, and what for.
WANTS = {
    (DeviceKind.HOME, DeviceKind.CAR): Purpose.COMFORT,
    (DeviceKind.HOME, DeviceKind.PHONE): Purpose.ARRIVAL,
    (DeviceKind.PHONE, DeviceKind.CAR): Purpose.SAFETY,
}


def say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


async def watch(link: Link, trust: Trust) -> None:
    async for life in link.watch():
        say("there" if life.is_alive else "gone", life.device)
        if life.is_alive:
            trust.lessee.forget(life.device)  # another run of it knows of no lease


async def read(link: Link, trust: Trust) -> None:
    async for received in link.subscribe():
        message = received.message
        if isinstance(message, Sample):
            say("got", received.owner, received.path, message.value)
        elif isinstance(message, Watermark):
            say("got", received.owner, received.path, message.sent)
        await trust.hear(received)


async def live(trust: Trust, kind: DeviceKind, device: str) -> None:
    for number in count():
        now = time()
        if kind in OFFERS:
            await trust.live(Sample(device, OFFERS[kind], now, float(number)))
        await trust.tick(now)
        await asyncio.sleep(EACH_S)


async def main(words: argparse.Namespace) -> None:
    folder = Path(words.folder)
    identity = load_identity(load_household(folder), words.device)
    agreed = household_of(own_charter(folder))
    kind = identity.kind
    wishes = tuple(
        Wish(member.device, (OFFERS[member.kind],), WANTS[kind, member.kind])
        for member in agreed.members.values()
        if (kind, member.kind) in WANTS and member.device != words.device
    )
    signals = (Signal(OFFERS[kind]),) if kind in OFFERS else ()
    config = SessionConfig(
        identity,
        listen=tuple(words.listen),
        connect=tuple(words.connect),
        members=tuple(sorted(agreed.members)),
        role=Role(words.role),
        routers=tuple(words.router),
    )
    made = Device(words.device, kind, signals=signals)
    with Ledger(":memory:", words.device) as ledger:
        trust = Trust(made, agreed, ledger, time())
        async with open_session(config, gate=trust.gate) as link:
            trust.attach(link, wishes)
            living = live(trust, kind, words.device)
            await asyncio.gather(
                look(link), watch(link, trust), read(link, trust), living
            )


async def look(link: Link) -> None:
    """Say why nobody is there, where that cannot be mended by waiting."""
    while not link.alive:
        try:
            await link.reach("nobody", 2.0)
        except TrivetError as error:
            say(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("device")
    parser.add_argument("role", choices=[each.value for each in Role])
    for option in ("--listen", "--connect", "--router"):
        parser.add_argument(option, action="append", default=[])
    asyncio.run(main(parser.parse_args()))
