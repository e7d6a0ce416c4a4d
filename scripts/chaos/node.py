"""One device that is struck: the product's own parts, and a load that writes down.

    python -m scripts.chaos.node SETTINGS

SETTINGS is a file of JSON (work/setting.py). A line `quiet` on the input ends the load;
the end of the input ends the node, so none outlives whoever started it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import closing, suppress
from pathlib import Path
from time import time

import msgspec
from scripts.chaos.founding import KINDS, SIGNALS, wishes
from scripts.chaos.journal import Began, Journal, Sighted
from scripts.chaos.work.lease import LeaseWork
from scripts.chaos.work.setting import Settings

from trivet.app.folder import identity_folder, ledger_file
from trivet.app.keeper import Keeper, household_of
from trivet.app.trust import Trust
from trivet.domain import Device, TrivetError
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.config import SessionConfig
from trivet.fabric.household import load_household
from trivet.fabric.identity import load_identity
from trivet.fabric.ledger import Ledger
from trivet.fabric.session import open_session

SIGHT_EVERY_S = 0.5


async def live(settings: Settings) -> None:
    """Live until cancelled.

    Raises:
        TrivetError: this device cannot start, as when its disk is full.
    """
    own = Path(settings.folder)
    folder = identity_folder(own)
    founded = load_household(folder)
    identity = load_identity(founded, settings.device)
    household = household_of(own_charter(folder))
    kind, private = KINDS[settings.device], key_from_pem(identity.private_pem())
    config = SessionConfig(
        identity=identity,
        listen=settings.listen,
        connect=settings.connect,
        members=tuple(sorted(household.members)),
    )
    ledger = Ledger(ledger_file(own, settings.device), settings.device, key=private)
    journal, start = Journal(Path(settings.journal), settings.life), time()
    device = Device(settings.device, kind, signals=(SIGNALS[kind],))
    trust = Trust(device, household, ledger, start, private=private)
    with closing(trust):
        journal.add(Began(seq=ledger.head.seq), sure=True)
        async with open_session(config, gate=trust.gate) as link:
            trust.attach(link, wishes(settings.device, settings.devices))
            keeper = Keeper(founded, config, link, trust, link.reopen)
            leases = LeaseWork(settings, trust, link, journal, start)

            async def sight() -> None:
                while True:
                    await asyncio.sleep(SIGHT_EVERY_S)
                    with suppress(TrivetError):
                        leases.witness()
                    alive = tuple(sorted(link.alive))
                    journal.add(Sighted(alive=alive, flowing=leases.flowing()))

            await asyncio.gather(keeper.run(), leases.run(), sight())


async def _until_ended(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    living = asyncio.ensure_future(live(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, living.cancel)
    loop.add_reader(sys.stdin, _take_order, living)
    with suppress(asyncio.CancelledError):
        await living


def _take_order(living: asyncio.Future[None]) -> None:
    if not sys.stdin.readline():
        living.cancel()


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
