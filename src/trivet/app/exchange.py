"""What two replicas say to each other over a link: who lacks what, and here it is.

A message is at most 200 KB; what broke off goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import time

from trivet.app.partner import Partner
from trivet.domain import TrivetError, UsageError, WireError
from trivet.domain.wire import Document, Message
from trivet.fabric.link import Link
from trivet.fabric.replica import Carried, Receipt, Replica, Roll, protocol
from trivet.fabric.replica.intake import check_member
from trivet.fabric.replica.protocol import (
    MAX_PART,
    Batch,
    Compacted,
    Fetch,
    Part,
    Pull,
    Push,
    Standing,
    fitting,
    room_for,
)
from trivet.fabric.replica.update import read_update
from trivet.fabric.replica.vector import (
    Head,
    Vector,
    covers,
    mark_of,
    read_rows,
    rows_of,
)

log = logging.getLogger("trivet.app")

#: Asked of any device: what of the state it has, or takes.
STATE = "state"
#: Seconds that a device may take to answer: its disk may be slow.
ANSWER_S = 20.0


class Exchange:
    """One replica's end of what is said about it.

    Args:
        link: the device's place on the fabric; STATE is answered from now on.
        replica: its copy of the state.
        roll: says who belongs to the household now.
        changed: told of the roots that another device changed, and which device.
        met: told of a device that asked, and what it has.

    Attributes:
        faults: by device, what was wrong with what it gave last; for a person.
    """

    def __init__(
        self,
        link: Link,
        replica: Replica,
        roll: Callable[[], Roll],
        changed: Callable[[frozenset[str], str], None],
        met: Callable[[str, Vector], None],
    ) -> None:
        self._link = link
        self._replica = replica
        self._roll = roll
        self._changed = changed
        self._met = met
        self._declared: Vector | None = None
        self._beginning = asyncio.Lock()
        self._has_pulled = False
        self.faults: dict[str, str] = {}
        link.answer(STATE, self._asked)

    # --- towards others ---------------------------------------------------------

    async def pull(self, partner: Partner) -> None:
        """Take what the other one has and this one lacks.

        A new device takes from one at a time: it may start from a ground, and what it
        wrote on less than all that there is may not fit where more was forgotten.
        """
        if await asyncio.to_thread(self._is_new):
            async with self._beginning:
                await self._pull(partner)
        else:
            await self._pull(partner)
        self._has_pulled = True

    async def _pull(self, partner: Partner) -> None:
        is_silent = await asyncio.to_thread(self._declare, None)
        seen = fitting(await asyncio.to_thread(self._replica.seen), self._me)
        is_anew = False
        again: dict[int, Head] = {}  # own peers that it has another continuation of
        while True:
            vector = self._replica.vector
            asked = {p: h for p, h in (vector | again).items() if h.end}
            answer = await self._ask(partner.device, Pull(rows_of(asked), seen))
            seen = ()
            if isinstance(answer, Compacted):
                if is_anew:
                    raise WireError(f"{partner.device} gives a ground, and another")
                is_anew = True
                await self._start_anew(partner.device, answer)
                continue
            if not isinstance(answer, Batch):
                raise WireError(f"{partner.device} answered a pull with something else")
            partner.theirs = read_rows(answer.rows)
            await asyncio.to_thread(self._replica.note_seen, answer.seen)
            receipt = await self._receive(partner.device, answer.updates)
            is_new = await asyncio.to_thread(
                self._note_forked, partner.device, answer, again
            )
            for carried in answer.updates if again else ():
                update = read_update(carried.raw)
                if update.peer in again:
                    end, mark = update.claim.end, mark_of(update.digest)
                    again[update.peer] = Head(end, mark)
            if not is_new and not (answer.has_more and answer.updates):
                break
            if not receipt.taken and not again:
                break
        if not receipt.faults:
            self.faults.pop(partner.device, None)
        if is_silent:
            if not self._has_pulled:
                await asyncio.to_thread(self._replica.write_anew)
            if not await asyncio.to_thread(self._declare, partner.theirs):
                partner.wake(is_round=True)  # and tells it

    def _note_forked(self, device: str, answer: Batch, again: dict[int, Head]) -> bool:
        """Whether there are own peers that are to be compared from their beginning."""
        is_new = False
        forked = {int.from_bytes(raw, "big") for raw in answer.forked}
        for peer in forked | self._replica.forked(read_rows(answer.rows)):
            if self._replica.writes_as(peer) and peer not in again:
                again[peer] = Head(0, b"")
                is_new = True
            elif peer not in again:
                author = self._replica.author_of(peer)
                self.faults[device] = f"{device} has other writes of {author} than here"
                log.error("%s: %s", self._me, self.faults[device])
        return is_new

    async def push(self, partner: Partner) -> None:
        """Give what the other one lacks."""
        if await asyncio.to_thread(self._is_behind, partner.device):
            return
        while partner.theirs is not None:
            rows = rows_of(self._replica.vector)
            handed = await asyncio.to_thread(
                self._replica.lacking, partner.theirs, room_for(rows)
            )
            if not handed.carried:
                return
            answer = await self._ask(partner.device, Push(handed.carried, rows))
            if not isinstance(answer, Standing):
                raise WireError(f"{partner.device} answered a push with something else")
            partner.theirs = read_rows(answer.rows)
            if answer.fault:
                log.warning(
                    "%s: %s takes it not: %s", self._me, partner.device, answer.fault
                )
                return
            if not answer.taken:
                return  # it waits for what it is to get elsewhere

    async def _start_anew(self, device: str, offer: Compacted) -> None:
        """Fetch a ground, part by part, and start from it."""
        parts = bytearray()
        while len(parts) < offer.size:
            answer = await self._ask(device, Fetch(offer.digest, len(parts)))
            if not isinstance(answer, Part) or not answer.data:
                raise WireError(f"{device} has that ground no more")
            parts += answer.data
        roots = await asyncio.to_thread(
            self._replica.adopt, device, bytes(parts), offer.proof
        )
        self._changed(roots, device)

    async def _ask(self, device: str, question: protocol.Question) -> protocol.Answer:
        asked = Document(STATE, protocol.encode(question))
        answer = await self._link.ask(device, STATE, asked, timeout_s=ANSWER_S)
        if not isinstance(answer, Document):
            raise WireError(f"{device} answered with a {type(answer).__name__}")
        return protocol.read_answer(answer.body)

    def forget(self, device: str) -> None:
        """The device has left, or come anew: what was wrong with it is past."""
        self.faults.pop(device, None)

    # --- for others -------------------------------------------------------------

    async def _asked(self, asker: str, message: Message | None) -> Message:
        if not isinstance(message, Document):
            raise UsageError("state wants a question about it")
        check_member(self._roll(), asker)
        question = protocol.read_question(message.body)
        if isinstance(question, Pull):
            answer = await self._give(asker, question)
        elif isinstance(question, Push):
            answer = await self._take(asker, question)
        else:
            answer = await asyncio.to_thread(self._part, question)
        return Document(STATE, protocol.encode(answer))

    async def _give(self, asker: str, pull: Pull) -> protocol.Answer:
        theirs = read_rows(pull.rows)
        answer = await asyncio.to_thread(self._lacking, asker, pull, theirs)
        self._met(asker, theirs)
        return answer

    def _lacking(self, asker: str, pull: Pull, theirs: Vector) -> protocol.Answer:
        replica = self._replica
        replica.note_seen(pull.seen)
        rows = rows_of(replica.vector)
        said = replica.seen()
        seen = fitting(said, self._me) if pull.seen else ()
        if self._is_behind(asker):
            others = {
                p: h for p, h in replica.vector.items() if not replica.writes_as(p)
            }
            return Batch((), rows_of(others), False, (), seen)
        handed = replica.lacking(theirs, room_for(rows, seen))
        ground = replica.ground() if handed.needs_ground else None
        if ground is not None:
            return Compacted(ground.digest, len(ground.raw), said.get(asker, b""))
        forked = tuple(peer.to_bytes(8, "big") for peer in handed.forked)
        return Batch(handed.carried, rows, handed.has_more, forked, seen)

    async def _take(self, asker: str, push: Push) -> Standing:
        receipt = await self._receive(asker, push.updates)
        self._met(asker, read_rows(push.rows))
        fault = str(receipt.faults[0])[:1000] if receipt.faults else ""
        return Standing(rows_of(self._replica.vector), receipt.taken, fault)

    def _part(self, fetch: Fetch) -> Part:
        ground = self._replica.ground()
        if ground is None or ground.digest != fetch.digest:
            return Part(b"")
        return Part(ground.raw[fetch.offset : fetch.offset + MAX_PART])

    # --- both -------------------------------------------------------------------

    async def _receive(self, giver: str, updates: Sequence[Carried]) -> Receipt:
        receipt = await asyncio.to_thread(self._replica.receive, giver, updates)
        for fault in receipt.faults:
            self.note_fault(giver, fault)
        if receipt.taken:
            self._changed(receipt.roots, giver)
        return receipt

    def _declare(self, theirs: Vector | None) -> bool:
        """Say what this device has, if that is another than it said last.

        A new device does so once it has all that another one had, `theirs`: from then
        on compaction waits for it.

        Returns:
            Whether it has still said nothing.
        """
        vector = self._replica.vector
        if self._replica.is_new and (theirs is None or not covers(vector, theirs)):
            return True
        if self._declared != vector:
            self._replica.declare(int(time() * 1000))
            self._declared = vector
        return False

    def _is_new(self) -> bool:
        return self._replica.is_new

    def _is_behind(self, device: str) -> bool:
        """Whether what this device wrote must wait: the other one is not new as it is.

        It may have forgotten what this device's writes build on, and then cannot read
        them; once this device has all that the other one has, they are made again.
        """
        is_beginning = not self._has_pulled and self._replica.is_new
        return is_beginning and self._replica.has_said(device)

    def note_fault(self, device: str, fault: TrivetError) -> None:
        """Remember what is wrong with a device, and say it when it is new."""
        if self.faults.get(device) != str(fault):
            log.warning("%s: the state of %s: %s", self._me, device, fault)
        self.faults[device] = str(fault)

    @property
    def _me(self) -> str:
        return self._link.device
