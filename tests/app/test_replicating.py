"""Running devices keep even: what one writes the others have, whoever was away."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from tests.fabric.replica.household import House, content, roll_of

from trivet.app import partner, replicating
from trivet.app.exchange import Exchange
from trivet.app.replicating import Replicating
from trivet.domain import DeviceKind, RefusedError, SetupError, UsageError
from trivet.domain.wire import Document, Message
from trivet.fabric import (
    MemoryFabric,
    SessionConfig,
    create_household,
    issue,
    load_identity,
    open_session,
)
from trivet.fabric.background import cancel
from trivet.fabric.link import Link
from trivet.fabric.replica import Add, Change, Item, Put, Replica, protocol
from trivet.fabric.replica.protocol import (
    Compacted,
    Fetch,
    Part,
    Push,
    encode,
    read_question,
)

LIMIT_S = 30.0


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(partner, "RELAY_S", 0.01)
    return House(tmp_path)


class Living(msgspec.Struct):
    """A device that runs."""

    link: Link
    replica: Replica
    replicating: Replicating


@asynccontextmanager
async def living(
    house: House, fabric: MemoryFabric, device: str
) -> AsyncIterator[Living]:
    with house.open(device) as replica:
        async with fabric.open_session(device) as link:
            made = Replicating(link, replica, lambda: house.roll)
            task = asyncio.create_task(made.run())
            try:
                yield Living(link, replica, made)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_what_was_written_apart_comes_together_on_contact(house: House) -> None:
    fabric = MemoryFabric()
    async with living(house, fabric, "home") as home:
        await home.replicating.write(Put("people/ada/name", "Ada"))
        async with living(house, fabric, "phone") as phone:
            await phone.replicating.write(Add("groceries", "milk"))
            await until(lambda: len(content(home.replica)) == 2)
            await until(lambda: content(home.replica) == content(phone.replica))


async def test_who_was_shut_out_does_not_hold_up_the_others(house: House) -> None:
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "car") as car,
    ):
        await car.replicating.write(Put("settings/a", 1))
        await until(lambda: "car" in home.replica.seen())
    house.roll = roll_of("home", "phone")
    with house.open("phone") as replica:
        replica.write(Put("settings/b", 2))
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        await until(lambda: home.replicating.state.settings == {"a": 1, "b": 2})
        await until(lambda: phone.replicating.state.settings == {"a": 1, "b": 2})


async def test_a_write_is_there_at_once_and_told(house: House) -> None:
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        told: list[frozenset[str]] = []
        phone.replicating.on_change(told.append)
        watch = phone.replicating.watch()
        changed = asyncio.ensure_future(anext(watch))
        await home.replicating.write(Put("settings/a", 1))
        await until(lambda: phone.replicating.state.settings == {"a": 1})
        assert await asyncio.wait_for(changed, LIMIT_S) == {"settings"}
        assert told == [frozenset({"settings"})]
        await watch.aclose()


async def test_two_that_never_meet_keep_even_through_a_third(house: House) -> None:
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "phone") as phone,
        living(house, fabric, "car") as car,
    ):
        phone.link.bar("car")
        car.link.bar("phone")
        async with living(house, fabric, "home"):
            await phone.replicating.write(Put("settings/a", 1))
            await until(lambda: car.replicating.state.settings == {"a": 1})
            await car.replicating.write(Put("settings/b", 2))
            await until(lambda: len(phone.replicating.state.settings) == 2)


async def test_what_is_written_at_once_is_one_update(house: House) -> None:
    fabric = MemoryFabric()
    async with living(house, fabric, "home") as home:
        writes = (home.replicating.write(Put(f"settings/k{i}", i)) for i in range(500))
        await asyncio.gather(*writes)
        assert len(home.replicating.state.settings) == 500
        assert home.replica.size[0] < 50


async def test_a_write_that_cannot_be_is_its_writer_s_alone(house: House) -> None:
    fabric = MemoryFabric()
    async with living(house, fabric, "home") as home:
        done = await asyncio.gather(
            home.replicating.write(Put("settings/a", 1)),
            home.replicating.write(Put("no/such/root", 1)),
            home.replicating.write(),
            home.replicating.write(Put("settings/b", 2)),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [
            type(None),
            UsageError,
            UsageError,
            type(None),
        ]
        assert home.replicating.state.settings == {"a": 1, "b": 2}


async def test_what_only_fails_when_it_is_written_is_its_writer_s_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with living(house, MemoryFabric(), "home") as home:
        write_all = home.replica.write_all

        def pick(edits: Sequence[Sequence[Change]]) -> frozenset[str]:
            if any(Put("settings/long", 1) in edit for edit in edits):
                raise UsageError("too long for an update")
            return write_all(edits)

        monkeypatch.setattr(home.replica, "write_all", pick)
        done = await asyncio.gather(
            *(home.replicating.write(Put(f"settings/{k}", 1)) for k in ("a", "long")),
            home.replicating.write(Put("settings/b", 2)),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [type(None), UsageError, type(None)]
        assert home.replicating.state.settings == {"a": 1, "b": 2}


async def test_a_fault_of_ours_leaves_nobody_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with living(house, MemoryFabric(), "home") as home:

        def fail(edits: object) -> frozenset[str]:
            raise ZeroDivisionError

        monkeypatch.setattr(home.replica, "write_all", fail)
        writes = [home.replicating.write(Put(f"settings/{k}", 1)) for k in "ab"]
        async with asyncio.timeout(LIMIT_S):
            done = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(one) for one in done] == [ZeroDivisionError] * 2


async def test_a_full_disk_refuses_all_that_waited(house: House) -> None:
    fabric = MemoryFabric()
    async with living(house, fabric, "home") as home:
        await home.replicating.write(Put("settings/a", 1))
        store = home.replica._journal.store
        [pages] = store.one("PRAGMA page_count")
        store.run(f"PRAGMA max_page_count = {pages}")
        done = await asyncio.gather(
            *(home.replicating.write(Put(f"settings/k{i}", "x" * 9000)) for i in "12"),
            return_exceptions=True,
        )
        assert [type(one) for one in done] == [SetupError, SetupError]
        assert home.replicating.state.settings == {"a": 1}
        store.run("PRAGMA max_page_count = 1000000")
        await home.replicating.write(Put("settings/b", 2))
        assert home.replicating.state.settings == {"a": 1, "b": 2}


async def test_more_than_fits_into_a_message_comes_in_parts(house: House) -> None:
    fabric = MemoryFabric()
    with house.open("home") as home:
        for n in range(60):
            home.write(Put(f"settings/k{n}", f"{n:04}" * 4000))
        assert home.size[1] > 3 * 200_000
        expected = content(home)
    async with (
        living(house, fabric, "home"),
        living(house, fabric, "phone") as phone,
    ):
        await until(lambda: content(phone.replica) == expected)


async def test_a_new_device_starts_from_a_ground_and_the_updates_since(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COMPACT_S": 0.05, "MANY": 20}.items():
        monkeypatch.setattr(replicating, name, value)
    monkeypatch.setattr(partner, "SYNC_S", 0.1)
    house.roll = roll_of("home", "phone")
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        for n in range(40):
            await home.replicating.write(Put(f"settings/k{n}", n))
        await until(lambda: home.replica.ground() is not None)
        await until(lambda: phone.replica.ground() is not None)
        await home.replicating.write(Put("settings/later", 1))
        house.roll = roll_of("home", "phone", "car")
        async with living(house, fabric, "car") as car:
            await car.replicating.write(Put("settings/mine", 1))
            await until(lambda: len(car.replicating.state.settings) == 42)
            await until(lambda: content(home.replica) == content(car.replica))
            await until(lambda: content(phone.replica) == content(car.replica))
            assert car.replicating.faults == {}


@pytest.mark.parametrize("order", [("home", "phone"), ("phone", "home")])
async def test_a_new_device_between_two_grounds_writes_on_one(
    house: House, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    real, offers, both = Exchange._ask, set[str](), asyncio.Event()

    async def ask(
        self: Exchange, device: str, question: protocol.Question
    ) -> protocol.Answer:
        """The car has both offers in hand before it takes one, if it asks for both."""
        answer = await real(self, device, question)
        if isinstance(answer, Compacted):
            offers.add(device)
            if len(offers) == 2:
                both.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(both.wait(), 0.3)
        return answer

    monkeypatch.setattr(Exchange, "_ask", ask)
    monkeypatch.setattr(partner, "SYNC_S", 0.1)
    house.roll = roll_of("home", "phone")
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        devices = {"home": home, "phone": phone}
        for n, device in enumerate(devices[name] for name in order):
            await device.replicating.write(Put(f"settings/{n}", n))
            await until(lambda: content(home.replica) == content(phone.replica))
            await until(lambda one=device.replica: is_compact(one))  # type: ignore[misc]
        house.roll = roll_of("home", "phone", "car")
        with house.open("car") as replica:
            replica.write(Put("settings/mine", 1))
        async with living(house, fabric, "car") as car:
            for device in (home, phone, car):
                settled = device.replicating
                await until(lambda one=settled: len(one.state.settings) == 3)  # type: ignore[misc]
            await car.replicating.write(Put("settings/more", 2))
            await until(lambda: len(home.replicating.state.settings) == 4)
            await until(lambda: home.replica.vector == phone.replica.vector)
            await until(lambda: home.replica.vector == car.replica.vector)
            for device in (home, phone, car):
                assert device.replicating.faults == {}


def is_compact(replica: Replica) -> bool:
    """A snapshot stands for all that there is."""
    replica.compact()
    return replica.size == (0, 0)


async def test_a_disk_that_failed_once_is_compacted_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [SetupError("the disk failed")]
    size = Replicating._replica_size

    def fail_once(self: Replicating) -> tuple[int, int]:
        if failures:
            raise failures.pop()
        return size(self)

    for name, value in {"COMPACT_S": 0.02, "MANY": 5}.items():
        monkeypatch.setattr(replicating, name, value)
    monkeypatch.setattr(Replicating, "_replica_size", fail_once)
    house.roll = roll_of("home")
    async with living(house, MemoryFabric(), "home") as home:
        for n in range(10):
            await home.replicating.write(Put(f"settings/k{n}", n))
        await until(lambda: home.replica.ground() is not None)
        assert not failures


async def test_attack_a_guest_asks_and_gives_in_vain(house: House) -> None:
    fabric = MemoryFabric()
    house.roll = roll_of("home", guests=("phone",))
    async with (
        living(house, fabric, "home") as home,
        fabric.open_session("phone") as phone,
    ):
        await home.replicating.write(Put("settings/a", 1))
        with pytest.raises(RefusedError, match="guest"):
            await phone.ask("home", "state", Document("state", b""))


@pytest.mark.parametrize("body", [b"", b"\x00" * 40, b"\x93\xa4pull\x01\x02", b"\xc1"])
async def test_attack_what_is_no_question_is_refused(house: House, body: bytes) -> None:
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        fabric.open_session("phone") as phone,
    ):
        with pytest.raises(RefusedError, match="malformed"):
            await phone.ask("home", "state", Document("state", body))
        assert home.replicating.state.is_empty


async def test_items_are_on_the_list_in_one_order_everywhere(house: House) -> None:
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        await asyncio.gather(
            *(home.replicating.write(Add("todo", f"h{n}")) for n in range(20)),
            *(phone.replicating.write(Add("todo", f"p{n}")) for n in range(20)),
        )
        await until(lambda: len(home.replicating.state.lists["todo"]) == 40)
        await until(lambda: content(home.replica) == content(phone.replica))
        assert Item("p7") in home.replicating.state.lists["todo"]


async def test_a_damaged_partner_does_not_end_the_others(house: House) -> None:
    """What one device answers wrongly is told, and the rest goes on."""
    fabric = MemoryFabric()

    async def nonsense(asker: str, message: object) -> Document:
        return Document("state", b"nonsense")

    async with (
        fabric.open_session("car", answers={"state": nonsense}),
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
    ):
        await home.replicating.write(Put("settings/a", 1))
        await until(lambda: phone.replicating.state.settings == {"a": 1})
        await until(lambda: "malformed" in home.replicating.faults.get("car", ""))


def test_the_file_is_durable_when_it_says_so(house: House) -> None:
    with house.open("home") as home:
        store = home._journal.store
        assert store.one("PRAGMA journal_mode") == ("wal",)
        assert store.one("PRAGMA synchronous") == (2,)  # FULL
    assert sqlite3.sqlite_version_info >= (3, 37)  # STRICT tables


async def test_devices_keep_even_over_real_sessions(tmp_path: Path) -> None:
    """Zenoh with mutual TLS, and more than one message in either direction."""
    household = create_household(tmp_path / "household", "ours")
    house, address = House(tmp_path, "home", "phone"), f"127.0.0.1:{free_port()}"
    async with AsyncExitStack() as stack:
        replicas: list[Replica] = []
        for device in ("home", "phone"):
            issue(household, device, DeviceKind.OTHER)
            is_home = device == "home"
            config = SessionConfig(
                load_identity(household, device),
                listen=(address,) if is_home else (),
                connect=() if is_home else (address,),
            )
            replica = stack.enter_context(house.open(device))
            for n in range(30):
                replica.write(Put(f"settings/{device}{n}", f"{n:04}" * 3000))
            link = await stack.enter_async_context(open_session(config))
            made = Replicating(link, replica, lambda: house.roll)
            task = asyncio.create_task(made.run())
            stack.push_async_callback(cancel, task)
            replicas.append(replica)
        await until(lambda: len(replicas[0].state.settings) == 60)
        await until(lambda: content(replicas[0]) == content(replicas[1]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def together(house: House, *devices: str) -> None:
    """Let devices run until they have the same."""
    fabric = MemoryFabric()
    async with AsyncExitStack() as stack:
        found = [
            await stack.enter_async_context(living(house, fabric, device))
            for device in devices
        ]
        replicas = [one.replica for one in found]
        await until(lambda: len({frozenset(r.vector.items()) for r in replicas}) == 1)
        await until(lambda: all(not r.forks for r in replicas))


def put_back(path: Path, backup: bytes) -> None:
    """Into the same file, which nothing gives away."""
    for name in ("-wal", "-shm"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    path.write_bytes(backup)


async def test_a_device_restored_in_place_writes_again_what_it_wrote_since(
    house: House,
) -> None:
    """It used the numbers of what it forgot: nobody mixes the two, nothing is lost."""
    with house.open("home") as home:
        home.write(Put("settings/a", 1))
    backup = house.path("home").read_bytes()
    with house.open("home") as home:
        home.write(Put("settings/b", 2))
    await together(house, "home", "phone")
    put_back(house.path("home"), backup)
    with house.open("home") as home:
        home.write(Put("settings/c", 3))
        home.write(Add("groceries", "tea"))
    await together(house, "home", "phone")
    for device in ("home", "phone"):
        with house.open(device) as replica:
            assert replica.state.settings == {"a": 1, "b": 2, "c": 3}
            assert replica.state.lists == {"groceries": (Item("tea"),)}


async def test_attack_one_that_always_gives_a_ground_is_asked_once(
    house: House,
) -> None:
    with house.open("phone") as phone:
        phone.write(Put("settings/a", 1))
        phone._journal.compact({p: head.end for p, head in phone.vector.items()})
        ground = phone.ground()
    assert ground is not None
    fetched = 0

    async def answer(asker: str, message: Message | None) -> Message:
        nonlocal fetched
        assert isinstance(message, Document)
        question = read_question(message.body)
        if isinstance(question, Fetch):
            fetched += 1
            return Document("state", encode(Part(ground.raw)))
        return Document("state", encode(Compacted(ground.digest, len(ground.raw))))

    fabric = MemoryFabric()
    async with (
        fabric.open_session("phone", answers={"state": answer}),
        living(house, fabric, "home") as home,
    ):
        await until(lambda: "another" in home.replicating.faults.get("phone", ""))
        assert fetched == 1
        assert home.replicating.state.settings == {"a": 1}


async def test_attack_a_revoked_device_reaches_nobody_through_another(
    house: House,
) -> None:
    with house.open("car") as car:
        car.write(Put("settings/before", 1))
    await together(house, "home", "car")
    with house.open("car") as car:
        car.write(Put("settings/after", 2))
    house.roll = roll_of("home", "phone")
    fabric = MemoryFabric()
    async with (
        living(house, fabric, "home") as home,
        living(house, fabric, "phone") as phone,
        fabric.open_session("car") as link,
    ):
        with house.open("car") as car:
            late = Push(car.lacking(home.replica.vector).carried, ())
        with pytest.raises(RefusedError, match="no more"):
            await link.ask("home", "state", Document("state", encode(late)))
        await until(lambda: content(phone.replica) == content(home.replica))
        assert phone.replicating.state.settings == {"before": 1}
