"""One device that is struck: the product's own parts, and a load that writes down.

    python -m scripts.chaos.node SETTINGS

SETTINGS is a file of JSON (work/setting.py). A line `quiet` on the input ends the load,
`go` begins it anew. The end of the input ends the node: none outlives who started it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path
from time import time
from typing import Protocol, TypeAlias

import msgspec
from scripts.chaos.founding import HOME, KINDS, SIGNALS, wishes
from scripts.chaos.journal import Began, Journal, Sighted
from scripts.chaos.work.charter import CharterWork
from scripts.chaos.work.lease import LeaseWork
from scripts.chaos.work.sabotage import LeakyGate, Sabotage, set_back
from scripts.chaos.work.seat import SeatWork
from scripts.chaos.work.setting import Settings
from scripts.chaos.work.state import StateWork, digest_of, state_file
from scripts.chaos.work.task import (
    CONDITION,
    TaskWork,
    name_device,
    run_again,
    run_once,
    slots_of,
)

from trivet.app.folder import identity_folder, ledger_file, seat_file, witness_file
from trivet.app.keeper import Keeper, household_of
from trivet.app.offloading import Offloader, open_offloader
from trivet.app.replicating import Replicating
from trivet.app.seating import Seating
from trivet.app.trust import Trust
from trivet.app.witnessing import Witnessing
from trivet.domain import Device, TrivetError
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import SessionConfig
from trivet.fabric.gate import Gate
from trivet.fabric.household import load_household
from trivet.fabric.identity import load_identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.offload.registry import Registry
from trivet.fabric.replica import Replica
from trivet.fabric.session import ZenohLink, open_session

SIGHT_EVERY_S = 0.5

Opening: TypeAlias = AbstractAsyncContextManager[Offloader]


class Work(Protocol):
    """Part of a node's load."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


class Load(Work, Protocol):
    """Part of it that changes something."""

    def set_quiet(self, is_quiet: bool) -> None:
        """Change nothing any more, or go on."""
        ...


class Node:
    """One device, and its load.

    Args:
        settings: how it runs.

    Raises:
        TrivetError: this device cannot start, as when its disk is full.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = Path(settings.folder)
        folder = identity_folder(self._own)
        self._founded = load_household(folder)
        identity = load_identity(self._founded, settings.device)
        household = household_of(own_charter(folder))
        self._private = key_from_pem(identity.private_pem())
        self._config = SessionConfig(
            identity=identity,
            listen=settings.listen,
            connect=settings.connect,
            members=tuple(sorted(household.members)),
        )
        self._ledger = self._open_ledger()
        self._journal = Journal(Path(settings.journal), settings.life)
        self._start = time()
        kind = KINDS[settings.device]
        device = Device(settings.device, kind, signals=(SIGNALS[kind],))
        self._trust = Trust(
            device, household, self._ledger, self._start, private=self._private
        )
        self._roll = lambda: self._trust.household
        self._replica = Replica(
            state_file(self._own),
            settings.device,
            self._founded.name,
            self._private,
            self._roll,
        )
        self._loads: list[Load] = []
        self._is_quiet = False

    async def live(self) -> None:
        """Live until cancelled.

        Raises:
            TrivetError: this device cannot go on.
        """
        self._journal.add(Began(seq=self._ledger.head.seq), sure=True)
        gate: Gate = self._trust.gate
        if Sabotage.DISCLOSE in self._settings.sabotage:
            gate = LeakyGate(gate)
        async with AsyncExitStack() as stack:
            stack.callback(self._trust.close)
            stack.callback(self._replica.close)
            link = await stack.enter_async_context(
                open_session(self._config, gate=gate)
            )
            works = await self._make_works(link, stack)
            await asyncio.gather(*(work.run() for work in (*works, *self._loads)))

    def set_quiet(self, is_quiet: bool) -> None:
        """Change nothing any more, or go on; samples flow all the time."""
        self._is_quiet = is_quiet
        for load in self._loads:
            load.set_quiet(is_quiet)

    async def _make_works(self, link: ZenohLink, stack: AsyncExitStack) -> list[Work]:
        """What the device does, and what is done with it besides."""
        settings, trust, journal = self._settings, self._trust, self._journal
        trust.attach(link, wishes(settings.device, settings.devices))
        keeper = Keeper(self._founded, self._config, link, trust, link.reopen)
        leases = LeaseWork(settings, trust, link, journal, self._start)
        witnessing = Witnessing(link, trust, witness_file(self._own, settings.device))
        replicating = Replicating(link, self._replica, self._roll)
        seats = seat_file(self._own, settings.device)
        seating = Seating(link, self._roll, seats)
        offloader = await stack.enter_async_context(self._open_offloader(link))
        self._loads = [
            StateWork(settings, replicating, journal),
            TaskWork(settings, offloader, journal),
            SeatWork(settings, seating, link, journal),
        ]
        if settings.device == HOME:
            self._loads.append(CharterWork(settings, journal))
        self.set_quiet(self._is_quiet)  # it may have been told before it was up
        sight = Sight(link, leases, self._replica, journal)
        return [keeper, leases, witnessing, replicating, seating, sight]

    def _open_offloader(self, link: ZenohLink) -> Opening:
        name_device(self._settings.device)
        return open_offloader(
            link,
            self._trust,
            tasks=Registry((run_again, run_once)),
            slots=slots_of(self._settings),
            journal=self._own / "runs.db",
            condition=lambda: CONDITION,
        )

    def _open_ledger(self) -> Ledger:
        settings = self._settings
        path = ledger_file(self._own, settings.device)
        if Sabotage.LEDGER in settings.sabotage:
            set_back(path, Path(f"{settings.journal}.aside"), settings.life)
        return Ledger(path, settings.device, key=self._private)


class Sight:
    """Writes down who is there, and what comes, again and again."""

    def __init__(
        self, link: ZenohLink, leases: LeaseWork, replica: Replica, journal: Journal
    ) -> None:
        self._link, self._leases, self._journal = link, leases, journal
        self._replica = replica

    async def run(self) -> None:
        """Write it down until cancelled."""
        while True:
            await asyncio.sleep(SIGHT_EVERY_S)
            with suppress(TrivetError):
                self._leases.witness()
            alive = tuple(sorted(self._link.alive))
            self._journal.add(
                Sighted(
                    alive=alive,
                    flowing=self._leases.flowing(),
                    state=digest_of(self._replica),
                )
            )


async def _until_ended(settings: Settings) -> None:
    loop, node = asyncio.get_running_loop(), Node(settings)
    living = asyncio.ensure_future(node.live())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, living.cancel)
    loop.add_reader(sys.stdin, _take_order, node, living)
    with suppress(asyncio.CancelledError):
        await living


def _take_order(node: Node, living: asyncio.Future[None]) -> None:
    order = sys.stdin.readline()
    if not order:
        living.cancel()
    elif order.strip() in ("quiet", "go"):
        node.set_quiet(order.strip() == "quiet")


def main() -> int:
    """Run one node; 3 when the device says that it cannot go on."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    settings = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)
    try:
        asyncio.run(_until_ended(settings))
    except TrivetError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
