"""A router of a household: a process through which devices of several networks meet.

It is a device of the household, with a key and a certificate of its own, and admitted
as a guest: it learns who belongs to the household, and has no lease, no vote and no
copy of the state. Who it serves is the charter's to say, taken up as it changes.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from trivet.app.folder import identity_folder, ledger_file
from trivet.app.keeper import Keeper, household_of
from trivet.app.renewing import Renewing, current_identity
from trivet.app.trust import Household, Trust
from trivet.domain import Device, DeviceKind, UsageError
from trivet.fabric.background import first_of
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import Role, SessionConfig
from trivet.fabric.household import Household as Founded
from trivet.fabric.household import authority, clock, load_household
from trivet.fabric.identity import Identity, enrol, issue, load_identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.link import Link
from trivet.fabric.request import load_public
from trivet.fabric.session import open_session


class RouterSettings(msgspec.Struct, frozen=True):
    """How a router runs.

    Attributes:
        folder: the household's folder on this machine.
        device: the router's id.
        listen: `host:port` at which devices and other routers dial it.
        connect: `host:port` of the routers that it dials.
        routers: ids of the household's other routers.
        lans: its network interfaces between whose peers it passes on.
    """

    folder: Path
    device: str
    listen: tuple[str, ...]
    connect: tuple[str, ...] = ()
    routers: tuple[str, ...] = ()
    lans: tuple[str, ...] = ()


def admit_router(
    household: Founded, device: str, hosts: tuple[str, ...] = ()
) -> Identity:
    """Make a router's key and certificate on this machine, and admit it as a guest.

    Raises:
        UsageError: a bad id or host, or the id is taken.
        SetupError: devices cannot be admitted here.
    """
    now = clock()
    issuer = authority(household, now)
    issue(household, device, DeviceKind.OTHER, hosts=hosts, now=now)
    member = own_charter(household.folder).member(device)
    assert member is not None, "it was just admitted"
    public = load_public(member.public_key)
    enrol(household, issuer, device, DeviceKind.OTHER, public, now, is_guest=True)
    return load_identity(household, device, now=now)


async def run_router(
    settings: RouterSettings, on_open: Callable[[Link], None] = lambda link: None
) -> None:
    """Route until the process is told to end.

    Args:
        settings: how.
        on_open: is told once devices can dial it.

    Raises:
        UsageError: it is no guest of the household.
        SetupError: no household in the folder, no identity for the router, or an
            address cannot be listened at.
        RevokedError: it was shut out.
    """
    routing = asyncio.ensure_future(_route(settings, on_open))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, routing.cancel)
    with suppress(asyncio.CancelledError):
        await routing


async def _route(settings: RouterSettings, on_open: Callable[[Link], None]) -> None:
    folder = identity_folder(settings.folder)
    founded = load_household(folder)
    identity = await current_identity(founded, settings.device, settings.connect)
    household = household_of(own_charter(folder))
    check_guest(household, settings.device)
    config = SessionConfig(
        identity,
        listen=settings.listen,
        connect=settings.connect,
        members=tuple(sorted(household.members)),
        role=Role.ROUTER,
        routers=settings.routers,
        lans=settings.lans,
    )
    trust = _trust(settings, household, identity)
    with closing(trust):
        async with open_session(config, gate=trust.gate) as link:
            trust.attach(link)
            keeper = Keeper(founded, config, link, trust, link.reopen)
            renewing = Renewing(
                founded,
                settings.device,
                link,
                keeper.renewed,
                connect=settings.connect,
            )
            on_open(link)
            await first_of(keeper.run(), renewing.run(), _hear(link, trust))


def check_guest(household: Household, device: str) -> None:
    """Refuse a router that would count where the household's devices decide.

    Raises:
        UsageError: it is a full member.
    """
    member = household.members.get(device)
    if member is not None and not member.is_guest:
        raise UsageError(
            f"{device} is a full member of the household: others would wait for its "
            "vote and for its copy of the state",
            hint="admit a router as a guest: trivet router add, or, on another "
            "machine, trivet device pair --guest",
        )


def _trust(settings: RouterSettings, household: Household, own: Identity) -> Trust:
    """It offers nothing and wants nothing; who asks is written down all the same."""
    path = ledger_file(settings.folder, settings.device)
    ledger = Ledger(path, settings.device, key=key_from_pem(own.private_pem()))
    return Trust(Device(settings.device, DeviceKind.OTHER), household, ledger)


async def _hear(link: Link, trust: Trust) -> None:
    """Take charters; what passes through never gets here."""
    async for received in link.subscribe():
        await trust.hear(received)
