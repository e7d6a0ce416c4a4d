"""A household in simulated time: devices with clocks of their own, a bad network.

Everything is drawn from one seed, so what went wrong once goes wrong again. One time is
real, that of the world; each device knows its own monotonic clock alone, which begins
anywhere and runs fast or slow.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection
from random import Random

from trivet.domain.error import RefusedError, WireError
from trivet.fabric.seat import MemoryBook, Roll, Send, Standing, Table, View
from trivet.fabric.seat.word import Word, pack, unpack

SEAT = "engine"


class BrokenError(AssertionError):
    """A law of the protocol is broken."""


class Node:
    """A device: its disk outlives a crash, its table and its clock do not."""

    def __init__(self, world: World, me: str) -> None:
        self.world = world
        self.me = me
        self.book = MemoryBook()
        self.roll = world.roll
        self.table: Table | None = None
        self.paused_until = 0.0
        self.life = 0
        self.clock = (0.0, 1.0)

    def local(self) -> float:
        offset, rate = self.clock
        return offset + rate * self.world.now

    def view(self) -> View:
        present = frozenset(self.world.nodes) - {self.me} - self.world.seen_gone
        order = tuple(d for d in self.world.order if d in self.roll.devices)
        return View(self.me, self.roll, order, present, self.me in self.world.standbys)

    def start(self) -> None:
        rng, drift = self.world.rng, self.world.drift
        self.life += 1
        rate = rng.uniform(1 - drift, 1 + drift)
        self.clock = (rng.uniform(-1e6, 1e6), rate)
        seed = Random(rng.getrandbits(64))
        views = {SEAT: self.view()}
        now = self.local()
        make = self.world.make
        self.table = make(self.me, self.book, views, self.roll, seed, now)
        self.wake(self.life)

    def crash(self) -> None:
        self.table = None
        self.life += 1

    def leave(self) -> None:
        """End in order, and say so."""
        assert self.table is not None
        self.world.post(self, self.table.leave(self.local()))
        self.crash()

    def wake(self, life: int) -> None:
        if life != self.life or self.table is None:
            return
        if self.world.now < self.paused_until:
            self.world.at(self.paused_until, lambda: self.wake(life))
            return
        self.table.look(self.roll, {SEAT: self.view()})
        self.world.post(self, self.table.tick(self.local()))
        due = (self.table.deadline(self.local()) - self.local()) / self.clock[1]
        late = self.world.rng.uniform(0.0, 0.02)
        self.world.at(self.world.now + min(max(due, 0.001), 0.5) + late, self.waker())

    def waker(self) -> Callable[[], None]:
        life = self.life
        self.waking = object()
        mark = self.waking

        def wake() -> None:
            if mark is self.waking:  # of several alarms the last one counts
                self.wake(life)

        return wake

    def stir(self) -> None:
        """Something came in: look at once."""
        self.wake(self.life)

    def take(self, sender: str, word: Word, asked: Word | None) -> None:
        """A word arrives: a question, or the answer to one."""
        if self.table is None:
            return
        if self.world.now < self.paused_until:
            life = self.life

            def later() -> None:
                if life == self.life:  # what waits at a device dies with it
                    self.take(sender, word, asked)

            self.world.at(self.paused_until, later)
            return
        now = self.local()
        if asked is not None:
            self.world.post(self, self.table.hear(sender, asked, word, now))
        else:
            try:
                answer = self.table.answer(sender, word, now)
            except (RefusedError, WireError):
                return
            self.world.carry(self.me, sender, answer, word)
        self.stir()

    @property
    def holds(self) -> bool:
        if self.table is None:
            return False
        return self.local() < self.table.candidates[SEAT].until

    @property
    def standing(self) -> Standing:
        if self.table is None:
            return Standing.NONE
        return self.table.candidate(SEAT).standing(self.local())

    @property
    def token(self) -> int:
        if self.table is None:
            return 0
        return self.table.candidate(SEAT).token(self.local())


class World:
    """The devices, the time, and what lies between them."""

    def __init__(
        self,
        seed: int,
        devices: Collection[str] = ("home", "phone", "car"),
        *,
        drift: float = 0.01,
        loss: float = 0.0,
        double: float = 0.0,
        delay_s: float = 0.03,
        make: Callable[..., Table] = Table,
    ) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.order = tuple(devices)
        self.roll = Roll(1, tuple(sorted(devices)))
        self.drift, self.loss, self.double, self.delay_s = drift, loss, double, delay_s
        self.make = make
        self.standbys: frozenset[str] = frozenset()
        self.parts: dict[str, int] = {}
        self.seen_gone: frozenset[str] = frozenset()
        self.queue: list[tuple[float, int, Callable[[], object]]] = []
        self.count = 0
        self.sent = 0
        #: who held with which token, in order
        self.held: list[tuple[float, str, int]] = []
        self.nodes: dict[str, Node] = {}
        for device in devices:
            self.nodes[device] = Node(self, device)
        for node in self.nodes.values():
            node.start()

    def at(self, time: float, do: Callable[[], object]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (max(time, self.now), self.count, do))

    def post(self, sender: Node, sends: Collection[Send]) -> None:
        self.check()
        for send in sends:
            self.carry(sender.me, send.device, send.word, None)

    def carry(self, sender: str, to: str, word: Word, asked: Word | None) -> None:
        """Put a word on the way: it may be lost, late, doubled or overtaken."""
        word = unpack(pack(word))
        copies = 2 if self.rng.random() < self.double else 1
        for _ in range(copies):
            self.sent += 1
            if self.rng.random() < self.loss:
                continue
            delay = self.rng.expovariate(1 / self.delay_s)
            self.at(self.now + delay, lambda: self.bring(sender, to, word, asked))

    def bring(self, sender: str, to: str, word: Word, asked: Word | None) -> None:
        if self.parts.get(sender, 0) == self.parts.get(to, 0) and to in self.nodes:
            self.nodes[to].take(sender, word, asked)

    def run(self, until: float) -> None:
        while self.queue and self.queue[0][0] <= until:
            self.now, _, do = heapq.heappop(self.queue)
            do()
            self.check()
        self.now = until
        self.check()

    def run_for(self, span_s: float) -> None:
        self.run(self.now + span_s)

    def until(self, is_true: Callable[[], bool], limit_s: float) -> float:
        """Run until something is so; the seconds that took."""
        began = self.now
        while not is_true():
            if self.now - began > limit_s:
                raise BrokenError(f"not so within {limit_s} s")
            self.run_for(0.01)
        return self.now - began

    @property
    def holders(self) -> list[str]:
        return [node.me for node in self.nodes.values() if node.holds]

    @property
    def holder(self) -> str:
        return next(iter(self.holders), "")

    def check(self) -> None:
        """The laws: one holder at a time, each token one device's, and ever greater."""
        holders = self.holders
        if len(holders) > 1:
            raise BrokenError(f"at {self.now:.3f} s {holders} hold at once")
        for device in holders:
            token = self.nodes[device].token
            _, last_device, last = self.held[-1] if self.held else (0.0, "", 0)
            if (device, token) == (last_device, last):
                continue
            if token < last or (token == last and device != last_device):
                raise BrokenError(
                    f"{device} holds with {token} after {last_device} with {last}"
                )
            self.held.append((self.now, device, token))

    # --- what befalls them ------------------------------------------------------------

    def befall(self, faults: int, over_s: float, *, grows: bool = False) -> None:
        """Let so many faults befall the devices, then heal what is broken."""
        for _ in range(faults):
            self.run_for(self.rng.expovariate(faults / over_s))
            kinds = [self.crash, self.restart, self.pause, self.part, self.heal]
            kinds += [self.grow, self.tell] if grows else []
            self.rng.choice(kinds)()

    def calm(self) -> None:
        """From now on nothing more goes wrong."""
        self.heal()
        self.loss = self.double = 0.0
        self.delay_s = 0.01
        for node in self.nodes.values():
            node.paused_until = 0.0
            node.roll = self.roll
            if node.table is None:
                node.start()

    def any_one(self) -> Node:
        return self.nodes[self.rng.choice(sorted(self.nodes))]

    def crash(self) -> None:
        self.any_one().crash()

    def restart(self) -> None:
        node = self.any_one()
        node.crash()
        node.start()

    def pause(self) -> None:
        self.any_one().paused_until = self.now + self.rng.uniform(0.05, 5.0)

    def part(self) -> None:
        self.parts = {device: self.rng.randrange(2) for device in self.nodes}

    def heal(self) -> None:
        self.parts = {}
        for node in self.nodes.values():
            if node.table is None and self.rng.random() < 0.5:
                node.start()

    def grow(self) -> None:
        """A device joins, where one part of the household alone hears of it."""
        if len(self.nodes) >= 9:
            return
        device = f"new-{len(self.nodes)}"
        self.roll = Roll(
            self.roll.version + 1, tuple(sorted((*self.roll.devices, device)))
        )
        self.order = (*self.order, device)
        node = self.nodes[device] = Node(self, device)
        self.parts[device] = self.rng.randrange(2)
        node.start()
        self.tell()

    def tell(self) -> None:
        """The charter of the newest device reaches those in its part."""
        newest = max(self.nodes.values(), key=lambda node: node.roll.version)
        part = self.parts.get(newest.me, 0)
        for node in self.nodes.values():
            if self.parts.get(node.me, 0) == part and self.rng.random() < 0.8:
                node.roll = newest.roll
