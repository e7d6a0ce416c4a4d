"""How long a household takes to let a device in, and to shut one out.

Both are as people live them, on one machine. Two persons who answer at once pair a
phone with the home. Then a phone is revoked at the home while home, car and phone run
over mutual TLS, each with its own folder, charter and signed ledger; what is measured
ends when the phone hears nothing more and neither of the others has a lease for it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec
import zenoh
from benchmarks.fabric import PATIENCE_S, free_address
from msgspec.structs import replace

from trivet.app.keeper import Keeper, household_of
from trivet.app.pairing import join_household, pair_device
from trivet.app.trust import Trust
from trivet.domain import Device, DeviceKind, LeaseRequest, Purpose, Sample, Signal
from trivet.fabric import (
    Household,
    SessionConfig,
    create_household,
    load_household,
    open_session,
)
from trivet.fabric.admit import admit, keep
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import load_charter, own_charter
from trivet.fabric.ledger import Ledger
from trivet.fabric.lessor import LEASE
from trivet.fabric.lobby_link import lobby_settings, open_link
from trivet.fabric.pairing_code import Ticket
from trivet.fabric.request import make_request, new_key, read_request
from trivet.fabric.revocation import revoke
from trivet.fabric.session import ZenohLink

Row = tuple[str, float, str]

ROUNDS = 5
NOW = 1_800_000_000.0
#: What the phone is given by each of the others, until it is shut out.
GIVEN = {
    "car": Sample("car", "Vehicle.Speed", NOW, 83.5),
    "home": Sample("home", "lock.front_door", NOW, "locked"),
}
#: Seconds between two samples to the phone, and of silence that end a round.
GIVE_S, SILENCE_S = 0.005, 1.0


def rows() -> list[Row]:
    """Name, value and unit of each figure."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / str(number) for number in range(ROUNDS)]
        plain = [asyncio.run(meet()) for _ in folders]
        pairing = [asyncio.run(pair(folder / "pair")) for folder in folders]
        out = [asyncio.run(shut_out(folder / "out")) for folder in folders[:3]]
    asking = median(seen.ask_s for seen in out)
    revoking = median(seen.out_s for seen in out)
    return [
        ("raw Zenoh: two sessions open, a question is answered", median(plain), "s"),
        ("pairing by ticket, both persons answer at once", median(pairing), "s"),
        ("pairing / raw Zenoh's question", median(pairing) / median(plain), "x"),
        ("one question among three devices", 1e3 * asking, "ms"),
        ("revoked, out at every device in reach", revoking, "s"),
        ("revoked, slowest of the rounds", max(seen.out_s for seen in out), "s"),
        ("revoking / one question", revoking / asking, "x"),
    ]


# --- let in -------------------------------------------------------------------------


async def meet() -> float:
    """Seconds until one of two raw sessions has an answer of the other."""
    address, began = free_address(), perf_counter()
    host = lobby_settings(listen=(address,), is_scouting=False, session="0" * 8)
    guest = lobby_settings(connect=(address,), is_scouting=False)
    for settings in (host, guest):
        settings.pop("access_control", None)
    async with open_link(host) as one:
        one.declare_queryable("bench", lambda query: query.reply("bench", b""))
        async with open_link(guest) as two:
            everyone = zenoh.QueryTarget.ALL
            await until(lambda: any(r.ok for r in two.get("bench", target=everyone)))
            return perf_counter() - began


async def pair(folder: Path) -> float:
    """Seconds from showing the code until the phone has its certificate."""
    household = create_household(folder / "home", "ours")
    tickets: asyncio.Queue[Ticket] = asyncio.Queue()
    began = perf_counter()
    hosting = asyncio.ensure_future(
        pair_device(
            household,
            ask=lambda question: True,
            show=lambda text: None,
            show_ticket=tickets.put_nowait,
            listen=("127.0.0.1:0",),
            is_scouting=False,
        )
    )
    ticket = await tickets.get()
    await join_household(
        ticket.url,
        folder / "phone",
        "phone",
        DeviceKind.PHONE,
        ask=lambda question: True,
        show=lambda text: None,
        is_scouting=False,
    )
    await hosting
    return perf_counter() - began


