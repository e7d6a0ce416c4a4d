"""One device of a simulated household as a process: its session, its part, its end."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from functools import partial
from typing import Any

from trivet.app.board_line import tell_board
from trivet.app.control import Control, open_control
from trivet.app.folder import (
    control_file,
    history_file,
    identity_folder,
    ledger_file,
    run_file,
    state_file,
)
from trivet.app.keeper import household_of
from trivet.app.life import GATHER_S, NodeSettings, live_hub
from trivet.app.offloading import Offloader, open_offloader
from trivet.app.past import Past
from trivet.app.remembering import begun
from trivet.app.renewing import current_identity
from trivet.app.simulation import (
    first_day,
    learn_past,
    make_hub_of,
    make_part,
    make_trust,
)
from trivet.app.student import student_of
from trivet.app.task_word import take_task_words
from trivet.app.trust import Household, Trust
from trivet.app.upkeep import Upkeep
from trivet.app.view import TimelineEntry
from trivet.devices.world import World
from trivet.domain import DeviceKind, UnreachableError, UsageError
from trivet.fabric.background import first_of
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import Role, SessionConfig
from trivet.fabric.history import History
from trivet.fabric.household import load_household
from trivet.fabric.identity import Identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.offload.registry import load_registry
from trivet.fabric.replica import Replica
from trivet.fabric.session import ZenohLink, open_session

DEVICES = (DeviceKind.PHONE, DeviceKind.CAR, DeviceKind.HOME)
#: Which devices may lead, and how many seconds after its start each begins to learn
#: the past: who stands by gives way to who shows the page.
STANDBY_AFTER_S: Mapping[str, float] = {DeviceKind.HOME: 0.0, DeviceKind.PHONE: 6.0}


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
        if settings.device in STANDBY_AFTER_S:
            past = Past(
                partial(
                    learn_past, world, first_day(world), student_of(settings.folder)
                ),
                STANDBY_AFTER_S[settings.device],
            )
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
    config = _config_of(settings, identity, household)
    control = Control()
    with ExitStack() as stack:
        trust, replica, start = _remember(stack, settings, world, household, identity)
        path = history_file(settings.folder, settings.device)
        history = stack.enter_context(History(path, settings.device))
        async with (
            open_session(config, gate=trust.gate) as link,
            open_control(control_file(settings.folder, settings.device), control),
            _offering(settings, link, trust) as offloader,
        ):
            take_task_words(control, offloader)
            part = make_part(world, DeviceKind(settings.device), link, trust, start)
            upkeep = Upkeep(
                settings.folder,
                founded,
                config,
                part,
                link.reopen,
                replica,
                history,
                control,
                settings.is_late_renewal,
            )
            # the home's page shows all of it
            if settings.device != DeviceKind.HOME and not settings.is_quiet:
                tell_board(part.board, settings.device, tell)
            lives = [_meet(link, settings), *upkeep.runs()]
            if past is None:
                lives.append(part.run())
            else:
                hub = make_hub_of(part, world, start, student_of(settings.folder))
                lives += upkeep.lead_runs(hub, settings.seed)
                lives.append(
                    live_hub(settings, world, past, hub, upkeep.leads, tell, on_page)
                )
            await first_of(*lives)


def _config_of(
    settings: NodeSettings, identity: Identity, household: Household
) -> SessionConfig:
    return SessionConfig(
        identity=identity,
        listen=settings.listen,
        connect=settings.connect,
        role=Role.LEAF if settings.routers else Role.PEER,
        routers=settings.routers,
        members=tuple(sorted(household.members)),
        is_scouting=settings.is_scouting,
    )


def _remember(
    stack: ExitStack,
    settings: NodeSettings,
    world: World,
    household: Household,
    identity: Identity,
) -> tuple[Trust, Replica, float]:
    """What the device knows from before, and the event time at which it goes on."""
    stands: list[Trust] = []
    private = key_from_pem(identity.private_pem())
    replica = Replica(
        state_file(settings.folder, settings.device),
        settings.device,
        identity.household,
        private,
        lambda: stands[0].household if stands else household,
    )
    stack.callback(replica.close)
    start = begun(replica.state, settings.seed, first_day(world))
    path = ledger_file(settings.folder, settings.device)
    ledger = Ledger(path, settings.device, key=private)
    kind = DeviceKind(settings.device)
    trust = make_trust(world, kind, household, ledger, start, private)
    stack.callback(trust.close)
    stands.append(trust)
    return trust, replica, start


def _offering(
    settings: NodeSettings, link: ZenohLink, trust: Trust
) -> AbstractAsyncContextManager[Offloader]:
    """Offer the tasks that packages bring; with none, no process waits for any."""
    registry = load_registry()
    return open_offloader(
        link,
        trust,
        tasks=registry,
        slots=None if registry else 0,
        journal=run_file(settings.folder, settings.device),
    )


async def _meet(link: ZenohLink, settings: NodeSettings) -> None:
    """End a device that is refused by all that it dials before it met anybody."""
    others = [kind for kind in DEVICES if kind != settings.device]
    while not link.alive:
        with suppress(UnreachableError):
            await link.reach(others[-1], GATHER_S)
    await asyncio.Event().wait()
