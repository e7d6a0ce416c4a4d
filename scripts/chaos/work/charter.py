"""Lets the home change the household's charter now and then, as its owner would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from msgspec.structs import replace
from scripts.chaos.journal import Acked, Journal, Refused
from scripts.chaos.work.setting import Settings

from trivet.app.folder import identity_folder
from trivet.domain import TrivetError
from trivet.fabric.charter import Charter, own_charter
from trivet.fabric.household import authority, load_household
from trivet.fabric.policy import shipped_policy
from trivet.fabric.roll import amend

#: Mean seconds between two changes.
CHANGE_EVERY_S = 4.0
#: What an acknowledged change is called in the journal; its value is the version.
CHARTER = "charter"


class CharterWork:
    """The home's changes.

    Args:
        settings: the node's.
        journal: where it is written down.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._folder = identity_folder(Path(settings.folder))
        self._journal = journal
        self._random = Random(settings.seed * 1000 + settings.life)
        self._is_quiet = False

    def set_quiet(self, is_quiet: bool) -> None:
        """Change nothing any more, or go on."""
        self._is_quiet = is_quiet

    async def run(self) -> None:
        """Change it until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(1.0 / CHANGE_EVERY_S))
            if self._is_quiet:
                continue
            try:
                version = await asyncio.to_thread(self._change)
            except TrivetError as error:
                self._journal.add(Refused(what=CHARTER, why=str(error)[:200]))
            else:
                acked = Acked(key=CHARTER, value=str(version))
                self._journal.add(acked, sure=True)

    def _change(self) -> int:
        note = f"\n// as of change {self._random.getrandbits(32)}\n"

        def changed(old: Charter) -> Charter:
            return replace(old, policy=shipped_policy().text + note)

        issuer = authority(load_household(self._folder))
        return amend(self._folder, issuer, changed).version


def version_of(folder: Path) -> int:
    """The version of the charter that a device keeps in its own folder."""
    return own_charter(identity_folder(folder)).version
