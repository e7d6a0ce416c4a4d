"""Writes to the household's state, and writes down what was acknowledged."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from random import Random

from scripts.chaos.check.state import EACH, LAST, State
from scripts.chaos.journal import Acked, Journal, Refused
from scripts.chaos.work.sabotage import Sabotage
from scripts.chaos.work.setting import Settings

from trivet.app.folder import identity_folder
from trivet.app.keeper import household_of
from trivet.app.replicating import Replicating
from trivet.domain import TrivetError
from trivet.fabric.certificate import key_from_pem
from trivet.fabric.charter import own_charter
from trivet.fabric.household import load_household
from trivet.fabric.identity import load_identity
from trivet.fabric.replica import Add, Change, Put, Replica

#: Mean seconds between two writes of a device.
WRITE_EVERY_S = 0.4
#: A list that all add to, and keys that all overwrite.
LIST, SHARED = "chaos", 20
#: Of so many acknowledged writes one is never made, when that is the sabotage.
FORGET_EVERY = 10


class StateWork:
    """One node's writes.

    Args:
        settings: the node's.
        replicating: its replica.
        journal: where what was acknowledged is written down.
    """

    def __init__(
        self, settings: Settings, replicating: Replicating, journal: Journal
    ) -> None:
        self._me, self._life = settings.device, settings.life
        self._replicating, self._journal = replicating, journal
        self._random = Random(settings.seed * 1000 + settings.life)
        self._forgets = Sabotage.FORGET in settings.sabotage
        self._is_quiet = False
        self._count = 0

    def set_quiet(self, is_quiet: bool) -> None:
        """Write nothing any more, or go on."""
        self._is_quiet = is_quiet

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(1.0 / WRITE_EVERY_S))
            if not self._is_quiet:
                await self._write()

    async def _write(self) -> None:
        self._count += 1
        number = self._life * 1_000_000 + self._count
        name = f"{EACH}.{self._me}.{number}"
        key, value, change = self._choose(name, number)
        try:
            if not (self._forgets and self._count % FORGET_EVERY == 0):
                await self._replicating.write(change)
        except TrivetError as error:
            self._journal.add(Refused(what="write", why=str(error)[:200]))
        else:
            self._journal.add(Acked(key=key, value=value), sure=True)

    def _choose(self, name: str, number: int) -> tuple[str, str, Change]:
        """What to write: what it is called in the journal, its value, the change."""
        lot = self._random.random()
        if lot < 0.5:
            return name, str(number), Put(f"settings/{name}", number)
        if lot < 0.65:
            return name, LIST, Add(LIST, name)
        if lot < 0.85:
            last = f"{LAST}.{self._me}"
            return last, str(number), Put(f"settings/{last}", number)
        shared = f"shared.{self._random.randrange(SHARED)}"
        return shared, self._me, Put(f"settings/{shared}", f"{self._me} {number}")


def state_file(folder: Path) -> Path:
    """Where a device keeps its replica."""
    return folder / "state.db"


def open_replica(folder: Path, device: str) -> Replica:
    """A device's replica, as it is on its disk.

    Raises:
        SetupError: it cannot be used.
    """
    own = identity_folder(folder)
    household = load_household(own)
    private = key_from_pem(load_identity(household, device).private_pem())
    roll = household_of(own_charter(own))
    return Replica(state_file(folder), device, household.name, private, lambda: roll)


def digest_of(replica: Replica) -> str:
    """What stands for how far a replica is: equal where two have seen the same."""
    rows = sorted((peer, str(head)) for peer, head in replica.vector.items())
    return sha256(repr(rows).encode()).hexdigest()[:16]


def read_state(replica: Replica) -> State:
    """All that stands in a replica: settings, and items on a list, by name."""
    state = replica.state
    settings = {key: str(value) for key, value in state.settings.items()}
    items = state.lists.get(LIST, ())
    return settings | {item.text: LIST for item in items}
