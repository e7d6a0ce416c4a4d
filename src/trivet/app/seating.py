"""Who does what for the household: its seats, held and taken over between devices.

    seating = Seating(link, lambda: trust.household, seat_file(folder, link.device))
    running = asyncio.create_task(seating.run())
    async with seating.acting("engine") as token:
        await link.ask("home", COMMAND, Command(path, value, time, "engine", token))

What is decided is decided in `trivet.fabric.seat`; here it meets the link, the disk and
the clock. docs/takeover.md says what is promised.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random, SystemRandom
from typing import TypeAlias

import msgspec

from trivet.app.trust import Household
from trivet.domain import RefusedError, SetupError, TrivetError
from trivet.domain.wire import Message
from trivet.fabric.background import cancel
from trivet.fabric.link import Link
from trivet.fabric.seat import (
    ENGINE,
    SEAT,
    Fence,
    FileBook,
    Hold,
    Plan,
    Roll,
    Send,
    Standing,
    Table,
    View,
    check_seat,
    order_of,
    pack,
    roll_of,
    steady_s,
    unpack,
)
from trivet.fabric.seat.timing import HOLD_S
from trivet.fabric.seat.word import Word

log = logging.getLogger("trivet.app")

#: No device looks more often than this, whatever is due, in seconds.
_LEAST_S = 0.005
#: Seconds for which a device that ends waits until others know that it did.
_LEAVE_S = 0.5


class Row(msgspec.Struct, frozen=True):
    """A seat as this device sees it.

    Attributes:
        seat: the seat.
        standing: how this device stands to it.
        holder: who holds it, as far as this device knows; empty for nobody.
        token: with which.
        since: Unix time since which that is so, by this device's clock.
        why: in words.
    """

    seat: str
    standing: Standing
    holder: str
    token: int
    since: float
    why: str


Listener: TypeAlias = Callable[[Row], None]


class Seating:
    """One device's part in who does what.

    Args:
        link: the device's place on the fabric.
        household: who belongs to it now.
        path: where the device keeps what it must not forget.
        plans: who stands for which seat; the same on all devices.
        clock: monotonic seconds, sleep included.
        rng: for lots.

    Raises:
        UsageError: a plan's seat has no name of one.
        SetupError: what is kept at `path` is damaged, or cannot be kept.
    """

    def __init__(
        self,
        link: Link,
        household: Callable[[], Household],
        path: Path,
        plans: Sequence[Plan] = (Plan(ENGINE),),
        *,
        clock: Callable[[], float] = steady_s,
        rng: Random | None = None,
    ) -> None:
        self._link = link
        self._household = household
        self._plans = {check_seat(plan.seat): plan for plan in plans}
        self._clock = clock
        roll, views = self._views()
        lots = SystemRandom() if rng is None else rng
        self._table = Table(
            link.device, FileBook(path), views, roll, lots, self._clock()
        )
        self._stir = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._acts: dict[asyncio.Timeout, tuple[str, str]] = {}
        self._listeners: list[Listener] = []
        self._told: dict[str, Row] = {}
        link.answer(SEAT, self._asked)

    # --- what a device asks of it -----------------------------------------------------

    @property
    def device(self) -> str:
        """This device's id."""
        return self._link.device

    @property
    def fence(self) -> Fence:
        """Where commands for this device's own things must pass."""
        return self._table.fence

    def holding(self, seat: str = ENGINE) -> Hold | None:
        """What this device may do for a seat at this moment; None for nothing.

        Raises:
            UsageError: there is no such seat.
        """
        now = self._clock()
        candidate = self._table.candidate(seat)
        standing, token = candidate.standing(now), candidate.token(now)
        if standing not in (Standing.HOLDING, Standing.ALONE):
            return None
        return Hold(seat, self._link.device, token, standing)

    @asynccontextmanager
    async def acting(self, seat: str = ENGINE, *, on: str = "") -> AsyncIterator[int]:
        """Act for a seat: the block is cancelled when it is lost, so keep it short.

        It gives the token, which goes with every command. The seat is not handed over
        while the block runs.

        Args:
            seat: the seat.
            on: whose things are acted on; empty for any device's.

        Raises:
            UsageError: there is no such seat.
            RefusedError: this device may not, or no more.
        """
        hold = self.holding(seat)
        leaving = self._table.candidate(seat).is_leaving(self._clock())
        if hold is None or leaving or not hold.may_act_on(on):
            raise RefusedError(
                f"{self._link.device} may not act for {seat} on "
                f"{on or 'any device'}: {self.row(seat).why}",
                hint="trivet seat show",
            )
        try:
            async with asyncio.timeout(None) as limit:
                self._acts[limit] = seat, on
                self._bound(limit)
                try:
                    yield hold.token
                finally:
                    del self._acts[limit]
                    self._stir.set()
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise RefusedError(
                f"{self._link.device} lost the seat {seat!r} while it acted",
                hint="who holds it now goes on",
            ) from error

    def on_change(self, listener: Listener) -> None:
        """Have `listener` told when a seat changes, as this device sees it."""
        self._listeners.append(listener)

    def row(self, seat: str) -> Row:
        """A seat as this device sees it now.

        Raises:
            UsageError: there is no such seat.
        """
        now = self._clock()
        candidate = self._table.candidate(seat)
        standing, token = candidate.standing(now), candidate.token(now)
        holder = self._table.holder(seat, now)
        record = self._table.voter.record(seat)
        if holder not in ("", self._link.device) and record is not None:
            token = record.token
        why = self._why(standing, holder, candidate.view)
        row = Row(seat, standing, holder, token, time.time(), why)
        told = self._told.get(seat)
        return told if told is not None and _is_same(told, row) else row

    @property
    def rows(self) -> tuple[Row, ...]:
        """All seats as this device sees them now."""
        return tuple(self.row(seat) for seat in sorted(self._plans))

    def give_away(self, seat: str) -> str:
        """Have a seat that this device holds taken by the next in order; its id.

        Raises:
            UsageError: there is no such seat.
            RefusedError: this device does not hold it, or nobody else can take it.
        """
        self._look()
        heir = self._table.candidate(seat).give_away(self._clock())
        self._stir.set()
        return heir

    # --- its life ---------------------------------------------------------------------

    async def run(self) -> None:
        """Seek, hold and give back until cancelled; then release what is held."""
        watching = asyncio.ensure_future(self._watch())
        try:
            while True:
                self._stir.clear()
                self._step()
                now = self._clock()
                wait_s = max(_LEAST_S, self._table.deadline(now) - now)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._stir.wait()
        finally:
            await cancel(watching)
            await self._leave()

    async def _watch(self) -> None:
        async for _ in self._link.watch():
            self._stir.set()

    def _step(self) -> None:
        self._look()
        busy = frozenset(seat for seat, _ in self._acts.values())
        self._do(lambda now: self._table.tick(now, busy))
        self._tell()

    def _do(self, work: Callable[[float], list[Send]]) -> None:
        """Do a part of it now and send what is to be said."""
        try:
            sends = work(self._clock())
        except SetupError as error:  # not kept, so not promised and not held
            log.error("%s: seats: %s", self._link.device, error)
            return
        for send in sends:
            task = asyncio.ensure_future(self._carry(send))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _carry(self, send: Send) -> None:
        answer: Word | None = None
        try:
            said = pack(send.word)
            answer = unpack(
                await self._link.ask(send.device, SEAT, said, timeout_s=HOLD_S)
            )
        except TrivetError as error:
            log.debug("%s: seats: %s: %s", self._link.device, send.device, error)
        self._do(lambda now: self._table.hear(send.device, send.word, answer, now))
        self._stir.set()

    async def _asked(self, asker: str, message: Message | None) -> Message:
        self._look()
        answer = self._table.answer(asker, unpack(message), self._clock())
        self._stir.set()
        return pack(answer)

    async def _leave(self) -> None:
        for task in list(self._sending):
            await cancel(task)
        self._do(self._table.leave)
        self._tell()
        if self._sending:
            await asyncio.wait(self._sending, timeout=_LEAVE_S)
        for task in list(self._sending):
            await cancel(task)

    # --- what is so -------------------------------------------------------------------

    def _look(self) -> None:
        with suppress(SetupError):  # who just lost its household goes on as it was
            self._table.look(*self._views())

    def _views(self) -> tuple[Roll, dict[str, View]]:
        household, me = self._household(), self._link.device
        members, present = household.members, self._link.alive
        roll = roll_of(members, household.version)
        views = {}
        for seat, plan in self._plans.items():
            order, may_alone = order_of(members, plan.order), plan.may_take_over_alone
            views[seat] = View(me, roll, order, present, me in may_alone)
        return roll, views

    def _tell(self) -> None:
        """Bound what is done by the hold, and say what has changed."""
        for limit in self._acts:
            self._bound(limit)
        for row in self.rows:
            if row is self._told.get(row.seat):
                continue
            self._told[row.seat] = row
            log.info("%s: seat %s: %s", self._link.device, row.seat, row.why)
            for listener in self._listeners:
                listener(row)

    def _bound(self, limit: asyncio.Timeout) -> None:
        """End what is done for a seat when the hold ends, at once if it has."""
        seat, on = self._acts[limit]
        hold, loop_now = self.holding(seat), asyncio.get_running_loop().time()
        if limit.expired():
            return
        if hold is None or not hold.may_act_on(on):
            limit.reschedule(loop_now)
        elif hold.standing is Standing.HOLDING:
            left_s = self._table.candidate(seat).until - self._clock()
            limit.reschedule(None if on == self._link.device else loop_now + left_s)

    def _why(self, standing: Standing, holder: str, view: View) -> str:
        there, of = len(view.voters) + 1, len(view.roll.devices)
        if standing is Standing.HOLDING:
            return f"a majority has promised it to {view.me}"
        if standing is Standing.ALONE:
            return f"{there} of {of} devices in reach: {view.me} acts on its own things"
        if holder:
            return f"{holder} has it"
        if not view.can_win:
            return f"{there} of {of} devices in reach, which is no majority"
        if standing is Standing.WAITING:
            return f"nobody has it; {view.me} seeks it"
        return f"nobody has it, and {view.me} does not stand for it"


def _is_same(one: Row, other: Row) -> bool:
    mark = one.standing, one.holder, one.token, one.why
    return mark == (other.standing, other.holder, other.token, other.why)
