"""A device's life in a simulated household: recalls, leads or stands by, and shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from trivet.app.agenda import Agenda
from trivet.app.hub import Hub
from trivet.app.leading import Pace, lead
from trivet.app.past import Past
from trivet.app.simulation import DAY_S, LEARNED_DAYS, first_day, recall
from trivet.app.view import TimelineEntry
from trivet.app.web.absent import absent
from trivet.devices.world import World
from trivet.domain import DeviceKind, SetupError
from trivet.fabric.background import first_of

#: Real seconds that a device waits for the others before it goes on without them.
GATHER_S = 10.0


class NodeSettings(msgspec.Struct, frozen=True):
    """How a node runs.

    Attributes:
        device: the device's id, and in a simulated household its kind.
        folder: the household's folder.
        listen: `host:port` to be dialled at.
        connect: `host:port` of the devices that this one dials.
        routers: ids of the routers that it dials, to go through; then it listens
            nowhere.
        is_scouting: whether to look for the others by multicast as well.
        seed: of the simulated household.
        speed: event seconds a real second.
        days: days to live, then end.
        page: TCP port of the page, None for none; the home's alone.
        is_headless: live as fast as it can and print the timeline.
        is_quiet: on a phone or a car, print no suggestions.
        calendar: the person's calendar, an `.ics` file; None for none.
        is_late_renewal: whether a device that can issue also listens on the port
            after its first one, for devices whose certificates have ended.
    """

    device: str
    folder: Path
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    routers: tuple[str, ...] = ()
    is_scouting: bool = False
    seed: int = 7
    speed: float = 60.0
    days: float = 7.0
    page: int | None = None
    is_headless: bool = False
    is_quiet: bool = False
    calendar: Path | None = None
    is_late_renewal: bool = True


async def live_hub(
    settings: NodeSettings,
    world: World,
    past: Past,
    hub: Hub,
    leads: Callable[[], bool],
    tell: Callable[[TimelineEntry, str], None],
    on_page: Callable[[str], None],
) -> None:
    """Live a device that may lead: until its days are over, or for ever if it shows.

    Args:
        settings: how.
        world: the simulated household.
        past: what was learned of the days before.
        hub: the device.
        leads: whether it may lead now.
        tell: given each new line of the timeline, with its local time as text.
        on_page: given the page's URL once it answers.
    """
    hub.mind.note(hub.time, f"Learning the {LEARNED_DAYS} days before", [])
    hub.speed = settings.speed
    if settings.calendar is not None:
        hub.mind.appointments = Agenda(
            settings.calendar, lambda text: hub.mind.note(hub.time, text, [])
        ).around
    end = min(world.end_time, hub.time + settings.days * DAY_S)
    lives = [hub.part.run(), _days(settings, world, past, hub, leads, tell, end)]
    if settings.page is not None:
        lives.append(_page(hub, settings.page, on_page))
    await first_of(*lives)


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
    settings: NodeSettings,
    world: World,
    past: Past,
    hub: Hub,
    leads: Callable[[], bool],
    tell: Callable[[TimelineEntry, str], None],
    end: float,
) -> None:
    recall(hub, world, await past.take(), first_day(world))
    if leads():
        await hub.reach(GATHER_S)
    has_board = settings.device != DeviceKind.HOME  # it tells what is shown there
    told = frozenset() if leads() else frozenset(hub.timeline())

    def tell_new(_: float) -> None:
        nonlocal told  # not how many: old lines go, and some are forgotten
        lines = hub.timeline()
        for line in lines:
            if line not in told and not (has_board and line.kind == "suggestion"):
                tell(line, hub.mind.clock(line.time))
        told = frozenset(lines)

    is_told = settings.is_headless or settings.device != DeviceKind.HOME
    await lead(
        hub,
        end,
        Pace(settings.is_headless, leads, tell_new if is_told else lambda _: None),
    )
    if settings.page is not None or settings.device != DeviceKind.HOME:
        await asyncio.Event().wait()  # the last day stays to be looked at
