"""Whatever is lost, doubled, shuffled or restarted: in the end all have the same, and
nothing that was acknowledged is missing.

The oracle is another CRDT, pycrdt: given the same writes, and even with the others at
the same moments, it must know the same keys and items.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pycrdt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.fabric.replica.household import House, content, exchange

from trivet.domain import SetupError
from trivet.fabric.replica import Add, Drop, Move, Put, Remove, Replica, Tick

DEVICES = ("home", "phone", "car")
devices = st.sampled_from(DEVICES)
keys = st.sampled_from(("a", "b", "c/d", "c/e"))
values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 62), 1 << 62),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


class Household(RuleBasedStateMachine):
    """Three replicas, and what was acknowledged at each."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.house = House(Path(folder), *DEVICES)
        self.open: dict[str, ExitStack] = {}
        self.replicas: dict[str, Replica] = {}
        self.count = 0
        self.time = 0
        self.added: set[str] = set()
        self.dropped: set[str] = set()
        self.touched: set[str] = set()  # to move is to keep, if another drops it
        self.keys: set[str] = set()

    @initialize()
    def start(self) -> None:
        for device in DEVICES:
            self._start(device)

    def _start(self, device: str) -> None:
        self.open[device] = ExitStack()
        self.replicas[device] = self.open[device].enter_context(self.house.open(device))

    @rule(device=devices, key=keys, value=values)
    def put(self, device: str, key: str, value: bool | int | float | str) -> None:
        self.replicas[device].write(Put(f"settings/{key}", value))
        self.keys.add(key)

    @rule(device=devices, many=st.integers(1, 5))
    def add(self, device: str, many: int) -> None:
        texts = [f"{device} {self.count + n}" for n in range(many)]
        self.count += many
        self.replicas[device].write(*(Add("log", text) for text in texts))
        self.added.update(texts)

    @rule(device=devices, data=st.data())
    def change_list(self, device: str, data: st.DataObject) -> None:
        items = self.replicas[device].state.lists.get("log", ())
        if items:
            text = data.draw(st.sampled_from([item.text for item in items]))
            to = data.draw(st.integers(0, 5))
            self.replicas[device].write(Move("log", text, to), Tick("log", text))
            self.touched.add(text)

    @rule(device=devices, data=st.data())
    def drop(self, device: str, data: st.DataObject) -> None:
        items = self.replicas[device].state.lists.get("log", ())
        if items:
            text = data.draw(st.sampled_from([item.text for item in items]))
            self.replicas[device].write(Drop("log", text))
            self.dropped.add(text)

    @rule(
        giver=devices, taker=devices, seed=st.integers(0, 99), most=st.integers(1, 2000)
    )
    def give(self, giver: str, taker: str, seed: int, most: int) -> None:
        """A message: in parts, doubled, out of order, or lost in part."""
        rng, one, other = Random(seed), self.replicas[giver], self.replicas[taker]
        if giver == taker:
            return
        handed = one.lacking(other.vector if seed % 3 else {}, most)
        if handed.needs_ground:
            return
        carried = [c for c in handed.carried if rng.random() < 0.8]
        carried += [c for c in carried if rng.random() < 0.3]
        if seed % 2:
            rng.shuffle(carried)
        receipt = other.receive(giver, carried)
        assert not receipt.forks

    @rule(device=devices)
    def restart(self, device: str) -> None:
        before = content(self.replicas[device])
        self.open.pop(device).close()
        self._start(device)
        assert content(self.replicas[device]) == before

    @rule(device=devices)
    def fail(self, device: str) -> None:
        """The disk is full: nothing is acknowledged, nothing is shown."""
        replica = self.replicas[device]
        store, before = replica._journal.store, content(replica)
        [pages] = store.one("PRAGMA page_count")
        store.run(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SetupError):
            replica.write(Put("settings/full", "x" * 16_000), Add("log", "full"))
        store.run("PRAGMA max_page_count = 1000000")
        assert content(replica) == before

    @rule(declaring=st.sets(devices, min_size=1), device=devices)
    def compact(self, declaring: set[str], device: str) -> None:
        self.time += 1
        for one in sorted(declaring):
            said = self.replicas[one].declare(self.time)
            for other in self.replicas.values():
                other.note_seen([said])
        before = content(self.replicas[device])
        self.replicas[device].compact()
        assert content(self.replicas[device]) == before

    @precondition(lambda self: len(self.replicas) == 3)
    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        for device, replica in self.replicas.items():
            texts = [item.text for item in replica.state.lists.get("log", ())]
            assert len(set(texts)) == len(texts)
            mine = {text for text in self.added if text.startswith(f"{device} ")}
            assert mine - self.dropped <= set(texts)

    def teardown(self) -> None:
        try:
            if len(self.replicas) == 3:
                self._check_convergence()
        finally:
            for stack in self.open.values():
                stack.close()
            self.stack.close()

    def _check_convergence(self) -> None:
        exchange(*self.replicas.values())
        [first, *others] = (content(one) for one in self.replicas.values())
        assert all(other == first for other in others)
        state = self.replicas["home"].state
        texts = {item.text for item in state.lists.get("log", ())}
        assert self.added - self.dropped <= texts
        assert texts <= self.added - (self.dropped - self.touched)
        assert set(state.settings) == self.keys


def test_replicas_converge_and_lose_nothing() -> None:
    run_state_machine_as_test(
        Household,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Mirror:
    """A replica, and the oracle that is given the same."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.doc = pycrdt.Doc()  # type: ignore[var-annotated]
        self.map = self.doc.get("settings", type=pycrdt.Map)
        self.list = self.doc.get("log", type=pycrdt.Array)

    def put(self, key: str, value: int) -> None:
        self.replica.write(Put(f"settings/{key}", value))
        self.map[key] = value

    def remove(self, key: str) -> None:
        self.replica.write(Remove(f"settings/{key}"))
        if key in self.map:
            del self.map[key]

    def add(self, text: str) -> None:
        self.replica.write(Add("log", text))
        self.list.append(text)

    def take(self, other: Mirror) -> None:
        exchange_one(other.replica, self.replica)
        self.doc.apply_update(other.doc.get_update(self.doc.get_state()))


def exchange_one(giver: Replica, taker: Replica) -> None:
    taker.receive(giver.device, giver.lacking(taker.vector, 1 << 30).carried)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 1 << 32))
def test_the_oracle_knows_the_same_items_and_keys(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with ExitStack() as stack:
        house = House(tmp_path / str(rng.random()), *DEVICES)
        mirrors = [Mirror(stack.enter_context(house.open(d))) for d in DEVICES]
        for n in range(rng.randrange(5, 40)):
            one = rng.choice(mirrors)
            device = one.replica.device
            match rng.randrange(4):
                case 0:
                    one.put(f"{device}/{n % 7}", n)
                case 1:
                    one.remove(f"{device}/{n % 7}")
                case 2:
                    one.add(f"{device} {n}")
                case _:
                    one.take(rng.choice(mirrors))
        for _ in range(2):
            for taker in mirrors:
                for giver in mirrors:
                    if giver is not taker:
                        taker.take(giver)
        for one in mirrors:
            state = one.replica.state
            assert state.settings == dict(one.map)
            items = [item.text for item in state.lists.get("log", ())]
            assert sorted(items) == sorted(one.list)
