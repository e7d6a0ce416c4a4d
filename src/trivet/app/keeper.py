"""Keeps what the household agreed current in a running device.

The charter changes on this machine (a device paired, revoked, a policy set) or on
another; either way the newest one is taken up within POLL_S, without ending the
session for longer than it takes to open one, and handed on to whoever is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from trivet.app.trust import Household, Trust
from trivet.domain import InputError, PeerError, SetupError, TrivetError, UsageError
from trivet.domain.wire import Document, Message
from trivet.fabric import charter
from trivet.fabric.access import Access, Decision, Party
from trivet.fabric.background import cancel
from trivet.fabric.charter import Charter, is_revoked
from trivet.fabric.config import SessionConfig
from trivet.fabric.household import Household as Founded
from trivet.fabric.household import authority
from trivet.fabric.identity import Identity
from trivet.fabric.late import ask_notice
from trivet.fabric.lease import Policy as Decider
from trivet.fabric.letter import Received
from trivet.fabric.link import Link
from trivet.fabric.notice import check_standing, take_notice
from trivet.fabric.policy import Policy, shipped_policy
from trivet.fabric.renewer import Renewer
from trivet.fabric.request import load_public
from trivet.fabric.roll import reconcile

log = logging.getLogger("trivet.app")

#: Asked of any device, and told on this path: the charter that it keeps.
CHARTER = "charter"
#: Seconds between two looks at the charter on the disk.
POLL_S = 0.2
#: Seconds between two questions, while nobody is there, whether this device is out.
INQUIRE_S = 30.0
#: Charters of others that wait to be read; more are not believed to be needed.
MAX_WAITING = 16

#: Takes a session's config anew; see ZenohLink.reopen.
Reopen = Callable[[SessionConfig], Awaitable[None]]


def household_of(agreed: Charter) -> Household:
    """Who belongs to the household and its policy, by its charter.

    Where the policy cannot be read, as one of a later version, nothing is allowed:
    members and revocations hold all the same.
    """
    members = {
        member.device: Party(member.device, member.kind, member.is_guest)
        for member in agreed.members
        if not is_revoked(agreed, member.device, member.fingerprint)
    }
    keys = {
        member.device: load_public(member.public_key)
        for member in agreed.members
        if member.device in members and member.public_key
    }
    try:
        policy: Decider = policy_of(agreed)
    except InputError as error:
        log.error("nothing is allowed until this is mended: %s", error)
        policy = Unreadable()
    return Household(members, policy, keys, agreed.version)


class Unreadable:
    """Stands in for a policy that this version cannot read: it allows nothing."""

    def decide(self, access: Access) -> Decision:
        """No, and what to do."""
        why = "the household's policy cannot be read here: update trivet on this device"
        return Decision(False, "", why)


def policy_of(agreed: Charter) -> Policy:
    """The household's policy: its own, or the one that is shipped.

    Raises:
        InputError: it cannot be read by this version.
    """
    if not agreed.policy:
        return shipped_policy()
    return Policy(agreed.policy, source="the household's policy")


class Keeper:
    """Watches the charter of one device.

    Args:
        household: where its certificates are.
        config: the session's, opened anew when the members change.
        link: the device's place on the fabric.
        trust: what is told of changes.
        reopen: opens the session anew.
    """

    def __init__(
        self,
        household: Founded,
        config: SessionConfig,
        link: Link,
        trust: Trust,
        reopen: Reopen,
    ) -> None:
        self._household = household
        self._folder = household.folder
        self._config = config
        self._link = link
        self._trust = trust
        self._reopen = reopen
        self._stamp = self._look()
        self._data = charter.load_charter(self._folder)
        self._shown: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MAX_WAITING)
        link.answer(CHARTER, self._asked)
        trust.also_hear(self.hear)

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            RevokedError: this device was shut out, by an issuer's word.
        """
        tasks = [asyncio.ensure_future(x) for x in (self._meet(), self._inquire())]
        try:
            while True:
                try:
                    async with asyncio.timeout(POLL_S):
                        shown = await self._shown.get()
                except TimeoutError:
                    await self._reread()
                else:
                    await self._learn(*shown)
        finally:
            for task in tasks:
                await cancel(task)

    async def renewed(self, identity: Identity) -> None:
        """The device's certificate is a new one: show it from now on."""
        self._config = replace(self._config, identity=identity)
        await self._reopen(self._config)

    async def hear(self, received: Received) -> bool:
        """Take in what another device sent; whether it was a charter."""
        message = received.message
        if not isinstance(message, Document) or received.path != CHARTER:
            return False
        self._show(received.owner, message)
        return True

    async def _reread(self) -> None:
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            await self._take_up(charter.load_charter(self._folder))

    def _show(self, sender: str, message: Message) -> None:
        """Have a charter read when its turn comes, not within an answer."""
        if not isinstance(message, Document) or message.body == self._data:
            return
        if not self._shown.full():
            self._shown.put_nowait((sender, message.body))

    def _look(self) -> tuple[int, int]:
        found = (self._folder / charter.FILE).stat()
        return found.st_mtime_ns, found.st_ino

    async def _meet(self) -> None:
        """Show the charter to whoever comes, and look at theirs."""
        async for life in self._link.watch():
            if not life.is_alive:
                continue
            self._trust.lessee.forget(life.device)
            try:
                theirs = await self._link.ask(
                    life.device, CHARTER, Document(CHARTER, self._data)
                )
            except PeerError as error:
                log.info("%s: no charter of %s: %s", self._link.device, life, error)
                continue
            self._show(life.device, theirs)

    async def _inquire(self) -> None:
        """Where nobody speaks to this device any more, an issuer's door says why."""
        renewer: Renewer | None = None
        while True:
            await asyncio.sleep(INQUIRE_S)
            if self._link.alive or not self._config.connect:
                continue
            try:
                if renewer is None:
                    renewer = await asyncio.to_thread(
                        Renewer, self._household, self._me
                    )
                notice = await ask_notice(
                    renewer,
                    self._household.ca_path,
                    self._config.connect,
                    is_name_checked=self._config.is_name_checked,
                )
                # what it says is read from the charter, like all that changes there
                await asyncio.to_thread(take_notice, self._folder, self._me, notice)
            except TrivetError as error:
                log.warning("%s: %s", self._me, error)

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("charter wants a charter")
        self._show(asker, message)
        return Document(CHARTER, self._data)

    async def _learn(self, sender: str, data: bytes) -> None:
        """Merge what another device showed; what no issuer signed is not taken."""
        try:
            kept = await asyncio.to_thread(self._merge, data)
        except TrivetError as error:
            log.warning("%s: the charter that %s showed: %s", self._me, sender, error)
            return
        self._stamp = self._look()
        await self._take_up(kept)

    def _merge(self, theirs: bytes) -> bytes:
        try:
            issuer = authority(self._household)
        except SetupError:  # no issuer here
            return charter.save_charter(self._folder, theirs)
        reconcile(self._folder, issuer, theirs)
        return charter.load_charter(self._folder)

    async def _take_up(self, data: bytes) -> None:
        if data == self._data:
            return
        old, self._data = self._data, data
        try:
            agreed = charter.own_charter(self._folder)
            household = household_of(agreed)
        except TrivetError as error:
            log.error("%s: the charter cannot be read: %s", self._me, error)
            return
        check_standing(agreed, self._me)
        before = set(self._trust.household.members)
        await self._part_from(before - set(household.members), old, agreed)
        await self._trust.agree(household)  # from here on who is out hears nothing
        await self._hand_on()
        if set(household.members) != before:
            members = tuple(sorted(household.members))
            self._config = replace(self._config, members=members)
            await self._reopen(self._config)

    async def _part_from(self, gone: set[str], old: bytes, agreed: Charter) -> None:
        """Let who is out know of it, as the last that they hear, and of nothing new."""
        for device in sorted(gone & self._link.alive):
            try:
                last = Document(CHARTER, charter.carry(old, agreed.revoked))
                await self._link.publish(device, last, CHARTER)
            except TrivetError as error:
                log.info("%s: %s was not told: %s", self._me, device, error)

    async def _hand_on(self) -> None:
        for device in sorted(self._link.alive):
            try:
                await self._link.publish(device, Document(CHARTER, self._data), CHARTER)
            except TrivetError as error:
                log.info("%s: %s did not get the charter: %s", self._me, device, error)

    @property
    def _me(self) -> str:
        return self._link.device