# --- shut out -----------------------------------------------------------------------


class Living(msgspec.Struct):
    """A device that runs, and when it last heard something."""

    link: ZenohLink
    trust: Trust
    heard: float = 0.0

    async def read(self) -> None:
        """Hear everything until the link is closed."""
        async for received in self.link.subscribe():
            if isinstance(received.message, Sample):
                self.heard = perf_counter()
            await self.trust.hear(received)


class Seen(msgspec.Struct):
    """Seconds of one question, and from the saved charter until the phone is out."""

    ask_s: float
    out_s: float


class House:
    """A household whose three devices each have a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.household: Household = create_household(folder / "home", "ours")
        self.address = free_address()
        self.configs = {name: self.join(name) for name in ("home", "car", "phone")}

    def join(self, device: str) -> SessionConfig:
        """Admit a device; its session's config. The others dial the home."""
        private = new_key()
        asked = make_request(private, "ours", device, DeviceKind(device))
        identity = keep(
            self.folder / device,
            device=device,
            private=private,
            cert_pem=admit(self.household, read_request(asked)),
            ca_pem=self.household.ca_path.read_bytes(),
            charter=load_charter(self.household.folder),
        )
        if device == "home":
            return SessionConfig(identity, listen=(self.address,))
        return SessionConfig(identity, listen=("127.0.0.1:0",), connect=(self.address,))

    @asynccontextmanager
    async def live(self, device: str) -> AsyncIterator[Living]:
        """Run a device as the app does, until the end of the `async with`."""
        folder = self.folder / device
        household = household_of(own_charter(folder))
        members = tuple(sorted(household.members))
        config = replace(self.configs[device], members=members)
        key = key_from_pem(config.identity.private_pem())
        ledger = Ledger(folder / "ledger.db", device, key=key)
        given = GIVEN.get(device)
        signals = () if given is None else (Signal(given.path, datatype="string"),)
        made = Device(device, DeviceKind(device), signals=signals)
        with closing(Trust(made, household, ledger, NOW, private=key)) as trust:
            async with open_session(config, gate=trust.gate) as link:
                trust.attach(link)
                founded = load_household(folder)
                keeper = Keeper(founded, config, link, trust, link.reopen)
                living = Living(link, trust)
                tasks = [
                    asyncio.create_task(work) for work in (keeper.run(), living.read())
                ]
                try:
                    yield living
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)


async def shut_out(folder: Path) -> Seen:
    """One round: three devices, the phone leased by both others, then revoked."""
    house = House(folder)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        all_of = {
            name: await stack.enter_async_context(house.live(name))
            for name in ("home", "car", "phone")
        }
        phone = all_of.pop("phone")
        for living in (phone, *all_of.values()):
            await until(partial(sees_two, living))
        await asyncio.sleep(SILENCE_S)  # each has the newest charter
        asked_s = []
        for owner, sample in GIVEN.items():
            began = perf_counter()
            wanted = LeaseRequest((sample.path,), Purpose.SAFETY, NOW + 3600)
            await phone.link.ask(owner, LEASE, wanted)
            asked_s.append(perf_counter() - began)
        revoke(house.household, "phone", reason="stolen")
        began = perf_counter()
        ended = await give_until_silent(all_of, phone)
        return Seen(median(asked_s), max(ended, phone.heard) - began)


def sees_two(living: Living) -> bool:
    return len(living.link.alive) == 2


async def until(is_true: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for."""
    for _ in range(round(PATIENCE_S / GIVE_S)):
        if is_true():
            return
        await asyncio.sleep(GIVE_S)
    raise TimeoutError("it never came true")


async def give_until_silent(owners: dict[str, Living], phone: Living) -> float:
    """Give the phone what it may have for as long as it may; when the leases ended."""
    ended = float("inf")
    while perf_counter() < max(ended, phone.heard) + SILENCE_S:
        for name, owner in owners.items():
            await owner.trust.lessor.give(GIVEN[name])
        if ended == float("inf") and not any(
            o.trust.book.leases for o in owners.values()
        ):
            ended = perf_counter()
        await asyncio.sleep(GIVE_S)
    return ended
