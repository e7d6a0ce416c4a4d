"""Keeps a device's replica of the household's state even with those of the others.

On contact, and every half a minute after, a device takes from each other one what it
lacks, and gives what that one lacks. What is written is given at once to whoever is
there; see exchange.py for what they say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TypeAlias

from trivet.app.exchange import Exchange
from trivet.app.partner import Partner
from trivet.domain import (
    PeerError,
    TrivetError,
    UnreachableError,
    UsageError,
)
from trivet.fabric.background import cancel
from trivet.fabric.link import Link
from trivet.fabric.replica import Change, Fork, Replica, Roll, State
from trivet.fabric.replica.change import check
from trivet.fabric.replica.intake import check_member
from trivet.fabric.replica.vector import Vector, covers

log = logging.getLogger("trivet.app")

#: Seconds between two looks whether updates can give way to a snapshot, and how many
#: of them, or of their bytes, are worth it.
COMPACT_S, MANY, MANY_BYTES = 60.0, 1000, 1024 * 1024

#: Changes that wait to be written, and who waits for them.
Waiting: TypeAlias = tuple[Sequence[Change], asyncio.Future[None]]


class Replicating:
    """One device's replica on its link.

    Args:
        link: its place on the fabric; the question STATE is answered from now on.
        replica: its copy of the state.
        roll: says who belongs to the household now: `lambda: trust.household`.
    """

    def __init__(self, link: Link, replica: Replica, roll: Callable[[], Roll]) -> None:
        self._link = link
        self._replica = replica
        self._roll = roll
        self._waiting: list[Waiting] = []
        self._writing = asyncio.Lock()
        self._partners: dict[str, Partner] = {}
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._exchange = Exchange(link, replica, roll, self._changed, self._met)

    @property
    def state(self) -> State:
        """What stands in the state now."""
        return self._replica.state

    @property
    def faults(self) -> Mapping[str, str]:
        """By device, what was wrong with what it gave last; for a person."""
        return self._exchange.faults

    @property
    def forks(self) -> Sequence[Fork]:
        """Devices that wrote two things under one number; see docs/state.md."""
        return tuple(self._replica.forks.values())

    # --- for the device ---------------------------------------------------------

    async def write(self, *changes: Change) -> None:
        """Make changes, all or none; they are on the disk when it returns.

        What is written while the disk is busy is written together with it.

        Raises:
            UsageError: a change that cannot be made.
            RefusedError: this device is a guest, or of the household no more.
            SetupError: it cannot be kept; the state is as it was.
        """
        if not changes:
            raise UsageError("a write without a change")
        check(changes)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((changes, done))
        await asyncio.shield(asyncio.ensure_future(self._write_waiting()))
        await done

    async def _write_waiting(self) -> None:
        async with self._writing:
            taken, self._waiting = self._waiting, []
            if not taken:
                return
            fault = await self._keep(taken)
            if isinstance(fault, UsageError) and len(taken) > 1:
                for one in taken:  # whose it is: the others' can be written
                    _settle([one], await self._keep([one]))
            else:
                _settle(taken, fault)

    async def _keep(self, taken: Sequence[Waiting]) -> Exception | None:
        """Write what waited, all or none; what was wrong if none was."""
        edits = [changes for changes, _ in taken]
        try:
            roots = await asyncio.to_thread(self._replica.write_all, edits)
        except Exception as error:  # each of them is told, whatever it is
            return error
        self._changed(roots)
        return None

    def on_change(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Have a function told of each change, here or elsewhere: the roots touched."""
        self._listeners.append(listener)

    async def watch(self) -> AsyncGenerator[frozenset[str], None]:
        """The roots that change, from now on; what comes meanwhile comes together."""
        touched: set[str] = set()
        woken = asyncio.Event()

        def listen(roots: frozenset[str]) -> None:
            touched.update(roots)
            woken.set()

        self._listeners.append(listen)
        try:
            while True:
                await woken.wait()
                woken.clear()
                seen = frozenset(touched)
                touched.clear()
                yield seen
        finally:
            self._listeners.remove(listen)

    async def run(self) -> None:
        """Keep even with whoever is there, until cancelled."""
        compacting = asyncio.ensure_future(self._compact())
        try:
            async for life in self._link.watch():
                partner = self._partners.pop(life.device, None)
                if partner is not None:
                    await partner.end()
                self._exchange.forget(life.device)
                if life.is_alive:
                    self._partners[life.device] = Partner(life.device, self._keep_even)
        finally:
            await cancel(compacting)
            for partner in self._partners.values():
                await partner.end()
            self._partners.clear()

    # --- with others ------------------------------------------------------------

    async def _keep_even(self, partner: Partner, is_round: bool) -> None:
        device = partner.device
        try:
            check_member(self._roll(), device)
            check_member(self._roll(), self._me)
        except PeerError:
            return  # a guest has no part in it
        try:
            if is_round or partner.theirs is None:
                await self._exchange.pull(partner)
            await self._exchange.push(partner)
        except TrivetError as error:
            if not isinstance(error, UnreachableError):
                self._exchange.note_fault(device, error)
            log.info("%s: not even with %s: %s", self._me, device, error)

    def _met(self, device: str, theirs: Vector) -> None:
        """Another one has said what it has: is there more than here?"""
        partner = self._partners.get(device)
        if partner is None:
            return
        partner.theirs = theirs
        if not covers(self._replica.vector, theirs):
            partner.wake(is_round=True)

    def _changed(self, roots: frozenset[str], giver: str = "") -> None:
        for listener in tuple(self._listeners):
            listener(roots)
        for partner in self._partners.values():
            if not giver:
                partner.wake()
            elif partner.device != giver:
                partner.wake_later()

    async def _compact(self) -> None:
        while True:
            await asyncio.sleep(COMPACT_S)
            try:
                count, total = await asyncio.to_thread(self._replica_size)
                if count < MANY and total < MANY_BYTES:
                    continue
                if await asyncio.to_thread(self._replica.compact):
                    log.info("%s: %d updates gave way to a snapshot", self._me, count)
            except TrivetError as error:
                log.warning("%s: the state is not compacted: %s", self._me, error)

    def _replica_size(self) -> tuple[int, int]:
        return self._replica.size

    @property
    def _me(self) -> str:
        return self._link.device


def _settle(taken: Sequence[Waiting], fault: Exception | None) -> None:
    for _, done in taken:
        if done.done():  # whoever wrote waits no more
            continue
        if fault is None:
            done.set_result(None)
        else:
            done.set_exception(fault)
