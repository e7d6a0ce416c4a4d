"""One device of a simulated household as a process: its session, its part, its end."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import Any

from trivet.app.control import Control, open_control
from trivet.app.folder import control_file, identity_folder, ledger_file
from trivet.app.issuing import Issuing
from trivet.app.keeper import Keeper, household_of
from trivet.app.leasing import take_lease_words
from trivet.app.life import GATHER_S, NodeSettings, live_hub
from trivet.app.past import Past
from trivet.app.renewing import LateDoor, Renewing, current_identity
from trivet.app.simulation import (
    first_day,
    learn_past,
    make_part,
    make_trust,
    make_young_hub,
)
from trivet.app.trust import Trust
from trivet.app.view import TimelineEntry
from trivet.devices.world import World
from trivet.domain import DeviceKind, UnreachableError, UsageError
from trivet.fabric.background import first_of
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import SessionConfig
from trivet.fabric.household import Household, load_household
from trivet.fabric.identity import Identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.session import ZenohLink, open_session

DEVICES = (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)


def run_node(
    settings: NodeSettings,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    """Live one device's part until its days are over or it is told to end.

    It ends by SIGINT and SIGTERM, and when the process that forked it dies.

    Args:
        settings: how.
        tell: given each new line of the timeline, with its local time as text.
        on_page: given the page's URL once it answers.

    Raises:
        UsageError: no such device in the simulated household.
        SetupError: no household in the folder, or no identity for the device.
    """
    if settings.device not in {kind.value for kind in DEVICES}:
        raise UsageError(
            f"the simulated household has no device {settings.device!r}",
            hint="it has phone, car and home",
        )
    world = World(seed=settings.seed)
    with ExitStack() as stack:
        past = None
        if settings.device == DeviceKind.HOME:
            past = Past(partial(learn_past, world, first_day(world)))
            stack.callback(past.close)
        asyncio.run(_until_ended(_live(settings, world, past, tell, on_page)))


async def _until_ended(life: Coroutine[Any, Any, None]) -> None:
    living = asyncio.ensure_future(life)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, living.cancel)
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop.add_reader(parent.sentinel, living.cancel)
    with suppress(asyncio.CancelledError):
        await living


async def _live(
    settings: NodeSettings,
    world: World,
    past: Past | None,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    folder = identity_folder(settings.folder)
    founded = load_household(folder)
    identity = await current_identity(founded, settings.device, settings.connect)
    household = household_of(own_charter(folder))
    config = SessionConfig(
        identity=identity,
        listen=settings.listen,
        connect=settings.connect,
        members=tuple(sorted(household.members)),
        is_scouting=settings.is_scouting,
    )
    kind, start = DeviceKind(settings.device), first_day(world)
    private = key_from_pem(identity.private_pem())
    path = ledger_file(settings.folder, settings.device)
    ledger = Ledger(path, settings.device, key=private)
    with closing(make_trust(world, kind, household, ledger, start, private)) as trust:
        control = Control()
        take_lease_words(control, trust)
        async with (
            open_session(config, gate=trust.gate) as link,
            open_control(control_file(settings.folder, settings.device), control),
        ):
            if past is not None:
                hub = make_young_hub(world, link, trust, start)
                life = live_hub(settings, world, past, hub, lambda: True, tell, on_page)
            else:
                life = make_part(world, kind, link, trust, start).run()
            upkeep = _upkeep(settings, founded, config, link, trust)
            await first_of(life, _meet(link, settings), *upkeep)


async def _meet(link: ZenohLink, settings: NodeSettings) -> None:
    """End a device that is refused by all that it dials before it met anybody."""
    others = [kind for kind in DEVICES if kind != settings.device]
    while not link.alive:
        with suppress(UnreachableError):
            await link.reach(others[-1], GATHER_S)
    await asyncio.Event().wait()


def _upkeep(
    settings: NodeSettings,
    founded: Household,
    config: SessionConfig,
    link: ZenohLink,
    trust: Trust,
) -> list[Coroutine[Any, Any, None]]:
    """What keeps charter, certificates and issuers current, here and for others."""
    keeper = Keeper(founded, config, link, trust, link.reopen)
    doors = []
    is_known = settings.listen and not settings.listen[0].endswith(":0")
    if settings.is_late_renewal and is_known:  # else nobody could find the door
        doors.append(LateDoor(founded, config.identity, settings.listen[0]))

    async def renewed(identity: Identity) -> None:
        for door in doors:
            door.show(identity)
        await keeper.renewed(identity)

    renewing = Renewing(
        founded, settings.device, link, renewed, connect=settings.connect
    )
    issuing = Issuing(founded, settings.device, link)
    runs = keeper.run(), renewing.run(), issuing.run()
    return [*runs, *(door.run() for door in doors)]
