"""What runs beside a device's part for as long as it is up, one thing a line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from trivet.app.board_word import Spokesman
from trivet.app.choosing import Choosing
from trivet.app.control import Control
from trivet.app.folder import choices_file, seat_file, witness_file
from trivet.app.following import Following
from trivet.app.forgetting import OnForget
from trivet.app.hub import Hub
from trivet.app.issuing import Issuing
from trivet.app.keeper import Keeper, Reopen
from trivet.app.keeping import Keeping
from trivet.app.leasing import take_lease_words
from trivet.app.outlook_word import take_outlook_words
from trivet.app.part import Part
from trivet.app.remembering import Remembering
from trivet.app.renewing import LateDoor, Renewing
from trivet.app.replicating import Replicating
from trivet.app.seat_word import take_seat_words
from trivet.app.seating import Seating
from trivet.app.state_word import take_state_words
from trivet.app.witnessing import Witnessing, take_witness_words, tell_log
from trivet.domain.wire import Command
from trivet.fabric.config import SessionConfig
from trivet.fabric.history import Forget, History
from trivet.fabric.household import Household
from trivet.fabric.identity import Identity
from trivet.fabric.letter import Received
from trivet.fabric.replica import Replica
from trivet.fabric.seat import ENGINE, Plan

#: Who forecasts and suggests: the home, also where it is the only one up.
ENGINE_PLAN = Plan(ENGINE, may_take_over_alone=("home",))


class Upkeep:
    """A device's services, made when its session is open.

    Args:
        folder: the household's.
        founded: where its certificates are.
        config: the session's.
        part: the device's own part.
        reopen: opens the session anew.
        replica: its copy of the state.
        history: the samples that it keeps.
        control: takes the owner's words.
        is_late_renewal: whether to open a door to those whose certificates have ended.
    """

    def __init__(
        self,
        folder: Path,
        founded: Household,
        config: SessionConfig,
        part: Part,
        reopen: Reopen,
        replica: Replica,
        history: History,
        control: Control,
        is_late_renewal: bool,
    ) -> None:
        link, trust = part.link, part.trust
        me = link.device
        self._folder = folder
        self._control = control
        self._keeper = Keeper(founded, config, link, trust, reopen)
        self._doors: list[LateDoor] = []
        is_known = config.listen and not config.listen[0].endswith(":0")
        if is_late_renewal and is_known:  # else nobody could find the door
            self._doors.append(LateDoor(founded, config.identity, config.listen[0]))
        self._renewing = Renewing(
            founded, me, link, self._renewed, connect=config.connect
        )
        self._issuing = Issuing(founded, me, link)
        self._following = Following(
            founded, link, config.connect, is_name_checked=config.is_name_checked
        )
        self._warn: Callable[[str], None] = tell_log
        self._witnessing = Witnessing(
            link, trust, witness_file(folder, me), warn=lambda text: self._warn(text)
        )
        self._replicating = Replicating(link, replica, lambda: trust.household)
        self._seating = Seating(
            link, lambda: trust.household, seat_file(folder, me), (ENGINE_PLAN,)
        )
        self._keeping = Keeping(link, trust, history, self._forget)
        self._forgetters: list[OnForget] = []
        part.on_command(self._check)
        part.on_lived(self._keeping.note_own)
        part.on_heard(self._keep)
        trust.on_lease_end(self._keeping.note_lease_end)
        take_lease_words(control, trust)
        take_witness_words(control, self._witnessing)
        take_seat_words(control, self._seating)
        take_state_words(control, me, self._replicating)
        self._keeping.take_words(control)
        self._spokesman = Spokesman(me, part.board)
        self._spokesman.take_words(control)
        part.board.leader = self._leader

    def runs(self) -> list[Coroutine[Any, Any, None]]:
        """What is to be run, each until cancelled."""
        return [
            self._keeper.run(),
            self._renewing.run(),
            self._issuing.run(),
            self._following.run(),
            self._witnessing.run(),
            self._replicating.run(),
            self._seating.run(),
            self._keeping.run(),
            *(door.run() for door in self._doors),
        ]

    def lead_runs(self, hub: Hub, seed: int) -> list[Coroutine[Any, Any, None]]:
        """What is to be run besides on a device that may lead."""

        def warn(text: str) -> None:
            tell_log(text)
            hub.mind.note(hub.time, "A ledger does not go on as it was", [text])

        self._warn = warn
        hub.acting, hub.leader = self._acting, self._leader
        self._spokesman.hub = hub
        take_outlook_words(self._control, hub)
        choosing = Choosing(choices_file(self._folder, hub.device), hub)
        self._forgetters += [hub.forget, choosing.forget]
        return [Remembering(self._replicating, hub, seed).run(), choosing.run()]

    def leads(self) -> bool:
        """Whether the device may forecast and suggest now."""
        return self._seating.holding(ENGINE) is not None

    def _leader(self) -> str:
        return self._seating.row(ENGINE).holder

    def _acting(self, device: str) -> AbstractAsyncContextManager[int]:
        return self._seating.acting(ENGINE, on=device)

    def _keep(self, received: Received) -> None:
        self._keeping.note_received(received)

    async def _forget(self, owner: str, wish: Forget) -> None:
        for forget in self._forgetters:
            await forget(owner, wish)

    def _check(self, asker: str, command: Command) -> None:
        self._seating.fence.admit(command.seat, command.token, asker)

    async def _renewed(self, identity: Identity) -> None:
        for door in self._doors:
            door.show(identity)
        await self._keeper.renewed(identity)
