"""One device of a simulated household as a process: its session, its part, its end."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from trivet.app.control import Control, open_control
from trivet.app.folder import control_file, identity_folder, ledger_file
from trivet.app.hub import Hub
from trivet.app.issuing import Issuing
from trivet.app.keeper import Keeper, household_of
from trivet.app.leasing import take_lease_words
from trivet.app.past import Past
from trivet.app.renewing import LateDoor, Renewing, current_identity
from trivet.app.simulation import (
    DAY_S,
    LEARNED_DAYS,
    first_day,
    learn_past,
    make_part,
    make_trust,
    make_young_hub,
    recall,
    run_paced,
    run_through,
)
from trivet.app.trust import Trust
from trivet.app.view import TimelineEntry
from trivet.app.web.absent import absent
from trivet.devices.world import World
from trivet.domain import (
    AnswerKind,
    DeviceKind,
    SetupError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import SessionConfig
from trivet.fabric.household import Household, load_household
from trivet.fabric.identity import Identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.session import ZenohLink, open_session

#: Real seconds that a device waits for the others before it goes on without them.
GATHER_S = 10.0
DEVICES = (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)


class NodeSettings(msgspec.Struct, frozen=True):
    """How a node runs.

    Attributes:
        device: the device's id, and in a simulated household its kind.
        folder: the household's folder.
        listen: `host:port` to be dialled at.
        connect: `host:port` of the devices that this one dials.
        is_scouting: whether to look for the others by multicast as well.
        seed: of the simulated household.
        speed: event seconds a real second.
        days: days to live, then end.
        page: TCP port of the page, None for none; the home's alone.
        is_headless: live as fast as it can and print the timeline.
        is_late_renewal: whether a device that can issue also listens on the port
            after its first one, for devices whose certificates have ended.
    """

    device: str
    folder: Path
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    is_scouting: bool = False
    seed: int = 7
    speed: float = 60.0
    days: float = 7.0
    page: int | None = None
    is_headless: bool = False
    is_late_renewal: bool = True


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
                life = _live_home(settings, world, past, hub, tell, on_page)
            else:
                life = make_part(world, kind, link, trust, start).run()
            upkeep = _upkeep(settings, founded, config, link, trust)
            await _first_of(life, _meet(link, settings), *upkeep)


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


async def _first_of(*lives: Coroutine[Any, Any, None]) -> None:
    """Run all until the first one ends, then end the others."""
    running = [asyncio.ensure_future(life) for life in lives]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _live_home(
    settings: NodeSettings,
    world: World,
    past: Past,
    hub: Hub,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    hub.mind.note(hub.time, f"Learning the {LEARNED_DAYS} days before", [])
    hub.speed = settings.speed
    end = min(world.end_time, hub.time + settings.days * DAY_S)
    lives = [hub.part.run(), _days(hub, world, past, settings, end, tell)]
    if settings.page is not None:
        lives.append(_page(hub, settings.page, on_page))
    await _first_of(*lives)


async def _page(hub: Hub, port: int, on_page: Callable[[str], None]) -> None:
    try:
        with absent("aiohttp", "requests"):
            from trivet.app.web.page import serve  # the extra `web`
    except ModuleNotFoundError as error:
        raise SetupError(
            f"the page needs {error.name}", hint="pip install 'trivet[web]'"
        ) from error
    await serve(hub, port=port, on_ready=on_page)


async def _days(
    hub: Hub,
    world: World,
    past: Past,
    settings: NodeSettings,
    end: float,
    tell: Callable[[TimelineEntry, str], None],
) -> None:
    recall(hub, world, await past.take())
    await hub.reach(GATHER_S)
    told = 0

    def tell_new(_: float) -> None:
        nonlocal told
        lines = hub.timeline()
        for line in lines[told:]:
            tell(line, hub.mind.clock(line.time))
        told = len(lines)

    if settings.is_headless:
        await run_through(hub, end, AnswerKind.YES, tell_new)
    else:
        await run_paced(hub, end)
    if settings.page is not None:
        await asyncio.Event().wait()  # the last day stays to be looked at
