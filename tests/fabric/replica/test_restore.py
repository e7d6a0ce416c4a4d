"""A device that forgot what it wrote uses no number twice, and loses nothing since."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.fabric.replica.household import House, content, exchange, give, roll_of

from trivet.domain import RefusedError, WireError
from trivet.fabric.replica import Add, Drop, Put, Replica
from trivet.fabric.replica.change import Change
from trivet.fabric.replica.document import StateDocument
from trivet.fabric.replica.operation import Span
from trivet.fabric.replica.update import read_update
from trivet.fabric.replica.vector import Head, mark_of


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, "home", "phone")


def back_up(house: House, device: str) -> Path:
    """A copy of a file that no process has open."""
    copy = house.path(device).with_suffix(".backup")
    shutil.copy(house.path(device), copy)
    return copy


def restore(house: House, device: str, copy: Path, *, in_place: bool) -> None:
    """Put the copy back; `in_place` into the same file, which nothing gives away."""
    for name in ("-wal", "-shm"):
        Path(f"{house.path(device)}{name}").unlink(missing_ok=True)
    if in_place:
        house.path(device).write_bytes(copy.read_bytes())
    else:
        house.path(device).unlink()
        shutil.copy(copy, house.path(device))


def rounds(one: Replica, other: Replica) -> None:
    """What two devices do on contact, forks and all: see app/exchange.py."""
    for _ in range(2):
        for taker, giver in ((one, other), (other, one)):
            give(giver, taker)
            forked = giver.forked(taker.vector) | taker.forked(giver.vector)
            for peer in filter(taker.writes_as, forked):
                asked = dict(taker.vector)
                asked.pop(peer)
                while carried := giver.lacking(asked).carried:
                    taker.receive(giver.device, carried)
                    last = read_update(carried[-1].raw)
                    asked[peer] = Head(last.claim.end, mark_of(last.digest))
                    if last.peer != peer:
                        break
            give(giver, taker)


def live(house: House, *edits: Change) -> None:
    """The home is backed up, then writes on, and the phone hears of it."""
    with house.open("home") as home, house.open("phone") as phone:
        for edit in edits:
            home.write(edit)
        rounds(home, phone)


@pytest.mark.parametrize("in_place", [False, True])
def test_a_restored_device_gets_back_what_it_forgot(
    house: House, in_place: bool
) -> None:
    live(house, Put("settings/a", 1))
    copy = back_up(house, "home")
    live(house, Put("settings/b", 2), Add("groceries", "milk"))
    restore(house, "home", copy, in_place=in_place)
    with house.open("home") as home, house.open("phone") as phone:
        assert home.state.settings == {"a": 1}
        before = set(home.vector)
        rounds(home, phone)
        assert home.state.settings == {"a": 1, "b": 2}
        home.write(Put("settings/c", 3))
        assert set(home.vector) - before  # under a number of its own
        rounds(home, phone)
        assert content(home) == content(phone)
        assert phone.forks == {}


@pytest.mark.parametrize("in_place", [False, True])
def test_what_a_restored_device_wrote_before_contact_is_kept(
    house: House, in_place: bool
) -> None:
    """In place it uses numbers twice before it can know: then it writes them anew."""
    live(house, Put("settings/a", 1), Add("groceries", "bread"))
    copy = back_up(house, "home")
    live(house, Put("settings/b", 2), Add("groceries", "milk"))
    restore(house, "home", copy, in_place=in_place)
    with house.open("home") as home:
        home.write(Put("settings/c", 3))
        home.write(Add("groceries", "tea"), Drop("groceries", "bread"))
    with house.open("home") as home, house.open("phone") as phone:
        rounds(home, phone)
        assert content(home) == content(phone)
        assert home.state.settings == {"a": 1, "b": 2, "c": 3}
        texts = [item.text for item in home.state.lists["groceries"]]
        assert sorted(texts) == ["milk", "tea"]
    with house.open("home") as home:
        assert home.state.settings == {"a": 1, "b": 2, "c": 3}
        assert home._journal.store.again() == []


def test_a_fork_of_equal_length_is_seen_by_its_author(house: House) -> None:
    live(house, Put("settings/a", 1))
    copy = back_up(house, "home")
    live(house, Put("settings/b", 2))
    restore(house, "home", copy, in_place=True)
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("settings/c", 3))
        ends = [head.end for head in home.vector.values()]
        assert ends == [head.end for head in phone.vector.values()]
        rounds(home, phone)
        assert home.state.settings == phone.state.settings == {"a": 1, "b": 2, "c": 3}


def test_what_was_compacted_meanwhile_comes_as_a_ground(house: House) -> None:
    live(house, *(Put(f"settings/k{n}", n) for n in range(5)))
    copy = back_up(house, "home")
    live(house, *(Put(f"settings/m{n}", n) for n in range(5)))
    with house.open("home") as home, house.open("phone") as phone:
        for one, other in ((home, phone), (phone, home)):
            other.note_seen([one.declare(1000)])
        assert phone.compact()
        assert phone.size == (0, 0)
    restore(house, "home", copy, in_place=False)
    with house.open("home") as home, house.open("phone") as phone:
        home.write(Put("settings/since", 1), Add("groceries", "tea"))
        rounds(home, phone)
        assert len(home.state.settings) == 11
        assert content(home) == content(phone)
        assert [item.text for item in phone.state.lists["groceries"]] == ["tea"]


def test_a_clock_that_was_put_back_does_not_hold_compaction_up(
    house: House,
) -> None:
    house.roll = roll_of("home", "phone")
    with house.open("home") as home, house.open("phone") as phone:
        phone.note_seen([home.declare(5000)])
        for n in range(3):
            home.write(Put("settings/a", n))
        exchange(home, phone)
        phone.note_seen([home.declare(5)])
        assert phone.compact()


def test_attack_a_ground_does_not_replace_what_was_never_lost(house: House) -> None:
    """A member that compacts what another never saw cannot make it start anew."""
    house.roll = roll_of("home", "phone", "car")
    with (
        house.open("home") as home,
        house.open("phone") as phone,
        house.open("car") as car,
    ):
        car.write(Put("settings/car", 1))
        exchange(car, home)
        phone.write(Put("settings/a", 1))
        phone.write(Put("settings/b", 2))
        phone._journal.compact({peer: head.end for peer, head in phone.vector.items()})
        ground = phone.ground()
        assert ground is not None
        home.declare(1)  # it is no new device
        before = content(home)
        for proof in (b"", phone.declare(1), car.declare(1)):
            with pytest.raises((RefusedError, WireError)):
                home.adopt("phone", ground.raw, proof)
        assert content(home) == before
        # an altered one, and one that somebody else gives
        raw = bytearray(ground.raw)
        raw[len(raw) // 2] ^= 1
        with house.open("later") as later:
            house.roll = roll_of("home", "phone", "car", "later")
            with pytest.raises(WireError):
                later.adopt("phone", bytes(raw))
            with pytest.raises(WireError, match="that car gives"):
                later.adopt("car", ground.raw)
            assert later.state.is_empty
            later.adopt("phone", ground.raw)
            assert later.state.settings == {"a": 1, "b": 2}


def test_a_new_device_whose_giver_left_midway_starts_from_a_ground(
    house: House,
) -> None:
    """It has a part of what another one forgot since."""
    house.roll = roll_of("home", "phone", "car")
    live(house, *(Put(f"settings/k{n}", n) for n in range(20)))
    with house.open("car") as car:
        with house.open("phone") as phone:
            handed = phone.lacking(car.vector, 2000)
            assert handed.has_more
            car.receive("phone", handed.carried)
        with house.open("home") as home:
            home._journal.compact({p: head.end for p, head in home.vector.items()})
            assert home.lacking(car.vector).needs_ground
            car.write(Put("settings/mine", 1))
            give(home, car)
            exchange(home, car)
            assert len(car.state.settings) == 21
            assert content(home) == content(car)


def test_what_is_not_readable_in_one_go_is_read_one_by_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(house, *(Put(f"settings/k{n}", n) for n in range(5)))
    honest = StateDocument.of.__func__  # type: ignore[attr-defined]

    def picky(
        cls: type[StateDocument],
        peer: int,
        snapshot: bytes | None,
        spans: list[Span],
        at_once: int = 1000,
    ) -> StateDocument:
        spans = list(spans)
        if len(spans) > 1 and at_once > 1:
            raise WireError("a panic")
        made: StateDocument = honest(cls, peer, snapshot, spans, at_once)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(StateDocument, "of", classmethod(picky))
        with house.open("home") as home:
            assert len(home.state.settings) == 5
            home.write(Put("settings/more", 1))
    with house.open("home") as home:
        assert len(home.state.settings) == 6
