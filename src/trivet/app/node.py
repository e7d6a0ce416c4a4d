"""One device of a simulated household as a process: its session, its part, its end."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from trivet.app.folder import identity_folder
from trivet.app.hub import Hub
from trivet.app.simulation import (
    DAY_S,
    first_day,
    make_hub,
    make_part,
    run_paced,
    run_through,
)
from trivet.app.view import TimelineEntry
from trivet.devices.world import World
from trivet.domain import AnswerKind, DeviceKind, SetupError, UsageError
from trivet.fabric.config import SessionConfig
from trivet.fabric.identity import load_household, load_identity
from trivet.fabric.link import Link
from trivet.fabric.session import open_session

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
        seed: of the simulated household.
        speed: event seconds a real second.
        days: days to live, then end.
        page: TCP port of the page, None for none; the home's alone.
        is_headless: live as fast as it can and print the timeline.
        is_child: end when standard input ends, as when the parent process dies.
    """

    device: str
    folder: Path
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    seed: int = 7
    speed: float = 60.0
    days: float = 7.0
    page: int | None = None
    is_headless: bool = False
    is_child: bool = False


async def run_node(
    settings: NodeSettings,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    """Live one device's part until its days are over or it is told to end.

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
    living = asyncio.ensure_future(_live(settings, tell, on_page))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, living.cancel)
    watching = asyncio.ensure_future(_end_with_parent(living, settings.is_child))
    with suppress(asyncio.CancelledError):
        await living
    watching.cancel()


async def _end_with_parent(living: asyncio.Future[None], is_child: bool) -> None:
    if is_child:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        await reader.read()
        living.cancel()


async def _live(
    settings: NodeSettings,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    household = load_household(identity_folder(settings.folder))
    config = SessionConfig(
        identity=load_identity(household, settings.device),
        listen=settings.listen,
        connect=settings.connect,
        members=tuple(kind.value for kind in DEVICES),
    )
    world = World(seed=settings.seed)
    start = first_day(world)
    async with open_session(config) as link:
        if settings.device == DeviceKind.HOME:
            await _live_home(settings, world, link, tell, on_page)
            return
        make_part(world, DeviceKind(settings.device), link, start)
        async for _ in link.subscribe():
            pass  # suggestions and forecasts that reach this surface


async def _live_home(
    settings: NodeSettings,
    world: World,
    link: Link,
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    start = first_day(world)
    hub = make_hub(world, link, start)
    hub.speed = settings.speed
    end = min(world.end_time, start + settings.days * DAY_S)
    parts: list[Awaitable[None]] = [hub.gatherer.run()]
    if settings.page is not None:
        parts.append(_page(hub, settings.page, on_page))
    beside = [asyncio.ensure_future(part) for part in parts]
    living = asyncio.ensure_future(_days(hub, settings, end, tell))
    try:
        done, _ = await asyncio.wait(
            [living, *beside], return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
        if settings.page is not None and living in done:
            await asyncio.Event().wait()  # the last day stays to be looked at
    finally:
        for task in (living, *beside):
            task.cancel()
        await asyncio.gather(living, *beside, return_exceptions=True)


async def _page(hub: Hub, port: int, on_page: Callable[[str], None]) -> None:
    try:
        from trivet.app.web.page import serve  # the extra `web`
    except ModuleNotFoundError as error:
        raise SetupError(
            f"the page needs {error.name}", hint="pip install 'trivet[web]'"
        ) from error
    await serve(hub, port=port, on_ready=on_page)


async def _days(
    hub: Hub,
    settings: NodeSettings,
    end: float,
    tell: Callable[[TimelineEntry, str], None],
) -> None:
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
