"""A home admits a phone and a car by code; then nothing leaves without a lease.

    python examples/pair.py

Each device has a folder and a key of its own, and a session with mutual TLS. Between
three machines the same is `trivet device pair`, `join`, `up` and `ledger`.
"""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from trivet import fabric
from trivet.app.account import happened, known, other, sentence
from trivet.app.keeper import household_of
from trivet.app.pairing import join_household, pair_device
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind, Position, RefusedError, Sample, Signal
from trivet.domain.lease import LeaseRequest, Purpose
from trivet.fabric.charter import load_charter, own_charter, save_charter
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessor import LEASE
from trivet.fabric.lobby_link import with_port

OFFERS = {"phone": (Signal("location", datatype="position"),)}
WHERE = Sample("phone", "location", 1_772_000_000.0, Position(52.61234, 8.05678))


async def pair(household: fabric.Household, folder: Path) -> None:
    """Show a code at home, type it on the device, say yes on both."""
    shown: asyncio.Queue = asyncio.Queue()
    here = {"ask": lambda question: True, "show": print, "is_scouting": False}
    host = partial(pair_device, household, show_ticket=shown.put_nowait, **here)
    hosting = asyncio.create_task(host(listen=("127.0.0.1:0",)))
    ticket = await shown.get()
    code, device = ticket.code.shown, folder.name
    print(f"home shows {code}; somebody types it on the {device}")
    join = partial(join_household, code, folder, device, DeviceKind(device), **here)
    await asyncio.gather(join(connect=ticket.addresses), hosting)


async def live(stack: AsyncExitStack, at: Path, home: str) -> tuple[fabric.Link, Trust]:
    """Open a device's session, behind the gate of its trust."""
    device, agreed = at.name, household_of(own_charter(at))
    made = Device(device, DeviceKind(device), signals=OFFERS.get(device, ()))
    trust = Trust(made, agreed, Ledger(at / "ledger.db", device), WHERE.time)
    stack.callback(trust.close)
    mine = fabric.load_identity(fabric.load_household(at), device)
    ends = ((home,), ()) if device == "home" else (("127.0.0.1:0",), (home,))
    config = fabric.SessionConfig(mine, *ends, members=tuple(agreed.members))
    link = await stack.enter_async_context(fabric.open_session(config, gate=trust.gate))
    trust.attach(link)
    return link, trust


async def main(folder: Path, address: str) -> None:
    """Pair, lease, be refused, and read what the phone's ledger says of it."""
    household = fabric.create_household(folder / "home", "meadow")
    fabric.issue(household, "home", DeviceKind.HOME)
    for device in ("car", "phone"):
        await pair(household, folder / device)
    # the car was admitted first; of the phone it learns by this, when they meet
    save_charter(folder / "car", load_charter(household.folder))
    async with AsyncExitStack() as stack:
        home, _ = await live(stack, folder / "home", address)
        phone, trust = await live(stack, folder / "phone", address)
        car, _ = await live(stack, folder / "car", address)
        for link, purpose in ((home, Purpose.ARRIVAL), (car, Purpose.NAVIGATION)):
            await asyncio.gather(link.reach("phone", 10), phone.reach(link.device, 10))
            wish = LeaseRequest(("location",), purpose, WHERE.time + 3600)
            await link.ask("phone", LEASE, wish)
        await trust.lessor.give(WHERE)
        for link in (home, car):
            print(f"{link.device} got {(await anext(link.subscribe())).message.value}")
        try:  # the home's purposes are arrival and assistance, not navigation
            await home.ask("phone", LEASE, wish)
        except RefusedError as error:
            print(error)
    with Ledger(folder / "phone" / "ledger.db", "phone") as ledger:
        told = [sentence(span, "phone") for span in known(ledger.entries())]
        rest = [happened(entry.event, "phone") for entry in other(ledger.entries())]
    print("The phone's ledger:", *told, *rest, sep="\n  ")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory("-trivet") as name:
        asyncio.run(main(Path(name), with_port("127.0.0.1:0")))
